// Row kernels of the CPU back end, a table of functions for each instruction set: each does the
// operations of base/canonical.hpp in the same order, so that every bit agrees with `reference`.
//
// Rows are padded: a float row of `size` elements may be read and written up to the next multiple
// of 16, and what lies past `size` is zero after every kernel here.
#pragma once

#include <cstddef>
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

/// What a matmul has to know of a row besides its codes.
struct CodedRow {
  float scale = 0;
  std::int32_t zero = 0;  // code of 0 in u8 codes
};

/// Where the codes of rows go. The code of 0 fills each row up to `padded` elements, the distance
/// between rows.
struct RowCodes {
  void* codes = nullptr;  // (rows, padded)
  CodeLayout layout = CodeLayout::s16;
  std::uint32_t padded = 0;
  float* scale = nullptr;        // (rows)
  std::int32_t* zero = nullptr;  // (rows), the code of 0 in u8 codes
};

/// From `row` on.
[[nodiscard]] inline RowCodes row_of(const RowCodes& codes, std::uint32_t row) noexcept {
  const std::size_t element_bytes = codes.layout == CodeLayout::s16 ? 2 : 1;
  return {static_cast<std::byte*>(codes.codes) + std::size_t{row} * codes.padded * element_bytes,
          codes.layout, codes.padded, codes.scale + row, codes.zero + row};
}

/// Elements between rows of floats.
[[nodiscard]] constexpr std::uint32_t padded_row(std::uint32_t size) noexcept {
  return format::round_up(size, 16);
}

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

/// One instruction set's kernels. Thread-safe: they touch only their arguments. Rows of floats are
/// a multiple of 16 apart, the next from `size` on; kernels that sum or compare take rows together,
/// since each step waits for the one before it only within a row.
struct RowKernels {
  /// Codes rows of `size` floats.
  void (*quantize_rows)(const float* src, const RowCoding& coding, std::uint32_t n_rows,
                        std::uint32_t size, const RowCodes& dst) noexcept;

  /// Codes the heads of a row to plain s8, no padding read or written. src, dst: (n_heads,
  /// head_dim); scale: of each head, `scale_stride` elements apart.
  void (*quantize_heads)(const float* src, std::uint32_t n_heads, std::uint32_t head_dim,
                         std::int8_t* dst, float* scale, std::size_t scale_stride) noexcept;

  /// x = LayerNorm(x) of each row, in place.
  void (*layer_norm)(float* x, std::uint32_t n_rows, std::uint32_t size, const float* weight,
                     const float* bias, float eps) noexcept;

  /// x = canonical::tanh(x) of a row, in place. May read and write up to the next multiple of 16.
  void (*tanh)(float* x, std::uint32_t size) noexcept;

  /// dst = word * scale + position + segment, a row of int8 word embeddings.
  void (*add_code_embeddings)(const std::int8_t* word, float scale, const float* position,
                              const float* segment, std::uint32_t size, float* dst) noexcept;

  /// The same with float word embeddings.
  void (*add_float_embeddings)(const float* word, const float* position, const float* segment,
                               std::uint32_t size, float* dst) noexcept;

  /// dst[n] = canonical::dot(x, row n), rows without padding: (n_rows, size).
  void (*dot_rows)(const float* x, const float* rows, std::uint32_t n_rows, std::uint32_t size,
                   float* dst) noexcept;

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
