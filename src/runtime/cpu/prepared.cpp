#include "runtime/cpu/prepared.hpp"

#include <algorithm>

#include "base/half.hpp"
#include "espalier/error.hpp"
#include "format/outputs.hpp"
#include "runtime/heads.hpp"

namespace espalier::runtime::cpu {
namespace {

LineVector<float> floats_of(const format::Tensor& tensor) {
  const std::size_t size = std::size_t{tensor.rows} * tensor.cols;
  LineVector<float> floats(size);
  if (tensor.type == format::ElementType::f16) {
    const std::span<const std::uint16_t> halves = tensor.as<std::uint16_t>();
    std::transform(halves.begin(), halves.end(), floats.begin(), half_to_float);
  } else {
    const std::span<const float> values = tensor.as<float>();
    std::copy(values.begin(), values.end(), floats.begin());
  }
  return floats;
}

PreparedNorm prepare_norm(const format::NormSpec& spec, std::uint32_t hidden) {
  return {padded_copy(spec.weight, hidden), padded_copy(spec.bias, hidden)};
}

PreparedHeadLinear prepare_head_linear(const std::optional<format::HeadLinear>& spec) {
  if (!spec) return {};
  return {spec->in, spec->out, floats_of(spec->weight), floats_of(spec->bias)};
}

bool has_linears(const format::ModelSpec& spec, Precision precision) {
  return std::any_of(spec.layers.begin(), spec.layers.end(), [&](const format::LayerSpec& layer) {
    return layer.qkv.precision == precision || layer.out.precision == precision ||
           layer.up.precision == precision || layer.down.precision == precision;
  });
}

std::string own_path(Precision precision, const Kernels& kernels) {
  switch (precision) {
    case Precision::fp32:
      return "avx2 fp32";
    case Precision::int8:
      return std::string(kernels.int8_path);
    case Precision::bf16:
      return "avx2 bf16 widening";
  }
  return {};
}

}  // namespace

std::unique_ptr<CpuModel> prepare_cpu_model(const format::ModelSpec& spec, const Kernels& kernels,
                                            std::size_t int8_maker) {
  auto model = std::make_unique<CpuModel>(kernels);
  model->spec = spec;
  model->makers = {kernels.make_linears(), make_onednn_linears(model->rows)};
  if (model->makers[int8_maker] == nullptr) {
    throw Error(ErrorCode::unavailable,
                "this build has no oneDNN; build with ESPALIER_WITH_ONEDNN=ON");
  }
  model->code_layout = model->makers[int8_maker]->code_layout();
  const std::size_t fp32_maker = model->makers[kOneDnn] != nullptr ? kOneDnn : kOwn;
  // Asked last: it takes a matmul's generation. bf16 instructions come with AVX-512 VNNI.
  const bool library_bf16 =
      has_linears(spec, Precision::bf16) && kernels.isa >= Isa::avx512_vnni && onednn_has_bf16();
  const std::size_t bf16_maker = library_bf16 ? kOneDnn : kOwn;
  const auto maker_of = [&](Precision precision) {
    switch (precision) {
      case Precision::fp32:
        return fp32_maker;
      case Precision::int8:
        return int8_maker;
      case Precision::bf16:
        return bf16_maker;
    }
    return kOwn;
  };
  const auto prepare = [&](const format::LinearSpec& linear) -> PreparedLinear {
    std::size_t maker = maker_of(linear.precision);
    // oneDNN takes no matmul without a depth or without outputs; ours then gives the bias alone. An
    // int8 linear of ours reads no code when there is no depth, whatever the layout.
    if (linear.in == 0 || linear.out == 0) maker = kOwn;
    return {model->makers[maker]->make(linear), maker, linear.precision == Precision::int8,
            row_coding(linear)};
  };
  const std::uint32_t hidden = spec.hidden;
  model->position = floats_of(spec.embedding.position);
  model->segment = floats_of(spec.embedding.segment);
  if (spec.n_segments() == 0) model->segment.assign(hidden, 0.0F);
  if (spec.embedding.projection) model->word_projection = prepare(*spec.embedding.projection);
  model->embedding_norm = prepare_norm(spec.embedding.norm, hidden);
  model->layers.reserve(spec.layers.size());
  const bool first_only = head_plan(spec).last_layer == Rows::first_of_each;
  for (const format::LayerSpec& layer : spec.layers) {
    const std::uint32_t width = layer.n_heads * spec.head_dim;
    const bool is_last = model->layers.size() + 1 == spec.layers.size();
    const std::uint32_t qkv_begin =
        first_only && is_last ? width / format::kPanelColumns * format::kPanelColumns : 0;
    PreparedLinear queries;
    if (qkv_begin > 0) {
      queries =
          prepare(format::outputs_of(layer.qkv, 0, format::round_up(width, format::kPanelColumns)));
    }
    model->layers.push_back({.n_heads = layer.n_heads,
                             .intermediate = layer.intermediate,
                             .queries = std::move(queries),
                             .qkv_begin = qkv_begin,
                             .qkv = prepare(format::outputs_of(layer.qkv, qkv_begin, 3 * width)),
                             .out = prepare(layer.out),
                             .up = prepare(layer.up),
                             .down = prepare(layer.down),
                             .attention_norm = prepare_norm(layer.attention_norm, hidden),
                             .output_norm = prepare_norm(layer.output_norm, hidden)});
    model->max_heads = std::max(model->max_heads, layer.n_heads);
    model->max_intermediate = std::max(model->max_intermediate, layer.intermediate);
  }
  model->pooler = prepare_head_linear(spec.head.pooler);
  model->classifier = prepare_head_linear(spec.head.classifier);
  model->transform = prepare_head_linear(spec.head.transform);
  if (spec.head.transform) model->transform_norm = prepare_norm(spec.head.transform_norm, hidden);
  model->path = maker_of(spec.precision) == kOneDnn
                    ? "oneDNN " + onednn_version() + " " + std::string(name_of(spec.precision))
                    : own_path(spec.precision, kernels);
  return model;
}

AttentionSizes attention_sizes(const CpuModel& model, const Limits& limits) {
  return {.max_rows = limits.max_rows,
          .max_keys = limits.max_sentence_tokens,
          .max_heads = model.max_heads,
          .head_dim = model.spec.head_dim,
          .codes = model.spec.precision == Precision::int8,
          .floats = model.spec.precision != Precision::int8};
}

// Linears may read a whole chunk however few rows there are.
void CodeRows::resize(std::size_t n_rows, std::uint32_t width) {
  codes.resize((n_rows + kChunkRows) * code_stride(width));
  scale.resize(n_rows + kChunkRows);
  zero.resize(n_rows + kChunkRows);
}

CpuWorkspace::CpuWorkspace(const CpuModel& source, const Limits& limits, ThreadTeam& crew,
                           std::shared_ptr<SharedKeysAndValues> of_team)
    : model(source),
      team(crew),
      sizes(attention_sizes(source, limits)),
      shared(std::move(of_team)),
      own(sizes, arena),
      attention(source.kernels.make_attention(sizes, arena)) {
  const std::uint32_t hidden = source.spec.hidden;
  const std::uint32_t heads_width = source.max_heads * source.spec.head_dim;
  const std::size_t rows = limits.max_rows;
  for (std::size_t maker = 0; maker < scratch.size(); ++maker) {
    if (source.makers[maker] != nullptr) scratch[maker] = source.makers[maker]->new_scratch();
  }
  x.resize((rows + kChunkRows) * float_stride(hidden));
  x_codes.resize(rows, hidden);
  if (source.spec.embedding.projection) {
    const std::uint32_t rank = source.spec.word_width();
    words.resize(std::size_t{kChunkRows} * float_stride(rank));
    word_codes.resize(0, rank);
  }
  if (source.spec.embedding.word.type == format::ElementType::s4) {
    word_row.resize(source.spec.word_width());
  }
  if (sizes.codes) {
    queries.codes.resize(rows * heads_width);
    queries.scale.resize(source.max_heads * sizes.row_stride());
  } else {
    float_queries.resize(rows * heads_width);
  }
  context.resize((rows + kChunkRows) * float_stride(heads_width));
  context_codes.resize(0, heads_width);
  const std::uint32_t widest = std::max(3 * heads_width, source.max_intermediate);
  wide.resize(std::size_t{kChunkRows} * float_stride(widest));
  wide_codes.resize(0, source.max_intermediate);
  head_rows.resize(2 * std::size_t{float_stride(hidden)});
}

void run(CpuWorkspace& ws, const PreparedLinear& linear, const LinearInput& src, Output output,
         float* dst) {
  linear.linear->run(*ws.scratch[linear.maker], src, output, dst);
}

LinearInput input_of(const CpuModel& model, const float* x, CodeRows& codes, std::uint32_t width,
                     std::uint32_t first, std::uint32_t n_rows) {
  return {.x = x + std::size_t{first} * float_stride(width),
          .codes = code_row(codes, model.code_layout, first, width),
          .token_scale = codes.scale.data() + first,
          .token_zero = codes.zero.data() + first,
          .n_rows = n_rows};
}

void* code_row(CodeRows& rows, CodeLayout layout, std::size_t row, std::uint32_t width) {
  const std::size_t element = row * code_stride(width);
  if (layout == CodeLayout::s16) return rows.codes.data() + element;
  return reinterpret_cast<std::uint8_t*>(rows.codes.data()) + element;
}

}  // namespace espalier::runtime::cpu
