#include "compress/prune/embedding.hpp"

#include <gtest/gtest.h>

#include <vector>

#include "espalier/error.hpp"

namespace espalier::prune {
namespace {

model::Bert small_bert(checkpoint::Architecture architecture = checkpoint::Architecture::model) {
  checkpoint::BertConfig config;
  config.architecture = architecture;
  config.hidden = 16;
  config.n_layers = 1;
  config.n_heads = 2;
  config.head_dim = 8;
  config.intermediate = 32;
  config.vocab = 60;
  config.positions = 8;
  config.token_types = 2;
  config.layer_norm_eps = 1e-12F;
  config.layers = {{.heads = {0, 1}, .intermediate = 32}};
  model::Bert bert = model::new_bert(config, 1);
  // Words of a real table lie near a few directions.
  bert.word = bert.word * at::linspace(3, 0.1, 16);
  return bert;
}

at::Tensor whole_table(const model::Bert& bert) {
  return at::linear(bert.word, bert.word_projection);
}

double squared_error(const at::Tensor& a, const at::Tensor& b, const at::Tensor& weights) {
  return ((a - b).to(at::kDouble).square() * weights).sum().item<double>();
}

TEST(FactoriseEmbedding, IsTheNearestTableOfItsRank) {
  const model::Bert bert = small_bert();

  const FactorisedBert result = factorise_embedding(bert, 5, {});

  // Eckart and Young: what is lost are the squares of the singular values left out.
  const at::Tensor values = std::get<1>(at::linalg_svd(bert.word.to(at::kDouble), false));
  const double lost = values.slice(0, 5).square().sum().item<double>();
  const double all = values.square().sum().item<double>();
  EXPECT_NEAR(result.relative_error, std::sqrt(lost / all), 1e-9);
  EXPECT_DOUBLE_EQ(result.weighted_error, result.relative_error);
  // 1e-6: factors are rounded to fp32.
  EXPECT_NEAR(squared_error(whole_table(result.bert), bert.word, at::ones({1})), lost, 1e-6 * all);
  EXPECT_EQ(result.bert.word.sizes(), (at::IntArrayRef{60, 5}));
  EXPECT_EQ(result.bert.word_projection.sizes(), (at::IntArrayRef{16, 5}));
  EXPECT_EQ(result.bert.config.embedding_rank, 5U);
}

TEST(FactoriseEmbedding, SpendsItsRankOnWordsThatAreRead) {
  const model::Bert bert = small_bert();
  std::vector<std::uint64_t> counts(60);
  for (std::size_t id = 0; id < 10; ++id) counts[id] = 1000;
  const at::Tensor is_read = (at::arange(60) < 10).to(at::kDouble).unsqueeze(1);

  const FactorisedBert even = factorise_embedding(bert, 5, {});
  const FactorisedBert read = factorise_embedding(bert, 5, counts);

  EXPECT_LT(squared_error(whole_table(read.bert), bert.word, is_read),
            squared_error(whole_table(even.bert), bert.word, is_read) / 2);
  EXPECT_GT(read.relative_error, even.relative_error);
  EXPECT_LT(read.weighted_error, even.relative_error);
}

TEST(FactoriseEmbedding, GivesTheSameAnswersWhenNothingIsLost) {
  model::Bert bert = small_bert();
  // A table of rank 4.
  bert.word = at::linear(bert.word.slice(1, 0, 4), bert.word.slice(0, 10, 26).slice(1, 0, 4));

  const FactorisedBert result = factorise_embedding(bert, 4, {});

  const at::Tensor ids = at::tensor({3, 17, 59}, at::kLong).unsqueeze(0);
  const model::TokenTensors tokens{.ids = ids, .segments = at::zeros_like(ids), .mask = {}};
  EXPECT_LT(result.relative_error, 1e-6);  // rounding of the table to fp32
  // fp32 sums in another order; LayerNorm makes rows of these small words some 100 times larger.
  EXPECT_TRUE(
      at::allclose(model::encode(result.bert, tokens), model::encode(bert, tokens), 0, 1e-3));
}

TEST(FactoriseEmbedding, TakesAFactorisedTableFurtherDown) {
  const model::Bert bert = small_bert();
  const FactorisedBert first = factorise_embedding(bert, 8, {});

  const FactorisedBert second = factorise_embedding(first.bert, 5, {});

  const FactorisedBert direct = factorise_embedding(bert, 5, {});
  EXPECT_TRUE(at::allclose(whole_table(second.bert), whole_table(direct.bert), 0, 1e-5));
  EXPECT_THROW(static_cast<void>(factorise_embedding(first.bert, 8, {})), Error);
}

TEST(FactoriseEmbedding, RefusesWhatCannotBe) {
  const model::Bert bert = small_bert();
  const std::vector<std::uint64_t> counts(7);

  EXPECT_THROW(static_cast<void>(factorise_embedding(bert, 0, {})), Error);
  EXPECT_THROW(static_cast<void>(factorise_embedding(bert, 16, {})), Error);
  EXPECT_THROW(static_cast<void>(factorise_embedding(bert, 4, counts)), Error);
  EXPECT_THROW(static_cast<void>(
                   factorise_embedding(small_bert(checkpoint::Architecture::masked_lm), 4, {})),
               Error);
}

}  // namespace
}  // namespace espalier::prune
