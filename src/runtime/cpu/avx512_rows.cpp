#include <algorithm>

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

ESPALIER_AVX512_INLINE float largest_magnitude(const float* src, const float* scale,
                                               std::uint32_t size) {
  __m512 top = _mm512_setzero_ps();
  for (std::uint32_t i = 0; i < size; i += 16) {
    top = _mm512_max_ps(_mm512_abs_ps(load_scaled(src, scale, i, first_lanes(size - i))), top);
  }
  return max_of(top);
}

// canonical::range_of. The zeros past the mask are in the range anyhow.
ESPALIER_AVX512_INLINE canonical::Range range_of(const float* src, const float* scale,
                                                 std::uint32_t size) {
  __m512 low = _mm512_setzero_ps(), high = _mm512_setzero_ps();
  for (std::uint32_t i = 0; i < size; i += 16) {
    const __m512 x = load_scaled(src, scale, i, first_lanes(size - i));
    low = _mm512_min_ps(x, low);
    high = _mm512_max_ps(x, high);
  }
  return {.low = min_of(low), .high = max_of(high)};
}

ESPALIER_AVX512_INLINE canonical::RowCode row_code(const float* src, const RowCoding& coding,
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

ESPALIER_AVX512 CodedRow quantize_row(const float* src, const RowCoding& coding, std::uint32_t size,
                                      const CodeRow& dst) noexcept {
  const canonical::RowCode code = row_code(src, coding, size);
  const __m512 inverse = _mm512_set1_ps(code.inverse);
  const __m512 lowest = _mm512_set1_ps(code.low), highest = _mm512_set1_ps(code.high);
  const std::uint32_t end = (size + 15) / 16 * 16;  // `padded` is a multiple of 64
  // Lanes past the mask hold 0, whose difference is 0.
  const auto differences = [&](std::uint32_t i) ESPALIER_AVX512_ALWAYS {
    const __m512 x = load_scaled(src, coding.input_scale, i, first_lanes(size - i));
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
  return {code.scale, code.zero};
}

ESPALIER_AVX512 float quantize_slice(const float* src, std::uint32_t size,
                                     std::int8_t* dst) noexcept {
  const canonical::SymmetricScale s =
      canonical::symmetric_scale(largest_magnitude(src, nullptr, size));
  const __m512 inverse = _mm512_set1_ps(s.inverse);
  for (std::uint32_t i = 0; i < size; i += 16) {
    const __mmask16 lanes = first_lanes(size - i);
    const __m128i code =
        _mm512_cvtepi32_epi8(symmetric_codes(_mm512_maskz_loadu_ps(lanes, src + i), inverse));
    if (lanes == 0xffff) {
      _mm_storeu_si128(reinterpret_cast<__m128i*>(dst + i), code);
    } else {
      _mm_mask_storeu_epi8(dst + i, lanes, code);
    }
  }
  return s.scale;
}

ESPALIER_AVX512 void layer_norm(float* x, std::uint32_t size, const float* weight,
                                const float* bias, float eps) noexcept {
  __m512 sum = _mm512_setzero_ps();
  for (std::uint32_t i = 0; i < size; i += 16) {  // the padding holds zeros
    sum = _mm512_add_ps(sum, _mm512_loadu_ps(x + i));
  }
  const auto count = static_cast<float>(size);
  const __m512 mean = _mm512_set1_ps(join(sum) / count);
  __m512 squares = _mm512_setzero_ps();
  for (std::uint32_t i = 0; i < size; i += 16) {
    const __m512 centred = _mm512_maskz_sub_ps(first_lanes(size - i), _mm512_loadu_ps(x + i), mean);
    squares = _mm512_fmadd_ps(centred, centred, squares);
  }
  const __m512 inverse = _mm512_set1_ps(1.0F / std::sqrt(join(squares) / count + eps));
  for (std::uint32_t i = 0; i < size; i += 16) {
    const __mmask16 lanes = first_lanes(size - i);
    const __m512 scaled = _mm512_mul_ps(_mm512_sub_ps(_mm512_loadu_ps(x + i), mean), inverse);
    _mm512_storeu_ps(x + i,
                     _mm512_maskz_fmadd_ps(lanes, scaled, _mm512_maskz_loadu_ps(lanes, weight + i),
                                           _mm512_maskz_loadu_ps(lanes, bias + i)));
  }
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

ESPALIER_AVX512 float dot(const float* x, const float* y, std::uint32_t size) noexcept {
  __m512 sum = _mm512_setzero_ps();
  for (std::uint32_t i = 0; i < size; i += 16) {
    const __mmask16 lanes = first_lanes(size - i);
    sum = _mm512_fmadd_ps(_mm512_maskz_loadu_ps(lanes, x + i), _mm512_maskz_loadu_ps(lanes, y + i),
                          sum);
  }
  return join(sum);
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
      .quantize_row = quantize_row,
      .quantize_slice = quantize_slice,
      .layer_norm = layer_norm,
      .add_code_embeddings = add_code_embeddings,
      .add_float_embeddings = add_float_embeddings,
      .dot = dot,
      .finish_sums = finish_sums,
      .finish_floats = finish_floats,
  };
  return kKernels;
}

}  // namespace espalier::runtime::cpu
