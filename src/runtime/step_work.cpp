#include "runtime/step_work.hpp"

#include <optional>
#include <span>

#include "runtime/heads.hpp"

namespace espalier::runtime {
namespace {

std::uint64_t bytes_of(const format::LinearSpec& linear) {
  std::uint64_t bytes = 0;
  for (const format::Tensor* tensor :
       {&linear.weight, &linear.scale, &linear.bias, &linear.input_scale, &linear.multiplier}) {
    bytes += tensor->bytes.size();
  }
  return bytes;
}

std::uint64_t bytes_of(const format::NormSpec& norm) {
  return norm.weight.bytes.size() + norm.bias.bytes.size();
}

/// A head's linear on `n_rows` rows.
void add(PartWork& work, const std::optional<format::HeadLinear>& linear, double n_rows) {
  if (!linear) return;
  work.multiply_adds += n_rows * linear->in * linear->out;
  work.weight_bytes += linear->weight.bytes.size() + linear->bias.bytes.size();
}

PartWork embedding_work(const format::ModelSpec& spec, const TokenBatch& batch) {
  const format::EmbeddingSpec& part = spec.embedding;
  PartWork work;
  // A lookup reads a row a token, whatever the size of the table.
  const std::uint64_t row = part.word.rows == 0 ? 0 : part.word.bytes.size() / part.word.rows;
  work.weight_bytes = row * batch.n_tokens() + bytes_of(part.norm);
  if (!part.projection) return work;
  work.multiply_adds = static_cast<double>(batch.n_tokens()) * part.projection->in * spec.hidden;
  work.weight_bytes += bytes_of(*part.projection);
  return work;
}

PartWork head_work(const format::ModelSpec& spec, const TokenBatch& batch) {
  const HeadPlan plan = head_plan(spec);
  double n_rows = 0;
  for (std::size_t sentence = 0; sentence < batch.n_sentences(); ++sentence) {
    const std::uint32_t begin = batch.offsets[sentence];
    n_rows += static_cast<double>(
        plan.answer_rows(std::span(batch.ids).subspan(begin, batch.offsets[sentence + 1] - begin)));
  }
  PartWork work;
  for (const auto* linear : {&spec.head.pooler, &spec.head.classifier, &spec.head.transform}) {
    add(work, *linear, n_rows);
  }
  if (spec.task == Task::fill_mask) {
    work.multiply_adds += n_rows * spec.hidden * spec.vocabulary_size();
    work.weight_bytes += spec.embedding.word.bytes.size();
  }
  return work;
}

}  // namespace

StepWork count_work(const format::ModelSpec& spec, const TokenBatch& batch, bool first_only) {
  StepWork work(spec.layers.size());
  for (std::size_t layer = 0; layer < spec.layers.size(); ++layer) {
    const format::LayerSpec& part = spec.layers[layer];
    const double hidden = spec.hidden;
    const double width = static_cast<double>(part.n_heads) * spec.head_dim;
    const bool is_short = first_only && layer + 1 == spec.layers.size();
    const auto at = [&](StepPart which) -> PartWork& {
      return work[layer][static_cast<std::size_t>(which)];
    };
    for (std::size_t sentence = 0; sentence < batch.n_sentences(); ++sentence) {
      const double n_tokens = batch.offsets[sentence + 1] - batch.offsets[sentence];
      const double n_rows = is_short ? 1 : n_tokens;
      at(StepPart::qkv).multiply_adds += hidden * width * (n_rows + 2 * n_tokens);
      at(StepPart::attention).multiply_adds += 2 * n_rows * n_tokens * width;
      at(StepPart::out).multiply_adds += n_rows * width * hidden;
      at(StepPart::up).multiply_adds += n_rows * hidden * part.intermediate;
      at(StepPart::down).multiply_adds += n_rows * hidden * part.intermediate;
    }
    at(StepPart::qkv).weight_bytes = bytes_of(part.qkv);
    at(StepPart::out).weight_bytes = bytes_of(part.out) + bytes_of(part.attention_norm);
    at(StepPart::up).weight_bytes = bytes_of(part.up);
    at(StepPart::down).weight_bytes = bytes_of(part.down) + bytes_of(part.output_norm);
  }
  work[0][static_cast<std::size_t>(StepPart::embedding)] = embedding_work(spec, batch);
  work[0][static_cast<std::size_t>(StepPart::head)] = head_work(spec, batch);
  return work;
}

}  // namespace espalier::runtime
