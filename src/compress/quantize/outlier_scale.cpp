#include "compress/quantize/outlier_scale.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

namespace espalier::quantize {
namespace {

constexpr double kCodeVariance = 1.0 / 12;  // of an error spread evenly over a step of 1
constexpr double kSteps = 255;              // of u8 codes

// Thresholds: the largest magnitude times 1, 2^-1/4, 2^-1/2 ... 1/32.
constexpr int kThresholds = 21;

double square(double x) {
  return x * x;
}

std::vector<float> scale_for(std::span<const float> magnitudes, float threshold) {
  std::vector<float> scale(magnitudes.size(), 1.0F);
  for (std::size_t channel = 0; channel < scale.size(); ++channel) {
    if (magnitudes[channel] > threshold) scale[channel] = threshold / magnitudes[channel];
  }
  return scale;
}

}  // namespace

double expected_error(const LinearFacts& linear, std::span<const float> scale) {
  const std::size_t n_inputs = scale.size();
  const Range seen = linear.input.over_all(scale);
  const double step = (std::max(double{seen.high}, 0.0) - std::min(double{seen.low}, 0.0)) / kSteps;
  std::vector<double> signal = linear.input.mean_squares();  // of inputs as they are coded
  for (std::size_t i = 0; i < n_inputs; ++i) signal[i] *= square(scale[i]);
  std::vector<float> scaled(n_inputs);
  double error = 0;
  for (std::size_t begin = 0; begin < linear.weight.size(); begin += n_inputs) {
    for (std::size_t i = 0; i < n_inputs; ++i) scaled[i] = linear.weight[begin + i] / scale[i];
    const auto codes = canonical::symmetric_scale(canonical::max_magnitude(scaled));
    for (std::size_t i = 0; i < n_inputs; ++i) {
      const double weight = scaled[i];
      const double coded =
          canonical::symmetric_code(scaled[i], codes.inverse) * double{codes.scale};
      error += kCodeVariance * square(step * weight) + square(weight - coded) * signal[i];
    }
  }
  return error;
}

std::vector<float> outlier_scale(const LinearFacts& linear) {
  const std::vector<float> magnitudes = linear.input.magnitudes();
  const float top = *std::max_element(magnitudes.begin(), magnitudes.end());
  std::vector<float> best(magnitudes.size(), 1.0F);
  if (!(top > 0)) return best;
  double least = std::numeric_limits<double>::infinity();
  for (int threshold = 0; threshold < kThresholds; ++threshold) {
    std::vector<float> scale =
        scale_for(magnitudes, static_cast<float>(top * std::exp2(-threshold / 4.0)));
    const double error = expected_error(linear, scale);
    if (error >= least) continue;
    least = error;
    best = std::move(scale);
  }
  return best;
}

}  // namespace espalier::quantize
