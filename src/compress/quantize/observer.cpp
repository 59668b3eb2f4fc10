#include "compress/quantize/observer.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

#include "espalier/error.hpp"

namespace espalier::quantize {
namespace {

// Beyond what 8 bits can reach: stands for no noise at all.
constexpr double kMostDecibels = 200;

double decibels(double signal, double noise) {
  if (!(signal > 0)) return 0;
  if (!(noise > 0)) return kMostDecibels;
  return std::min(kMostDecibels, 10 * std::log10(signal / noise));
}

double square(double x) {
  return x * x;
}

}  // namespace

ChannelStatistics::ChannelStatistics(std::string name, std::size_t n_channels)
    : name_(std::move(name)), low_(n_channels), high_(n_channels), squares_(n_channels) {}

void ChannelStatistics::add(std::span<const float> rows) {
  const std::size_t n_channels = low_.size();
  for (std::size_t begin = 0; begin < rows.size(); begin += n_channels) {
    for (std::size_t channel = 0; channel < n_channels; ++channel) {
      const float value = rows[begin + channel];
      if (!std::isfinite(value)) {
        throw Error(ErrorCode::bad_input,
                    "the input of " + name_ + " is not finite in channel " +
                        std::to_string(channel) +
                        " for a sample; the checkpoint's weights are too large or damaged");
      }
      low_[channel] = n_rows_ == 0 ? value : std::min(low_[channel], value);
      high_[channel] = n_rows_ == 0 ? value : std::max(high_[channel], value);
      squares_[channel] += square(value);
    }
    ++n_rows_;
  }
}

std::vector<double> ChannelStatistics::mean_squares() const {
  std::vector<double> means = squares_;
  for (double& mean : means) mean /= static_cast<double>(n_rows_);
  return means;
}

std::vector<float> ChannelStatistics::magnitudes() const {
  std::vector<float> largest(low_.size());
  for (std::size_t channel = 0; channel < largest.size(); ++channel) {
    largest[channel] = std::max(-low_[channel], high_[channel]);
  }
  return largest;
}

Range ChannelStatistics::over_all(std::span<const float> input_scale) const {
  Range range;
  for (std::size_t channel = 0; channel < low_.size(); ++channel) {
    const float scale = input_scale.empty() ? 1.0F : input_scale[channel];
    const float low = low_[channel] * scale;
    const float high = high_[channel] * scale;
    range.low = channel == 0 ? low : std::min(range.low, low);
    range.high = channel == 0 ? high : std::max(range.high, high);
  }
  return range;
}

Histogram::Histogram(Range seen)
    : range_{std::min(seen.low, 0.0F), std::max(seen.high, 0.0F)},
      width_((double{range_.high} - double{range_.low}) / static_cast<double>(kBins)) {}

void Histogram::add(std::span<const float> values) {
  constexpr double kLast = kBins - 1;
  const double inverse = width_ > 0 ? 1 / width_ : 0;
  for (const float value : values) {
    const double bin = (double{value} - double{range_.low}) * inverse;
    ++counts_[static_cast<std::size_t>(std::clamp(bin, 0.0, kLast))];
  }
  total_ += values.size();
}

canonical::RowCode static_codes(Range range) {
  const canonical::RowCode codes = canonical::asymmetric_row(range);
  return codes.scale > 0 ? codes : canonical::asymmetric_row(1.0F, 0);
}

Fidelity fidelity(const Histogram& histogram, const canonical::RowCode& codes) {
  const double within = square(histogram.bin_width()) / 12;
  // What lies half a code past the last one rounds to it and is not clipped.
  const double low = (double{codes.low} - 0.5) * codes.scale;
  const double high = (double{codes.high} + 0.5) * codes.scale;
  double signal = 0;
  double noise = 0;
  std::uint64_t n_clipped = 0;
  for (std::size_t bin = 0; bin < Histogram::kBins; ++bin) {
    const std::uint64_t count = histogram.counts()[bin];
    if (count == 0) continue;
    const double x = histogram.centre(bin);
    const double coded =
        canonical::code_difference(static_cast<float>(x), codes) * double{codes.scale};
    const auto weight = static_cast<double>(count);
    signal += weight * (square(x) + within);
    noise += weight * (square(x - coded) + within);
    if (x < low || x > high) n_clipped += count;
  }
  const auto total = static_cast<double>(std::max<std::uint64_t>(histogram.total(), 1));
  return {decibels(signal, noise), static_cast<double>(n_clipped) / total};
}

void SignalAndNoise::add_per_token(std::span<const float> rows, std::size_t n_channels) {
  for (std::size_t begin = 0; begin < rows.size(); begin += n_channels) {
    const std::span<const float> row = rows.subspan(begin, n_channels);
    const canonical::RowCode codes = canonical::asymmetric_row(canonical::range_of(row));
    for (const float x : row) {
      const double coded = canonical::code_difference(x, codes) * double{codes.scale};
      signal += square(x);
      noise += square(x - coded);
    }
  }
}

double SignalAndNoise::db() const {
  return decibels(signal, noise);
}

}  // namespace espalier::quantize
