// Export to four bits: what is stored stands for the checkpoint's weights, by rule and group; and
// the door for codes that come from outside.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "compress/checkpoint/checkpoint.hpp"
#include "compress/export/dequantize.hpp"
#include "compress/export/export.hpp"
#include "espalier/error.hpp"
#include "format/four_bits.hpp"
#include "format/reader.hpp"
#include "format/writer.hpp"
#include "runtime/executor.hpp"
#include "runtime/reference/reference.hpp"
#include "runtime/self_test.hpp"
#include "tests/support/temporary_folder.hpp"
#include "tests/support/tiny_checkpoint.hpp"

namespace espalier::compress {
namespace {

using format::ElementType;
using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using testing::TemporaryFolder;
using testing::TinyCheckpoint;

class FourBitExport : public ::testing::Test {
 protected:
  ExportedModel exported(const ExportOptions& options, const TinyCheckpoint& tiny = {}) {
    path_ = testing::write_tiny_checkpoint(folder_.path(), tiny);
    return export_checkpoint(path_, options);
  }
  [[nodiscard]] checkpoint::Checkpoint source() const {
    return checkpoint::Checkpoint::open(path_);
  }

  TemporaryFolder folder_;
  std::filesystem::path path_;
};

ExportOptions all_int4(std::uint32_t group) {
  return {.precision = Precision::int8, .rules = {{".", int4_of(group)}}};
}

std::vector<float> values_of(const checkpoint::TensorRef& tensor) {
  std::vector<float> values(tensor.count());
  tensor.read_f32(values);
  return values;
}

TEST_F(FourBitExport, StoresLinearsAndWordsInFourBits) {
  const ExportedModel model = exported(all_int4(32));

  const auto file = format::ModelFile::parse(FileBytes::copy(format::to_bytes(model.spec())));
  EXPECT_THAT(precisions_of(file.spec()), Each(int4_of(32)));
  EXPECT_EQ(file.spec().self_test.tolerance, 0);  // as exact as int8
  const runtime::Backend& backend = runtime::reference_backend();
  const auto prepared = backend.prepare(file.spec());
  runtime::Executor executor(backend, *prepared, file.spec(), 1,
                             runtime::default_limits(file.spec()));
  EXPECT_TRUE(runtime::self_test(executor).passed);
  const format::LinearSpec& down = file.spec().layers[1].down;  // 64 -> 32
  EXPECT_EQ(down.weight.bytes.size(), 32U * 32);
  EXPECT_EQ(down.multiplier.cols, 2U);
  EXPECT_EQ(down.activations, format::ActivationCodes::per_token_asymmetric);
  EXPECT_FALSE(file.spec().layers[0].qkv.input_scale.empty());
  EXPECT_EQ(part_bytes(file.spec(), 4), 32U * 32 + 32 * 2 + 32 * 4);
}

TEST_F(FourBitExport, WeightsAndWordsComeBackWithinHalfAStep) {
  const ExportedModel model = exported(all_int4(32));
  const format::LinearSpec& down = model.spec().layers[0].down;
  const format::EmbeddingSpec& embedding = model.spec().embedding;
  const auto check = [](const std::vector<float>& source, const std::vector<float>& coded,
                        const format::Tensor& scale, const format::Tensor& multiplier) {
    const std::size_t cols = source.size() / multiplier.rows;
    double largest = 0;
    ASSERT_EQ(source.size(), coded.size());
    for (std::size_t at = 0; at < source.size(); ++at) {
      const std::size_t row = at / cols;
      const double step = double{scale.as<float>()[row]} *
                          multiplier.as<std::int8_t>()[row * multiplier.cols + at % cols / 32];
      const double error = std::abs(double{source[at]} - double{coded[at]});
      EXPECT_LE(error, step * (0.5 + 7 * 0x1p-21)) << at;
      if (step > 0) largest = std::max(largest, error / step);
    }
    EXPECT_GT(largest, 0.45);  // the bound is not slack
  };

  check(values_of(source().parameters().layers[0].output.weight), dequantized_weights(down),
        down.scale, down.multiplier);
  check(values_of(source().parameters().word_embeddings), dequantized_words(embedding),
        embedding.word_scale, embedding.word_multiplier);
}

TEST_F(FourBitExport, TakesInputScalesOfTheInt8Model) {
  const ExportedModel four = exported(all_int4(64));
  const ExportedModel eight = export_checkpoint(path_, {.precision = Precision::int8});
  const ExportedModel mse = export_checkpoint(
      path_, {.precision = Precision::int8, .coding = {.rounding = Rounding::mse}});

  for (const format::ModelSpec* spec : {&four.spec(), &mse.spec()}) {
    const auto scale = spec->layers[1].up.input_scale.as<float>();
    const auto expected = eight.spec().layers[1].up.input_scale.as<float>();
    EXPECT_TRUE(std::equal(scale.begin(), scale.end(), expected.begin(), expected.end()));
  }
}

TEST_F(FourBitExport, WithMseIsNearerToTheCheckpoint) {
  const auto error = [&](const ExportOptions& options) {
    const ExportedModel model = exported(options);
    const std::vector<float> coded = dequantized_weights(model.spec().layers[0].down);
    const std::vector<float> given = values_of(source().parameters().layers[0].output.weight);
    const std::vector<float> words = dequantized_words(model.spec().embedding);
    const std::vector<float> given_words = values_of(source().parameters().word_embeddings);
    double linear = 0;
    double word = 0;
    for (std::size_t i = 0; i < given.size(); ++i) linear += std::pow(coded[i] - given[i], 2);
    for (std::size_t i = 0; i < words.size(); ++i) word += std::pow(words[i] - given_words[i], 2);
    return std::pair(linear, word);
  };
  ExportOptions mse = all_int4(64);
  mse.coding.rounding = Rounding::mse;

  EXPECT_LT(error(mse).first, 0.99 * error(all_int4(64)).first);
  EXPECT_LT(error(mse).second, 0.99 * error(all_int4(64)).second);
}

TEST_F(FourBitExport, StatesTypeAndRounding) {
  ExportOptions options = {.precision = Precision::int8, .rules = {{"layer.0", int4_of(128)}}};
  options.coding.rounding = Rounding::mse;

  const ExportedModel model = exported(options);

  const auto& stated = model.spec().provenance[0].options;
  ASSERT_EQ(stated.size(), 4U);
  EXPECT_EQ(stated[2], (std::pair<std::string, std::string>{"rule.0", "layer.0=int4 g128"}));
  EXPECT_EQ(stated[3], (std::pair<std::string, std::string>{"rounding", "mse"}));
}

TEST_F(FourBitExport, RefusesOtherGroups) {
  for (const PartType type : {int4_of(16), int4_of(65), PartType(Precision::bf16, 64)}) {
    try {
      (void)exported({.precision = Precision::int8, .rules = {{"ffn", type}}});
      ADD_FAILURE() << type.group;
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::usage);
      EXPECT_THAT(error.what(), HasSubstr("groups of 32, 64 or 128"));
    }
  }
}

TEST_F(FourBitExport, TheProjectionOfFourBitWordsStaysInt8) {
  const ExportedModel model = exported(all_int4(32), {.embedding_rank = 7});

  const auto file = format::ModelFile::parse(FileBytes::copy(format::to_bytes(model.spec())));
  EXPECT_EQ(file.spec().embedding.word.type, ElementType::s4);
  EXPECT_EQ(file.spec().embedding.projection->weight.type, ElementType::s8);
  EXPECT_THAT(precisions_of(file.spec()), Each(int4_of(32)));
}

TEST_F(FourBitExport, PrunedLayersHaveNoGroupsWhereTheyHaveNoWeights) {
  TinyCheckpoint tiny;
  tiny.uneven = {{{}, 8}, {{1}, 0}};

  const ExportedModel model = exported(all_int4(64), tiny);

  const auto file = format::ModelFile::parse(FileBytes::copy(format::to_bytes(model.spec())));
  EXPECT_EQ(file.spec().layers[0].out.group, 0U);
  EXPECT_EQ(file.spec().layers[0].up.group, 64U);
  EXPECT_EQ(file.spec().layers[1].down.group, 0U);
}

/// Codes that no rounding of weights would give: the channel's number, and who was asked.
class NumberedRounder : public LinearRounder {
 public:
  [[nodiscard]] std::string_view name() const override { return "numbers"; }
  [[nodiscard]] RoundedLinear round(const LinearToRound& linear) override {
    asked.push_back(std::string(linear.name) + " " + std::to_string(linear.out) + "x" +
                    std::to_string(linear.in) + " g" + std::to_string(linear.group) +
                    (linear.input_scale.empty() ? "" : " scaled"));
    first_weight = linear.weights[linear.in];  // of the second row
    if (!linear.input_scale.empty()) first_weight *= linear.input_scale[0];
    RoundedLinear rounded;
    const std::size_t n_groups = linear.group == 0 ? 0 : format::n_groups(linear.in, linear.group);
    for (std::uint32_t n = 0; n < linear.out; ++n) {
      rounded.scales.push_back(static_cast<float>(n + 1));
      for (std::uint32_t k = 0; k < linear.in; ++k) {
        rounded.codes.push_back(static_cast<std::int8_t>(static_cast<int>(k % 15) - 7));
      }
      for (std::size_t index = 0; index < n_groups; ++index) {
        rounded.multipliers.push_back(static_cast<std::int8_t>(index + 2));
      }
    }
    spoil(rounded);
    return rounded;
  }

