// What a training run minimises: examples, how some of them make a batch, and the loss of a model
// on it. The trainer knows nothing else; distillation wraps one objective in another.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "compress/model/bert.hpp"

namespace espalier::objective {

/// A target that no loss and no score looks at: padding, special tokens, pieces inside a word.
inline constexpr std::int64_t kIgnored = -100;

/// Examples padded to the longest of them, with what a model should make of them.
struct Batch {
  std::vector<std::size_t> examples;  // (n), indexes into the training data
  model::TokenTensors tokens;         // (n, tokens); of pairs to embed (2n, tokens), first texts
                                      // before second ones
  at::Tensor targets;                 // as the objective that made it reads them
};

/// A tensor that training changes.
struct NamedTensor {
  std::string name;
  at::Tensor value;
};

/// One figure of an evaluation, such as {"accuracy", 90.14}.
struct Score {
  std::string name;
  double value = 0;
};

/// Figures of one evaluation; the first decides which epoch was best, and larger is better.
using Scores = std::vector<Score>;

/// Training examples and the loss on them. Immutable: const calls give the same result for the same
/// arguments, but for dropout, which draws from LibTorch's default generators.
class Objective {
 public:
  Objective() = default;
  virtual ~Objective() = default;
  Objective(const Objective&) = delete;
  Objective& operator=(const Objective&) = delete;

  /// Number of examples; an epoch shows each of them once.
  [[nodiscard]] virtual std::size_t size() const = 0;

  /// Tokens of one example, for batches of like length.
  [[nodiscard]] virtual std::uint32_t length(std::size_t example) const = 0;

  /// The batch of `examples`, in that order, on the CPU. `draw` seeds what is random in it, such as
  /// masks: the same draw gives the same batch.
  [[nodiscard]] virtual Batch batch(std::span<const std::size_t> examples,
                                    std::uint64_t draw) const = 0;

  /// The mean loss of a batch, a scalar that can be differentiated; the batch is where the model
  /// is.
  [[nodiscard]] virtual at::Tensor loss(const model::Bert& bert, const Batch& batch,
                                        const model::Dropout& dropout) const = 0;

  /// What is trained along with the model and thrown away after it, such as projections from a
  /// student's width to its teacher's.
  [[nodiscard]] virtual std::vector<NamedTensor> parameters() const { return {}; }

  /// Where an example was read, as in "line 12 of 'train.tsv'".
  [[nodiscard]] virtual std::string place(std::size_t example) const = 0;
};

/// Judges a model on data that it was not trained on. Const calls give equal scores for equal
/// models; the caller has switched gradients off.
class Judge {
 public:
  virtual ~Judge() = default;

  [[nodiscard]] virtual Scores judge(const model::Bert& bert) const = 0;
};

}  // namespace espalier::objective
