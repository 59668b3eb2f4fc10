// A task that a model of 20 kB learns in a moment: which of two pieces a sentence holds more of.
#pragma once

#include <ATen/Parallel.h>

#include <memory>
#include <string>

#include "base/random.hpp"
#include "compress/objective/task.hpp"
#include "compress/train/trainer.hpp"

namespace espalier::train {

inline checkpoint::BertConfig small_config() {
  checkpoint::BertConfig config;
  config.architecture = checkpoint::Architecture::sequence_classification;
  config.hidden = 16;
  config.n_layers = 2;
  config.n_heads = 2;
  config.head_dim = 8;
  config.intermediate = 32;
  config.vocab = 12;
  config.positions = 16;
  config.token_types = 2;
  config.layer_norm_eps = 1e-12F;
  config.labels = {"no", "yes"};
  config.layers = {{.heads = {0, 1}, .intermediate = 32}, {.heads = {0, 1}, .intermediate = 32}};
  return config;
}

/// `n` sentences of 3 to 12 tokens; lines count from 2, as under a header.
inline objective::Examples small_examples(std::size_t n, std::uint64_t seed) {
  Random random(seed);
  objective::Examples examples;
  examples.file = "small.tsv";
  examples.tokens.offsets = {0};
  examples.targets = at::empty({static_cast<std::int64_t>(n)}, at::kLong);
  for (std::size_t example = 0; example < n; ++example) {
    int balance = 0;
    const std::size_t length = 3 + random.below(10);
    for (std::size_t token = 0; token < length; ++token) {
      const std::size_t id = 4 + random.below(8);
      balance += id == 5 ? 1 : id == 6 ? -1 : 0;
      examples.tokens.ids.push_back(static_cast<TokenId>(id));
      examples.tokens.segments.push_back(0);
    }
    examples.tokens.offsets.push_back(static_cast<std::uint32_t>(examples.tokens.ids.size()));
    examples.lines.push_back(example + 2);
    examples.rows.push_back(example);
    examples.targets[static_cast<std::int64_t>(example)] = balance > 0 ? 1 : 0;
  }
  return examples;
}

struct SmallTask {
  // Threads would wait for each other longer than they compute.
  SmallTask() { at::set_num_threads(1); }

  std::unique_ptr<objective::Task> task = objective::make_classify({.labels = {"no", "yes"}});
  objective::Examples train = small_examples(45, 1);
  objective::Examples held_out = small_examples(30, 2);
  objective::TaskObjective objective{*task, train, 0};
  objective::TaskJudge judge{*task, held_out};
};

/// 24 steps on SmallTask.
inline TrainingOptions few_steps() {
  TrainingOptions options;
  options.epochs = 4;
  options.batch_size = 8;
  options.learning_rate = 5e-3;
  options.dropout = 0.1;
  return options;
}

/// All that a model knows, for runs that must end alike.
inline std::string bits_of(const model::Bert& bert) {
  std::string bits;
  for (const objective::NamedTensor& parameter : named_parameters(bert)) {
    const at::Tensor value = parameter.value.detach().contiguous();
    bits.append(static_cast<const char*>(value.const_data_ptr()), value.nbytes());
  }
  return bits;
}

}  // namespace espalier::train
