// Fake quantization against base/canonical.hpp, row by row, and against the runtime, model by
// model.
#include "compress/quantize/fake_quant.hpp"

#include <gtest/gtest.h>

#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <ATen/core/grad_mode.h>

#include <cmath>
#include <random>

#include "base/canonical.hpp"
#include "compress/export/export.hpp"
#include "compress/model/checkpoint_io.hpp"
#include "runtime/executor.hpp"
#include "runtime/reference/reference.hpp"
#include "tests/support/batches.hpp"
#include "tests/support/temporary_folder.hpp"
#include "tests/support/tiny_checkpoint.hpp"

namespace espalier::quantize {
namespace {

constexpr std::int64_t kRows = 40;
constexpr std::int64_t kCols = 96;

// Rows of every kind: both signs, one sign, nothing, next to nothing, one outlier.
at::Tensor odd_rows() {
  std::mt19937 draw(5);
  std::normal_distribution<float> normal;
  at::Tensor rows = at::empty({kRows, kCols});
  float* values = rows.mutable_data_ptr<float>();
  for (std::int64_t row = 0; row < kRows; ++row) {
    for (std::int64_t col = 0; col < kCols; ++col) {
      float value = normal(draw);
      if (row % 8 == 1) value = std::fabs(value);
      if (row % 8 == 2) value = -std::fabs(value);
      if (row % 8 == 3) value = 0;
      if (row % 8 == 4) value *= 1e-32F;
      if (row % 8 == 5 && col == 7) value = 300;
      values[row * kCols + col] = value;
    }
  }
  return rows;
}

std::span<const float> row_of(const at::Tensor& rows, std::int64_t row) {
  const auto width = static_cast<std::size_t>(rows.size(-1));
  return {rows.const_data_ptr<float>() + static_cast<std::size_t>(row) * width, width};
}

// Calls expected(row) for the row's code and compares what it stands for, bit for bit.
template <typename CodeOf>
void expect_codes(const at::Tensor& rows, const at::Tensor& rounded, CodeOf&& code_of) {
  for (std::int64_t row = 0; row < rows.size(0); ++row) {
    const std::span<const float> x = row_of(rows, row);
    const canonical::RowCode code = code_of(x);
    for (std::size_t col = 0; col < x.size(); ++col) {
      const float difference =
          code.scale == 0 ? 0 : static_cast<float>(canonical::code_difference(x[col], code));
      ASSERT_EQ(row_of(rounded, row)[col], difference * code.scale)
          << "row " << row << ", column " << col;
    }
  }
}

TEST(FakeQuant, RoundsToTheSymmetricCodesOfTheRuntime) {
  const at::Tensor rows = odd_rows();
  expect_codes(rows, round_symmetric(rows), [](std::span<const float> x) {
    return canonical::symmetric_row(canonical::max_magnitude(x));
  });
}

TEST(FakeQuant, RoundsToTheAsymmetricCodesOfTheRuntime) {
  const at::Tensor rows = odd_rows();
  expect_codes(rows, round_asymmetric(rows), [](std::span<const float> x) {
    return canonical::asymmetric_row(canonical::range_of(x));
  });
}

TEST(FakeQuant, RoundsToTheStaticCodesOfTheRuntime) {
  const at::Tensor rows = odd_rows();
  expect_codes(rows, round_static(rows, 0.013F, 31),
               [](std::span<const float>) { return canonical::asymmetric_row(0.013F, 31); });
}

at::Tensor gradient_of(const at::Tensor& x, const at::Tensor& rounded, const at::Tensor& weights) {
  (rounded * weights).sum().backward();
  return x.grad();
}

TEST(FakeQuant, PassesGradientsOnAsIfNothingHadBeenRounded) {
  const at::Tensor weights = at::arange(kRows * kCols, at::kFloat).view({kRows, kCols}).sin();
  for (at::Tensor (*round)(const at::Tensor&) : {round_symmetric, round_asymmetric}) {
    const at::Tensor x = odd_rows().set_requires_grad(true);
    EXPECT_TRUE(at::equal(gradient_of(x, round(x), weights), weights));
  }
}

TEST(FakeQuant, PassesNoGradientOnFromWhatIsClipped) {
  const at::Tensor x = odd_rows().set_requires_grad(true);
  const at::Tensor weights = at::ones({kRows, kCols});
  const at::Tensor gradient = gradient_of(x, round_static(x, 0.01F, 100), weights);
  const at::Tensor inside = x.detach().ge(-1).logical_and(x.detach().le(1.55));
  EXPECT_TRUE(at::allclose(gradient, inside.to(at::kFloat)));
  EXPECT_GT(inside.logical_not().sum().item<std::int64_t>(), 100);
}

TEST(FakeQuant, RoundsAttentionAsTheRuntimeDoes) {
  constexpr std::int64_t kKeys = 50;
  at::Tensor values = odd_rows().slice(1, 0, 16).repeat({2, 1}).slice(0, 0, kKeys).contiguous();
  const at::Tensor scores = odd_rows().slice(1, 0, kKeys).contiguous() * 3;
  const at::Tensor rounded = round_attention(at::softmax(scores, -1), values);
  std::vector<float> value_scale;
  for (std::int64_t key = 0; key < kKeys; ++key) {
    value_scale.push_back(
        canonical::symmetric_scale(canonical::max_magnitude(row_of(values, key))).scale);
  }
  std::size_t n_codes = 0;
  std::size_t n_other = 0;
  for (std::int64_t query = 0; query < kRows; ++query) {
    const std::span<const float> row = row_of(scores, query);
    std::vector<float> work(row.begin(), row.end());
    std::vector<std::uint8_t> codes(kKeys);
    const float scale = canonical::attention_weights(work, value_scale, codes);
    for (std::size_t key = 0; key < codes.size(); ++key) {
      if (value_scale[key] == 0) continue;  // whatever the weight is, nothing comes of it
      const double own = double{row_of(rounded, query)[key]} * value_scale[key] / scale;
      ASSERT_NEAR(own, codes[key], 1.001) << "query " << query << ", key " << key;
      ++n_codes;
      n_other += std::fabs(own - codes[key]) > 0.01 ? 1 : 0;
    }
  }
  EXPECT_LT(n_other, n_codes / 200);  // e^x of LibTorch and of the runtime differ in a last bit
}

// Logits of an exported model on the reference back end, one row a sentence.
at::Tensor runtime_logits(const format::ModelSpec& spec, const TokenBatch& batch) {
  const runtime::Backend& backend = runtime::reference_backend();
  const auto prepared = backend.prepare(spec);
  runtime::Executor executor(backend, *prepared, spec, 1,
                             {.max_rows = 64, .max_sentence_tokens = 64});
  at::Tensor logits = at::empty({static_cast<std::int64_t>(batch.offsets.size()) - 1,
                                 static_cast<std::int64_t>(spec.labels.size())});
  executor.run(batch, {logits.mutable_data_ptr<float>(), static_cast<std::size_t>(logits.numel())});
  return logits;
}

// The same of a model in LibTorch.
at::Tensor torch_logits(const model::Bert& bert, const TokenBatch& batch) {
  std::vector<at::Tensor> rows;
  for (std::size_t sentence = 0; sentence + 1 < batch.offsets.size(); ++sentence) {
    model::TokenTensors tokens;
    const std::int64_t n_tokens = batch.offsets[sentence + 1] - batch.offsets[sentence];
    tokens.ids = at::empty({1, n_tokens}, at::kLong);
    tokens.segments = at::empty({1, n_tokens}, at::kLong);
    for (std::int64_t token = 0; token < n_tokens; ++token) {
      const std::size_t at = batch.offsets[sentence] + static_cast<std::size_t>(token);
      tokens.ids[0][token] = to_int(batch.ids[at]);
      tokens.segments[0][token] = static_cast<std::int64_t>(batch.segments[at]);
    }
    rows.push_back(model::head_logits(bert, model::encode(bert, tokens)));
  }
  return at::cat(rows);
}

double largest_difference(const at::Tensor& a, const at::Tensor& b) {
  return (a - b).abs().max().item<double>();
}

struct Exported {
  std::string name;
  testing::TinyCheckpoint tiny;
  compress::ExportOptions options;
};

class FakeQuantModel : public ::testing::TestWithParam<Exported> {};

// Rounding is chaotic: a code that falls the other way moves a logit by far more than arithmetic
// does. So most logits are as good as equal, and all are far nearer than the exact model's are.
TEST_P(FakeQuantModel, AnswersAsItsFileDoes) {
  at::set_num_threads(1);
  const at::NoGradGuard no_grad;
  const testing::TemporaryFolder folder;
  testing::write_tiny_checkpoint(folder.path(), GetParam().tiny);
  const compress::ExportedModel exported =
      compress::export_checkpoint(folder.path(), GetParam().options);
  const std::vector<std::uint32_t> lengths = {1, 2, 3, 5, 8, 13, 21, 34, 55, 17, 9, 30};
  const TokenBatch batch = testing::make_batch(testing::make_sentences(lengths));
  model::Bert bert = model::load_bert(checkpoint::Checkpoint::open(folder.path()));
  const at::Tensor exact = torch_logits(bert, batch);
  const FakeQuant rounding(exported.spec(), GetParam().options.coding.rounding, at::kCPU);
  bert.rounding = &rounding;
  const at::Tensor fake = torch_logits(bert, batch);
  const at::Tensor own = runtime_logits(exported.spec(), batch);
  const at::Tensor near = (fake - own).abs().lt(1e-4 * own.abs().max());
  EXPECT_GE(near.sum().item<std::int64_t>(), near.numel() * 3 / 4) << (fake - own).abs();
  EXPECT_LT((fake - own).abs().mean().item<double>(),
            0.2 * (exact - own).abs().mean().item<double>());
  EXPECT_GT(largest_difference(exact, own), 0);
}

std::vector<Exported> exported_models() {
  compress::ExportOptions int8;
  int8.precision = Precision::int8;
  compress::ExportOptions mixed = int8;
  mixed.rules = {{"ffn.down", Precision::bf16}, {"layer.1.attention", Precision::fp32}};
  compress::ExportOptions four_bits = int8;
  four_bits.rules = {{".", compress::int4_of(32)}};
  compress::ExportOptions least_squares = four_bits;
  least_squares.rules = {{"ffn", compress::int4_of(32)}};
  least_squares.coding.rounding = compress::Rounding::mse;
  testing::TinyCheckpoint factorised;
  factorised.embedding_rank = 8;
  testing::TinyCheckpoint uneven;
  uneven.uneven = {{{0, 2}, 32}, {{}, 0}};
  return {{"Int8", {}, int8},
          {"Mixed", {}, mixed},
          {"FourBits", {}, four_bits},
          {"LeastSquares", {}, least_squares},
          {"Factorised", factorised, int8},
          {"FactorisedFourBits", factorised, four_bits},
          {"Uneven", uneven, int8}};
}

INSTANTIATE_TEST_SUITE_P(Models, FakeQuantModel, ::testing::ValuesIn(exported_models()),
                         [](const auto& tried) { return tried.param.name; });

}  // namespace
}  // namespace espalier::quantize
