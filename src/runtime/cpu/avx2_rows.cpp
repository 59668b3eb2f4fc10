#include <algorithm>
#include <cstring>

#include "runtime/cpu/avx2_math.hpp"
#include "runtime/cpu/rows.hpp"

namespace espalier::runtime::cpu {
namespace {

// Eight elements as they are coded.
ESPALIER_AVX2_INLINE __m256 load_scaled(const float* src, const float* scale) {
  const __m256 x = _mm256_loadu_ps(src);
  return scale == nullptr ? x : _mm256_mul_ps(x, _mm256_loadu_ps(scale));
}

ESPALIER_AVX2_INLINE const float* at(const float* scale, std::uint32_t i) {
  return scale == nullptr ? nullptr : scale + i;
}

ESPALIER_AVX2_INLINE float scaled(const float* src, const float* scale, std::uint32_t i) {
  return scale == nullptr ? src[i] : src[i] * scale[i];
}

ESPALIER_AVX2_INLINE float largest_magnitude(const float* src, const float* scale,
                                             std::uint32_t size) {
  __m256 top = _mm256_setzero_ps();
  std::uint32_t i = 0;
  for (; i + 8 <= size; i += 8) {
    top = _mm256_max_ps(magnitude(load_scaled(src + i, at(scale, i))), top);
  }
  float amax = max_of(top);
  for (; i < size; ++i) amax = canonical::max(std::fabs(scaled(src, scale, i)), amax);
  return amax;
}

// canonical::range_of
ESPALIER_AVX2_INLINE canonical::Range range_of(const float* src, const float* scale,
                                               std::uint32_t size) {
  __m256 low = _mm256_setzero_ps(), high = _mm256_setzero_ps();
  std::uint32_t i = 0;
  for (; i + 8 <= size; i += 8) {
    const __m256 x = load_scaled(src + i, at(scale, i));
    low = _mm256_min_ps(x, low);
    high = _mm256_max_ps(x, high);
  }
  canonical::Range range = {.low = min_of(low), .high = max_of(high)};
  for (; i < size; ++i) {
    range.low = canonical::min(scaled(src, scale, i), range.low);
    range.high = canonical::max(scaled(src, scale, i), range.high);
  }
  return range;
}

ESPALIER_AVX2_INLINE canonical::RowCode row_code(const float* src, const RowCoding& coding,
                                                 std::uint32_t size) {
  switch (coding.codes) {
    case format::ActivationCodes::per_token_symmetric:
      break;
    case format::ActivationCodes::per_token_asymmetric:
      return canonical::asymmetric_row(range_of(src, coding.input_scale, size));
    case format::ActivationCodes::per_tensor_asymmetric:
      return coding.fixed;
  }
  return canonical::symmetric_row(largest_magnitude(src, coding.input_scale, size));
}

// Eight of at most 16 bits each.
ESPALIER_AVX2_INLINE __m128i narrow(__m256i codes) {
  return _mm_packs_epi32(_mm256_castsi256_si128(codes), _mm256_extracti128_si256(codes, 1));
}

ESPALIER_AVX2_INLINE void quantize_row(const float* src, const RowCoding& coding,
                                       std::uint32_t size, const RowCodes& dst) {
  const canonical::RowCode code = row_code(src, coding, size);
  const __m256 inverse = _mm256_set1_ps(code.inverse);
  const __m256 lowest = _mm256_set1_ps(code.low), highest = _mm256_set1_ps(code.high);
  const float* const scale = coding.input_scale;
  const auto differences = [&](std::uint32_t i) ESPALIER_AVX2_ALWAYS {
    return narrow(code_differences(load_scaled(src + i, at(scale, i)), inverse, lowest, highest));
  };
  std::uint32_t i = 0;
  if (dst.layout == CodeLayout::s16) {
    auto* codes = static_cast<std::int16_t*>(dst.codes);
    for (; i + 8 <= size; i += 8) {
      _mm_storeu_si128(reinterpret_cast<__m128i*>(codes + i), differences(i));
    }
    for (; i < size; ++i) {
      codes[i] = static_cast<std::int16_t>(canonical::code_difference(scaled(src, scale, i), code));
    }
    std::fill(codes + size, codes + dst.padded, std::int16_t{0});
  } else {
    auto* codes = static_cast<std::uint8_t*>(dst.codes);
    const __m128i zero = _mm_set1_epi16(static_cast<std::int16_t>(code.zero));
    for (; i + 8 <= size; i += 8) {
      const __m128i shifted = _mm_add_epi16(differences(i), zero);
      _mm_storel_epi64(reinterpret_cast<__m128i*>(codes + i), _mm_packus_epi16(shifted, shifted));
    }
    for (; i < size; ++i) {
      codes[i] = static_cast<std::uint8_t>(canonical::code_difference(scaled(src, scale, i), code) +
                                           code.zero);
    }
    std::fill(codes + size, codes + dst.padded, static_cast<std::uint8_t>(code.zero));
  }
  *dst.scale = code.scale;
  *dst.zero = code.zero;
}

ESPALIER_AVX2 void quantize_rows(const float* src, const RowCoding& coding, std::uint32_t n_rows,
                                 std::uint32_t size, const RowCodes& dst) noexcept {
  for (std::uint32_t row = 0; row < n_rows; ++row) {
    quantize_row(src + std::size_t{row} * padded_row(size), coding, size, row_of(dst, row));
  }
}

ESPALIER_AVX2_INLINE float quantize_slice(const float* src, std::uint32_t size, std::int8_t* dst) {
  const canonical::SymmetricScale s =
      canonical::symmetric_scale(largest_magnitude(src, nullptr, size));
  const __m256 inverse = _mm256_set1_ps(s.inverse);
  std::uint32_t i = 0;
  for (; i + 8 <= size; i += 8) {
    const __m128i codes = narrow(symmetric_codes(_mm256_loadu_ps(src + i), inverse));
    _mm_storel_epi64(reinterpret_cast<__m128i*>(dst + i), _mm_packs_epi16(codes, codes));
  }
  for (; i < size; ++i) dst[i] = canonical::symmetric_code(src[i], s.inverse);
  return s.scale;
}

ESPALIER_AVX2 void quantize_heads(const float* src, std::uint32_t n_heads, std::uint32_t head_dim,
                                  std::int8_t* dst, float* scale,
                                  std::size_t scale_stride) noexcept {
  for (std::uint32_t head = 0; head < n_heads; ++head, src += head_dim, dst += head_dim) {
    scale[head * scale_stride] = quantize_slice(src, head_dim, dst);
  }
}

ESPALIER_AVX2_INLINE void layer_norm_row(float* x, std::uint32_t size, const float* weight,
                                         const float* bias, float eps) {
  Sum16 sum = zero_sum();
  for (std::uint32_t i = 0; i < size; i += 16) {  // the padding holds zeros
    sum.low = _mm256_add_ps(sum.low, _mm256_loadu_ps(x + i));
    sum.high = _mm256_add_ps(sum.high, _mm256_loadu_ps(x + i + 8));
  }
  const auto count = static_cast<float>(size);
  const __m256 mean = _mm256_set1_ps(join(sum) / count);
  Sum16 squares = zero_sum();
  for (std::uint32_t i = 0; i < size; i += 16) {
    const auto left = static_cast<std::int32_t>(size - i);
    __m256 low = _mm256_sub_ps(_mm256_loadu_ps(x + i), mean);
    __m256 high = _mm256_sub_ps(_mm256_loadu_ps(x + i + 8), mean);
    if (left < 16) {
      low = _mm256_and_ps(low, lanes_below(left));
      high = _mm256_and_ps(high, lanes_below(left - 8));
    }
    squares.low = _mm256_fmadd_ps(low, low, squares.low);
    squares.high = _mm256_fmadd_ps(high, high, squares.high);
  }
  const float scale = 1.0F / std::sqrt(join(squares) / count + eps);
  const __m256 inverse = _mm256_set1_ps(scale);
  std::uint32_t i = 0;
  for (; i + 8 <= size; i += 8) {
    const __m256 centred = _mm256_sub_ps(_mm256_loadu_ps(x + i), mean);
    _mm256_storeu_ps(x + i,
                     _mm256_fmadd_ps(_mm256_mul_ps(centred, inverse), _mm256_loadu_ps(weight + i),
                                     _mm256_loadu_ps(bias + i)));
  }
  const float mean1 = _mm256_cvtss_f32(mean);
  for (; i < size; ++i) x[i] = std::fma((x[i] - mean1) * scale, weight[i], bias[i]);
}

ESPALIER_AVX2 void layer_norm(float* x, std::uint32_t n_rows, std::uint32_t size,
                              const float* weight, const float* bias, float eps) noexcept {
  for (std::uint32_t row = 0; row < n_rows; ++row, x += padded_row(size)) {
    layer_norm_row(x, size, weight, bias, eps);
  }
}

ESPALIER_AVX2 void tanh_row(float* x, std::uint32_t size) noexcept {
  for (std::uint32_t i = 0; i < size; i += 8) _mm256_storeu_ps(x + i, tanh(_mm256_loadu_ps(x + i)));
}

ESPALIER_AVX2 void add_code_embeddings(const std::int8_t* word, float scale, const float* position,
                                       const float* segment, std::uint32_t size,
                                       float* dst) noexcept {
  const __m256 scales = _mm256_set1_ps(scale);
  std::uint32_t i = 0;
  for (; i + 8 <= size; i += 8) {
    const __m128i codes = _mm_loadl_epi64(reinterpret_cast<const __m128i*>(word + i));
    const __m256 value = _mm256_cvtepi32_ps(_mm256_cvtepi8_epi32(codes));
    const __m256 sum = _mm256_fmadd_ps(value, scales, _mm256_loadu_ps(position + i));
    _mm256_storeu_ps(dst + i, _mm256_add_ps(sum, _mm256_loadu_ps(segment + i)));
  }
  for (; i < size; ++i) {
    dst[i] = std::fma(static_cast<float>(word[i]), scale, position[i]) + segment[i];
  }
}

ESPALIER_AVX2 void add_float_embeddings(const float* word, const float* position,
                                        const float* segment, std::uint32_t size,
                                        float* dst) noexcept {
  for (std::uint32_t i = 0; i < size; ++i) dst[i] = (word[i] + position[i]) + segment[i];
}

ESPALIER_AVX2_INLINE float dot(const float* x, const float* y, std::uint32_t size) {
  Sum16 sum = zero_sum();
  std::uint32_t i = 0;
  for (; i + 16 <= size; i += 16) {
    sum.low = _mm256_fmadd_ps(_mm256_loadu_ps(x + i), _mm256_loadu_ps(y + i), sum.low);
    sum.high = _mm256_fmadd_ps(_mm256_loadu_ps(x + i + 8), _mm256_loadu_ps(y + i + 8), sum.high);
  }
  if (i == size) return join(sum);
  alignas(32) float tail_x[16] = {};
  alignas(32) float tail_y[16] = {};
  std::memcpy(tail_x, x + i, (size - i) * sizeof(float));
  std::memcpy(tail_y, y + i, (size - i) * sizeof(float));
  sum.low = _mm256_fmadd_ps(_mm256_load_ps(tail_x), _mm256_load_ps(tail_y), sum.low);
  sum.high = _mm256_fmadd_ps(_mm256_load_ps(tail_x + 8), _mm256_load_ps(tail_y + 8), sum.high);
  return join(sum);
}

ESPALIER_AVX2 void dot_rows(const float* x, const float* rows, std::uint32_t n_rows,
                            std::uint32_t size, float* dst) noexcept {
  for (std::uint32_t row = 0; row < n_rows; ++row, rows += size) dst[row] = dot(x, rows, size);
}

ESPALIER_AVX2_INLINE void put(__m256 y, Output output, float* dst) {
  if (output == Output::gelu) y = gelu(y);
  if (output == Output::add) y = _mm256_add_ps(_mm256_loadu_ps(dst), y);
  _mm256_storeu_ps(dst, y);
}

ESPALIER_AVX2_INLINE __m256i eight_at(const std::int32_t* src) {
  return _mm256_loadu_si256(reinterpret_cast<const __m256i*>(src));
}

ESPALIER_AVX2 void finish_sums(const std::int32_t* sums, const SumsEnd& end, std::uint32_t size,
                               float* dst) noexcept {
  const __m256 scale = _mm256_set1_ps(end.row.scale);
  const __m256i zero = _mm256_set1_epi32(end.row.zero);
  for (std::uint32_t n = 0; n < size; n += 8) {  // scale and bias are 0 past `size`
    const __m256i correction = _mm256_mullo_epi32(zero, eight_at(end.weight_sums + n));
    const __m256i sum = _mm256_sub_epi32(eight_at(sums + n), correction);
    const __m256 scaled = _mm256_mul_ps(_mm256_cvtepi32_ps(sum), scale);
    put(_mm256_fmadd_ps(scaled, _mm256_loadu_ps(end.channel_scale + n),
                        _mm256_loadu_ps(end.bias + n)),
        end.output, dst + n);
  }
}

ESPALIER_AVX2 void finish_floats(const float* products, const float* bias, std::uint32_t size,
                                 Output output, float* dst) noexcept {
  for (std::uint32_t n = 0; n < size; n += 8) {
    const __m256 y = _mm256_add_ps(_mm256_loadu_ps(products + n), _mm256_loadu_ps(bias + n));
    put(_mm256_and_ps(y, lanes_below(static_cast<std::int32_t>(size - n))), output, dst + n);
  }
}

}  // namespace

const RowKernels& avx2_rows() noexcept {
  static constexpr RowKernels kKernels = {
      .quantize_rows = quantize_rows,
      .quantize_heads = quantize_heads,
      .layer_norm = layer_norm,
      .tanh = tanh_row,
      .add_code_embeddings = add_code_embeddings,
      .add_float_embeddings = add_float_embeddings,
      .dot_rows = dot_rows,
      .finish_sums = finish_sums,
      .finish_floats = finish_floats,
  };
  return kKernels;
}

}  // namespace espalier::runtime::cpu
