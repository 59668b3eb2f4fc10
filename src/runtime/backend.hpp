// The interface that matters: the fused steps of a post-LN BERT encoder on one kind of hardware
// (Devlin et al. 2019). The encoder is written once over these steps; reference/ defines what each
// means and every other back end is held to it.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "base/thread_team.hpp"
#include "espalier/types.hpp"
#include "format/spec.hpp"
#include "runtime/step_times.hpp"

namespace espalier::runtime {

/// A run of whole sentences, views into a TokenBatch. Row r of the block is token ids[r].
struct TokenBlock {
  std::span<const TokenId> ids;            // (rows)
  std::span<const std::uint8_t> segments;  // (rows)
  std::span<const std::uint32_t> offsets;  // (sentences + 1); sentence s has the rows
                                           // [offsets[s] - offsets[0], offsets[s+1] - offsets[0])

  [[nodiscard]] std::uint32_t n_rows() const noexcept {
    return static_cast<std::uint32_t>(ids.size());
  }
  [[nodiscard]] std::uint32_t n_sentences() const noexcept {
    return static_cast<std::uint32_t>(offsets.size() - 1);
  }
  [[nodiscard]] std::uint32_t first_row(std::uint32_t sentence) const noexcept {
    return offsets[sentence] - offsets[0];
  }
};

/// Half-open range of a block's rows.
struct RowRange {
  std::uint32_t begin = 0;
  std::uint32_t end = 0;

  [[nodiscard]] std::uint32_t size() const noexcept { return end - begin; }
};

/// Which rows a step computes. After attend(first_of_each) a workspace holds one row for each
/// sentence whose first token lies in its range, in order; the later steps of the layer then take
/// `first_of_each` too.
enum class Rows : std::uint8_t { all, first_of_each };

/// Sizes a workspace is made for; its steps allocate nothing.
struct Limits {
  std::uint32_t max_rows = 0;             ///< rows of a block
  std::uint32_t max_sentence_tokens = 0;  ///< tokens of a sentence
};

/// Intermediates that a workspace lets conformance tests and observers read after the step that
/// made them.
enum class Tap : std::uint8_t {
  hidden,        ///< x after embed or a norm: (rows of the workspace, hidden)
  hidden_codes,  ///< codes of x as the next linear reads them, one float each: same shape; of
                 ///< asymmetric ones their differences from the code of 0; 0 if it is not int8
  context,       ///< attention output as the projection reads it: (rows, A); what its codes stand
                 ///< for when the projection is int8
};

/// A model packed or uploaded for one back end. Immutable, shared by all sessions. It may keep
/// views into the ModelSpec's bytes, which must outlive it.
class PreparedModel {
 public:
  virtual ~PreparedModel() = default;
};

/// Everything mutable of one thread of one session.
class Workspace {
 public:
  virtual ~Workspace() = default;

  /// Where the steps add up their time. Null, as it is at first: no step reads a clock.
  StepTimes* times = nullptr;
};

/// Computes the fused steps on one kind of hardware. Immutable after construction; every call is
/// const and thread-safe because all mutable state is in the Workspace, which one thread uses.
///
/// A workspace computes either a whole block, or, when `team` was given to new_workspace(), its own
/// range of the rows of one block whose other ranges the other members of the team compute at the
/// same time: then attend() writes keys and values for all to see and meets the team once a layer.
class Backend {
 public:
  virtual ~Backend() = default;

  [[nodiscard]] virtual std::string_view name() const noexcept = 0;

  /// The code path that runs ("avx2 widening"), for reports.
  [[nodiscard]] virtual std::string_view path(const PreparedModel&) const noexcept = 0;

  /// Packs or uploads the weights once. Throws Error(unavailable) when the model needs what this
  /// machine lacks.
  [[nodiscard]] virtual std::unique_ptr<PreparedModel> prepare(const format::ModelSpec&) const = 0;

  /// One workspace for each member of `team`, in member order; they share keys and values of a
  /// block that is split among them. `team` outlives them.
  [[nodiscard]] virtual std::vector<std::unique_ptr<Workspace>> new_workspaces(
      const PreparedModel&, const Limits&, ThreadTeam& team) const = 0;

  /// x = LayerNorm(word + position + segment), of a model without segments LayerNorm(word +
  /// position), and its codes, for `rows` of the block; where the word table is factorised, word is
  /// its row times the projection. When `rows` is not the whole block, all members of the team call
  /// this and the other steps on their ranges, which together cover the block.
  virtual void embed(Workspace&, const TokenBlock&, RowRange rows) const = 0;

  /// qkv → scores → softmax → context. Rows: all, but in the last layer what head_plan() asks for.
  virtual void attend(Workspace&, std::uint32_t layer, Rows) const = 0;

  /// x = LayerNorm(x + context W_o) and its codes.
  virtual void project_add_norm(Workspace&, std::uint32_t layer, Rows) const = 0;

  /// x = LayerNorm(x + GELU(x W_up) W_down) and its codes.
  virtual void feed_forward_add_norm(Workspace&, std::uint32_t layer, Rows) const = 0;

  /// The head's matmuls on some of the workspace's rows (after first_of_each: one row a sentence).
  /// dst: (rows.size(), head width): labels for classifiers, hidden for embed (x itself),
  /// vocabulary for fill_mask. Pooling and softmax live in heads.
  virtual void head(Workspace&, std::span<const std::uint32_t> rows,
                    std::span<float> dst) const = 0;

  /// Copies an intermediate of the workspace's rows to dst.
  virtual void read(const Workspace&, Tap, std::span<float> dst) const = 0;
};

}  // namespace espalier::runtime
