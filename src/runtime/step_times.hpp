// Where the time of a run goes: the parts of every layer, on one thread. A workspace has such times
// only while somebody profiles it; else a part tests one pointer and reads no clock.
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <string_view>
#include <vector>

namespace espalier::runtime {

/// What a back end's steps are told apart into. embedding and head belong to no layer.
enum class StepPart : std::uint8_t {
  embedding,  ///< sums of words, positions and segments, their norm and codes
  qkv,        ///< queries, keys and values, coded and stored
  waiting,    ///< for the other threads, in the middle of attend() on a block that is split
  attention,  ///< scores, softmax, context
  out,        ///< out projection, residual, norm and codes
  up,         ///< up projection and GELU, coded
  down,       ///< down projection, residual, norm and codes
  head,       ///< the head's matmuls
};
inline constexpr std::size_t kStepParts = 8;

/// "embedding", "qkv", ..., for reports.
[[nodiscard]] std::string_view name_of(StepPart part) noexcept;

/// Milliseconds that one thread spent in each part since clear(). A cache line at least: the
/// threads of a team write at the same time.
class alignas(64) StepTimes {
 public:
  /// Of a model with `n_layers` layers, at least 1.
  explicit StepTimes(std::size_t n_layers) : ms_(n_layers) {}

  [[nodiscard]] std::size_t n_layers() const noexcept { return ms_.size(); }
  void clear() noexcept { ms_.assign(ms_.size(), {}); }
  void add(std::size_t layer, StepPart part, double ms) noexcept {
    ms_[layer][static_cast<std::size_t>(part)] += ms;
  }
  /// embedding and head stand at layer 0.
  [[nodiscard]] double ms(std::size_t layer, StepPart part) const noexcept {
    return ms_[layer][static_cast<std::size_t>(part)];
  }
  /// Of all layers together.
  [[nodiscard]] double ms(StepPart part) const noexcept;

 private:
  std::vector<std::array<double, kStepParts>> ms_;  // (layers, parts)
};

/// Adds its own lifetime to a part; does nothing where there are no times.
class StepClock {
 public:
  StepClock(StepTimes* times, std::size_t layer, StepPart part) noexcept
      : times_(times), layer_(layer), part_(part) {
    if (times_ != nullptr) start_ = Clock::now();
  }
  StepClock(const StepClock&) = delete;
  StepClock& operator=(const StepClock&) = delete;
  ~StepClock() {
    if (times_ == nullptr) return;
    times_->add(layer_, part_,
                std::chrono::duration<double, std::milli>(Clock::now() - start_).count());
  }

 private:
  using Clock = std::chrono::steady_clock;
  StepTimes* times_;
  std::size_t layer_;
  StepPart part_;
  Clock::time_point start_;
};

}  // namespace espalier::runtime
