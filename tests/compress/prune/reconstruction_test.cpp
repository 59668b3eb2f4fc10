#include "compress/prune/reconstruction.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "base/random.hpp"
#include "tests/compress/prune/small_model.hpp"

namespace espalier::prune {
namespace {

// Random features (200, 6) and what is missing (200, 4), with their sums.
struct SmallFit {
  explicit SmallFit(std::uint64_t seed) {
    Random random(seed);
    const auto noise = [&](std::int64_t rows, std::int64_t cols) {
      at::Tensor values = at::empty({rows, cols}, at::kDouble);
      auto* value = values.data_ptr<double>();
      for (std::int64_t index = 0; index < values.numel(); ++index) {
        value[index] = 2 * random.uniform() - 1;
      }
      return values;
    };
    features = noise(200, 6);
    missing = noise(200, 4) + features.slice(1, 0, 4) * 0.3;
    weight = noise(4, 6);
    sums = {.gram = features.t().matmul(features),
            .cross = features.t().matmul(missing),
            .n_tokens = 200};
  }

  /// What is still missing when the weight has become `now`, as a sum of squares.
  [[nodiscard]] double error(const at::Tensor& now) const {
    return (missing - features.matmul((now - weight).t())).square().sum().item<double>();
  }

  at::Tensor features, missing, weight;
  FitSums sums;
};

double largest_difference(const at::Tensor& a, const at::Tensor& b) {
  return (a - b).abs().max().item<double>();
}

TEST(Reconstruction, WalksBothHalvesOfEveryLayer) {
  const PruningTask task;
  const model::Bert bert = lively_bert(small_config());
  std::vector<std::pair<std::size_t, bool>> halves;

  for (Reconstruction walk(bert, bert, task.sample); !walk.at_end(); walk.advance()) {
    halves.emplace_back(walk.half().layer, walk.half().is_attention);
  }

  const std::vector<std::pair<std::size_t, bool>> expected = {
      {0, true}, {0, false}, {1, true}, {1, false}};
  EXPECT_EQ(halves, expected);
}

TEST(Reconstruction, MissesNothingBetweenEqualModels) {
  const PruningTask task;
  const model::Bert bert = lively_bert(small_config());

  for (Reconstruction walk(bert, bert, task.sample); !walk.at_end(); walk.advance()) {
    const FitSums sums = walk.observe();
    EXPECT_EQ(sums.cross.abs().max().item<double>(), 0);
    EXPECT_GT(sums.gram.diagonal().min().item<double>(), 0);
  }
}

TEST(Reconstruction, CountsFirstTokensOnlyWhereNoOtherIsRead) {
  const PruningTask task;
  checkpoint::BertConfig config = small_config();
  const auto counts = [&] {
    const model::Bert bert = lively_bert(config);
    std::vector<double> n_tokens;
    for (Reconstruction walk(bert, bert, task.sample); !walk.at_end(); walk.advance()) {
      n_tokens.push_back(walk.observe().n_tokens);
    }
    return n_tokens;
  };
  const auto all = static_cast<double>(task.sample.n_tokens);
  const auto first = static_cast<double>(task.sample.n_sentences);

  EXPECT_EQ(counts(), (std::vector<double>{all, all, first, first}));
  config.architecture = checkpoint::Architecture::token_classification;
  EXPECT_EQ(counts(), (std::vector<double>{all, all, all, all}));
}

// Whatever stands behind the end of a sentence, and in the last layer behind its first token.
TEST(Reconstruction, LooksAtNoOtherTokens) {
  const PruningTask task;
  const model::Bert dense = lively_bert(small_config());
  const model::Bert pruned = lively_bert(small_config(), 2);
  Sample dirty = task.sample;
  for (objective::Batch& batch : dirty.batches) {
    if (!batch.tokens.mask.defined()) continue;
    batch.tokens.ids = batch.tokens.ids.masked_fill(batch.tokens.mask.logical_not(), 77);
  }

  Reconstruction clean_walk(dense, pruned, task.sample);
  for (Reconstruction walk(dense, pruned, dirty); !walk.at_end(); walk.advance()) {
    EXPECT_TRUE(walk.observe().cross.equal(clean_walk.observe().cross));
    clean_walk.advance();
  }
}

TEST(Reconstruction, SeesWhatEarlierHalvesGotWrong) {
  const PruningTask task;
  const model::Bert dense = lively_bert(small_config());
  model::Bert pruned = model::cut(dense, model::all_units(dense));
  Reconstruction walk(dense, pruned, task.sample);
  pruned.layers[0].attention_output.weight.zero_();

  walk.advance();

  EXPECT_GT(walk.observe().cross.abs().max().item<double>(), 0.1);
}

TEST(Reconstruction, FindsTheWeightsThatWereLost) {
  const PruningTask task;
  const model::Bert dense = in_double(lively_bert(small_config()));
  model::Bert pruned = model::cut(dense, model::all_units(dense));
  for (const Half half : {Half{0, true}, Half{0, false}}) {
    output_weight(pruned, half) *= 0.5;
    output_weight(pruned, half) += 0.1;
    Reconstruction walk(dense, pruned, task.sample);
    while (walk.half().is_attention != half.is_attention) walk.advance();

    refit_weights(output_weight(pruned, half), walk.observe(), /*ridge=*/1e-14);

    // 64 features of some 900 tokens: their Gram matrix costs about 6 of 16 digits.
    EXPECT_LE(largest_difference(output_weight(pruned, half), output_weight(dense, half)), 1e-6);
    EXPECT_NE(output_weight(pruned, half).const_data_ptr(),
              output_weight(dense, half).const_data_ptr());
  }
}

TEST(RefitWeights, NeverFitWorseThanBefore) {
  for (std::uint64_t seed = 0; seed < 5; ++seed) {
    const SmallFit fit(seed);
    double least = 0;
    for (const double ridge : {1e-9, 1e-3, 0.1, 10.0, 1e6}) {
      at::Tensor weight = fit.weight;

      refit_weights(weight, fit.sums, ridge);

      EXPECT_LE(fit.error(weight), fit.error(fit.weight)) << ridge;
      EXPECT_GE(fit.error(weight), least) << ridge;  // held back more, it fits worse
      least = fit.error(weight);
    }
  }
}

TEST(RefitWeights, AreTheLeastSquares) {
  const SmallFit fit(1);
  at::Tensor weight = fit.weight;

  refit_weights(weight, fit.sums, 1e-14);

  const at::Tensor change = std::get<0>(at::linalg_lstsq(fit.features, fit.missing)).t();
  EXPECT_LE(largest_difference(weight, fit.weight + change), 1e-10);
}

TEST(RefitWeights, HaveNothingToDoWithoutUnits) {
  at::Tensor weight = at::zeros({4, 0});

  refit_weights(weight,
                {.gram = at::zeros({0, 0}, at::kDouble),
                 .cross = at::zeros({0, 4}, at::kDouble),
                 .n_tokens = 9},
                1e-3);

  EXPECT_EQ(weight.size(1), 0);
}

TEST(RefitWeights, StayWhereNothingIsPutOut) {
  at::Tensor weight = at::ones({4, 2});

  refit_weights(weight,
                {.gram = at::zeros({2, 2}, at::kDouble),
                 .cross = at::zeros({2, 4}, at::kDouble),
                 .n_tokens = 9},
                1e-3);

  EXPECT_TRUE(weight.equal(at::ones({4, 2})));
}

}  // namespace
}  // namespace espalier::prune
