// What the head of each task asks of the encoder, how its rows become a sentence's answer, and how
// logits become scores. The matmuls themselves are a step of the back end.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "espalier/types.hpp"
#include "format/spec.hpp"
#include "runtime/backend.hpp"

namespace espalier::runtime {

/// Which tokens of a sentence the head's matmuls take.
enum class HeadTokens : std::uint8_t { first, every, masks };

/// How the rows of a sentence become its answer.
enum class Combine : std::uint8_t {
  rows,  ///< one after the other
  mean,  ///< Σ over tokens, in token order, / n
};

/// How logits become scores.
enum class ScoreKind : std::uint8_t { softmax, sigmoid, identity };

/// What the head of one model does; made once.
struct HeadPlan {
  HeadTokens tokens = HeadTokens::first;
  Combine combine = Combine::rows;
  bool normalize = false;   ///< answer / max(√Σ answer², 1e-12)
  std::uint32_t width = 0;  ///< floats of a row: labels, hidden or vocabulary
  std::uint32_t mask = 0;   ///< id of [MASK], for HeadTokens::masks
  ScoreKind scores = ScoreKind::identity;
  Rows last_layer = Rows::all;  ///< rows that the last layer has to compute

  [[nodiscard]] bool takes(std::size_t position, TokenId id) const noexcept {
    switch (tokens) {
      case HeadTokens::first:
        return position == 0;
      case HeadTokens::every:
        return true;
      case HeadTokens::masks:
        return static_cast<std::uint32_t>(to_int(id)) == mask;
    }
    return false;
  }

  /// Rows of the answer of a sentence: its words for tag, its [MASK]s for fill_mask, else 1.
  [[nodiscard]] std::size_t answer_rows(std::span<const TokenId> sentence) const noexcept;
};

[[nodiscard]] HeadPlan head_plan(const format::ModelSpec& spec);

/// The scores that a task's logits stand for, in place, for one row of logits (labels or
/// vocabulary): softmax, a sigmoid each, or the value itself. Canonical arithmetic: the same bits
/// everywhere. `logits` is finite and not empty. Thread-safe.
void logits_to_scores(ScoreKind kind, std::span<float> logits) noexcept;
[[nodiscard]] ScoreKind score_kind(Task task) noexcept;

/// Divides by max(√Σ x², 1e-12), in place, in canonical arithmetic.
void l2_normalize(std::span<float> x) noexcept;

/// Where the answer of each sentence of a block begins, in floats from the start of `dst`.
struct AnswerSlots {
  std::span<const std::uint32_t> sentences;  // (sentences of the block): indices into `starts`
  std::span<const std::size_t> starts;
  std::span<float> dst;
};

/// Runs a model's head over encoded blocks. Holds the scratch of one thread; allocates nothing
/// after construction.
class HeadRunner {
 public:
  HeadRunner(const HeadPlan& plan, std::uint32_t max_rows);

  /// Answers the part of `block` that `workspace` computed, `range` (empty or not). The ranges of a
  /// block come in order, each once; then finish().
  void add(const Backend& backend, Workspace& workspace, const TokenBlock& block, RowRange range,
           const AnswerSlots& slots);

  /// Pools and normalizes the answers of `block`, all of whose ranges were added.
  void finish(const TokenBlock& block, const AnswerSlots& slots) const noexcept;

 private:
  void flush(const Backend& backend, Workspace& workspace, std::span<float> dst);

  HeadPlan plan_;
  std::uint32_t capacity_;  // rows that one call of Backend::head takes
  std::size_t n_waiting_ = 0;
  std::vector<std::uint32_t> rows_;   // (capacity), of the workspace
  std::vector<std::size_t> targets_;  // (capacity), floats from the start of dst
  std::vector<float> values_;         // (capacity, width)
};

}  // namespace espalier::runtime
