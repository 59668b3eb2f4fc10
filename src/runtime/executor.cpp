#include "runtime/executor.hpp"

#include <algorithm>
#include <atomic>
#include <cfenv>
#include <chrono>
#include <cmath>
#include <string>

#include "espalier/error.hpp"
#include "runtime/encoder.hpp"

namespace espalier::runtime {
namespace {

constexpr std::uint32_t kBlockRows = 256;

/// Computes in the default floating-point environment: round to nearest, no flushing of subnormal
/// numbers, no traps. A caller's or an inherited setting would change codes.
class DefaultFloatingPoint {
 public:
  DefaultFloatingPoint() noexcept {
    std::fegetenv(&saved_);
    std::fesetenv(FE_DFL_ENV);
  }
  DefaultFloatingPoint(const DefaultFloatingPoint&) = delete;
  DefaultFloatingPoint& operator=(const DefaultFloatingPoint&) = delete;
  ~DefaultFloatingPoint() { std::fesetenv(&saved_); }

 private:
  std::fenv_t saved_{};
};

unsigned checked_threads(unsigned threads) {
  if (threads == 0)
    throw Error(ErrorCode::usage, "0 threads cannot run a model; ask for 1 or more");
  return threads;
}

Limits checked_limits(const Limits& limits, const format::ModelSpec& spec) {
  if (limits.max_rows == 0 || limits.max_sentence_tokens == 0 ||
      limits.max_sentence_tokens > spec.max_length) {
    throw Error(ErrorCode::usage, "limits of " + std::to_string(limits.max_rows) +
                                      " rows a block and " +
                                      std::to_string(limits.max_sentence_tokens) +
                                      " tokens a sentence; the model takes 1 to " +
                                      std::to_string(spec.max_length) + " tokens");
  }
  return limits;
}

/// A block has room for the longest sentence even where blocks are cut smaller.
Limits workspace_limits(const Limits& limits) {
  return {std::max(limits.max_rows, limits.max_sentence_tokens), limits.max_sentence_tokens};
}

[[noreturn]] void refuse(std::size_t sentence, const std::string& what) {
  throw Error(ErrorCode::bad_input, "sentence " + std::to_string(sentence) + " " + what);
}

void check_shape(const TokenBatch& batch) {
  const bool offsets_hold = batch.offsets.empty() ? batch.ids.empty()
                                                  : batch.offsets.front() == 0 &&
                                                        batch.offsets.back() == batch.ids.size();
  if (!offsets_hold) {
    throw Error(ErrorCode::bad_input, "offsets do not run from 0 to the batch's " +
                                          std::to_string(batch.ids.size()) + " tokens");
  }
  if (batch.segments.size() != batch.ids.size()) {
    throw Error(ErrorCode::bad_input, "batch has " + std::to_string(batch.ids.size()) +
                                          " ids, but " + std::to_string(batch.segments.size()) +
                                          " segments; each token needs one of each");
  }
  for (std::size_t sentence = 0; sentence < batch.n_sentences(); ++sentence) {
    if (batch.offsets[sentence] > batch.offsets[sentence + 1]) {
      refuse(sentence, "ends before it begins; offsets must not decrease");
    }
  }
}

void check_sentence(const TokenBatch& batch, std::size_t sentence, std::uint32_t max_tokens,
                    const format::ModelSpec& spec) {
  const std::uint32_t begin = batch.offsets[sentence];
  const std::uint32_t n_tokens = batch.offsets[sentence + 1] - begin;
  if (n_tokens == 0) refuse(sentence, "is empty; it needs at least one token");
  if (n_tokens > max_tokens) {
    refuse(sentence, "has " + std::to_string(n_tokens) + " tokens, the limit is " +
                         std::to_string(max_tokens) + "; truncate it");
  }
  for (std::uint32_t token = 0; token < n_tokens; ++token) {
    const std::int32_t id = to_int(batch.ids[begin + token]);
    if (id < 0 || static_cast<std::uint32_t>(id) >= spec.vocabulary_size()) {
      refuse(sentence, "token " + std::to_string(token) + ": id " + std::to_string(id) +
                           " is outside the vocabulary of " +
                           std::to_string(spec.vocabulary_size()));
    }
    const unsigned segment = batch.segments[begin + token];
    if (spec.n_segments() > 0 && segment >= spec.n_segments()) {
      refuse(sentence, "token " + std::to_string(token) + ": segment " + std::to_string(segment) +
                           ", the model has " + std::to_string(spec.n_segments()));
    }
  }
}

void check_batch(const TokenBatch& batch, std::uint32_t max_tokens, const format::ModelSpec& spec) {
  check_shape(batch);
  for (std::size_t sentence = 0; sentence < batch.n_sentences(); ++sentence) {
    check_sentence(batch, sentence, max_tokens, spec);
  }
}

std::span<const TokenId> ids_of(const TokenBatch& batch, std::size_t sentence) {
  return std::span(batch.ids).subspan(batch.offsets[sentence],
                                      batch.offsets[sentence + 1] - batch.offsets[sentence]);
}

std::size_t answer_floats(const TokenBatch& batch, const HeadPlan& head) {
  std::size_t n_rows = 0;
  for (std::size_t sentence = 0; sentence < batch.n_sentences(); ++sentence) {
    n_rows += head.answer_rows(ids_of(batch, sentence));
  }
  return n_rows * head.width;
}

// Costs a load where there is no deadline, and some 30 ns where there is one.
GiveUp reason_to_give_up(const CallLimits& call) noexcept {
  // An atomic_ref reads only what it may also write, in C++20.
  if (call.cancel != nullptr &&
      std::atomic_ref(*const_cast<std::int32_t*>(call.cancel)).load(std::memory_order_relaxed) !=
          0) {
    return GiveUp::cancelled;
  }
  using Clock = std::chrono::steady_clock;
  if (call.deadline != Clock::time_point::max() && Clock::now() >= call.deadline) {
    return GiveUp::deadline;
  }
  return GiveUp::no;
}

void throw_if(GiveUp reason) {
  switch (reason) {
    case GiveUp::no:
      return;
    case GiveUp::cancelled:
      throw Error(ErrorCode::cancelled, "the call was cancelled before it was done");
    case GiveUp::deadline:
      throw Error(ErrorCode::deadline,
                  "the deadline passed before the call was done; give it more time or fewer texts");
  }
}

RowRange range_of_member(std::uint32_t n_rows, unsigned member, unsigned n_members) {
  return {static_cast<std::uint32_t>(std::uint64_t{n_rows} * member / n_members),
          static_cast<std::uint32_t>(std::uint64_t{n_rows} * (member + 1) / n_members)};
}

}  // namespace

Limits default_limits(const format::ModelSpec& spec) noexcept {
  return {kBlockRows, spec.max_length};
}

Executor::Executor(const Backend& backend, const PreparedModel& model,
                   const format::ModelSpec& spec, unsigned threads, const Limits& limits)
    : backend_(backend),
      spec_(spec),
      head_(head_plan(spec)),
      limits_(checked_limits(limits, spec)),
      team_(checked_threads(threads)),
      workspaces_(backend.new_workspaces(model, workspace_limits(limits), team_)),
      head_runners_(threads, HeadRunner(head_, workspace_limits(limits).max_rows)),
      split_job_([this](unsigned member) { work_on_split(member); }),
      blocks_job_([this](unsigned member) { work_on_blocks(member); }) {}

Executor::~Executor() = default;

void check_limits(const CallLimits& call) {
  throw_if(reason_to_give_up(call));
}

// Of any member's thread: the first that comes to a limit speaks for all.
bool Executor::gives_up() noexcept {
  const GiveUp reason = reason_to_give_up(*call_);
  if (reason == GiveUp::no) return false;
  GiveUp none = GiveUp::no;
  gave_up_.compare_exchange_strong(none, reason, std::memory_order_relaxed);
  return true;
}

void Executor::record_times(std::span<StepTimes> times) {
  const bool layers_match = std::all_of(times.begin(), times.end(), [&](const StepTimes& own) {
    return own.n_layers() == spec_.layers.size();
  });
  if (!times.empty() && (times.size() != workspaces_.size() || !layers_match)) {
    throw Error(ErrorCode::usage, "times for " + std::to_string(times.size()) +
                                      " threads; give one for each of the session's " +
                                      std::to_string(workspaces_.size()) + ", of " +
                                      std::to_string(spec_.layers.size()) + " layers");
  }
  for (std::size_t member = 0; member < workspaces_.size(); ++member) {
    workspaces_[member]->times = times.empty() ? nullptr : &times[member];
  }
}

std::size_t Executor::output_size(const TokenBatch& batch) const {
  check_batch(batch, limits_.max_sentence_tokens, spec_);
  return answer_floats(batch, head_);
}

void Executor::run(const TokenBatch& batch, std::span<float> dst, const CallLimits& call) {
  check_batch(batch, limits_.max_sentence_tokens, spec_);
  const std::size_t n_floats = answer_floats(batch, head_);
  if (dst.size() != n_floats) {
    throw Error(ErrorCode::usage, "room for " + std::to_string(dst.size()) +
                                      " floats, but the answers take " + std::to_string(n_floats) +
                                      "; ask output_size()");
  }
  dst_ = dst;
  call_ = &call;
  gave_up_.store(GiveUp::no, std::memory_order_relaxed);
  stage(batch);
  for (split_block_ = 0; split_block_ < batcher_.n_split() && !gives_up(); ++split_block_) {
    team_.run(split_job_);
  }
  if (split_block_ == batcher_.n_split() && split_block_ < batcher_.n_blocks()) {
    next_block_.store(batcher_.n_split(), std::memory_order_relaxed);
    team_.run(blocks_job_);
  }
  throw_if(gave_up_.load(std::memory_order_relaxed));
  check_answers(batch);
}

void Executor::stage(const TokenBatch& batch) {
  const std::size_t n_sentences = batch.n_sentences();
  lengths_.resize(n_sentences);
  starts_.resize(n_sentences + 1);
  std::size_t start = 0;
  for (std::size_t sentence = 0; sentence < n_sentences; ++sentence) {
    lengths_[sentence] = batch.offsets[sentence + 1] - batch.offsets[sentence];
    starts_[sentence] = start;
    start += head_.answer_rows(ids_of(batch, sentence)) * head_.width;
  }
  starts_[n_sentences] = start;
  batcher_.plan(lengths_, {.block_rows = limits_.max_rows, .threads = team_.size()});

  ids_.resize(batch.n_tokens());
  segments_.resize(batch.n_tokens());
  offsets_.resize(n_sentences + 1);
  std::uint32_t row = 0;
  for (std::size_t place = 0; place < n_sentences; ++place) {
    const std::uint32_t sentence = batcher_.order()[place];
    const std::uint32_t begin = batch.offsets[sentence];
    offsets_[place] = row;
    std::copy_n(batch.ids.begin() + begin, lengths_[sentence], ids_.begin() + row);
    std::copy_n(batch.segments.begin() + begin, lengths_[sentence], segments_.begin() + row);
    row += lengths_[sentence];
  }
  offsets_[n_sentences] = row;
}

TokenBlock Executor::block(std::uint32_t index) const noexcept {
  const std::uint32_t begin = batcher_.begin(index);
  const std::uint32_t end = batcher_.begin(index + 1);
  const std::uint32_t first = offsets_[begin];
  const std::uint32_t n_rows = offsets_[end] - first;
  return {std::span(ids_).subspan(first, n_rows), std::span(segments_).subspan(first, n_rows),
          std::span(offsets_).subspan(begin, end - begin + 1)};
}

AnswerSlots Executor::slots(std::uint32_t index) const noexcept {
  const std::uint32_t begin = batcher_.begin(index);
  return {batcher_.order().subspan(begin, batcher_.begin(index + 1) - begin), starts_, dst_};
}

void Executor::work_on_split(unsigned member) {
  const DefaultFloatingPoint environment;
  const TokenBlock sentence = block(split_block_);
  const auto n_layers = static_cast<std::uint32_t>(spec_.layers.size());
  encode(backend_, *workspaces_[member], n_layers, sentence,
         range_of_member(sentence.n_rows(), member, team_.size()), head_.last_layer);
  team_.meet();
  // Pooling adds rows in token order, so one member answers for all.
  if (member != 0) return;
  const AnswerSlots answers = slots(split_block_);
  for (unsigned part = 0; part < team_.size(); ++part) {
    head_runners_[0].add(backend_, *workspaces_[part], sentence,
                         range_of_member(sentence.n_rows(), part, team_.size()), answers);
  }
  head_runners_[0].finish(sentence, answers);
}

void Executor::work_on_blocks(unsigned member) {
  const DefaultFloatingPoint environment;
  Workspace& workspace = *workspaces_[member];
  const auto n_layers = static_cast<std::uint32_t>(spec_.layers.size());
  for (;;) {
    const std::uint32_t index = next_block_.fetch_add(1, std::memory_order_relaxed);
    if (index >= batcher_.n_blocks() || gives_up()) return;
    const TokenBlock sentences = block(index);
    const RowRange whole = {0, sentences.n_rows()};
    encode(backend_, workspace, n_layers, sentences, whole, head_.last_layer);
    head_runners_[member].add(backend_, workspace, sentences, whole, slots(index));
    head_runners_[member].finish(sentences, slots(index));
  }
}

void Executor::check_answers(const TokenBatch& batch) const {
  for (std::size_t sentence = 0; sentence < batch.n_sentences(); ++sentence) {
    for (std::size_t index = starts_[sentence]; index < starts_[sentence + 1]; ++index) {
      if (std::isfinite(dst_[index])) continue;
      throw Error(ErrorCode::failed, "the answer to sentence " + std::to_string(sentence) +
                                         " is not a finite number; the model's weights are damaged "
                                         "or too large, verify the model");
    }
  }
}

}  // namespace espalier::runtime
