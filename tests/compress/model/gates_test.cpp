// Gates of encode(): factors whose gradients pruning reads.
#include <gtest/gtest.h>

#include "tests/compress/model/uneven_bert.hpp"

namespace espalier::model {
namespace {

Gates open_gates(const Bert& bert, std::int64_t n_sentences) {
  Gates gates;
  for (const checkpoint::LayerWidths& widths : bert.config.layers) {
    gates.heads.push_back(at::ones({n_sentences, static_cast<std::int64_t>(widths.heads.size())},
                                   bert.word.options()));
    gates.neurons.push_back(at::ones({n_sentences, widths.intermediate}, bert.word.options()));
  }
  return gates;
}

std::vector<at::Tensor> tensors_of(const Gates& gates) {
  std::vector<at::Tensor> all = gates.heads;
  all.insert(all.end(), gates.neurons.begin(), gates.neurons.end());
  return all;
}

TokenTensors sentence(std::int64_t index, std::int64_t n_tokens) {
  const TokenTensors all = uneven_tokens();
  return {.ids = all.ids.slice(0, index, index + 1).slice(1, 0, n_tokens),
          .segments = all.segments.slice(0, index, index + 1).slice(1, 0, n_tokens),
          .mask = {}};
}

// Some number that depends on all logits, by more than their sum.
at::Tensor objective(const Bert& bert, const TokenTensors& tokens, const Gates& gates) {
  const at::Tensor logits = head_logits(bert, encode(bert, tokens, {}, nullptr, &gates));
  return (logits.sin() * at::tensor({1.0, -2.0, 0.5}, at::kDouble)).sum();
}

std::vector<at::Tensor> gradients(const Bert& bert, const TokenTensors& tokens) {
  const Gates gates = open_gates(bert, tokens.ids.size(0));
  for (at::Tensor gate : tensors_of(gates)) gate.set_requires_grad(true);
  objective(bert, tokens, gates).backward();
  std::vector<at::Tensor> all;
  for (const at::Tensor& gate : tensors_of(gates)) all.push_back(gate.grad());
  return all;
}

TEST(Gates, OfOnesChangeNoBit) {
  const Bert bert = uneven_bert();
  for (const std::int64_t n_sentences : {1, 3}) {
    const Gates gates = open_gates(bert, n_sentences);

    const at::Tensor x = encode(bert, uneven_tokens(), {}, nullptr, &gates);

    EXPECT_TRUE(x.equal(encode(bert, uneven_tokens()))) << n_sentences;
  }
}

TEST(Gates, OfEachSentenceHaveTheGradientsOfThatSentenceAlone) {
  const Bert bert = in_double(uneven_bert());
  constexpr std::int64_t kLengths[] = {5, 3, 4};

  const std::vector<at::Tensor> together = gradients(bert, uneven_tokens());

  for (std::int64_t index = 0; index < 3; ++index) {
    const std::vector<at::Tensor> alone = gradients(bert, sentence(index, kLengths[index]));
    for (std::size_t gate = 0; gate < alone.size(); ++gate) {
      // Sums of some hundred products of size 10 in double precision.
      EXPECT_LE((together[gate][index] - alone[gate][0]).abs().max().item<double>(), 1e-11)
          << index << " " << gate;
      EXPECT_GT(alone[gate].abs().max().item<double>(), 1e-4) << gate;
    }
  }
}

// A central difference over 2e-5 is off by 1e-10 / 6 of a third derivative, and by 1e-15 / 1e-5.
TEST(Gates, HaveTheGradientsThatDifferencesShow) {
  const Bert bert = in_double(uneven_bert());
  const TokenTensors tokens = uneven_tokens();
  constexpr double kStep = 1e-5;
  const std::vector<at::Tensor> expected = gradients(bert, tokens);

  const Gates gates = open_gates(bert, 3);
  const std::vector<at::Tensor> all = tensors_of(gates);
  for (std::size_t gate = 0; gate < all.size(); ++gate) {
    for (std::int64_t unit = 0; unit < all[gate].size(1); unit += 5) {
      const std::int64_t sentence_index = unit % 3;
      at::Tensor factor = all[gate][sentence_index][unit];
      factor.fill_(1 + kStep);
      const double above = objective(bert, tokens, gates).item<double>();
      factor.fill_(1 - kStep);
      const double below = objective(bert, tokens, gates).item<double>();
      factor.fill_(1);

      EXPECT_NEAR(expected[gate][sentence_index][unit].item<double>(),
                  (above - below) / (2 * kStep), 1e-7)
          << gate << " " << unit;
    }
  }
}

}  // namespace
}  // namespace espalier::model
