// A model packed for the CPU, and the memory of one thread that runs it.
#pragma once

#include <array>
#include <memory>
#include <string>
#include <vector>

#include "runtime/backend.hpp"
#include "runtime/cpu/attention.hpp"
#include "runtime/cpu/kernels.hpp"
#include "runtime/cpu/linear.hpp"

namespace espalier::runtime::cpu {

/// A linear, the scratch it takes (0 ours, 1 oneDNN's) and how its input is coded.
struct PreparedLinear {
  std::unique_ptr<Linear> linear;
  std::size_t maker = 0;
  bool int8 = false;
  RowCoding coding;
};

struct PreparedNorm {
  LineVector<float> weight;
  LineVector<float> bias;
};

struct PreparedLayer {
  std::uint32_t n_heads = 0;
  std::uint32_t intermediate = 0;
  // Where only first tokens ask, their queries are a linear apart, and qkv computes its columns
  // from qkv_begin on: keys, values, and what of the queries shares a panel with them.
  PreparedLinear queries;  // null: qkv is whole
  std::uint32_t qkv_begin = 0;
  PreparedLinear qkv, out, up, down;
  PreparedNorm attention_norm, output_norm;
};

/// Weight (out, in) and bias of a head's linear, in floats.
struct PreparedHeadLinear {
  std::uint32_t in = 0;
  std::uint32_t out = 0;
  LineVector<float> weight;
  LineVector<float> bias;
};

struct CpuModel final : PreparedModel {
  explicit CpuModel(const Kernels& chosen) : kernels(chosen), rows(chosen.rows()) {}

  const Kernels& kernels;
  const RowKernels& rows;
  format::ModelSpec spec;  // a copy of the views, not of the bytes
  std::array<std::unique_ptr<LinearMaker>, 2> makers;
  CodeLayout code_layout = CodeLayout::s16;
  std::string path;
  LineVector<float> position;      // (positions, hidden)
  LineVector<float> segment;       // (segments, hidden), or a row of zeros where there are none
  PreparedLinear word_projection;  // null where the word table is whole
  PreparedNorm embedding_norm;
  std::vector<PreparedLayer> layers;
  PreparedHeadLinear pooler, classifier, transform;
  PreparedNorm transform_norm;
  /// The row of `segment` that a token adds.
  [[nodiscard]] const float* segment_row(std::uint8_t index) const noexcept {
    return segment.data() + (spec.n_segments() == 0 ? 0 : std::size_t{index} * spec.hidden);
  }

  std::uint32_t max_heads = 0;
  std::uint32_t max_intermediate = 0;
};

/// Packs `spec`. int8_maker: which maker's kernels compute int8 linears.
[[nodiscard]] std::unique_ptr<CpuModel> prepare_cpu_model(const format::ModelSpec& spec,
                                                          const Kernels& kernels,
                                                          std::size_t int8_maker);

inline constexpr std::size_t kOwn = 0;
inline constexpr std::size_t kOneDnn = 1;

/// Rows of codes with a scale and a code of 0 each.
struct CodeRows {
  explicit CodeRows(Arena& arena) : codes(arena), scale(arena), zero(arena) {}
  void resize(std::size_t n_rows, std::uint32_t width);

  LineVector<std::int16_t> codes;  // two bytes an element whatever the layout; (rows, code_stride)
  LineVector<float> scale;         // (rows)
  LineVector<std::int32_t> zero;   // (rows)
};

/// Keys and values that a team works on together.
struct SharedKeysAndValues {
  explicit SharedKeysAndValues(const AttentionSizes& sizes)
      : by_parity{KeysAndValues(sizes, arena), KeysAndValues(sizes, arena)} {}

  Arena arena;
  std::array<KeysAndValues, 2> by_parity;  // of the layer
};

[[nodiscard]] AttentionSizes attention_sizes(const CpuModel& model, const Limits& limits);

struct CpuWorkspace final : Workspace {
  CpuWorkspace(const CpuModel& source, const Limits& limits, ThreadTeam& crew,
               std::shared_ptr<SharedKeysAndValues> of_team);

  const CpuModel& model;
  ThreadTeam& team;
  AttentionSizes sizes;
  Arena arena;
  std::shared_ptr<SharedKeysAndValues> shared;  // null in a team of one
  KeysAndValues own;
  std::unique_ptr<Attention> attention;
  std::array<std::unique_ptr<LinearScratch>, 2> scratch;

  TokenBlock block;
  RowRange range;
  bool split = false;
  std::uint32_t n_rows = 0;
  std::uint32_t context_width = 0;  // of the layer that attend() computed last
  // That read the context and x: null where nothing int8 does, so that nothing is coded.
  const PreparedLinear* context_reader = nullptr;
  const PreparedLinear* x_reader = nullptr;

  LineVector<float> x{arena};               // (rows, hidden)
  CodeRows x_codes{arena};                  // of x
  LineVector<float> words{arena};           // (chunk, rank) of a factorised table of floats
  CodeRows word_codes{arena};               // of a chunk, of a factorised table of codes
  LineVector<std::int8_t> word_row{arena};  // (word.cols) of a table of s4, multiplied out
  CodedRows queries{arena};                 // (rows, A)
  LineVector<float> float_queries{arena};
  LineVector<float> context{arena};    // (rows, A)
  CodeRows context_codes{arena};       // of a chunk
  LineVector<float> wide{arena};       // (chunk, 3A or intermediate)
  CodeRows wide_codes{arena};          // of a chunk
  LineVector<float> head_rows{arena};  // two rows of hidden
};

/// Runs a linear of `ws.model` on the scratch it takes.
void run(CpuWorkspace& ws, const PreparedLinear& linear, const LinearInput& src, Output output,
         float* dst);

/// `n_rows` rows from row `first` on of `codes`, whose floats begin at `x`.
[[nodiscard]] LinearInput input_of(const CpuModel& model, const float* x, CodeRows& codes,
                                   std::uint32_t width, std::uint32_t first, std::uint32_t n_rows);

/// Where the codes of a row begin: two-byte elements for s16, bytes for u8, packed densely.
[[nodiscard]] void* code_row(CodeRows& rows, CodeLayout layout, std::size_t row,
                             std::uint32_t width);

}  // namespace espalier::runtime::cpu
