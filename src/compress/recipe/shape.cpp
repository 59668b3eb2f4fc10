#include "compress/recipe/shape.hpp"

#include <algorithm>
#include <cmath>

namespace espalier::recipe {
namespace {

using checkpoint::Architecture;

constexpr double kFloatBytes = 4;

// Labels, names, provenance, self-test and padding of a file.
constexpr double kHeaderBytes = 20000;

// A row of numbers of so many bits, with what it needs besides them: codes a scale, codes of four
// bits the multipliers of their groups, too.
double row_bytes(double bits, double width, double group) {
  return width * bits / 8 + (bits <= 8 ? kFloatBytes : 0) +
         (bits <= 4 ? std::ceil(width / group) : 0);
}

// Rows and the bias of each, and the scale of each input. Eight bits lie in panels of 64 channels.
double linear_bytes(const Shape& shape, double bits, double out, double in) {
  const double rows = bits == 8 ? std::ceil(out / 64) * 64 : out;
  return rows * row_bytes(bits, in, shape.group) + kFloatBytes * (out + in);
}

double plain_bytes(const Shape& shape, double out, double in) {
  return shape.float_bytes * out * in + kFloatBytes * out;
}

double head_bytes(const Shape& shape) {
  switch (shape.architecture) {
    case Architecture::model:
      return 0;
    case Architecture::sequence_classification:
      return plain_bytes(shape, shape.hidden, shape.hidden) +
             plain_bytes(shape, shape.n_labels, shape.hidden);
    case Architecture::token_classification:
      return plain_bytes(shape, shape.n_labels, shape.hidden);
    case Architecture::masked_lm:
      return plain_bytes(shape, shape.hidden, shape.hidden) + kFloatBytes * shape.vocabulary;
  }
  return 0;
}

// Weights of a layer, which are also its multiply-adds a token.
double layer_weights(const Shape& shape, const LayerShape& layer) {
  return shape.hidden * (4 * layer.attention + 2 * layer.intermediate);
}

double all_layer_weights(const Shape& shape) {
  double sum = 0;
  for (const LayerShape& layer : shape.layers) sum += layer_weights(shape, layer);
  return sum;
}

void scale_layers(Shape& shape, double factor) {
  for (LayerShape& layer : shape.layers) {
    layer.attention *= factor;
    layer.intermediate *= factor;
  }
}

void keep_layers(Shape& shape, double n_layers) {
  const auto n_kept = static_cast<std::size_t>(n_layers);
  if (n_kept > 0 && n_kept < shape.layers.size()) shape.layers.resize(n_kept);
}

std::optional<Shape> after_prune(Shape shape, const Stage& stage) {
  const std::string method = stage.value("method", "fisher");
  if (method == "vocab") return std::nullopt;
  if (method == "embedding") shape.rank = stage.number("rank");
  if (method == "layers") keep_layers(shape, stage.number("keep-layers"));
  // A speed-up costs more than as many multiply-adds; it is taken for them.
  const double ratio = std::max(stage.number("target-flops"), stage.number("target-speedup"));
  if (ratio > 1) scale_layers(shape, 1 / ratio);
  if (const double times = stage.number("target-size"); times > 1) {
    const double bytes = file_bytes(shape);
    const double weights = all_layer_weights(shape);
    scale_layers(shape, std::max(0.0, weights - (bytes - bytes / times)) / weights);
  }
  return shape;
}

// Of a type that quantize stores.
double bits_of(const std::string& type) {
  if (type == "int4") return 4;
  if (type == "bf16") return 16;
  return type == "fp32" ? 32 : 8;
}

Shape after_distill(Shape shape, const Stage& stage) {
  keep_layers(shape, stage.number("student-layers"));
  if (const double hidden = stage.number("student-hidden"); hidden > 0) {
    scale_layers(shape, hidden / shape.hidden);
    shape.hidden = hidden;
  }
  return shape;
}

}  // namespace

Shape shape_of(const checkpoint::BertConfig& config, double vocabulary_bytes, double float_bytes) {
  Shape shape{.architecture = config.architecture,
              .hidden = static_cast<double>(config.hidden),
              .vocabulary = static_cast<double>(config.vocab),
              .rank = static_cast<double>(config.embedding_rank),
              .positions = static_cast<double>(config.positions),
              .n_labels = static_cast<double>(config.labels.size()),
              .vocabulary_bytes = vocabulary_bytes,
              .float_bytes = float_bytes,
              .layers = {}};
  for (const checkpoint::LayerWidths& layer : config.layers) {
    shape.layers.push_back({.attention = static_cast<double>(layer.heads.size()) * config.head_dim,
                            .intermediate = static_cast<double>(layer.intermediate)});
  }
  return shape;
}

double file_bytes(const Shape& shape) {
  const double width = shape.rank > 0 ? shape.rank : shape.hidden;
  double bytes = kHeaderBytes + shape.vocabulary_bytes + head_bytes(shape);
  bytes += shape.vocabulary * row_bytes(shape.word_bits, width, shape.group);
  if (shape.rank > 0) {
    bytes += linear_bytes(shape, std::max(8.0, shape.word_bits), shape.hidden, shape.rank);
  }
  bytes +=
      shape.float_bytes * shape.hidden * (shape.positions + 2) + 2 * kFloatBytes * shape.hidden;
  for (const LayerShape& layer : shape.layers) {
    const double bits = shape.layer_bits;
    bytes += linear_bytes(shape, bits, 3 * layer.attention, shape.hidden) +
             linear_bytes(shape, bits, shape.hidden, layer.attention) +
             linear_bytes(shape, bits, layer.intermediate, shape.hidden) +
             linear_bytes(shape, bits, shape.hidden, layer.intermediate) +
             kFloatBytes * 4 * shape.hidden;
  }
  return bytes;
}

double multiply_adds(const Shape& shape, double n_tokens) {
  double sum = all_layer_weights(shape);
  if (shape.rank > 0) sum += shape.rank * shape.hidden;
  for (const LayerShape& layer : shape.layers) sum += 2 * n_tokens * layer.attention;
  return n_tokens * sum;
}

std::optional<Shape> after_stage(const Shape& shape, const Stage& stage) {
  Shape written = shape;
  if (stage.verb == "quantize") {
    written.word_bits = bits_of(stage.value("embeddings"));
    written.layer_bits = bits_of(stage.value("weights"));
    if (const double group = stage.number("group"); group > 0) written.group = group;
    return written;
  }
  written.float_bytes = stage.value("dtype") == "f16" ? 2 : 4;
  if (stage.verb == "prune") return after_prune(written, stage);
  if (stage.verb == "distill") {
    if (stage.find("student") != nullptr) return std::nullopt;
    return after_distill(written, stage);
  }
  return written;
}

std::optional<Shape> after_stages(const Shape& shape, const std::vector<Stage>& stages) {
  std::optional<Shape> result = shape;
  for (const Stage& stage : stages) {
    if (result) result = after_stage(*result, stage);
  }
  return result;
}

}  // namespace espalier::recipe
