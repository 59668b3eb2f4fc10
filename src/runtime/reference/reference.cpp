#include "runtime/reference/reference.hpp"

#include <algorithm>
#include <array>
#include <cassert>
#include <cmath>
#include <memory>

#include "runtime/reference/attention.hpp"
#include "runtime/reference/embedding.hpp"
#include "runtime/reference/linear.hpp"
#include "runtime/unpacked_linear.hpp"

namespace espalier::runtime {
namespace {

using namespace reference;  // the parts of this back end

/// Nothing to pack: the steps read the file's own layout, once four-bit weights are bytes.
struct ReferenceModel final : PreparedModel {
  explicit ReferenceModel(const format::ModelSpec& source) : spec(source) {
    if (spec.embedding.projection) unpack(*spec.embedding.projection);
    for (format::LayerSpec& layer : spec.layers) {
      for (format::LinearSpec* linear : {&layer.qkv, &layer.out, &layer.up, &layer.down}) {
        unpack(*linear);
      }
      widest.n_heads = std::max(widest.n_heads, layer.n_heads);
      max_intermediate = std::max(max_intermediate, layer.intermediate);
    }
    widest.head_dim = spec.head_dim;
  }

  format::ModelSpec spec;  // a copy of the views, not of the bytes
  HeadShape widest;
  std::uint32_t max_intermediate = 0;

 private:
  void unpack(format::LinearSpec& linear) {
    unpacked_.emplace_back(linear);
    linear = unpacked_.back().spec();
  }

  std::vector<UnpackedLinear> unpacked_;  // what the views of `spec` look at
};

/// Keys and values of the block that a team splits, by parity of the layer: a member that is a
/// layer ahead must not overwrite what a slower one still reads. No member gets two layers ahead,
/// since they meet once a layer.
using SharedKeyValues = std::array<KeyValues, 2>;

struct ReferenceWorkspace final : Workspace {
  ReferenceWorkspace(const ReferenceModel& source, const Limits& limits, ThreadTeam& crew,
                     std::shared_ptr<SharedKeyValues> of_team)
      : model(source),
        team(crew),
        shared(std::move(of_team)),
        own(source.spec.precision, limits.max_rows, source.widest),
        linear_scratch(limits.max_rows, std::max({source.spec.hidden, source.widest.width(),
                                                  source.max_intermediate})),
        attention_scratch(limits.max_sentence_tokens, source.spec.head_dim),
        x(std::size_t{limits.max_rows} * source.spec.hidden),
        y(x.size()),
        qkv(std::size_t{limits.max_rows} * 3 * source.widest.width()),
        context(std::size_t{limits.max_rows} * source.widest.width()),
        wide(std::size_t{limits.max_rows} * source.max_intermediate),
        row_a(source.spec.hidden),
        row_b(source.spec.hidden) {}

  const ReferenceModel& model;
  ThreadTeam& team;
  std::shared_ptr<SharedKeyValues> shared;  // null in a team of one
  KeyValues own;                            // of a whole block
  LinearScratch linear_scratch;
  AttentionScratch attention_scratch;
  TokenBlock block;
  RowRange range;
  std::uint32_t n_rows = 0;  // of x: the range, or one a sentence after attend(first_of_each)
  bool split = false;
  std::uint32_t context_width = 0;  // of the layer that attend() computed last
  const format::LinearSpec* context_reader = nullptr;
  const format::LinearSpec* x_reader = nullptr;  // null after the last layer
  std::vector<float> x;                          // (n_rows, hidden)
  std::vector<float> y;                          // (n_rows, hidden), output of a linear
  std::vector<float> qkv;                        // (n_rows, 3 * width)
  std::vector<float> context;                    // (n_rows, width)
  std::vector<float> wide;                       // (n_rows, intermediate)
  std::vector<float> row_a, row_b;               // (hidden), of a head or an embedding
};

class ReferenceBackend final : public Backend {
 public:
  std::string_view name() const noexcept override { return "reference"; }
  std::string_view path(const PreparedModel&) const noexcept override { return "plain loops"; }

  std::unique_ptr<PreparedModel> prepare(const format::ModelSpec& spec) const override {
    return std::make_unique<ReferenceModel>(spec);
  }

  std::vector<std::unique_ptr<Workspace>> new_workspaces(const PreparedModel& prepared,
                                                         const Limits& limits,
                                                         ThreadTeam& team) const override {
    const auto& model = static_cast<const ReferenceModel&>(prepared);
    std::shared_ptr<SharedKeyValues> shared;
    if (team.size() > 1) {
      const KeyValues room(model.spec.precision, limits.max_rows, model.widest);
      shared = std::make_shared<SharedKeyValues>(SharedKeyValues{room, room});
    }
    std::vector<std::unique_ptr<Workspace>> workspaces;
    for (unsigned member = 0; member < team.size(); ++member) {
      workspaces.push_back(std::make_unique<ReferenceWorkspace>(model, limits, team, shared));
    }
    return workspaces;
  }

