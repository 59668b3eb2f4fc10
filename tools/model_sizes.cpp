#include "model_sizes.hpp"

namespace espalier::tools {

void PartSize::add(const format::Tensor& tensor) {
  parameters += std::uint64_t{tensor.rows} * tensor.cols;
  bytes += tensor.bytes.size();
}

void PartSize::add(const format::NormSpec& norm) {
  add(norm.weight);
  add(norm.bias);
}

void PartSize::add(const format::LinearSpec& linear) {
  add(linear.weight);
  add(linear.bias);
  bytes += linear.scale.bytes.size() + linear.multiplier.bytes.size();
}

void PartSize::add(const std::optional<format::HeadLinear>& linear) {
  if (!linear) return;
  add(linear->weight);
  add(linear->bias);
}

Sizes::Sizes(const format::ModelSpec& spec) {
  embeddings.add(spec.embedding.word);
  embeddings.bytes += spec.embedding.word_scale.bytes.size();
  embeddings.bytes += spec.embedding.word_multiplier.bytes.size();
  if (spec.embedding.projection) embeddings.add(*spec.embedding.projection);
  embeddings.add(spec.embedding.position);
  embeddings.add(spec.embedding.segment);
  embeddings.add(spec.embedding.norm);
  for (const format::LayerSpec& layer : spec.layers) {
    for (const auto* linear : {&layer.qkv, &layer.out, &layer.up, &layer.down}) {
      encoder.add(*linear);
    }
    encoder.add(layer.attention_norm);
    encoder.add(layer.output_norm);
  }
  head.add(spec.head.pooler);
  head.add(spec.head.classifier);
  head.add(spec.head.transform);
  head.add(spec.head.transform_norm);
  head.add(spec.head.decoder_bias);
}

std::uint64_t multiply_adds(const format::ModelSpec& spec, const format::LayerSpec& layer,
                            std::uint32_t n_tokens) {
  const std::uint64_t attention = std::uint64_t{layer.n_heads} * spec.head_dim;
  const std::uint64_t linears = (4 * attention + 2 * std::uint64_t{layer.intermediate});
  return linears * spec.hidden + 2 * n_tokens * attention;
}

std::uint64_t encoder_multiply_adds(const format::ModelSpec& spec, std::uint32_t n_tokens) {
  std::uint64_t sum = 0;
  if (spec.embedding.projection) sum += std::uint64_t{spec.word_width()} * spec.hidden;
  for (const format::LayerSpec& layer : spec.layers) sum += multiply_adds(spec, layer, n_tokens);
  return sum;
}

}  // namespace espalier::tools
