// The canonical arithmetic: the one meaning of every float operation of the int8 mode. `reference`
// calls these functions; every vector path does the same operations in the same order, so that
// codes and logits are the same bits on every instruction set, thread count and batch composition.
// Sums run in 16 lanes (lane = index mod 16, the tail padded with +0) and are joined by one fixed
// tree; multiply-adds are fused; rounding is half to even; division and square root are correctly
// rounded. Built with -ffp-contract=off: a compiler must not fuse what is not written std::fma.
#pragma once

#include <array>
#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <span>

namespace espalier::canonical {

inline constexpr std::size_t kLanes = 16;
using Lanes = std::array<float, kLanes>;

/// Joins 16 partial sums: lane i + lane i+8, then +4, +2, +1.
[[nodiscard]] inline float join(Lanes lanes) noexcept {
  for (std::size_t width = kLanes / 2; width > 0; width /= 2) {
    for (std::size_t lane = 0; lane < width; ++lane)
      lanes[lane] = lanes[lane] + lanes[lane + width];
  }
  return lanes[0];
}

/// Adds term(lane_sum, i) for i in [0, size) lane by lane; lanes past the end add +0, as a padded
/// vector does.
template <typename Term>
[[nodiscard]] float sum_lanes(std::size_t size, Term&& term) noexcept {
  Lanes lanes{};
  for (std::size_t i = 0; i < size; ++i) lanes[i % kLanes] = term(lanes[i % kLanes], i);
  for (std::size_t i = size; i % kLanes != 0; ++i) lanes[i % kLanes] = lanes[i % kLanes] + 0.0F;
  return join(lanes);
}

/// Σ x
[[nodiscard]] inline float sum(std::span<const float> x) noexcept {
  return sum_lanes(x.size(), [&](float lane, std::size_t i) { return lane + x[i]; });
}

/// Σ x·y, fused.
[[nodiscard]] inline float dot(std::span<const float> x, std::span<const float> y) noexcept {
  return sum_lanes(x.size(), [&](float lane, std::size_t i) { return std::fma(x[i], y[i], lane); });
}

/// As minps and maxps: the second operand when either is NaN.
[[nodiscard]] inline float min(float a, float b) noexcept {
  return a < b ? a : b;
}
[[nodiscard]] inline float max(float a, float b) noexcept {
  return a > b ? a : b;
}

/// Nearest integer, half to even. `x` must lie within ±2^22 (callers clamp).
[[nodiscard]] inline std::int32_t round_to_int(float x) noexcept {
  return static_cast<std::int32_t>(std::nearbyintf(x));
}

/// e^x for x <= 0, as in softmax: Cody-Waite reduction to |r| <= ln2 / 2 and a polynomial of degree
/// 6 (relative error below 3e-7). x under -87 counts as -87, so that 2^n stays a normal number.
[[nodiscard]] inline float exp_nonpositive(float x) noexcept {
  constexpr float kLog2E = 0x1.715476p+0F;
  constexpr float kLn2High = 0x1.62e400p-1F;  // 11 trailing zero bits: n * kLn2High is exact
  constexpr float kLn2Low = 0x1.7f7d1cp-20F;
  x = max(x, -87.0F);
  const float n = std::nearbyintf(x * kLog2E);
  float r = std::fma(n, -kLn2High, x);
  r = std::fma(n, -kLn2Low, r);
  float p = 0x1.6c16c2p-10F;           // 1/720
  p = std::fma(p, r, 0x1.111112p-7F);  // 1/120
  p = std::fma(p, r, 0x1.555556p-5F);  // 1/24
  p = std::fma(p, r, 0x1.555556p-3F);  // 1/6
  p = std::fma(p, r, 0.5F);
  p = std::fma(p, r, 1.0F);
  p = std::fma(p, r, 1.0F);
  const auto exponent = static_cast<std::uint32_t>(static_cast<std::int32_t>(n) + 127) << 23;
  return p * std::bit_cast<float>(exponent);
}

/// tanh from exp: sign(x) (1 - e^(-2|x|)) / (1 + e^(-2|x|)). Not a number when x is not finite (x -
/// x is +0 otherwise): a pooler must not make a damaged row look sound.
[[nodiscard]] inline float tanh(float x) noexcept {
  const float e = exp_nonpositive(-2.0F * std::fabs(x));
  return std::copysign((1.0F - e) / (1.0F + e) + (x - x), x);
}

/// Φ(y) - 1/2 = y P(u) on |y| <= kGeluClamp with u = y² kGeluScale - 1 in [-1, 1], highest power
/// first: in u the terms do not cancel. Fitted by tests/base/fit_gelu.py, which gives the bounds.
inline constexpr float kGeluClamp = 4.8F;
inline constexpr float kGeluScale = 0x1.638e38p-4F;  // 2 / kGeluClamp²
inline constexpr std::array<float, 11> kGelu = {0x1.7a6b0cp-10F, -0x1.12e502p-8F, 0x1.616b22p-8F,
                                                -0x1.e7d102p-8F, 0x1.c64a2cp-7F,  -0x1.6b8504p-6F,
                                                0x1.f754cep-6F,  -0x1.4c50f2p-5F, 0x1.b163eap-5F,
                                                -0x1.2aecd2p-4F, 0x1.2d7de6p-3F};

/// GELU(x) = x Φ(x) (Hendrycks & Gimpel 2016), Φ from one odd polynomial of erf form; absolute
/// error below 5e-6. Φ is clamped to [0, 1], so that gelu(x) is x or 0 past kGeluClamp.
[[nodiscard]] inline float gelu(float x) noexcept {
  const float y = min(max(x, -kGeluClamp), kGeluClamp);
  const float u = std::fma(y * y, kGeluScale, -1.0F);
  float p = kGelu[0];
  for (std::size_t i = 1; i < kGelu.size(); ++i) p = std::fma(p, u, kGelu[i]);
  return x * min(max(std::fma(y, p, 0.5F), 0.0F), 1.0F);
}

/// Rows whose largest magnitude is below this count as zero: 127 / amax must stay finite.
inline constexpr float kTinyRow = 1e-30F;

/// Scale of a symmetric s8 code and its inverse.
struct SymmetricScale {
  float scale = 0;    // amax / 127; x ≈ code * scale
  float inverse = 0;  // 127 / amax
};

[[nodiscard]] inline SymmetricScale symmetric_scale(float amax) noexcept {
  if (!(amax >= kTinyRow)) return {};
  return {amax / 127.0F, 127.0F / amax};
}

[[nodiscard]] inline float max_magnitude(std::span<const float> x) noexcept {
  float amax = 0;
  for (const float value : x) amax = max(std::fabs(value), amax);
  return amax;
}

/// Code of x in [-127, 127]; NaN gives -127.
[[nodiscard]] inline std::int8_t symmetric_code(float x, float inverse) noexcept {
  return static_cast<std::int8_t>(round_to_int(min(max(x * inverse, -127.0F), 127.0F)));
}

/// Codes a row and returns its scale.
inline float quantize_row(std::span<const float> x, std::span<std::int8_t> codes) noexcept {
  const SymmetricScale s = symmetric_scale(max_magnitude(x));
  for (std::size_t i = 0; i < x.size(); ++i) codes[i] = symmetric_code(x[i], s.inverse);
  return s.scale;
}

/// How the numbers of a row become 8-bit codes. The code of 0 is `zero`, and what a code means is
/// its difference from that: difference = round(x * inverse) within [low, high], x ≈ difference *
/// scale. The bounds are whole numbers, so that it does not matter whether one clamps or rounds
/// first. A linear sums differences times weights: at most 255 * 127 * 65,536 inputs < 2^31. Code
/// paths that hold codes subtract zero * Σ weights, which is within the same bound and as exact.
struct RowCode {
  float scale = 0;
  float inverse = 0;
  float low = -127;
  float high = 127;
  std::int32_t zero = 128;  // of codes as u8; symmetric ones are s8, which begin with 1 then
};

/// s8 in [-127, 127] around 0.
[[nodiscard]] inline RowCode symmetric_row(float amax) noexcept {
  const SymmetricScale s = symmetric_scale(amax);
  return {.scale = s.scale, .inverse = s.inverse};
}

/// u8 in [0, 255] with this scale, for which 1 / scale is finite, and zero point in [0, 255].
[[nodiscard]] inline RowCode asymmetric_row(float scale, std::int32_t zero) noexcept {
  const auto low = -static_cast<float>(zero);
  return {.scale = scale, .inverse = 1.0F / scale, .low = low, .high = 255.0F + low, .zero = zero};
}

/// The numbers that the codes of a row cover. 0 is always among them: its code is exact.
struct Range {
  float low = 0;
  float high = 0;
};

[[nodiscard]] inline Range range_of(std::span<const float> x) noexcept {
  Range range;
  for (const float value : x) {
    range.low = min(value, range.low);
    range.high = max(value, range.high);
  }
  return range;
}

/// u8 in [0, 255] that cover a row's range. Each end is divided by itself: the difference of two
/// floats may be none. -low / scale is 255 and a few roundings at most; it is clamped for a range
/// that is not finite.
[[nodiscard]] inline RowCode asymmetric_row(Range range) noexcept {
  if (!(range.high - range.low >= kTinyRow)) return {.low = 0, .high = 255, .zero = 0};
  const float scale = range.high / 255.0F - range.low / 255.0F;
  const float zero = min(max(-range.low * (1.0F / scale), 0.0F), 255.0F);
  return asymmetric_row(scale, round_to_int(zero));
}

/// Difference of x's code from zero; the lowest one for what is not a number.
[[nodiscard]] inline std::int32_t code_difference(float x, const RowCode& code) noexcept {
  return round_to_int(min(max(x * code.inverse, code.low), code.high));
}

/// Scales a row element by element before it is coded: dst = src * scale.
inline void scale_row(std::span<const float> src, std::span<const float> scale,
                      std::span<float> dst) noexcept {
  for (std::size_t i = 0; i < src.size(); ++i) dst[i] = src[i] * scale[i];
}

/// Output of an int8 linear: the exact sum of differences times weights, times the token's scale,
/// times the channel's, plus bias.
[[nodiscard]] inline float dequantize(std::int32_t sum, float token_scale, float channel_scale,
                                      float bias) noexcept {
  return std::fma(static_cast<float>(sum) * token_scale, channel_scale, bias);
}

// Attention of one query over its keys, from exact sums of s8 codes (symmetric per token and head):
// score = sum * (query_scale / sqrt(head_dim)) * key_scale[key]; e = exp(score - max);
// w = e * value_scale[key]; P = u8 rne(255 w / max w); context = (max w / 255) Σ P V / Σ e.

/// Scale that a query's sums are multiplied with first: 1/√d lives in it.
[[nodiscard]] inline float query_scale(float scale, std::uint32_t head_dim) noexcept {
  return scale * (1.0F / std::sqrt(static_cast<float>(head_dim)));
}

/// In place: scores (n_keys) become w; fills p and returns the context's scale, (max w / 255) / Σ
/// e, which is 0 when every value row is zero.
inline float attention_weights(std::span<float> scores, std::span<const float> value_scale,
                               std::span<std::uint8_t> p) noexcept {
  float top = scores[0];
  for (const float score : scores) top = max(score, top);
  for (float& score : scores) score = exp_nonpositive(score - top);
  const float total = sum(scores);
  float top_weight = 0;
  for (std::size_t key = 0; key < scores.size(); ++key) {
    scores[key] = scores[key] * value_scale[key];
    top_weight = max(scores[key], top_weight);
  }
  if (!(top_weight >= kTinyRow)) {
    for (std::uint8_t& code : p) code = 0;
    return 0;
  }
  const float inverse = 255.0F / top_weight;
  for (std::size_t key = 0; key < scores.size(); ++key) {
    p[key] = static_cast<std::uint8_t>(round_to_int(min(max(scores[key] * inverse, 0.0F), 255.0F)));
  }
  return (top_weight / 255.0F) / total;
}

/// LayerNorm of a row in place (Ba et al. 2016): two passes, centred variance.
inline void layer_norm(std::span<float> x, std::span<const float> weight,
                       std::span<const float> bias, float eps) noexcept {
  const auto size = static_cast<float>(x.size());
  const float mean = sum(x) / size;
  const float squares = sum_lanes(x.size(), [&](float lane, std::size_t i) {
    const float centred = x[i] - mean;
    return std::fma(centred, centred, lane);
  });
  const float inverse = 1.0F / std::sqrt(squares / size + eps);
  for (std::size_t i = 0; i < x.size(); ++i) {
    x[i] = std::fma((x[i] - mean) * inverse, weight[i], bias[i]);
  }
}

}  // namespace espalier::canonical