  void embed(Workspace& workspace, const TokenBlock& block, RowRange rows) const override;
  void attend(Workspace& workspace, std::uint32_t layer, Rows rows) const override;
  void project_add_norm(Workspace& workspace, std::uint32_t layer, Rows rows) const override;
  void feed_forward_add_norm(Workspace& workspace, std::uint32_t layer, Rows rows) const override;
  void head(Workspace& workspace, std::span<const std::uint32_t> rows,
            std::span<float> dst) const override;
  void read(const Workspace& workspace, Tap tap, std::span<float> dst) const override;
};

ReferenceWorkspace& cast(Workspace& workspace) {
  return static_cast<ReferenceWorkspace&>(workspace);
}

std::span<float> row_of(std::vector<float>& matrix, std::size_t row, std::size_t width) {
  return std::span(matrix).subspan(row * width, width);
}

void ReferenceBackend::embed(Workspace& workspace, const TokenBlock& block, RowRange rows) const {
  ReferenceWorkspace& ws = cast(workspace);
  const StepClock clock(ws.times, 0, StepPart::embedding);
  const format::ModelSpec& spec = ws.model.spec;
  ws.block = block;
  ws.range = rows;
  ws.split = ws.team.size() > 1 && rows.size() != block.n_rows();
  ws.n_rows = rows.size();
  project_words(spec.embedding, block.ids.subspan(rows.begin, rows.size()), ws.x,
                ws.linear_scratch);
  for (std::uint32_t sentence = 0; sentence < block.n_sentences(); ++sentence) {
    const std::uint32_t first = block.first_row(sentence);
    const std::uint32_t end = std::min(rows.end, block.first_row(sentence + 1));
    for (std::uint32_t row = std::max(rows.begin, first); row < end; ++row) {
      const std::span<float> x = row_of(ws.x, row - rows.begin, spec.hidden);
      embed_token(spec, block.ids[row], {row - first, block.segments[row]}, x);
      layer_norm(spec.precision, x, spec.embedding.norm, spec.layer_norm_eps);
    }
  }
  ws.x_reader = &spec.layers.front().qkv;
}

void ReferenceBackend::attend(Workspace& workspace, std::uint32_t layer, Rows rows) const {
  ReferenceWorkspace& ws = cast(workspace);
  const format::ModelSpec& spec = ws.model.spec;
  const format::LayerSpec& part = spec.layers[layer];
  const HeadShape shape = {part.n_heads, spec.head_dim};
  const std::size_t width = shape.width();
  assert(ws.n_rows == ws.range.size());

  KeyValues& key_values = ws.split ? (*ws.shared)[layer % 2] : ws.own;
  {
    const StepClock clock(ws.times, layer, StepPart::qkv);
    linear(part.qkv, ws.x, ws.n_rows, ws.qkv, ws.linear_scratch);
    for (std::uint32_t row = 0; row < ws.n_rows; ++row) {
      key_values.store(spec.precision, shape, ws.range.begin + row, row_of(ws.qkv, row, 3 * width));
    }
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
    const std::uint32_t end = std::min(ws.range.end, rows == Rows::all ? last : first + 1);
    for (std::uint32_t row = std::max(ws.range.begin, first); row < end; ++row, ++n_done) {
      const std::uint32_t local = row - ws.range.begin;
      attend_token(spec.precision, shape, key_values, {first, last - first},
                   row_of(ws.qkv, local, 3 * width), row_of(ws.context, n_done, width),
                   ws.attention_scratch);
      if (n_done != local) {
        std::copy_n(ws.x.data() + std::size_t{local} * spec.hidden, spec.hidden,
                    ws.x.data() + std::size_t{n_done} * spec.hidden);
      }
    }
  }
  ws.n_rows = n_done;
  ws.context_width = shape.width();
  ws.context_reader = &part.out;
}

/// x = LayerNorm(x + y)
void add_norm(ReferenceWorkspace& ws, const format::NormSpec& norm) {
  const format::ModelSpec& spec = ws.model.spec;
  for (std::uint32_t row = 0; row < ws.n_rows; ++row) {
    const std::span<float> x = row_of(ws.x, row, spec.hidden);
    const std::span<float> y = row_of(ws.y, row, spec.hidden);
    for (std::size_t unit = 0; unit < x.size(); ++unit) x[unit] = x[unit] + y[unit];
    layer_norm(spec.precision, x, norm, spec.layer_norm_eps);
  }
}

void ReferenceBackend::project_add_norm(Workspace& workspace, std::uint32_t layer, Rows) const {
  ReferenceWorkspace& ws = cast(workspace);
  const format::LayerSpec& part = ws.model.spec.layers[layer];
  const StepClock clock(ws.times, layer, StepPart::out);
  linear(part.out, ws.context, ws.n_rows, ws.y, ws.linear_scratch);
  add_norm(ws, part.attention_norm);
  ws.x_reader = &part.up;
}

void ReferenceBackend::feed_forward_add_norm(Workspace& workspace, std::uint32_t layer,
                                             Rows) const {
  ReferenceWorkspace& ws = cast(workspace);
  const format::LayerSpec& part = ws.model.spec.layers[layer];
  {
    const StepClock clock(ws.times, layer, StepPart::up);
    linear(part.up, ws.x, ws.n_rows, ws.wide, ws.linear_scratch);
    gelu(ws.model.spec.precision,
         std::span(ws.wide).first(std::size_t{ws.n_rows} * part.intermediate));
  }
  const StepClock clock(ws.times, layer, StepPart::down);
  linear(part.down, ws.wide, ws.n_rows, ws.y, ws.linear_scratch);
  add_norm(ws, part.output_norm);
  const auto next = std::size_t{layer} + 1;
  const std::span<const format::LayerSpec> layers = ws.model.spec.layers;
  ws.x_reader = next < layers.size() ? &layers[next].qkv : nullptr;
}

/// dst = src Wᵀ + bias of one row; each row of weights is widened into `scratch`.
void head_linear(Precision mode, const format::HeadLinear& spec, std::span<const float> src,
                 std::span<float> dst, std::span<float> scratch) {
  const std::span<const float> bias = spec.bias.as<float>();
  for (std::size_t channel = 0; channel < spec.out; ++channel) {
    load_row(spec.weight, channel, scratch);
    dst[channel] = scaled_dot(mode, src, scratch, {.scale = 1.0F, .bias = bias[channel]});
  }
}

/// Logits of the vocabulary: the word embeddings are the decoder's weights.
void decode(const format::ModelSpec& spec, std::span<const float> src, std::span<float> dst,
            std::span<float> scratch) {
  const format::EmbeddingSpec& embedding = spec.embedding;
  const std::span<const float> bias = spec.head.decoder_bias.as<float>();
  for (std::size_t id = 0; id < dst.size(); ++id) {
    load_word(embedding, id, scratch);
    const float scale = word_scale(embedding, id);
    dst[id] = scaled_dot(spec.precision, src, scratch, {.scale = scale, .bias = bias[id]});
  }
}

void ReferenceBackend::head(Workspace& workspace, std::span<const std::uint32_t> rows,
                            std::span<float> dst) const {
  ReferenceWorkspace& ws = cast(workspace);
  const StepClock clock(ws.times, 0, StepPart::head);
  const format::ModelSpec& spec = ws.model.spec;
  const Precision mode = spec.precision;
  const std::size_t width = rows.empty() ? 0 : dst.size() / rows.size();
  for (std::size_t index = 0; index < rows.size(); ++index) {
    std::span<const float> src = row_of(ws.x, rows[index], spec.hidden);
    const std::span<float> answer = dst.subspan(index * width, width);
    switch (spec.task) {
      case Task::classify:
      case Task::multi_label:
      case Task::regress:
      case Task::tag:
        if (spec.head.pooler) {
          head_linear(mode, *spec.head.pooler, src, ws.row_a, ws.row_b);
          activate(mode, spec.head.pooler_activation, ws.row_a);
          src = ws.row_a;
        }
        head_linear(mode, *spec.head.classifier, src, answer, ws.row_b);
        break;
      case Task::embed:
        std::copy(src.begin(), src.end(), answer.begin());
        break;
      case Task::fill_mask:
        head_linear(mode, *spec.head.transform, src, ws.row_a, ws.row_b);
        gelu(mode, ws.row_a);
        layer_norm(mode, ws.row_a, spec.head.transform_norm, spec.layer_norm_eps);
        decode(spec, ws.row_a, answer, ws.row_b);
        break;
    }
  }
}

/// Replaces each row by what an int8 linear makes of it: by its codes, or by the numbers that they
/// stand for.
void code_rows(const format::LinearSpec& reader, std::span<float> matrix, std::size_t width,
               bool with_scale) {
  for (std::size_t first = 0; first < matrix.size(); first += width) {
    const std::span<float> row = matrix.subspan(first, width);
    const float scale = code_row(reader, row, row);
    for (float& value : row) value = with_scale ? value * scale : value;
  }
}

void ReferenceBackend::read(const Workspace& workspace, Tap tap, std::span<float> dst) const {
  const auto& ws = static_cast<const ReferenceWorkspace&>(workspace);
  const std::size_t hidden = ws.model.spec.hidden;
  switch (tap) {
    case Tap::hidden:
      std::copy_n(ws.x.begin(), ws.n_rows * hidden, dst.begin());
      return;
    case Tap::hidden_codes: {
      const std::span<float> codes = dst.first(ws.n_rows * hidden);
      if (ws.x_reader == nullptr || ws.x_reader->precision != Precision::int8) {
        std::fill(codes.begin(), codes.end(), 0.0F);
        return;
      }
      std::copy_n(ws.x.begin(), codes.size(), codes.begin());
      code_rows(*ws.x_reader, codes, hidden, false);
      return;
    }
    case Tap::context: {
      const std::size_t size = std::size_t{ws.n_rows} * ws.context_width;
      std::copy_n(ws.context.begin(), size, dst.begin());
      if (ws.context_reader->precision == Precision::int8 && size != 0) {
        code_rows(*ws.context_reader, dst.first(size), ws.context_width, true);
      }
      return;
    }
  }
}

}  // namespace

const Backend& reference_backend() noexcept {
  static const ReferenceBackend backend;
  return backend;
}

}  // namespace espalier::runtime
