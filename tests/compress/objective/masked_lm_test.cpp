// The masked-LM loss and its scores, against `transformers` and against the plain way to compute
// them.
#include "compress/objective/masked_lm.hpp"

#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <ATen/core/grad_mode.h>
#include <gtest/gtest.h>

#include <cmath>
#include <numeric>

#include "tests/compress/model/golden.hpp"
#include "tests/compress/objective/small_corpus.hpp"

namespace espalier::objective {
namespace {

// fp32 on both sides: another order of sums moves the last bits only.
constexpr double kTolerance = 1e-5;

model::Bert tiny_bert(std::uint64_t seed) {
  checkpoint::BertConfig config;
  config.architecture = checkpoint::Architecture::masked_lm;
  config.hidden = 32;
  config.n_layers = 2;
  config.n_heads = 2;
  config.head_dim = 16;
  config.intermediate = 64;
  config.vocab = static_cast<std::uint32_t>(testing::tiny_vocabulary().size());
  config.positions = 32;
  config.token_types = 2;
  config.layer_norm_eps = 1e-12F;
  config.layers = {{{0, 1}, 64}, {{0, 1}, 64}};
  return model::new_bert(config, seed);
}

// 32 sequences of unlike lengths.
Corpus lines_corpus() {
  std::string text;
  for (int line = 0; line < 32; ++line) {
    for (int word = 0; word <= line % 5; ++word) {
      text += line % 2 == 0 ? "the brown fox had bad rain " : "plant the apple tree 今天很好 ";
    }
    text += "\n";
  }
  return small_corpus(text, {.max_length = 32, .packing = Packing::separate});
}

std::vector<std::size_t> first(std::size_t n_examples) {
  std::vector<std::size_t> examples(n_examples);
  std::iota(examples.begin(), examples.end(), std::size_t{0});
  return examples;
}

TEST(MaskedLm, HasTheLossOfTransformers) {
  const model::Golden golden("fill_mask");
  const model::Bert bert = model::load_bert(checkpoint::Checkpoint::open(golden.folder()));
  const Corpus corpus = small_corpus("the");
  const Batch batch = {.examples = {}, .tokens = golden.tokens(), .targets = golden["labels"]};

  const at::Tensor loss = MaskedLm(corpus, {}).loss(bert, batch, {});

  EXPECT_NEAR(loss.item<double>(), golden["loss"].item<double>(), kTolerance);
}

TEST(MaskedLm, HasTheLossOfAllLogits) {
  const Corpus corpus = lines_corpus();
  const MaskedLm masked(corpus, {.share = 0.3});
  const model::Bert bert = tiny_bert(4);
  const Batch batch = masked.batch(first(32), 9);

  const double loss = masked.loss(bert, batch, {}).item<double>();

  const at::Tensor logits = model::head_logits(bert, model::encode(bert, batch.tokens));
  const at::Tensor expected =
      at::cross_entropy_loss(logits.view({-1, logits.size(-1)}), batch.targets.view({-1}),
                             /*weight=*/{}, at::Reduction::Mean, kIgnored);
  EXPECT_NEAR(loss, expected.item<double>(), kTolerance);
}

TEST(MaskedLm, GivesDropoutToTheModel) {
  const Corpus corpus = lines_corpus();
  const MaskedLm masked(corpus, {});
  const model::Bert bert = tiny_bert(4);
  const Batch batch = masked.batch(first(8), 9);

  EXPECT_NE(masked.loss(bert, batch, {.hidden = 0.5}).item<double>(),
            masked.loss(bert, batch, {}).item<double>());
}

TEST(MaskedLm, FallsOnThirtyTwoExamples) {
  const Corpus corpus = lines_corpus();
  const MaskedLm masked(corpus, {});
  model::Bert bert = tiny_bert(4);
  model::for_each_parameter(
      bert, [](const std::string&, at::Tensor& value) { value.set_requires_grad(true); });
  at::set_num_threads(1);  // such small products are slower on many
  const Batch fixed = masked.batch(first(32), 1000);
  const double before = masked.loss(bert, fixed, {}).item<double>();

  for (std::uint64_t step = 0; step < 40; ++step) {
    masked.loss(bert, masked.batch(first(32), step), {}).backward();
    const at::NoGradGuard no_gradients;
    model::for_each_parameter(bert, [](const std::string&, at::Tensor& value) {
      if (!value.grad().defined()) return;  // the second segment is not used
      value.sub_(value.grad(), 0.2);
      value.mutable_grad().reset();
    });
  }

  // As many pieces are equally likely at first as the vocabulary has.
  EXPECT_NEAR(before, std::log(static_cast<double>(bert.word.size(0))), 0.2);
  EXPECT_LT(masked.loss(bert, fixed, {}).item<double>(), 0.6 * before);
}

TEST(MaskedLm, KnowsLengthsAndPlaces) {
  const Corpus corpus = small_corpus("the cat\nrain", {.packing = Packing::separate});
  const MaskedLm masked(corpus, {});

  EXPECT_EQ(masked.size(), 2U);
  EXPECT_EQ(masked.length(0), 4U);
  EXPECT_EQ(masked.length(1), 3U);
  EXPECT_EQ(masked.place(1), "line 2 of 'text.txt'");
}

TEST(MaskedLmJudge, ScoresEveryHiddenPieceOnce) {
  const Corpus corpus = lines_corpus();
  const MaskingOptions options = {.share = 0.3};
  const MaskedLm masked(corpus, options);
  const model::Bert bert = tiny_bert(5);
  double loss = 0;
  double n_right = 0;
  double n_hidden = 0;
  for (const std::size_t sequence : first(masked.size())) {
    const Batch batch = masked.batch({&sequence, 1}, 77);
    const at::Tensor is_hidden = batch.targets.ne(kIgnored);
    const at::Tensor logits =
        model::head_logits(bert, model::encode(bert, batch.tokens)).index({is_hidden});
    const at::Tensor targets = batch.targets.index({is_hidden});
    loss -= at::log_softmax(logits, -1).gather(1, targets.unsqueeze(1)).sum().item<double>();
    n_right += logits.argmax(-1).eq(targets).sum().item<double>();
    n_hidden += static_cast<double>(targets.numel());
  }

  const Scores scores = MaskedLmJudge(corpus, options, 77).judge(bert);

  ASSERT_EQ(scores.size(), 3U);
  EXPECT_EQ(scores[0].name, "masked_lm_accuracy");
  EXPECT_NEAR(scores[0].value, 100 * n_right / n_hidden, 1e-9);
  EXPECT_EQ(scores[1].name, "masked_lm_loss");
  EXPECT_NEAR(scores[1].value, loss / n_hidden, kTolerance);
  EXPECT_EQ(scores[2].name, "perplexity");
  EXPECT_NEAR(scores[2].value, std::exp(loss / n_hidden), 1e-2);
}

TEST(MaskedLmJudge, GivesAKnowingModelFullMarks) {
  const Corpus corpus = small_corpus("the the the the the the the the");
  model::Bert bert = tiny_bert(5);
  bert.masked_lm->bias[to_int(*tiny_tokenizer().find("the"))] = 100.0;

  const Scores scores = MaskedLmJudge(corpus, {}, 1).judge(bert);

  EXPECT_EQ(scores[0].value, 100.0);
  EXPECT_NEAR(scores[2].value, 1.0, kTolerance);
}

TEST(MaskedLmJudge, KeepsItsMasks) {
  const Corpus corpus = lines_corpus();
  const model::Bert bert = tiny_bert(5);
  const MaskedLmJudge judge(corpus, {}, 1);

  const double loss = judge.judge(bert)[1].value;

  EXPECT_EQ(judge.judge(bert)[1].value, loss);
  EXPECT_NE(MaskedLmJudge(corpus, {}, 2).judge(bert)[1].value, loss);
}

}  // namespace
}  // namespace espalier::objective
