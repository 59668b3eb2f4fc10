#include "runtime/cpu/cpu_backend.hpp"

#include <algorithm>
#include <cassert>

#include "base/canonical.hpp"
#include "base/cpu_info.hpp"
#include "espalier/error.hpp"
#include "runtime/cpu/embedding.hpp"
#include "runtime/cpu/head.hpp"
#include "runtime/cpu/prepared.hpp"

namespace espalier::runtime::cpu {
namespace {

CpuWorkspace& cast(Workspace& workspace) {
  return static_cast<CpuWorkspace&>(workspace);
}

/// Codes rows of floats as `coding` says, to row `first` of `dst` and on.
void code_rows(const CpuModel& model, const float* src, const RowCoding& coding,
               std::uint32_t n_rows, std::uint32_t width, CodeRows& dst, std::size_t first) {
  model.rows.quantize_rows(src, coding, n_rows, width,
                           {code_row(dst, model.code_layout, first, width), model.code_layout,
                            code_stride(width), dst.scale.data() + first, dst.zero.data() + first});
}

/// The linear, if there is one and it reads codes.
const PreparedLinear* reader_of_codes(const PreparedLinear* linear) {
  return linear != nullptr && linear->int8 ? linear : nullptr;
}

/// x = LayerNorm(x) and its codes for the linear that reads it next, for some of the rows.
void norm_rows(CpuWorkspace& ws, const PreparedNorm& norm, const PreparedLinear* next,
               std::uint32_t first, std::uint32_t n_rows) {
  const std::uint32_t hidden = ws.model.spec.hidden;
  float* x = ws.x.data() + std::size_t{first} * float_stride(hidden);
  ws.model.rows.layer_norm(x, n_rows, hidden, norm.weight.data(), norm.bias.data(),
                           ws.model.spec.layer_norm_eps);
  ws.x_reader = reader_of_codes(next);
  if (ws.x_reader == nullptr) return;
  code_rows(ws.model, x, next->coding, n_rows, hidden, ws.x_codes, first);
}

LinearInput x_input(CpuWorkspace& ws, std::uint32_t first, std::uint32_t n_rows) {
  return input_of(ws.model, ws.x.data(), ws.x_codes, ws.model.spec.hidden, first, n_rows);
}

class CpuBackend final : public Backend {
 public:
  CpuBackend(std::string_view name, const Kernels& kernels, std::size_t int8_maker)
      : name_(name), kernels_(kernels), int8_maker_(int8_maker) {}

  std::string_view name() const noexcept override { return name_; }

  std::string_view path(const PreparedModel& model) const noexcept override {
    return static_cast<const CpuModel&>(model).path;
  }

  std::unique_ptr<PreparedModel> prepare(const format::ModelSpec& spec) const override {
    return prepare_cpu_model(spec, kernels_, int8_maker_);
  }

  std::vector<std::unique_ptr<Workspace>> new_workspaces(const PreparedModel& prepared,
                                                         const Limits& limits,
                                                         ThreadTeam& team) const override {
    const auto& model = static_cast<const CpuModel&>(prepared);
    std::shared_ptr<SharedKeysAndValues> shared;
    if (team.size() > 1) {
      shared = std::make_shared<SharedKeysAndValues>(attention_sizes(model, limits));
    }
    std::vector<std::unique_ptr<Workspace>> workspaces;
    for (unsigned member = 0; member < team.size(); ++member) {
      workspaces.push_back(std::make_unique<CpuWorkspace>(model, limits, team, shared));
    }
    return workspaces;
  }

  void embed(Workspace&, const TokenBlock&, RowRange) const override;
  void attend(Workspace&, std::uint32_t, Rows) const override;
  void project_add_norm(Workspace&, std::uint32_t, Rows) const override;
  void feed_forward_add_norm(Workspace&, std::uint32_t, Rows) const override;
  void head(Workspace& workspace, std::span<const std::uint32_t> rows,
            std::span<float> dst) const override {
    const StepClock clock(workspace.times, 0, StepPart::head);
    run_head(cast(workspace), rows, dst);
  }
  void read(const Workspace&, Tap, std::span<float>) const override;

