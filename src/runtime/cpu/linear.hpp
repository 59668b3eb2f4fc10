// A linear layer as the CPU back end runs it: prepared once, run by many threads. There are
// makers of our own, one an instruction set, and oneDNN's matmuls, where the build has them.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "format/spec.hpp"
#include "runtime/cpu/avx2_matmul.hpp"
#include "runtime/cpu/line_vector.hpp"
#include "runtime/cpu/rows.hpp"

namespace espalier::runtime::cpu {

/// Rows that one call takes at most: 8 tiles of 6, whose FFN intermediate stays in L2.
inline constexpr std::uint32_t kChunkRows = 48;

/// Elements between rows of floats and of codes, whatever their type.
[[nodiscard]] constexpr std::uint32_t float_stride(std::uint32_t size) {
  return padded_row(size);
}
[[nodiscard]] constexpr std::uint32_t code_stride(std::uint32_t size) {
  return format::round_up(size, format::kPanelDepthMultiple);
}

/// What a linear reads. Both buffers may be read up to kChunkRows rows.
struct LinearInput {
  const float* x = nullptr;            // (rows, in), stride float_stride(in): fp32 and bf16 linears
  const void* codes = nullptr;         // (rows, in), stride code_stride(in): int8 linears
  const float* token_scale = nullptr;  // (rows)
  const std::int32_t* token_zero = nullptr;  // (rows), as CodedRow::zero
  std::uint32_t n_rows = 0;                  // <= kChunkRows
};

/// Calls step(first, n) for rows [first, first + n) of n_rows, a chunk at a time.
template <typename Step>
void for_chunks(std::uint32_t n_rows, Step&& step) {
  for (std::uint32_t first = 0; first < n_rows; first += kChunkRows) {
    step(first, std::min(n_rows - first, kChunkRows));
  }
}

/// Memory that a maker's linears need while they run; one thread uses it.
class LinearScratch {
 public:
  virtual ~LinearScratch() = default;
};

class Linear {
 public:
  virtual ~Linear() = default;

  /// dst (rows, out), stride float_stride(out) = output(x Wᵀ + bias). Allocates nothing of ours.
  virtual void run(LinearScratch& scratch, const LinearInput& src, Output output,
                   float* dst) const = 0;
};

/// Packs linears for one kind of kernel. Alive as long as its linears.
class LinearMaker {
 public:
  virtual ~LinearMaker() = default;
  [[nodiscard]] virtual std::unique_ptr<Linear> make(const format::LinearSpec& spec) = 0;
  /// Enough for every linear made so far.
  [[nodiscard]] virtual std::unique_ptr<LinearScratch> new_scratch() const = 0;
  [[nodiscard]] virtual CodeLayout code_layout() const noexcept = 0;
};

/// Our kernels for AVX2.
[[nodiscard]] std::unique_ptr<LinearMaker> make_avx2_linears();

/// Our kernels for AVX-512 VNNI: int8 only, others run on AVX2. Int8 linears of s8 weights read the
/// model's bytes while they run. Throws Error(unavailable) where the system grants no executable
/// memory.
[[nodiscard]] std::unique_ptr<LinearMaker> make_vnni_linears();

/// oneDNN's matmuls, ended by `rows`; null when the build has none.
[[nodiscard]] std::unique_ptr<LinearMaker> make_onednn_linears(const RowKernels& rows);

/// Whether oneDNN multiplies u8 by s8 here without saturating: only with VNNI or AMX.
[[nodiscard]] bool onednn_int8_is_exact();

/// Whether oneDNN multiplies bfloat16 here with instructions of its own kind: AVX-512 BF16 or AMX.
[[nodiscard]] bool onednn_has_bf16();

/// Version of oneDNN, empty when the build has none.
[[nodiscard]] std::string onednn_version();

/// How the input rows of an int8 linear are coded. Views the model's bytes.
[[nodiscard]] RowCoding row_coding(const format::LinearSpec& spec) noexcept;

/// The code of 0 in each u8 row that an int8 linear reads; none where rows have their own.
[[nodiscard]] std::optional<std::int32_t> shared_zero(const RowCoding& coding) noexcept;

/// A padded copy of a vector of the model: `size` floats, then zeros up to a multiple of 64.
[[nodiscard]] LineVector<float> padded_copy(const format::Tensor& tensor, std::uint32_t size);

}  // namespace espalier::runtime::cpu
