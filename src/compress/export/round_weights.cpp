// Sums run in a fixed number of lanes, so that every compiler finds the same scales, and vectors
// serve: a search rounds every weight some hundred times.
#include "compress/export/round_weights.hpp"

#include <algorithm>
#include <array>
#include <cassert>
#include <cmath>
#include <vector>

#include "base/canonical.hpp"
#include "format/spec.hpp"

namespace espalier::compress {
namespace {

using format::kMaxFourBitCode;
using format::kMaxMultiplier;

constexpr float kTopCode = kMaxFourBitCode;
constexpr float kTopMultiplier = kMaxMultiplier;

// What the searches try, as parts of the scale that clips nothing. Four bits: the best step of a
// normally distributed group is 0.8 to 1 of it; below one half, what is clipped costs more than any
// grid wins. Eight bits: clipping a row's largest weight by a part d costs d² * 127² and wins
// 2d * n / 12 squared steps, best at d = n / (12 * 127²), 2 % for 4,096 inputs.
constexpr int kScalesTried = 20;
constexpr float kFourBitScaleStep = 1.0F / 40;
constexpr float kEightBitScaleStep = 1.0F / 512;
constexpr float kLeastStep = 0.5F;  // of a group, as a part of the one that clips nothing

/// Σ (w - step * code)² with the codes that are nearest within ±top.
float squared_error(std::span<const float> weights, float step, float top) noexcept {
  // Adding and subtracting 1.5 * 2^23 rounds half to even what is below 2^22.
  constexpr float kRounder = 12582912.0F;
  constexpr std::size_t kLanes = 8;
  const float inverse = 1.0F / step;
  std::array<float, kLanes> sums{};
  const auto add = [&](float weight, float& sum) {
    const float bounded = std::min(std::max(weight * inverse, -top), top);
    const float error = weight - ((bounded + kRounder) - kRounder) * step;
    sum += error * error;
  };
  const std::size_t whole = weights.size() / kLanes * kLanes;
  for (std::size_t i = 0; i < whole; i += kLanes) {
    for (std::size_t lane = 0; lane < kLanes; ++lane) add(weights[i + lane], sums[lane]);
  }
  for (std::size_t i = whole; i < weights.size(); ++i) add(weights[i], sums[i - whole]);
  float sum = 0;
  for (const float lane : sums) sum += lane;
  return sum;
}

std::span<const float> group_of(std::span<const float> row, std::uint32_t group,
                                std::size_t index) noexcept {
  const std::size_t first = index * group;
  return row.subspan(first, std::min<std::size_t>(group, row.size() - first));
}

/// The least multiplier that clips nothing of a group whose largest weight is `top`; at most the
/// largest there is.
int covering_multiplier(float top, float scale) noexcept {
  return static_cast<int>(std::clamp(std::ceil(top / (kTopCode * scale)), 1.0F, kTopMultiplier));
}

/// Chooses the multiplier of a group for this scale; returns its error.
float best_multiplier(std::span<const float> weights, float top, float scale,
                      std::int8_t& best) noexcept {
  const int covering = covering_multiplier(top, scale);
  const int least = std::max(1, static_cast<int>(static_cast<float>(covering) * kLeastStep));
  float least_error = 0;
  for (int multiplier = covering; multiplier >= least; --multiplier) {
    const float error = squared_error(weights, static_cast<float>(multiplier) * scale, kTopCode);
    if (multiplier < covering && error >= least_error) continue;
    least_error = error;
    best = static_cast<std::int8_t>(multiplier);
  }
  return least_error;
}

}  // namespace

std::string_view name_of(Rounding rounding) noexcept {
  switch (rounding) {
    case Rounding::absmax:
      return "absmax";
    case Rounding::mse:
      return "mse";
  }
  return "unknown";
}

float round_row(std::span<const float> row, Rounding rounding,
                std::span<std::int8_t> codes) noexcept {
  assert(codes.size() == row.size());
  const float covering = canonical::quantize_row(row, codes);
  if (rounding == Rounding::absmax || covering == 0) return covering;
  float best = covering;
  float least_error = squared_error(row, covering, 127);
  for (int tried = 1; tried < kScalesTried; ++tried) {
    const float scale = covering * (1 - kEightBitScaleStep * static_cast<float>(tried));
    const float error = squared_error(row, scale, 127);
    if (error >= least_error) continue;
    least_error = error;
    best = scale;
  }
  if (best == covering) return covering;
  for (std::size_t i = 0; i < row.size(); ++i) {
    codes[i] = canonical::symmetric_code(row[i], 1.0F / best);
  }
  return best;
}

float four_bit_steps(std::span<const float> row, std::uint32_t group, Rounding rounding,
                     std::span<std::int8_t> multipliers) {
  assert(multipliers.size() == format::n_groups(static_cast<std::uint32_t>(row.size()), group));
  std::fill(multipliers.begin(), multipliers.end(), std::int8_t{1});
  const float top = canonical::max_magnitude(row);
  if (canonical::symmetric_scale(top).scale == 0) return 0;
  const float covering = top / (kTopCode * kTopMultiplier);
  if (rounding == Rounding::absmax) {
    for (std::size_t index = 0; index < multipliers.size(); ++index) {
      const float largest = canonical::max_magnitude(group_of(row, group, index));
      multipliers[index] = static_cast<std::int8_t>(covering_multiplier(largest, covering));
    }
    return covering;
  }
  std::vector<float> tops(multipliers.size());
  for (std::size_t index = 0; index < tops.size(); ++index) {
    tops[index] = canonical::max_magnitude(group_of(row, group, index));
  }
  std::vector<std::int8_t> tried(multipliers.size());
  float best = 0;
  float least_error = 0;
  for (int step = 0; step < kScalesTried; ++step) {
    const float scale = covering * (1 - kFourBitScaleStep * static_cast<float>(step));
    float error = 0;
    for (std::size_t index = 0; index < tried.size(); ++index) {
      error += best_multiplier(group_of(row, group, index), tops[index], scale, tried[index]);
    }
    if (best != 0 && error >= least_error) continue;
    least_error = error;
    best = scale;
    std::copy(tried.begin(), tried.end(), multipliers.begin());
  }
  return best;
}

std::int8_t four_bit_code(float weight, float step) noexcept {
  if (!(step > 0)) return 0;
  return static_cast<std::int8_t>(
      canonical::round_to_int(std::clamp(weight / step, -kTopCode, kTopCode)));
}

float round_row_to_four_bits(std::span<const float> row, std::uint32_t group, Rounding rounding,
                             std::span<std::int8_t> codes, std::span<std::int8_t> multipliers) {
  const float scale = four_bit_steps(row, group, rounding, multipliers);
  for (std::size_t i = 0; i < row.size(); ++i) {
    codes[i] = four_bit_code(row[i], static_cast<float>(multipliers[i / group]) * scale);
  }
  return scale;
}

}  // namespace espalier::compress
