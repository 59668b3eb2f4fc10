#include <algorithm>
#include <type_traits>

#include "runtime/cpu/avx512_math.hpp"
#include "runtime/cpu/rows.hpp"

namespace espalier::runtime::cpu {
namespace {

// Up to sixteen elements as they are coded, 0 past the mask. Nothing past it is read: the vectors
// of the model that come in here are not padded.
ESPALIER_AVX512_INLINE __m512 load_scaled(const float* src, const float* scale, std::uint32_t i,
                                          __mmask16 lanes) {
  const __m512 x = _mm512_maskz_loadu_ps(lanes, src + i);
  return scale == nullptr ? x : _mm512_mul_ps(x, _mm512_maskz_loadu_ps(lanes, scale + i));
}

// Rows that a kernel takes together: the vectors of four fit in registers.
constexpr std::uint32_t kTogether = 4;

/// Calls kernel(first row, constant number of rows) until all rows are done.
template <typename Kernel>
ESPALIER_AVX512_INLINE void for_rows(std::uint32_t n_rows, Kernel&& kernel) {
  std::uint32_t row = 0;
  for (; row + kTogether <= n_rows; row += kTogether) {
    kernel(row, std::integral_constant<std::uint32_t, kTogether>());
  }
  for (; row < n_rows; ++row) kernel(row, std::integral_constant<std::uint32_t, 1>());
}

// Largest magnitude of each row as it is coded.
template <std::uint32_t kRows>
ESPALIER_AVX512_INLINE void symmetric_codes_of(const float* src, const float* scale,
                                               std::uint32_t size, canonical::RowCode* codes) {
  __m512 top[kRows];
  for (std::uint32_t row = 0; row < kRows; ++row) top[row] = _mm512_setzero_ps();
  for (std::uint32_t i = 0; i < size; i += 16) {
    const __mmask16 lanes = first_lanes(size - i);
    for (std::uint32_t row = 0; row < kRows; ++row) {
      const __m512 x = load_scaled(src + std::size_t{row} * padded_row(size), scale, i, lanes);
      top[row] = _mm512_max_ps(_mm512_abs_ps(x), top[row]);
    }
  }
  for (std::uint32_t row = 0; row < kRows; ++row) {
    codes[row] = canonical::symmetric_row(max_of(top[row]));
  }
}

// canonical::range_of each row. The zeros past the mask are in the range anyhow.
template <std::uint32_t kRows>
ESPALIER_AVX512_INLINE void asymmetric_codes_of(const float* src, const float* scale,
                                                std::uint32_t size, canonical::RowCode* codes) {
  __m512 low[kRows], high[kRows];
  for (std::uint32_t row = 0; row < kRows; ++row) low[row] = high[row] = _mm512_setzero_ps();
  for (std::uint32_t i = 0; i < size; i += 16) {
    const __mmask16 lanes = first_lanes(size - i);
    for (std::uint32_t row = 0; row < kRows; ++row) {
      const __m512 x = load_scaled(src + std::size_t{row} * padded_row(size), scale, i, lanes);
      low[row] = _mm512_min_ps(x, low[row]);
      high[row] = _mm512_max_ps(x, high[row]);
    }
  }
  for (std::uint32_t row = 0; row < kRows; ++row) {
    codes[row] = canonical::asymmetric_row({.low = min_of(low[row]), .high = max_of(high[row])});
  }
}

template <std::uint32_t kRows>
ESPALIER_AVX512_INLINE void row_codes(const float* src, const RowCoding& coding, std::uint32_t size,
                                      canonical::RowCode* codes) {
  switch (coding.codes) {
    case format::ActivationCodes::per_token_symmetric:
      symmetric_codes_of<kRows>(src, coding.input_scale, size, codes);
      return;
    case format::ActivationCodes::per_token_asymmetric:
      asymmetric_codes_of<kRows>(src, coding.input_scale, size, codes);
      return;
    case format::ActivationCodes::per_tensor_asymmetric:
      std::fill_n(codes, kRows, coding.fixed);
      return;
  }
}

ESPALIER_AVX512_INLINE void put_codes(const float* src, const float* scale,
                                      const canonical::RowCode& code, std::uint32_t size,
                                      const RowCodes& dst) {
  const __m512 inverse = _mm512_set1_ps(code.inverse);
  const __m512 lowest = _mm512_set1_ps(code.low), highest = _mm512_set1_ps(code.high);
  const std::uint32_t end = (size + 15) / 16 * 16;  // `padded` is a multiple of 64
  // Lanes past the mask hold 0, whose difference is 0.
  const auto differences = [&](std::uint32_t i) ESPALIER_AVX512_ALWAYS {
    const __m512 x = load_scaled(src, scale, i, first_lanes(size - i));
    return code_differences(x, inverse, lowest, highest);
  };
  if (dst.layout == CodeLayout::s16) {
    auto* codes = static_cast<std::int16_t*>(dst.codes);
    for (std::uint32_t i = 0; i < size; i += 16) {
      _mm256_storeu_si256(reinterpret_cast<__m256i*>(codes + i),
                          _mm512_cvtepi32_epi16(differences(i)));
    }
    std::fill(codes + end, codes + dst.padded, std::int16_t{0});
  } else {
    auto* codes = static_cast<std::uint8_t*>(dst.codes);
    const __m512i zero = _mm512_set1_epi32(code.zero);
    for (std::uint32_t i = 0; i < size; i += 16) {
      _mm_storeu_si128(reinterpret_cast<__m128i*>(codes + i),
                       _mm512_cvtepi32_epi8(_mm512_add_epi32(differences(i), zero)));
    }
    std::fill(codes + end, codes + dst.padded, static_cast<std::uint8_t>(code.zero));
  }
  *dst.scale = code.scale;
  *dst.zero = code.zero;
}

ESPALIER_AVX512 void quantize_rows(const float* src, const RowCoding& coding, std::uint32_t n_rows,
                                   std::uint32_t size, const RowCodes& dst) noexcept {
  for_rows(n_rows, [&](std::uint32_t first, auto count) ESPALIER_AVX512_ALWAYS {
    canonical::RowCode codes[count];
    const float* const rows = src + std::size_t{first} * padded_row(size);
    row_codes<count>(rows, coding, size, codes);
    for (std::uint32_t row = 0; row < count; ++row) {
      put_codes(rows + std::size_t{row} * padded_row(size), coding.input_scale, codes[row], size,
                row_of(dst, first + row));
    }
  });
}

// Sixteen heads at a time: as many scales make a vector. kWhole: heads are whole vectors.
template <bool kWhole>
ESPALIER_AVX512_INLINE void quantize_some_heads(const float* src, std::uint32_t n_heads,
                                                std::uint32_t head_dim, std::int8_t* dst,
                                                float* scale, std::size_t scale_stride) {
  const auto lanes_at = [&](std::uint32_t i) ESPALIER_AVX512_ALWAYS {
    return kWhole ? __mmask16{0xffff} : first_lanes(head_dim - i);
  };
  alignas(64) float top[16] = {};
  alignas(64) float inverse[16];
  for (std::uint32_t head = 0; head < n_heads; ++head) {
    __m512 magnitude = _mm512_setzero_ps();
    for (std::uint32_t i = 0; i < head_dim; i += 16) {
      const __m512 x = _mm512_maskz_loadu_ps(lanes_at(i), src + head * head_dim + i);
      magnitude = _mm512_max_ps(_mm512_abs_ps(x), magnitude);
    }
    top[head] = max_of(magnitude);
  }
  // canonical::symmetric_scale
  const __m512 tops = _mm512_load_ps(top), code = _mm512_set1_ps(127.0F);
  const __mmask16 some = _mm512_cmp_ps_mask(tops, _mm512_set1_ps(canonical::kTinyRow), _CMP_GE_OQ);
  _mm512_store_ps(inverse, _mm512_maskz_div_ps(some, code, tops));
  _mm512_store_ps(top, _mm512_maskz_div_ps(some, tops, code));
  for (std::uint32_t head = 0; head < n_heads; ++head) {
    scale[head * scale_stride] = top[head];
    const __m512 inverses = _mm512_set1_ps(inverse[head]);
    for (std::uint32_t i = 0; i < head_dim; i += 16) {
      const std::size_t at = std::size_t{head} * head_dim + i;
      const __m512 x = _mm512_maskz_loadu_ps(lanes_at(i), src + at);
      const __m128i codes = _mm512_cvtepi32_epi8(symmetric_codes(x, inverses));
      if (kWhole) {
        _mm_storeu_si128(reinterpret_cast<__m128i*>(dst + at), codes);
      } else {
        _mm_mask_storeu_epi8(dst + at, lanes_at(i), codes);
      }
    }
  }
}

ESPALIER_AVX512 void quantize_heads(const float* src, std::uint32_t n_heads, std::uint32_t head_dim,
                                    std::int8_t* dst, float* scale,
                                    std::size_t scale_stride) noexcept {
  const auto some = head_dim % 16 == 0 ? quantize_some_heads<true> : quantize_some_heads<false>;
  for (std::uint32_t head = 0; head < n_heads; head += 16) {
    const std::size_t at = std::size_t{head} * head_dim;
    some(src + at, std::min(n_heads - head, 16U), head_dim, dst + at, scale + head * scale_stride,
         scale_stride);
  }
}

template <std::uint32_t kRows>
ESPALIER_AVX512_INLINE void layer_norm_rows(float* x, std::uint32_t size, const float* weight,
                                            const float* bias, float eps) {
  const std::size_t stride = padded_row(size);
  const auto count = static_cast<float>(size);
  __m512 sum[kRows], mean[kRows];
  for (std::uint32_t row = 0; row < kRows; ++row) sum[row] = _mm512_setzero_ps();
  for (std::uint32_t i = 0; i < size; i += 16) {  // the padding holds zeros
    for (std::uint32_t row = 0; row < kRows; ++row) {
      sum[row] = _mm512_add_ps(sum[row], _mm512_loadu_ps(x + row * stride + i));
    }
  }
  for (std::uint32_t row = 0; row < kRows; ++row) {
    mean[row] = _mm512_set1_ps(join(sum[row]) / count);
    sum[row] = _mm512_setzero_ps();  // of squares from here on
  }
  for (std::uint32_t i = 0; i < size; i += 16) {
    const __mmask16 lanes = first_lanes(size - i);
    for (std::uint32_t row = 0; row < kRows; ++row) {
      const __m512 centred =
          _mm512_maskz_sub_ps(lanes, _mm512_loadu_ps(x + row * stride + i), mean[row]);
      sum[row] = _mm512_fmadd_ps(centred, centred, sum[row]);
    }
  }
  __m512 inverse[kRows];
  for (std::uint32_t row = 0; row < kRows; ++row) {
    inverse[row] = _mm512_set1_ps(1.0F / std::sqrt(join(sum[row]) / count + eps));
  }
  for (std::uint32_t i = 0; i < size; i += 16) {
    const __mmask16 lanes = first_lanes(size - i);
    const __m512 weights = _mm512_maskz_loadu_ps(lanes, weight + i);
    const __m512 biases = _mm512_maskz_loadu_ps(lanes, bias + i);
    for (std::uint32_t row = 0; row < kRows; ++row) {
      float* const at = x + row * stride + i;
      const __m512 scaled =
          _mm512_mul_ps(_mm512_sub_ps(_mm512_loadu_ps(at), mean[row]), inverse[row]);
      _mm512_storeu_ps(at, _mm512_maskz_fmadd_ps(lanes, scaled, weights, biases));
    }
  }
}

ESPALIER_AVX512 void layer_norm(float* x, std::uint32_t n_rows, std::uint32_t size,
                                const float* weight, const float* bias, float eps) noexcept {
  for_rows(n_rows, [&](std::uint32_t first, auto count) ESPALIER_AVX512_ALWAYS {
    layer_norm_rows<count>(x + std::size_t{first} * padded_row(size), size, weight, bias, eps);
  });
}

ESPALIER_AVX512 void tanh_row(float* x, std::uint32_t size) noexcept {
  for (std::uint32_t i = 0; i < size; i += 16)
    _mm512_storeu_ps(x + i, tanh(_mm512_loadu_ps(x + i)));
}

ESPALIER_AVX512 void add_code_embeddings(const std::int8_t* word, float scale,
                                         const float* position, const float* segment,
                                         std::uint32_t size, float* dst) noexcept {
  const __m512 scales = _mm512_set1_ps(scale);
  for (std::uint32_t i = 0; i < size; i += 16) {
    const __mmask16 lanes = first_lanes(size - i);
    const __m512 value =
        _mm512_cvtepi32_ps(_mm512_cvtepi8_epi32(_mm_maskz_loadu_epi8(lanes, word + i)));
    const __m512 sum = _mm512_fmadd_ps(value, scales, _mm512_maskz_loadu_ps(lanes, position + i));
    _mm512_storeu_ps(dst + i, _mm512_add_ps(sum, _mm512_maskz_loadu_ps(lanes, segment + i)));
  }
}

ESPALIER_AVX512 void add_float_embeddings(const float* word, const float* position,
                                          const float* segment, std::uint32_t size,
                                          float* dst) noexcept {
  for (std::uint32_t i = 0; i < size; i += 16) {
    const __mmask16 lanes = first_lanes(size - i);
    const __m512 sum = _mm512_add_ps(_mm512_maskz_loadu_ps(lanes, word + i),
                                     _mm512_maskz_loadu_ps(lanes, position + i));
    _mm512_storeu_ps(dst + i, _mm512_add_ps(sum, _mm512_maskz_loadu_ps(lanes, segment + i)));
  }
}

template <std::uint32_t kRows>
ESPALIER_AVX512_INLINE void dots(const float* x, const float* rows, std::uint32_t size,
                                 float* dst) {
  __m512 sum[kRows];
  for (std::uint32_t row = 0; row < kRows; ++row) sum[row] = _mm512_setzero_ps();
  for (std::uint32_t i = 0; i < size; i += 16) {
    const __mmask16 lanes = first_lanes(size - i);
    const __m512 values = _mm512_maskz_loadu_ps(lanes, x + i);
    for (std::uint32_t row = 0; row < kRows; ++row) {
      const float* const at = rows + std::size_t{row} * size + i;
      sum[row] = _mm512_fmadd_ps(values, _mm512_maskz_loadu_ps(lanes, at), sum[row]);
    }
  }
  for (std::uint32_t row = 0; row < kRows; ++row) dst[row] = join(sum[row]);
}

ESPALIER_AVX512 void dot_rows(const float* x, const float* rows, std::uint32_t n_rows,
                              std::uint32_t size, float* dst) noexcept {
  for_rows(n_rows, [&](std::uint32_t first, auto count) ESPALIER_AVX512_ALWAYS {
    dots<count>(x, rows + std::size_t{first} * size, size, dst + first);
  });
}

ESPALIER_AVX512_INLINE void put(__m512 y, Output output, float* dst) {
  if (output == Output::gelu) y = gelu(y);
  if (output == Output::add) y = _mm512_add_ps(_mm512_loadu_ps(dst), y);
  _mm512_storeu_ps(dst, y);
}

ESPALIER_AVX512 void finish_sums(const std::int32_t* sums, const SumsEnd& end, std::uint32_t size,
                                 float* dst) noexcept {
  const __m512 scale = _mm512_set1_ps(end.row.scale);
  const __m512i zero = _mm512_set1_epi32(end.row.zero);
  for (std::uint32_t n = 0; n < size; n += 16) {  // scale and bias are 0 past `size`
    const __m512i correction = _mm512_mullo_epi32(zero, _mm512_loadu_si512(end.weight_sums + n));
    const __m512i sum = _mm512_sub_epi32(_mm512_loadu_si512(sums + n), correction);
    const __m512 scaled = _mm512_mul_ps(_mm512_cvtepi32_ps(sum), scale);
    put(_mm512_fmadd_ps(scaled, _mm512_loadu_ps(end.channel_scale + n),
                        _mm512_loadu_ps(end.bias + n)),
        end.output, dst + n);
  }
}

ESPALIER_AVX512 void finish_floats(const float* products, const float* bias, std::uint32_t size,
                                   Output output, float* dst) noexcept {
  for (std::uint32_t n = 0; n < size; n += 16) {
    put(_mm512_maskz_add_ps(first_lanes(size - n), _mm512_loadu_ps(products + n),
                            _mm512_loadu_ps(bias + n)),
        output, dst + n);
  }
}

}  // namespace

const RowKernels& avx512_rows() noexcept {
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
