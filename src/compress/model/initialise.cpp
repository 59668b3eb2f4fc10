// How a new model and a new head begin.
#include <ATen/CPUGeneratorImpl.h>
#include <ATen/ops/normal.h>
#include <ATen/ops/ones.h>
#include <ATen/ops/zeros.h>

#include <cmath>
#include <string>
#include <utility>

#include "compress/model/bert.hpp"
#include "espalier/error.hpp"

namespace espalier::model {
namespace {

constexpr double kInitialDeviation = 0.02;  // Devlin et al. 2019, as released

// Draws everything from one generator of its own, in a fixed order.
class Initialiser {
 public:
  explicit Initialiser(std::uint64_t seed) : generator_(at::detail::createCPUGenerator(seed)) {}

  at::Tensor weights(std::int64_t rows, std::int64_t columns,
                     double deviation = kInitialDeviation) {
    return at::normal(0.0, deviation, {rows, columns}, generator_);
  }
  Linear linear(std::int64_t out, std::int64_t in) {
    return {.weight = weights(out, in), .bias = at::zeros({out})};
  }
  static Norm norm(std::int64_t size) {
    return {.weight = at::ones({size}), .bias = at::zeros({size})};
  }

 private:
  at::Generator generator_;
};

void refuse_factorised_decoder(const checkpoint::BertConfig& config,
                               checkpoint::Architecture architecture) {
  if (config.embedding_rank == 0 || architecture != checkpoint::Architecture::masked_lm) return;
  throw Error(ErrorCode::usage,
              "the decoder of a masked language model is its word table, and this one is "
              "factorised to rank " +
                  std::to_string(config.embedding_rank) + "; take the model from before that");
}

void add_head(Bert& bert, Initialiser& initial, bool with_pooler) {
  const auto hidden = static_cast<std::int64_t>(bert.config.hidden);
  const auto n_labels = static_cast<std::int64_t>(bert.config.labels.size());
  bert.classifier.reset();
  bert.masked_lm.reset();
  switch (bert.config.architecture) {
    case checkpoint::Architecture::model:
      with_pooler &= checkpoint::row_of(bert.config.family).names.pooler_in_encoder;
      break;
    case checkpoint::Architecture::sequence_classification:
      with_pooler = true;
      bert.classifier = initial.linear(n_labels, hidden);
      break;
    case checkpoint::Architecture::token_classification:
      with_pooler = false;
      bert.classifier = initial.linear(n_labels, hidden);
      break;
    case checkpoint::Architecture::masked_lm:
      with_pooler = false;
      bert.masked_lm = MaskedLmHead{.transform = initial.linear(hidden, hidden),
                                    .norm = Initialiser::norm(hidden),
                                    .bias = at::zeros({bert.word.size(0)})};
      break;
  }
  // A pooler that the encoder brought is worth keeping: it was trained with it.
  if (!with_pooler) bert.pooler.reset();
  if (with_pooler && !bert.pooler) bert.pooler = initial.linear(hidden, hidden);
}

}  // namespace

Bert new_bert(const checkpoint::BertConfig& config, std::uint64_t seed, bool with_pooler) {
  refuse_factorised_decoder(config, config.architecture);
  Initialiser initial(seed);
  const auto hidden = static_cast<std::int64_t>(config.hidden);
  const auto rank = static_cast<std::int64_t>(config.embedding_rank);
  Bert bert;
  bert.config = config;
  bert.word = initial.weights(config.vocab, rank > 0 ? rank : hidden);
  bert.word.select(0, static_cast<std::int64_t>(config.pad_id)).zero_();
  if (rank > 0) {
    const double keeps_size = 1.0 / std::sqrt(static_cast<double>(rank));
    bert.word_projection = initial.weights(hidden, rank, keeps_size);
  }
  bert.position = initial.weights(config.positions, hidden);
  if (config.token_types > 0) bert.segment = initial.weights(config.token_types, hidden);
  bert.embedding_norm = Initialiser::norm(hidden);
  for (const checkpoint::LayerWidths& widths : config.layers) {
    const auto attention = static_cast<std::int64_t>(widths.heads.size() * config.head_dim);
    const auto intermediate = static_cast<std::int64_t>(widths.intermediate);
    Layer layer;
    layer.query = initial.linear(attention, hidden);
    layer.key = initial.linear(attention, hidden);
    layer.value = initial.linear(attention, hidden);
    layer.attention_output = initial.linear(hidden, attention);
    layer.attention_norm = Initialiser::norm(hidden);
    layer.up = initial.linear(intermediate, hidden);
    layer.down = initial.linear(hidden, intermediate);
    layer.output_norm = Initialiser::norm(hidden);
    bert.layers.push_back(std::move(layer));
  }
  add_head(bert, initial, with_pooler);
  return bert;
}

void replace_head(Bert& bert, checkpoint::Architecture architecture,
                  checkpoint::ProblemType problem_type, std::vector<std::string> labels,
                  std::uint64_t seed) {
  refuse_factorised_decoder(bert.config, architecture);
  Initialiser initial(seed);
  bert.config.architecture = architecture;
  bert.config.problem_type = problem_type;
  bert.config.labels = std::move(labels);
  add_head(bert, initial, bert.pooler.has_value());
}

}  // namespace espalier::model
