#include "compress/model/bert.hpp"

#include <gtest/gtest.h>

#include "espalier/error.hpp"
#include "tests/compress/model/golden.hpp"

namespace espalier::model {
namespace {

// fp32 on both sides: another order of sums moves the last bits only.
constexpr float kTolerance = 1e-5F;

at::Tensor loss_of(const std::string& task, const at::Tensor& logits, const at::Tensor& labels) {
  if (task.ends_with("regress")) return at::mse_loss(logits.squeeze(-1), labels);
  if (task.ends_with("classify")) return at::cross_entropy_loss(logits, labels);
  return at::cross_entropy_loss(logits.view({-1, logits.size(-1)}), labels.view({-1}));
}

class AgainstTransformers : public ::testing::TestWithParam<const char*> {};

TEST_P(AgainstTransformers, HasTheSameLogitsLossAndGradients) {
  const Golden golden(GetParam());
  Bert bert = load_bert(checkpoint::Checkpoint::open(golden.folder()));
  for_each_parameter(bert,
                     [](const std::string&, at::Tensor& value) { value.set_requires_grad(true); });

  const at::Tensor logits = head_logits(bert, encode(bert, golden.tokens()));
  const at::Tensor loss = loss_of(GetParam(), logits, golden["labels"]);
  loss.backward();

  const at::Tensor is_token = golden.tokens().mask;
  const at::Tensor expected = golden["logits"];
  const bool for_tokens = logits.dim() == 3;  // what padding answers means nothing
  EXPECT_LE(largest_difference(for_tokens ? logits.index({is_token}) : logits,
                               for_tokens ? expected.index({is_token}) : expected),
            kTolerance);
  EXPECT_NEAR(loss.item<float>(), golden["loss"].item<float>(), kTolerance);
  std::size_t n_compared = 0;
  for_each_parameter(bert, [&](const std::string& name, const at::Tensor& value) {
    ASSERT_TRUE(value.grad().defined()) << name;
    EXPECT_LE(largest_difference(value.grad(), golden["gradient." + name]), kTolerance) << name;
    ++n_compared;
  });
  EXPECT_GE(n_compared, 5U + 2U * 16U);
}

INSTANTIATE_TEST_SUITE_P(Tasks, AgainstTransformers, ::testing::ValuesIn(kGoldens),
                         [](const auto& given) { return std::string(given.param); });

TEST(Bert, GivesTheSameAnswersWithItsAttentionInTheOpen) {
  const Golden golden("classify");
  const Bert bert = load_bert(checkpoint::Checkpoint::open(golden.folder()));
  Trace trace = {.keep_hidden = true, .keep_attention = true, .keep_last_projections = true};

  const at::Tensor x = encode(bert, golden.tokens(), {}, &trace);

  const at::Tensor fused = encode(bert, golden.tokens());
  const at::Tensor is_token = golden.tokens().mask;
  EXPECT_LE(largest_difference(x.index({is_token}), fused.index({is_token})), kTolerance);
  ASSERT_EQ(trace.hidden.size(), 3U);
  EXPECT_TRUE(trace.hidden.back().equal(x));
  ASSERT_EQ(trace.attention.size(), 2U);
  EXPECT_EQ(trace.attention[0].sizes(), (std::vector<std::int64_t>{3, 2, 8, 8}));
  ASSERT_EQ(trace.projections.size(), 3U);
  EXPECT_EQ(trace.projections[0].sizes(), (std::vector<std::int64_t>{3, 8, 16}));
}

TEST(Bert, IgnoresWhatStandsInThePadding) {
  const Golden golden("classify");
  const Bert bert = load_bert(checkpoint::Checkpoint::open(golden.folder()));
  TokenTensors changed = golden.tokens();
  changed.ids = changed.ids.masked_fill(changed.mask.logical_not(), 17);

  const at::Tensor before = head_logits(bert, encode(bert, golden.tokens()));

  EXPECT_TRUE(head_logits(bert, encode(bert, changed)).equal(before));
}

checkpoint::BertConfig small_config() {
  checkpoint::BertConfig config;
  config.architecture = checkpoint::Architecture::sequence_classification;
  config.hidden = 64;
  config.n_layers = 2;
  config.n_heads = 4;
  config.head_dim = 16;
  config.intermediate = 96;
  config.vocab = 500;
  config.positions = 20;
  config.token_types = 2;
  config.layer_norm_eps = 1e-12F;
  config.labels = {"no", "yes"};
  config.layers = {{{0, 1, 2, 3}, 96}, {{1, 2}, 40}};
  return config;
}

TEST(Bert, BeginsAsThePaperInitialisesIt) {
  const Bert bert = new_bert(small_config(), 5);

  EXPECT_NEAR(bert.word.std().item<double>(), 0.02, 0.001);
  EXPECT_NEAR(bert.word.mean().item<double>(), 0, 0.001);
  EXPECT_EQ(bert.word[0].abs().max().item<float>(), 0.0F);
  EXPECT_EQ(bert.layers[0].query.bias.abs().max().item<float>(), 0.0F);
  EXPECT_TRUE(bert.embedding_norm.weight.equal(at::ones({64})));
  EXPECT_EQ(bert.layers[1].key.weight.sizes(), (std::vector<std::int64_t>{32, 64}));
  EXPECT_EQ(bert.layers[1].down.weight.sizes(), (std::vector<std::int64_t>{64, 40}));
  EXPECT_TRUE(bert.pooler.has_value());
}

TEST(Bert, IsTheSameForTheSameSeedOnly) {
  const Bert bert = new_bert(small_config(), 5);

  EXPECT_TRUE(new_bert(small_config(), 5).layers[1].up.weight.equal(bert.layers[1].up.weight));
  EXPECT_FALSE(new_bert(small_config(), 6).word.equal(bert.word));
}

TEST(Bert, MultipliesAFactorisedTable) {
  checkpoint::BertConfig config = small_config();
  config.embedding_rank = 9;
  const Bert factorised = new_bert(config, 5);
  Bert whole = factorised;
  whole.word = at::matmul(factorised.word, factorised.word_projection.t());
  whole.word_projection.reset();
  const TokenTensors tokens = {
      .ids = at::arange(5, 15).view({2, 5}), .segments = at::zeros({2, 5}, at::kLong), .mask = {}};

  const at::Tensor x = encode(factorised, tokens);

  EXPECT_EQ(factorised.word.sizes(), (std::vector<std::int64_t>{500, 9}));
  // Norms bring rows to order 1; sums of 9 products in two orders differ by 9 roundings at most.
  EXPECT_TRUE(at::allclose(x, encode(whole, tokens), 0, 1e-5));
  EXPECT_NEAR(whole.word.std().item<double>(), 0.02, 0.004);  // as large as a whole table's
}

TEST(Bert, RefusesAMaskedLmWithAFactorisedTable) {
  checkpoint::BertConfig config = small_config();
  config.embedding_rank = 9;
  Bert bert = new_bert(config, 5);
  config.architecture = checkpoint::Architecture::masked_lm;

  EXPECT_THROW((void)new_bert(config, 5), Error);
  EXPECT_THROW(replace_head(bert, checkpoint::Architecture::masked_lm,
                            checkpoint::ProblemType::single_label, {}, 1),
               Error);
  EXPECT_EQ(bert.config.architecture, checkpoint::Architecture::sequence_classification);
}

TEST(Bert, CountsLayersWithoutHeadsInItsTrace) {
  checkpoint::BertConfig config = small_config();
  config.layers[0] = {{}, 0};
  const Bert bert = new_bert(config, 5);
  Trace trace = {.keep_attention = true};

  const TokenTensors tokens = {
      .ids = at::ones({2, 5}, at::kLong), .segments = at::zeros({2, 5}, at::kLong), .mask = {}};

  const at::Tensor x = encode(bert, tokens, {}, &trace);

  EXPECT_TRUE(x.isfinite().all().item<bool>());
  ASSERT_EQ(trace.attention.size(), 2U);
  EXPECT_EQ(trace.attention[0].sizes(), (std::vector<std::int64_t>{2, 0, 5, 5}));
  EXPECT_EQ(trace.attention[1].sizes(), (std::vector<std::int64_t>{2, 2, 5, 5}));
}

TEST(Bert, PassesGradientsThroughLayersOfWhichNothingIsLeft) {
  checkpoint::BertConfig config = small_config();
  config.layers[0] = {{}, 0};
  config.embedding_rank = 9;
  Bert bert = new_bert(config, 5);
  for_each_parameter(bert,
                     [](const std::string&, at::Tensor& value) { value.set_requires_grad(true); });
  const TokenTensors tokens = {
      .ids = at::arange(5, 15).view({2, 5}), .segments = at::zeros({2, 5}, at::kLong), .mask = {}};

  head_logits(bert, encode(bert, tokens)).square().sum().backward();

  for (const at::Tensor& value :
       {bert.word, bert.word_projection, bert.layers[0].attention_output.bias,
        bert.layers[0].down.bias, bert.layers[1].query.weight}) {
    ASSERT_TRUE(value.grad().defined());
    EXPECT_GT(value.grad().abs().sum().item<float>(), 0.0F);
  }
}

TEST(Bert, KeepsItsEncoderAndPoolerUnderANewHead) {
  Bert bert = new_bert(small_config(), 5);
  const at::Tensor pooler = bert.pooler->weight;

  replace_head(bert, checkpoint::Architecture::sequence_classification,
               checkpoint::ProblemType::single_label, {"a", "b", "c"}, 9);

  EXPECT_TRUE(bert.pooler->weight.is_same(pooler));
  EXPECT_EQ(bert.classifier->weight.sizes(), (std::vector<std::int64_t>{3, 64}));
}

TEST(Bert, HasNoPoolerUnderAHeadForTokens) {
  for (const checkpoint::Architecture architecture :
       {checkpoint::Architecture::token_classification, checkpoint::Architecture::masked_lm}) {
    Bert bert = new_bert(small_config(), 5);

    replace_head(bert, architecture, checkpoint::ProblemType::single_label, {"a", "b", "c"}, 9);

    EXPECT_FALSE(bert.pooler.has_value());
  }
}

TEST(DistilBert, BeginsWithoutSegmentsAndWithAPoolerOnlyWhereItsHeadHasOne) {
  checkpoint::BertConfig config = small_config();
  config.family = checkpoint::Family::distilbert;
  config.token_types = 0;

  Bert bert = new_bert(config, 5);

  EXPECT_FALSE(bert.segment.defined());
  ASSERT_TRUE(bert.pooler.has_value());
  const at::Tensor pooler = bert.pooler->weight;
  replace_head(bert, checkpoint::Architecture::sequence_classification,
               checkpoint::ProblemType::single_label, {"a", "b", "c"}, 9);
  EXPECT_TRUE(bert.pooler->weight.is_same(pooler));
  replace_head(bert, checkpoint::Architecture::model, checkpoint::ProblemType::single_label, {}, 9);
  EXPECT_FALSE(bert.pooler.has_value());
  config.architecture = checkpoint::Architecture::model;
  EXPECT_FALSE(new_bert(config, 5, /*with_pooler=*/true).pooler.has_value());
  config.family = checkpoint::Family::bert;
  EXPECT_TRUE(new_bert(config, 5, /*with_pooler=*/true).pooler.has_value());
}

TEST(Bert, DropsOnlyWhenItIsTold) {
  const Golden golden("classify");
  const Bert bert = load_bert(checkpoint::Checkpoint::open(golden.folder()));
  const Dropout dropout = {.hidden = 0.5, .attention = 0.5, .classifier = 0.5};

  at::manual_seed(1);
  const at::Tensor first = encode(bert, golden.tokens(), dropout);
  const at::Tensor second = encode(bert, golden.tokens(), dropout);
  at::manual_seed(1);

  EXPECT_FALSE(first.equal(second));
  EXPECT_TRUE(encode(bert, golden.tokens(), dropout).equal(first));
}

}  // namespace
}  // namespace espalier::model
