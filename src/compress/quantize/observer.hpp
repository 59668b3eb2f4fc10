// What a tensor's values look like over all samples, found in two passes: first how far each
// channel reaches, then how often each value occurs. Two passes instead of a histogram that grows:
// the result does not depend on the order of the samples.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "base/canonical.hpp"

namespace espalier::quantize {

using canonical::Range;

/// First pass: the smallest and the largest value of each channel and its mean square. Not
/// thread-safe.
class ChannelStatistics {
 public:
  /// name: of the tensor, for messages.
  ChannelStatistics(std::string name, std::size_t n_channels);

  /// rows: (any number, n_channels). Throws Error(bad_input), naming tensor and channel, for a
  /// value that is not finite.
  void add(std::span<const float> rows);

  [[nodiscard]] std::span<const float> low() const noexcept { return low_; }
  [[nodiscard]] std::span<const float> high() const noexcept { return high_; }

  /// Mean of x² of each channel; after add().
  [[nodiscard]] std::vector<double> mean_squares() const;

  /// Largest magnitude of each channel.
  [[nodiscard]] std::vector<float> magnitudes() const;

  /// Smallest and largest of all values times their channel's `input_scale` (n_channels) > 0, or
  /// of the values themselves where that is empty.
  [[nodiscard]] Range over_all(std::span<const float> input_scale) const;

 private:
  std::string name_;
  std::vector<float> low_;
  std::vector<float> high_;
  std::vector<double> squares_;  // sums of x²
  std::uint64_t n_rows_ = 0;
};

/// Second pass: how many values lie in each of kBins equal parts of a range. Not thread-safe.
class Histogram {
 public:
  /// 32 for each of the 256 codes of the whole range, so that one of a tenth of it still has three.
  static constexpr std::size_t kBins = 8192;

  /// seen: smallest and largest value; 0 is added to it, whatever it is.
  explicit Histogram(Range seen);

  /// Values outside the range, which rounding may bring about, count as its ends.
  void add(std::span<const float> values);

  [[nodiscard]] Range range() const noexcept { return range_; }
  [[nodiscard]] double bin_width() const noexcept { return width_; }
  [[nodiscard]] double centre(std::size_t bin) const noexcept {
    return range_.low + (static_cast<double>(bin) + 0.5) * width_;
  }
  [[nodiscard]] std::span<const std::uint64_t, kBins> counts() const noexcept { return counts_; }
  [[nodiscard]] std::uint64_t total() const noexcept { return total_; }

 private:
  Range range_;
  double width_;
  std::array<std::uint64_t, kBins> counts_{};
  std::uint64_t total_ = 0;
};

/// The range as format's per_tensor_asymmetric codes. A range of nothing but 0 has the scale 1.
[[nodiscard]] canonical::RowCode static_codes(Range range);

/// What coding a tensor's values did to them.
struct Fidelity {
  double sqnr_db = 0;        // 10 log10(Σ x² / Σ (x - Q(x))²)
  double clipped_share = 0;  // of values past the codes' ends
};

/// Every value as the centre of its bin; what that leaves out, a bin's width² / 12, is added to
/// signal and noise.
[[nodiscard]] Fidelity fidelity(const Histogram& histogram, const canonical::RowCode& codes);

/// Sums for the same ratio of values that are at hand.
struct SignalAndNoise {
  double signal = 0;
  double noise = 0;

  /// Codes every one of `rows` (n, n_channels) with a range of its own, as per_token_asymmetric.
  void add_per_token(std::span<const float> rows, std::size_t n_channels);
  [[nodiscard]] double db() const;
};

}  // namespace espalier::quantize
