// Row kernels of the CPU back end, a table of functions for each instruction set: each does the
// operations of base/canonical.hpp in the same order, so that every bit agrees with `reference`.
//
// Rows are padded: a float row of `size` elements may be read and written up to the next multiple
// of 16, and what lies past `size` is zero after every kernel here.
#pragma once

#include <cstdint>

#include "base/canonical.hpp"
#include "format/spec.hpp"

namespace espalier::runtime::cpu {

/// How the codes of a row are laid out for the matmul that reads them.
enum class CodeLayout : std::uint8_t {
  s16,  ///< differences from the code of 0: the AVX2 kernel multiplies pairs of 16-bit integers,
        ///< and has nothing to correct
  u8    ///< the codes, symmetric ones + 128: the unsigned source of VNNI instructions
};

/// How the rows that a linear reads are coded.
struct RowCoding {
  format::ActivationCodes codes = format::ActivationCodes::per_token_symmetric;
  const float* input_scale = nullptr;  // (size), what elements are multiplied with first; or null
  canonical::RowCode fixed = {};       // per_tensor_asymmetric: of every row
};

/// Where the codes of a row go. The code of 0 fills the row up to `padded` elements.
struct CodeRow {
  void* codes = nullptr;
  CodeLayout layout = CodeLayout::s16;
  std::uint32_t padded = 0;
};

/// What a matmul has to know of a row besides its codes.
struct CodedRow {
  float scale = 0;
  std::int32_t zero = 0;  // code of 0 in u8 codes
};

/// What a linear does with its result before it is stored.
enum class Output : std::uint8_t {
  store,  ///< dst = y
  gelu,   ///< dst = GELU(y)
  add,    ///< dst = dst + y (the residual)
};

/// How an int8 linear ends a row of sums that a library made of u8 codes.
struct SumsEnd {
  const std::int32_t* weight_sums = nullptr;  // (size): Σ weights of each output
  CodedRow row;
  const float* channel_scale = nullptr;  // (size)
  const float* bias = nullptr;           // (size)
  Output output = Output::store;
};

/// One instruction set's kernels. Thread-safe: they touch only their arguments.
struct RowKernels {
  /// Codes `size` floats.
  CodedRow (*quantize_row)(const float* src, const RowCoding& coding, std::uint32_t size,
                           const CodeRow& dst) noexcept;

  /// Codes a head's slice to plain s8, no padding read or written; returns its scale.
  float (*quantize_slice)(const float* src, std::uint32_t size, std::int8_t* dst) noexcept;

  /// x = LayerNorm(x), in place.
  void (*layer_norm)(float* x, std::uint32_t size, const float* weight, const float* bias,
                     float eps) noexcept;

  /// dst = word * scale + position + segment, a row of int8 word embeddings.
  void (*add_code_embeddings)(const std::int8_t* word, float scale, const float* position,
                              const float* segment, std::uint32_t size, float* dst) noexcept;

  /// The same with float word embeddings.
  void (*add_float_embeddings)(const float* word, const float* position, const float* segment,
                               std::uint32_t size, float* dst) noexcept;

  /// canonical::dot.
  float (*dot)(const float* x, const float* y, std::uint32_t size) noexcept;

  /// y = dequantize(sums[n] - zero * weight_sums[n]). May read and write up to the next multiple of
  /// 16; y is 0 up to the next multiple of 8.
  void (*finish_sums)(const std::int32_t* sums, const SumsEnd& end, std::uint32_t size,
                      float* dst) noexcept;

  /// Ends a float linear: y = products[n] + bias[n]. May read and write up to the next multiple of
  /// 16; y is 0 up to the next multiple of 8 whatever products hold; dst may be products.
  void (*finish_floats)(const float* products, const float* bias, std::uint32_t size, Output output,
                        float* dst) noexcept;
};

[[nodiscard]] const RowKernels& avx2_rows() noexcept;
[[nodiscard]] const RowKernels& avx512_rows() noexcept;

}  // namespace espalier::runtime::cpu
