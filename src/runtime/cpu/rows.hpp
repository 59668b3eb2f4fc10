// Row kernels of the CPU back end for AVX2 and FMA: each does the operations of base/canonical.hpp
// in the same order, eight lanes at a time, so that every bit agrees with `reference`.
//
// Rows are padded: a float row of `size` elements may be read and written up to the next multiple
// of 16, and what lies past `size` is zero after every kernel here.
#pragma once

#include <cstdint>
#include <span>

namespace espalier::runtime::cpu {

/// How the codes of a row are laid out for the matmul that reads them.
enum class CodeLayout : std::uint8_t {
  s16,        ///< the code, widened: our AVX2 kernel multiplies pairs of 16-bit integers
  u8_plus128  ///< code + 128: oneDNN's unsigned source
};

/// A row of codes. s16 rows are padded with 0 and u8 rows with 128 up to `padded` elements.
struct CodeRow {
  void* codes = nullptr;
  CodeLayout layout = CodeLayout::s16;
  std::uint32_t padded = 0;
};

/// Codes `size` floats (per token symmetric) and returns the row's scale. input_scale: null, or
/// what each element is multiplied with first.
float quantize_row(const float* src, const float* input_scale, std::uint32_t size,
                   const CodeRow& dst) noexcept;

/// Codes a head's slice to plain s8, no padding read or written.
float quantize_slice(const float* src, std::uint32_t size, std::int8_t* dst) noexcept;

/// x = LayerNorm(x), in place.
void layer_norm(float* x, std::uint32_t size, const float* weight, const float* bias,
                float eps) noexcept;

/// dst = word * scale + position + segment, a row of int8 word embeddings.
void add_embeddings(const std::int8_t* word, float scale, const float* position,
                    const float* segment, std::uint32_t size, float* dst) noexcept;

/// The same with float word embeddings.
void add_embeddings(const float* word, const float* position, const float* segment,
                    std::uint32_t size, float* dst) noexcept;

/// canonical::attention_weights: scores (n_keys) are used up; p (padded_keys) gets the codes
/// widened to 16 bits, 0 past n_keys. Returns the context's scale.
float attention_weights(float* scores, std::uint32_t n_keys, const float* value_scale,
                        std::int16_t* p, std::uint32_t padded_keys) noexcept;

/// Softmax of fp32 attention: scores (n_keys) become e^(score - max), 0 up to padded_keys; returns
/// 1 / Σ.
float softmax_weights(float* scores, std::uint32_t n_keys, std::uint32_t padded_keys) noexcept;

/// canonical::dot.
float dot(const float* x, const float* y, std::uint32_t size) noexcept;

/// What a linear does with its result before it is stored.
enum class Output : std::uint8_t {
  store,  ///< dst = y
  gelu,   ///< dst = GELU(y)
  add,    ///< dst = dst + y (the residual)
};

/// Ends an int8 linear whose exact sums a library made: y = dequantize(sums[n] - correction[n]).
/// Reads and writes up to the next multiple of 8, where y is 0.
void finish_sums(const std::int32_t* sums, const std::int32_t* correction, float token_scale,
                 const float* channel_scale, const float* bias, std::uint32_t size, Output output,
                 float* dst) noexcept;

/// Ends a float linear: y = products[n] + bias[n]. Reads and writes up to the next multiple of 8,
/// where y is 0 whatever products hold; dst may be products.
void finish_floats(const float* products, const float* bias, std::uint32_t size, Output output,
                   float* dst) noexcept;

}  // namespace espalier::runtime::cpu