  std::vector<std::string> asked;
  float first_weight = 0;
  void (*spoil)(RoundedLinear&) = [](RoundedLinear&) {};
};

TEST_F(FourBitExport, ARounderIsAskedOnceForEveryLinearOfTheEncoderInOrder) {
  NumberedRounder rounder;
  ExportOptions options = {.precision = Precision::int8,
                           .rules = {{"layer", int4_of(32)},
                                     {"layer.1.attention.out", Precision::fp32},
                                     {"layer.1.ffn.up", Precision::int8}},
                           .coding = {.rounder = &rounder}};

  const ExportedModel model = exported(options, {.embedding_rank = 7});

  EXPECT_THAT(rounder.asked,
              ElementsAre("layer.0.attention.qkv 96x32 g32 scaled",
                          "layer.0.attention.out 32x32 g32", "layer.0.ffn.up 64x32 g32 scaled",
                          "layer.0.ffn.down 32x64 g32", "layer.1.attention.qkv 96x32 g32 scaled",
                          "layer.1.ffn.up 64x32 g0 scaled", "layer.1.ffn.down 32x64 g32"));
  EXPECT_EQ(model.spec().provenance[0].options.back(),
            (std::pair<std::string, std::string>{"rounding", "numbers"}));
}

TEST_F(FourBitExport, CodesOfARounderArriveWhereTheyBelong) {
  NumberedRounder rounder;
  ExportOptions options = all_int4(32);
  options.coding.rounder = &rounder;

  const ExportedModel model = exported(options);

  const format::LinearSpec& down = model.spec().layers[1].down;  // 64 -> 32, two groups
  std::vector<std::int8_t> row(64);
  format::multiply_out(format::four_bit_row(down.weight, down.multiplier, down.group, 5), row);
  for (std::size_t k = 0; k < row.size(); ++k) {
    EXPECT_EQ(row[k], (static_cast<int>(k % 15) - 7) * (k < 32 ? 2 : 3)) << k;
  }
  EXPECT_EQ(down.scale.as<float>()[5], 6);
  EXPECT_EQ(rounder.first_weight,
            values_of(source().parameters().layers[1].output.weight)[64]);  // row 1, input 0
}

TEST_F(FourBitExport, WithoutLinearsThatReadNormsARounderIsAskedToo) {
  NumberedRounder rounder;
  const ExportOptions options = {.precision = Precision::fp32,
                                 .rules = {{"layer.1.ffn.down", int4_of(64)}},
                                 .coding = {.rounder = &rounder}};

  (void)exported(options);

  EXPECT_THAT(rounder.asked, ElementsAre("layer.1.ffn.down 32x64 g64"));
}

TEST_F(FourBitExport, AnswersThatAreNotWhatWasAskedForEndTheExport) {
  struct Bad {
    void (*spoil)(RoundedLinear&);
    const char* says;
  };
  const Bad answers[] = {
      {[](RoundedLinear& r) { r.codes.pop_back(); }, "3071 codes"},
      {[](RoundedLinear& r) { r.scales.push_back(1); }, "97 scales"},
      {[](RoundedLinear& r) { r.multipliers.clear(); }, "0 multipliers"},
      {[](RoundedLinear& r) { r.codes[9] = -8; }, "codes beyond -7 to 7"},
      {[](RoundedLinear& r) { r.multipliers[9] = 19; }, "multipliers beyond 1 to 18"},
      {[](RoundedLinear& r) { r.multipliers[9] = 0; }, "multipliers beyond 1 to 18"},
      {[](RoundedLinear& r) { r.scales[9] = 0; }, "a scale that is not above 0"},
      {[](RoundedLinear& r) { r.scales[9] = NAN; }, "a scale that is not above 0"},
  };
  for (const Bad& bad : answers) {
    NumberedRounder rounder;
    rounder.spoil = bad.spoil;
    ExportOptions options = all_int4(32);
    options.coding.rounder = &rounder;
    try {
      (void)exported(options);
      ADD_FAILURE() << bad.says;
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::failed);
      EXPECT_THAT(error.what(), HasSubstr(bad.says));
      EXPECT_THAT(error.what(), HasSubstr("'numbers' of layer.0.attention.qkv"));
    }
  }
}

}  // namespace
}  // namespace espalier::compress