 private:
  std::string_view name_;
  const Kernels& kernels_;
  std::size_t int8_maker_;
};

void CpuBackend::embed(Workspace& workspace, const TokenBlock& block, RowRange rows) const {
  CpuWorkspace& ws = cast(workspace);
  const StepClock clock(ws.times, 0, StepPart::embedding);
  ws.block = block;
  ws.range = rows;
  ws.split = ws.team.size() > 1 && rows.size() != block.n_rows();
  ws.n_rows = rows.size();
  sum_embeddings(ws);
  norm_rows(ws, ws.model.embedding_norm, &ws.model.layers.front().qkv, 0, ws.n_rows);
}

/// Where rows of floats of heads go: as they are, or coded head by head.
struct HeadRows {
  CodedRows& codes;
  LineVector<float>& floats;
};

/// The heads (n_heads, head_dim) of a token at `src` to row `row` of `dst`.
void store_heads(const CpuWorkspace& ws, const float* src, std::uint32_t n_heads, HeadRows dst,
                 std::size_t row) {
  const std::uint32_t d = ws.model.spec.head_dim;
  const std::size_t width = std::size_t{n_heads} * d;
  if (ws.sizes.floats) {
    std::copy_n(src, width, dst.floats.data() + row * width);
  } else {
    ws.model.rows.quantize_heads(src, n_heads, d, dst.codes.codes.data() + row * width,
                                 dst.codes.scale.data() + row, ws.sizes.row_stride());
  }
}

/// Keys and values of all rows to where attention reads them, and the queries, but not where
/// compute_first_queries() does.
void compute_qkv(CpuWorkspace& ws, const PreparedLayer& part, KeysAndValues& block) {
  const std::uint32_t width = part.n_heads * ws.model.spec.head_dim;
  const std::size_t stride = float_stride(3 * width - part.qkv_begin);
  for_chunks(ws.n_rows, [&](std::uint32_t first, std::uint32_t n_rows) {
    run(ws, part.qkv, x_input(ws, first, n_rows), Output::store, ws.wide.data());
    for (std::uint32_t row = 0; row < n_rows; ++row) {
      const float* qkv = ws.wide.data() + row * stride;
      const float* keys = qkv + width - part.qkv_begin;
      const std::size_t block_row = std::size_t{ws.range.begin} + first + row;
      if (part.queries.linear == nullptr) {
        store_heads(ws, qkv, part.n_heads, {ws.queries, ws.float_queries}, first + row);
      }
      store_heads(ws, keys, part.n_heads, {block.keys, block.float_keys}, block_row);
      store_heads(ws, keys + width, part.n_heads, {block.values, block.float_values}, block_row);
    }
  });
}

/// Queries of the first token of each sentence.
void compute_first_queries(CpuWorkspace& ws, const PreparedLayer& part) {
  for (std::uint32_t sentence = 0; sentence < ws.block.n_sentences(); ++sentence) {
    const std::uint32_t block_row = ws.block.first_row(sentence);
    if (block_row < ws.range.begin || block_row >= ws.range.end) continue;
    const std::uint32_t row = block_row - ws.range.begin;
    run(ws, part.queries, x_input(ws, row, 1), Output::store, ws.wide.data());
    store_heads(ws, ws.wide.data(), part.n_heads, {ws.queries, ws.float_queries}, row);
  }
}

void CpuBackend::attend(Workspace& workspace, std::uint32_t layer, Rows rows) const {
  CpuWorkspace& ws = cast(workspace);
  const PreparedLayer& part = ws.model.layers[layer];
  const std::uint32_t hidden = ws.model.spec.hidden;
  ws.context_width = part.n_heads * ws.model.spec.head_dim;
  ws.context_reader = reader_of_codes(&part.out);
  assert(ws.n_rows == ws.range.size());
  KeysAndValues& block = ws.split ? ws.shared->by_parity[layer % 2] : ws.own;
  if (part.n_heads > 0) {
    const StepClock clock(ws.times, layer, StepPart::qkv);
    compute_qkv(ws, part, block);
    if (part.queries.linear != nullptr) compute_first_queries(ws, part);
  }
  if (ws.split) {
    const StepClock clock(ws.times, layer, StepPart::waiting);
    ws.team.meet();
  }

  const StepClock clock(ws.times, layer, StepPart::attention);
  std::uint32_t n_done = 0;
  for (std::uint32_t sentence = 0; sentence < ws.block.n_sentences(); ++sentence) {
    const std::uint32_t first = ws.block.first_row(sentence);
    const std::uint32_t last = ws.block.first_row(sentence + 1);
    const std::uint32_t begin = std::max(ws.range.begin, first);
    const std::uint32_t end = std::min(ws.range.end, rows == Rows::all ? last : first + 1);
    if (begin >= end) continue;
    const AttentionJob job = {.n_heads = part.n_heads,
                              .first_key = first,
                              .n_keys = last - first,
                              .first_query = begin - ws.range.begin,
                              .n_queries = end - begin,
                              .first_context = n_done};
    const std::size_t stride = float_stride(ws.context_width);
    if (ws.sizes.codes) {
      ws.attention->run_codes(job, ws.queries, block, ws.context.data(), stride);
    } else {
      ws.attention->run_floats(job, ws.float_queries, block, ws.context.data(), stride);
    }
    // The residual of the rows that are left moves up with them.
    const float* kept = ws.x.data() + std::size_t{job.first_query} * float_stride(hidden);
    std::copy(kept, kept + std::size_t{job.n_queries} * float_stride(hidden),
              ws.x.data() + std::size_t{n_done} * float_stride(hidden));
    n_done += job.n_queries;
  }
  ws.n_rows = n_done;
}

void CpuBackend::project_add_norm(Workspace& workspace, std::uint32_t layer, Rows) const {
  CpuWorkspace& ws = cast(workspace);
  const PreparedLayer& part = ws.model.layers[layer];
  const std::uint32_t hidden = ws.model.spec.hidden;
  const StepClock clock(ws.times, layer, StepPart::out);
  for_chunks(ws.n_rows, [&](std::uint32_t first, std::uint32_t n_rows) {
    const float* context = ws.context.data() + std::size_t{first} * float_stride(ws.context_width);
    if (part.out.int8) {
      code_rows(ws.model, context, part.out.coding, n_rows, ws.context_width, ws.context_codes, 0);
    }
    run(ws, part.out, input_of(ws.model, context, ws.context_codes, ws.context_width, 0, n_rows),
        Output::add, ws.x.data() + std::size_t{first} * float_stride(hidden));
    norm_rows(ws, part.attention_norm, &part.up, first, n_rows);
  });
}

void CpuBackend::feed_forward_add_norm(Workspace& workspace, std::uint32_t layer, Rows) const {
  CpuWorkspace& ws = cast(workspace);
  const std::vector<PreparedLayer>& layers = ws.model.layers;
  const PreparedLayer& part = layers[layer];
  const PreparedLinear* next = layer + 1 < layers.size() ? &layers[layer + 1].qkv : nullptr;
  const std::uint32_t hidden = ws.model.spec.hidden;
  for_chunks(ws.n_rows, [&](std::uint32_t first, std::uint32_t n_rows) {
    if (part.intermediate > 0) {
      const StepClock clock(ws.times, layer, StepPart::up);
      run(ws, part.up, x_input(ws, first, n_rows), Output::gelu, ws.wide.data());
      if (part.down.int8) {
        code_rows(ws.model, ws.wide.data(), part.down.coding, n_rows, part.intermediate,
                  ws.wide_codes, 0);
      }
    }
    const StepClock clock(ws.times, layer, StepPart::down);
    run(ws, part.down,
        input_of(ws.model, ws.wide.data(), ws.wide_codes, part.intermediate, 0, n_rows),
        Output::add, ws.x.data() + std::size_t{first} * float_stride(hidden));
    norm_rows(ws, part.output_norm, next, first, n_rows);
  });
}

/// One code of a row, as its difference from the code of 0.
float code_at(const CpuModel& model, const CodeRows& rows, std::size_t row, std::uint32_t width,
              std::size_t column) {
  const std::size_t element = row * code_stride(width) + column;
  if (model.code_layout == CodeLayout::s16) return rows.codes[element];
  const std::uint8_t code = reinterpret_cast<const std::uint8_t*>(rows.codes.data())[element];
  return static_cast<float>(code - rows.zero[row]);
}

/// What the codes of a row of context stand for. width > 0.
void read_coded(const CpuWorkspace& ws, const float* src, std::uint32_t width, float* dst) {
  std::vector<std::int16_t> codes(code_stride(width));
  CodedRow coded;
  ws.model.rows.quantize_rows(
      src, ws.context_reader->coding, 1, width,
      {codes.data(), CodeLayout::s16, code_stride(width), &coded.scale, &coded.zero});
  for (std::size_t i = 0; i < width; ++i) dst[i] = static_cast<float>(codes[i]) * coded.scale;
}

void CpuBackend::read(const Workspace& workspace, Tap tap, std::span<float> dst) const {
  const auto& ws = static_cast<const CpuWorkspace&>(workspace);
  const std::uint32_t hidden = ws.model.spec.hidden;
  for (std::size_t row = 0; row < ws.n_rows; ++row) {
    switch (tap) {
      case Tap::hidden:
        std::copy_n(ws.x.data() + row * float_stride(hidden), hidden, dst.data() + row * hidden);
        break;
      case Tap::hidden_codes:
        for (std::size_t i = 0; i < hidden; ++i) {
          dst[row * hidden + i] =
              ws.x_reader == nullptr ? 0 : code_at(ws.model, ws.x_codes, row, hidden, i);
        }
        break;
      case Tap::context: {
        const float* src = ws.context.data() + row * float_stride(ws.context_width);
        float* out = dst.data() + row * ws.context_width;
        if (ws.context_reader != nullptr && ws.context_width > 0) {
          read_coded(ws, src, ws.context_width, out);
        } else {
          std::copy_n(src, ws.context_width, out);
        }
        break;
      }
    }
  }
}

}  // namespace

std::unique_ptr<Backend> make_cpu_backend(Int8Matmuls int8) {
  const Isa isa = usable_isa();
  const Kernels* kernels = best_kernels(isa);
  if (kernels == nullptr) {
    throw Error(ErrorCode::unavailable,
                "the cpu back end needs AVX2 with FMA and F16C, this processor has " +
                    std::string(isa_name(isa)) + "; use the back end 'reference'");
  }
  switch (int8) {
    case Int8Matmuls::own:
      return std::make_unique<CpuBackend>("cpu with its own int8", *kernels, kOwn);
    case Int8Matmuls::onednn:
      return std::make_unique<CpuBackend>("cpu with oneDNN int8", *kernels, kOneDnn);
    case Int8Matmuls::best:
      break;
  }
  // The library only where it has instructions that our kernels do not use.
  const bool library = isa > kernels->isa && onednn_int8_is_exact();
  return std::make_unique<CpuBackend>("cpu", *kernels, library ? kOneDnn : kOwn);
}

}  // namespace espalier::runtime::cpu
