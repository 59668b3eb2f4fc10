// Numbers that stored weights stand for, against what was stored and against the arithmetic.
#include "compress/export/dequantize.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "base/bfloat16.hpp"
#include "compress/checkpoint/checkpoint.hpp"
#include "compress/export/export.hpp"
#include "runtime/reference/linear.hpp"
#include "tests/support/temporary_folder.hpp"
#include "tests/support/tiny_checkpoint.hpp"
#include "tests/support/tiny_model.hpp"

namespace espalier::compress {
namespace {

std::vector<float> values_of(const checkpoint::TensorRef& source) {
  std::vector<float> values(source.count());
  source.read_f32(values);
  return values;
}

// Q, K and V of a layer as one matrix.
std::vector<float> joined_weights(const checkpoint::LayerParameters& layer) {
  std::vector<float> joined;
  for (const checkpoint::LinearParameters* part : {&layer.query, &layer.key, &layer.value}) {
    const std::vector<float> values = values_of(part->weight);
    joined.insert(joined.end(), values.begin(), values.end());
  }
  return joined;
}

class Dequantize : public ::testing::Test {
 protected:
  [[nodiscard]] ExportedModel exported(Precision precision) const {
    return export_checkpoint(folder_.path(), {.precision = precision});
  }

  testing::TemporaryFolder folder_;
  const std::filesystem::path path_ = testing::write_tiny_checkpoint(folder_.path());
  const checkpoint::Checkpoint source_ = checkpoint::Checkpoint::open(path_);
};

TEST_F(Dequantize, SmoothedInt8WeightsComeBackWithinHalfACodeOfTheSource) {
  const ExportedModel model = exported(Precision::int8);
  const format::LinearSpec& qkv = model.spec().layers[1].qkv;
  const std::vector<float> source = joined_weights(source_.parameters().layers[1]);

  const std::vector<float> weights = dequantized_weights(qkv);

  ASSERT_FALSE(qkv.input_scale.empty());
  ASSERT_EQ(weights.size(), source.size());
  float largest_error = 0;
  for (std::size_t at = 0; at < weights.size(); ++at) {
    const double step = double{qkv.scale.as<float>()[at / qkv.in]} *
                        double{qkv.input_scale.as<float>()[at % qkv.in]};
    // Half a code; rounding of the divided weight, of amax / 127 and of 127 / amax adds at most
    // 3 * 127 * 2^-23 of a code, and that of the product 127 * 2^-24.
    const double bound = step * (0.5 + 4 * 127 * 0x1p-23);
    const double error = std::abs(double{weights[at]} - double{source[at]});
    EXPECT_LE(error, bound) << at;
    largest_error = std::max(largest_error, static_cast<float>(error / step));
  }
  EXPECT_GT(largest_error, 0.4F);  // the bound is not slack
}

TEST_F(Dequantize, Int8WordsComeBackWithinHalfACode) {
  const ExportedModel model = exported(Precision::int8);
  const format::EmbeddingSpec& embedding = model.spec().embedding;
  const std::vector<float> source = values_of(source_.parameters().word_embeddings);

  const std::vector<float> words = dequantized_words(embedding);

  ASSERT_EQ(words.size(), source.size());
  for (std::size_t at = 0; at < words.size(); ++at) {
    const double scale = embedding.word_scale.as<float>()[at / embedding.word.cols];
    EXPECT_LE(std::abs(double{words[at]} - double{source[at]}), scale * (0.5 + 3 * 127 * 0x1p-23));
  }
}

TEST_F(Dequantize, Fp32WeightsKeepTheirBitsAndBfloat16OnesTheirValues) {
  const std::vector<float> source = joined_weights(source_.parameters().layers[0]);

  EXPECT_EQ(dequantized_weights(exported(Precision::fp32).spec().layers[0].qkv), source);

  std::vector<float> rounded(source.size());
  std::transform(source.begin(), source.end(), rounded.begin(), round_to_bfloat16);
  EXPECT_EQ(dequantized_weights(exported(Precision::bf16).spec().layers[0].qkv), rounded);
}

TEST(DequantizeLinear, AnInt8LinearIsOffByTheCodesOfItsInputAlone) {
  const testing::OwnedModel model = testing::make_tiny_model({.input_scales = true});
  const format::LinearSpec& coded = model.spec().layers[0].up;
  std::vector<float> x(coded.in);
  for (std::size_t in = 0; in < x.size(); ++in) {
    x[in] = std::sin(static_cast<float>(in) + 0.5F);
  }
  runtime::reference::LinearScratch scratch(1, coded.in);
  std::vector<float> answer(coded.out);
  runtime::reference::linear(coded, x, 1, answer, scratch);

  const std::vector<float> weights = dequantized_weights(coded);

  float largest_input = 0;
  for (std::size_t in = 0; in < x.size(); ++in) {
    largest_input = std::max(largest_input, std::abs(x[in] * coded.input_scale.as<float>()[in]));
  }
  const double code_scale = double{largest_input} / 127;
  for (std::size_t out = 0; out < coded.out; ++out) {
    double sum = coded.bias.as<float>()[out];
    double bound = 0;
    for (std::size_t in = 0; in < x.size(); ++in) {
      const double weight = weights[out * coded.in + in];
      sum += weight * double{x[in]};
      // |error of a coded input| <= code_scale / 2 / input_scale; 1.001 for the roundings to float.
      bound += std::abs(weight) * code_scale / 2 / double{coded.input_scale.as<float>()[in]};
    }
    EXPECT_LE(std::abs(sum - double{answer[out]}), 1.001 * bound + 1e-6) << out;
  }
}

}  // namespace
}  // namespace espalier::compress
