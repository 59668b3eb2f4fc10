// Small examples of every task, labelled and not, with a teacher that has something to say.
#pragma once

#include <ATen/ATen.h>

#include <memory>
#include <string>

#include "base/random.hpp"
#include "compress/model/student.hpp"
#include "compress/objective/distill.hpp"
#include "compress/objective/sentences.hpp"

namespace espalier::objective {

inline constexpr std::uint32_t kVocabulary = 40;

/// Sentences of these lengths, of pieces that are not [PAD].
inline TokenBatch random_tokens(const std::vector<std::uint32_t>& lengths, std::uint64_t seed) {
  TokenBatch tokens;
  tokens.offsets.push_back(0);
  std::uint64_t draw = seed;
  for (const std::uint32_t length : lengths) {
    for (std::uint32_t token = 0; token < length; ++token) {
      draw = mix(draw);
      tokens.ids.push_back(static_cast<TokenId>(5 + draw % (kVocabulary - 5)));
      tokens.segments.push_back(0);
    }
    tokens.offsets.push_back(static_cast<std::uint32_t>(tokens.ids.size()));
  }
  return tokens;
}

/// Three labelled examples, two without labels one of which is the longest, and the models.
struct Problem {
  explicit Problem(const std::string& kind_name) : name(kind_name) {
    const TaskKind& kind = task_kind(kind_name);
    config.architecture = kind.architecture;
    config.problem_type = kind.problem_type;
    config.hidden = 16;
    config.n_layers = 2;
    config.n_heads = 2;
    config.head_dim = 8;
    config.intermediate = 24;
    config.vocab = kVocabulary;
    config.positions = 12;
    config.token_types = 2;
    config.layer_norm_eps = 1e-12F;
    config.layers.assign(2, {{0, 1}, 24});
    if (kind.has_labels) config.labels = {"a", "b", "c"};
    if (kind_name == "regress") config.labels = {"score"};
    task = kind.make({.labels = config.labels});
    teacher = model::new_bert(config, 5);
    std::uint64_t seed = 1;
    // Fresh weights answer nearly the same to everything.
    model::for_each_parameter(teacher, [&](const std::string&, at::Tensor& value) {
      value += 0.3 * at::normal(0, 1, value.sizes(), at::detail::createCPUGenerator(++seed));
    });
    make_examples();
  }

  void make_examples() {
    labelled.file = "labelled.tsv";
    labelled.lines = {2, 3, 4};
    labelled.rows = {0, 1, 2};
    std::vector<std::uint32_t> lengths = {5, 3, 7};
    if (name == "embed") {
      labelled.texts_each = 2;
      lengths = {5, 4, 3, 6, 7, 2};
    }
    labelled.tokens = random_tokens(lengths, 1);
    if (name == "tag") {
      std::vector<std::int64_t> tags;
      for (std::size_t token = 0; token < labelled.tokens.n_tokens(); ++token) {
        tags.push_back(token % 4 == 0 ? kIgnored : static_cast<std::int64_t>(token % 3));
      }
      labelled.targets = tensor_of(tags);
    } else if (name == "multi_label") {
      labelled.targets = tensor_of(std::vector<float>{1, 0, 1, 0, 0, 1, 0, 0, 0}).view({3, 3});
    } else if (name == "classify") {
      labelled.targets = tensor_of(std::vector<std::int64_t>{2, 0, 1});
    } else {
      labelled.targets = tensor_of(std::vector<float>{0.5F, 2.5F, 4.0F});
    }
    unlabelled.file = "more.txt";
    unlabelled.lines = {1, 9};
    unlabelled.rows = {0, 1};
    unlabelled.tokens = random_tokens({9, 4}, 2);
  }

  [[nodiscard]] TaskObjective objective() const { return {*task, labelled, config.pad_id}; }

  std::string name;
  checkpoint::BertConfig config;
  std::unique_ptr<Task> task;
  model::Bert teacher;
  Examples labelled;
  Examples unlabelled;
};

/// Every comparison at once.
inline constexpr DistillWeights kAllWeights = {
    .task = 0.5, .logits = 1, .patient = 1, .hidden = 1, .attention = 1, .relations = 1};

inline void train_parameters(model::Bert& bert) {
  model::for_each_parameter(
      bert, [](const std::string&, at::Tensor& value) { value.requires_grad_(true); });
}

}  // namespace espalier::objective
