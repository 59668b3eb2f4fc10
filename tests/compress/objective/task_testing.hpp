// Rows, a tokenizer and models for the tests of tasks: fresh models, and one whose answer to a word
// is chosen by hand.
#pragma once

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "compress/objective/task.hpp"
#include "espalier/error.hpp"
#include "tests/compress/objective/small_corpus.hpp"

namespace espalier::objective {

/// tiny_tokenizer(), made once.
inline const text::Tokenizer& shared_tokenizer() {
  static const text::Tokenizer tokenizer = tiny_tokenizer();
  return tokenizer;
}

inline Tokenizing up_to(std::uint32_t max_length) {
  return {.tokenizer = shared_tokenizer(), .max_length = max_length};
}

/// Rows of a file "train.tsv" with a header, so that the first stands on line 2.
inline LabelledRows rows_of(std::vector<data::Row> rows) {
  for (std::size_t row = 0; row < rows.size(); ++row) rows[row].line = row + 2;
  return {.file = "train.tsv", .rows = std::move(rows)};
}

/// What Error(bad_input) `act` throws says; "" if it throws none.
template <typename Act>
std::string refusal_of(const Act& act) {
  try {
    act();
    return "";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::bad_input);
    return error.what();
  }
}

inline checkpoint::BertConfig tiny_config(checkpoint::Architecture architecture,
                                          std::vector<std::string> labels,
                                          std::uint32_t n_layers = 2) {
  checkpoint::BertConfig config;
  config.architecture = architecture;
  config.hidden = 16;
  config.n_layers = n_layers;
  config.n_heads = 2;
  config.head_dim = 8;
  config.intermediate = 32;
  config.vocab = static_cast<std::uint32_t>(testing::tiny_vocabulary().size());
  config.positions = 32;
  config.token_types = 2;
  config.layer_norm_eps = 1e-12F;
  config.labels = std::move(labels);
  config.layers.assign(n_layers, {.heads = {0, 1}, .intermediate = 32});
  return config;
}

/// A fresh model whose weights are ten times as far from 0 as usual: words differ from the start.
inline model::Bert lively_bert(const checkpoint::BertConfig& config, std::uint64_t seed) {
  model::Bert bert = model::new_bert(config, seed);
  model::for_each_parameter(bert, [](const std::string&, at::Tensor& value) {
    if (value.dim() == 2) value.mul_(10);
  });
  return bert;
}

/// A model of one layer that knows some words by heart: the state of the k-th of them points along
/// dimension k, and of [CLS] along that of the only known word of its text. With `answers`
/// (words, labels) the classifier's logits rise with the answers to that word.
inline model::Bert knowing_bert(checkpoint::Architecture architecture,
                                const std::vector<std::string>& words, const at::Tensor& answers) {
  const std::int64_t n_labels = answers.defined() ? answers.size(1) : 0;
  std::vector<std::string> labels;
  for (std::int64_t label = 0; label < n_labels; ++label) labels.push_back(std::to_string(label));
  model::Bert bert = model::new_bert(tiny_config(architecture, labels, 1), 1);
  for (at::Tensor* table : {&bert.word, &bert.position, &bert.segment}) table->zero_();
  for (std::size_t word = 0; word < words.size(); ++word) {
    bert.word[to_int(shared_tokenizer().find(words[word]).value())]
             [static_cast<std::int64_t>(word)] = 1;
  }
  model::Layer& layer = bert.layers[0];
  for (model::Linear* part : {&layer.query, &layer.key, &layer.down}) part->weight.zero_();
  // Attention looks at all tokens alike and adds their mean; taggers need nothing of the sort.
  const bool mixes = architecture != checkpoint::Architecture::token_classification;
  layer.value.weight.copy_(mixes ? at::eye(16) : at::zeros({16, 16}));
  layer.attention_output.weight.copy_(at::eye(16));
  if (bert.pooler) bert.pooler->weight.copy_(at::eye(16));
  if (bert.classifier) {
    bert.classifier->weight.zero_();
    bert.classifier->weight.slice(1, 0, answers.size(0)).copy_(answers.t());
  }
  return bert;
}

inline double score_of(const Scores& scores, std::string_view name) {
  for (const Score& score : scores) {
    if (score.name == name) return score.value;
  }
  ADD_FAILURE() << "there is no score " << name;
  return 0;
}

}  // namespace espalier::objective
