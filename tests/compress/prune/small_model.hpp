// A model of 60 kB that can be exported, the task that it learns in a moment, and what tests of
// pruning ask of such models.
#pragma once

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>

#include <filesystem>
#include <string>
#include <vector>

#include "compress/export/export.hpp"
#include "compress/model/checkpoint_io.hpp"
#include "compress/prune/pruner.hpp"
#include "compress/train/trainer.hpp"
#include "tests/compress/train/small_task.hpp"
#include "tests/support/temporary_folder.hpp"
#include "tests/support/tiny_vocabulary.hpp"

namespace espalier::prune {

inline checkpoint::BertConfig small_config() {
  checkpoint::BertConfig config = train::small_config();
  config.hidden = 32;
  config.n_heads = 4;
  config.intermediate = 64;
  config.vocab = static_cast<std::uint32_t>(testing::tiny_vocabulary().size());
  config.layers.assign(2, {.heads = {0, 1, 2, 3}, .intermediate = 64});
  return config;
}

/// A fresh model whose weights are so far from 0 that everything in it matters.
inline model::Bert lively_bert(const checkpoint::BertConfig& config, std::uint64_t seed = 1) {
  model::Bert bert = model::new_bert(config, seed);
  model::for_each_parameter(bert, [](const std::string&, at::Tensor& value) {
    if (value.dim() == 2) value.mul_(8);
  });
  return bert;
}

inline model::Bert in_double(model::Bert bert) {
  model::for_each_parameter(
      bert, [](const std::string&, at::Tensor& value) { value = value.to(at::kDouble); });
  return bert;
}

/// The task of small_task.hpp with enough examples to prune by.
struct PruningTask {
  PruningTask() { at::set_num_threads(1); }

  std::unique_ptr<objective::Task> task = objective::make_classify({.labels = {"no", "yes"}});
  objective::Examples train = train::small_examples(160, 1);
  objective::Examples held_out = train::small_examples(200, 2);
  objective::TaskObjective training{*task, train, 0};
  objective::TaskObjective judging{*task, held_out, 0};
  Sample sample = draw_sample(training, 120, 1);
};

inline double loss_of(const model::Bert& bert, const objective::TaskObjective& data) {
  const at::NoGradGuard no_grad;
  std::vector<std::size_t> all(data.size());
  for (std::size_t index = 0; index < all.size(); ++index) all[index] = index;
  return data.loss(bert, data.batch(all, 0), {}).item<double>();
}

/// A model of small_config() that has learned the task.
inline const model::Bert& trained_bert() {
  static const model::Bert bert = [] {
    const PruningTask task;
    model::Bert learner = model::new_bert(small_config(), 1);
    train::TrainingOptions options;
    options.epochs = 40;
    options.batch_size = 16;
    options.learning_rate = 4e-3;
    train::train(learner, task.training, nullptr, options, {});
    return learner;
  }();
  return bert;
}

inline std::vector<std::pair<std::string, at::Tensor>> parameters(const model::Bert& bert) {
  std::vector<std::pair<std::string, at::Tensor>> all;
  model::for_each_parameter(bert, [&](const std::string& name, const at::Tensor& value) {
    all.emplace_back(name, value);
  });
  return all;
}

/// Whether all tensors have the same names, shapes and bits.
inline bool same_bits(const model::Bert& first, const model::Bert& second) {
  const auto a = parameters(first), b = parameters(second);
  if (a.size() != b.size() || first.config.layers != second.config.layers) return false;
  for (std::size_t index = 0; index < a.size(); ++index) {
    if (a[index].first != b[index].first || !a[index].second.equal(b[index].second)) return false;
  }
  return true;
}

/// A tokenizer's word pieces as vocab.txt holds them.
inline std::string vocabulary_text(const std::vector<std::string>& pieces) {
  std::string text;
  for (const std::string& piece : pieces) text += piece + "\n";
  return text;
}

/// The model through a checkpoint folder and the exporter.
inline compress::ExportedModel exported(
    const model::Bert& bert, Precision precision,
    const std::vector<std::string>& pieces = testing::tiny_vocabulary()) {
  const testing::TemporaryFolder folder;
  model::save_bert(bert, folder.path(), model::WeightType::f32, Overwrite::refuse);
  testing::write_file(folder / "vocab.txt", vocabulary_text(pieces));
  return compress::export_checkpoint(folder.path(), {.precision = precision});
}

}  // namespace espalier::prune
