// Runs batches through one model on one back end: checks them, cuts them into blocks, shares the
// blocks among a team of threads and puts the answers where the caller wants them.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <vector>

#include "base/thread_team.hpp"
#include "espalier/types.hpp"
#include "format/spec.hpp"
#include "runtime/backend.hpp"
#include "runtime/batcher.hpp"
#include "runtime/heads.hpp"
#include "runtime/step_times.hpp"

namespace espalier::runtime {

/// Blocks of 256 rows keep a layer's activations in a core's L2; sentences as long as the model
/// takes.
[[nodiscard]] Limits default_limits(const format::ModelSpec& spec) noexcept;

/// Whether a call has come to one of its limits, and to which.
enum class GiveUp : std::uint8_t { no, cancelled, deadline };

/// Throws Error(cancelled) or Error(deadline) when `call` asks to stop. Thread-safe.
void check_limits(const CallLimits& call);

/// Owns the threads and workspaces of one session. Belongs to one thread at a time; executors of
/// the same model share nothing that changes. Back end, model and spec must outlive it.
class Executor {
 public:
  /// limits.max_rows: rows of a block; limits.max_sentence_tokens: longest sentence that run()
  /// takes. Throws Error(usage) when `threads` is 0, or a limit is 0 or beyond the model's
  /// max_length.
  Executor(const Backend& backend, const PreparedModel& model, const format::ModelSpec& spec,
           unsigned threads, const Limits& limits);
  Executor(const Executor&) = delete;
  Executor& operator=(const Executor&) = delete;
  ~Executor();

  [[nodiscard]] const format::ModelSpec& spec() const noexcept { return spec_; }
  [[nodiscard]] const HeadPlan& head() const noexcept { return head_; }
  [[nodiscard]] unsigned n_threads() const noexcept { return team_.size(); }

  /// From now on the members of the team add up the time of their steps in `times`, one entry each,
  /// of as many layers as the model has, which must outlive this or the next call; empty: no more.
  /// Throws Error(usage) for another number of either.
  void record_times(std::span<StepTimes> times);

  /// Number of floats that run() writes for `batch`. Throws as run() does.
  [[nodiscard]] std::size_t output_size(const TokenBatch& batch) const;

  /// Writes the answers sentence by sentence in the order of the batch: (labels) for classify,
  /// multi_label and regress; (tokens, labels) for tag; (hidden) for embed; ([MASK]s, vocabulary)
  /// for fill_mask. Raw logits: scores are made of them by logits_to_scores(). dst: exactly
  /// output_size(batch) floats. int8 models give the same bits for any composition and order of the
  /// batch and any number of threads. Throws Error(bad_input) naming sentence and token when an id,
  /// a segment, a length or an offset is out of range, Error(usage) when `dst` has the wrong size,
  /// and Error(failed) naming the sentence when an answer is not finite. Allocates nothing once it
  /// has run a batch of this size. Computes in the default floating-point environment and restores
  /// the caller's. When `call` says so it gives up before the next block and throws
  /// Error(cancelled) or Error(deadline); `dst` is then written in part.
  void run(const TokenBatch& batch, std::span<float> dst, const CallLimits& call = {});

 private:
  void stage(const TokenBatch& batch);
  [[nodiscard]] bool gives_up() noexcept;
  [[nodiscard]] TokenBlock block(std::uint32_t index) const noexcept;
  [[nodiscard]] AnswerSlots slots(std::uint32_t index) const noexcept;
  void work_on_split(unsigned member);
  void work_on_blocks(unsigned member);
  void check_answers(const TokenBatch& batch) const;

  const Backend& backend_;
  const format::ModelSpec& spec_;
  HeadPlan head_;
  Limits limits_;
  ThreadTeam team_;
  std::vector<std::unique_ptr<Workspace>> workspaces_;  // one a member
  std::vector<HeadRunner> head_runners_;                // one a member
  std::function<void(unsigned)> split_job_;
  std::function<void(unsigned)> blocks_job_;

  // Of the running batch. The copy of the ids lies in block order, so that a block is one view.
  Batcher batcher_;
  std::vector<std::uint32_t> lengths_;  // (sentences)
  std::vector<std::size_t> starts_;     // (sentences + 1), floats in dst
  std::vector<TokenId> ids_;            // (tokens)
  std::vector<std::uint8_t> segments_;  // (tokens)
  std::vector<std::uint32_t> offsets_;  // (sentences + 1)
  std::span<float> dst_;
  std::uint32_t split_block_ = 0;
  std::atomic<std::uint32_t> next_block_{0};
  const CallLimits* call_ = nullptr;
  std::atomic<GiveUp> gave_up_{GiveUp::no};
};

}  // namespace espalier::runtime
