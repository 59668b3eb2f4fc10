// Rules by name: which parts they match, who wins, and that a file says and holds what they ask
// for.
#include "compress/export/precision_rules.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "compress/export/export.hpp"
#include "espalier/error.hpp"
#include "format/reader.hpp"
#include "format/writer.hpp"
#include "runtime/reference/reference.hpp"
#include "runtime/self_test.hpp"
#include "tests/support/temporary_folder.hpp"
#include "tests/support/tiny_checkpoint.hpp"

namespace espalier::compress {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using testing::TemporaryFolder;
using testing::TinyArchitecture;
using testing::TinyCheckpoint;

constexpr Precision kFp32 = Precision::fp32;
constexpr Precision kInt8 = Precision::int8;
constexpr Precision kBf16 = Precision::bf16;

ExportedModel export_tiny(const TinyCheckpoint& tiny, const ExportOptions& options) {
  const TemporaryFolder folder;
  return export_checkpoint(testing::write_tiny_checkpoint(folder.path(), tiny), options);
}

/// The error that rules for a model of two layers give: its code and what it says.
std::string refusal(const std::vector<PrecisionRule>& rules) {
  try {
    (void)precisions_by_rules(2, kInt8, rules);
  } catch (const Error& error) {
    return std::to_string(static_cast<int>(error.code())) + ": " + error.what();
  }
  return "no error";
}

bool same_bytes(const format::Tensor& a, const format::Tensor& b) {
  return a.type == b.type && a.rows == b.rows && a.cols == b.cols &&
         std::equal(a.bytes.begin(), a.bytes.end(), b.bytes.begin(), b.bytes.end());
}

bool same(const format::LinearSpec& a, const format::LinearSpec& b) {
  return a.precision == b.precision && same_bytes(a.weight, b.weight) &&
         same_bytes(a.scale, b.scale) && same_bytes(a.bias, b.bias) &&
         same_bytes(a.input_scale, b.input_scale);
}

TEST(PrecisionRules, NamePartsInTheOrderOfTheModel) {
  EXPECT_THAT(part_names(1),
              ElementsAre("embedding.word", "layer.0.attention.qkv", "layer.0.attention.out",
                          "layer.0.ffn.up", "layer.0.ffn.down"));
  EXPECT_EQ(part_names(12).back(), "layer.11.ffn.down");
}

TEST(PrecisionRules, LookForAPatternAnywhereInTheName) {
  const std::vector<PrecisionRule> rules = {{"ffn", kFp32}, {"^layer.1.*out$", kBf16}};

  const PartPrecisions found = precisions_by_rules(2, kInt8, rules);

  EXPECT_EQ(found.word, kInt8);
  for (const LayerPrecisions& layer : found.layers) {
    EXPECT_EQ(layer.qkv, kInt8);
    EXPECT_EQ(layer.up, kFp32);
    EXPECT_EQ(layer.down, kFp32);
  }
  EXPECT_EQ(found.layers[0].out, kInt8);
  EXPECT_EQ(found.layers[1].out, kBf16);
}

TEST(PrecisionRules, LetTheLastThatMatchesWin) {
  const std::vector<PrecisionRule> rules = {{"layer.0", kFp32}, {"up", kBf16}, {"word", kBf16}};
  const std::vector<PrecisionRule> reversed(rules.rbegin(), rules.rend());

  EXPECT_EQ(precisions_by_rules(2, kInt8, rules).layers[0].up, kBf16);
  EXPECT_EQ(precisions_by_rules(2, kInt8, reversed).layers[0].up, kFp32);
  EXPECT_EQ(precisions_by_rules(2, kInt8, rules).word, kBf16);
}

TEST(PrecisionRules, RefuseOneThatMatchesNothingAndListTheNames) {
  const std::string message = refusal({{"ffn", kFp32}, {"layer.2", kFp32}});

  EXPECT_THAT(message, HasSubstr("2: 'layer.2' matches no part"));
  EXPECT_THAT(message, HasSubstr("embedding.word, layer.0-1.attention.qkv"));
  EXPECT_THAT(message, HasSubstr("layer.0-1.ffn.down"));
}

TEST(PrecisionRules, RefuseWhatIsNoPattern) {
  EXPECT_THAT(refusal({{"layer.(0", kFp32}}), HasSubstr("2: 'layer.(0' is no regular expression"));
  EXPECT_THAT(refusal({{"\xFFq", kFp32}}), HasSubstr("is not UTF-8"));
  EXPECT_THAT(refusal({{std::string(501, '('), kFp32}}), HasSubstr("501 bytes, at most 500"));
  EXPECT_THAT(refusal(std::vector<PrecisionRule>(101, {"ffn", kFp32})),
              HasSubstr("101 rules, at most 100"));
}

TEST(PrecisionRules, AreRefusedByTheExportBeforeItsWork) {
  std::vector<std::string> stages;
  ExportOptions options;
  options.rules = {{"layer.7", kInt8}};
  options.on_progress = [&](double, std::string_view stage) { stages.emplace_back(stage); };

  EXPECT_THROW((void)export_tiny({}, options), Error);
  EXPECT_THAT(stages, ElementsAre("read checkpoint"));
}

TEST(MixedExport, StoresEveryPartInThePrecisionAskedFor) {
  for (const Precision precision : {kFp32, kInt8, kBf16}) {
    for (const std::uint32_t rank : {0U, 7U}) {
      const ExportOptions options = {.precision = precision,
                                     .rules = {{"word", kBf16},
                                               {"layer.0.*qkv", kFp32},
                                               {"layer.0.*out", kInt8},
                                               {"layer.1.ffn", kBf16},
                                               {"layer.1.ffn.up", kInt8}}};
      const ExportedModel model = export_tiny({.embedding_rank = rank}, options);
      const auto file = format::ModelFile::parse(FileBytes::copy(format::to_bytes(model.spec())));

      EXPECT_THAT(precisions_of(file.spec()), ElementsAre(kBf16, kFp32, kInt8, precision, precision,
                                                          precision, precision, kInt8, kBf16));
      EXPECT_EQ(file.spec().precision, precision);
      EXPECT_GT(file.spec().self_test.tolerance, 0);
    }
  }
}

TEST(MixedExport, TakesTheTensorsThatTheUniformModelsHave) {
  // A linear's codes, input scales included, do not depend on what the others are stored in.
  const TinyCheckpoint tiny = {.embedding_rank = 7};
  const ExportedModel int8 = export_tiny(tiny, {.precision = kInt8});
  const ExportedModel fp32 = export_tiny(tiny, {.precision = kFp32});
  const ExportOptions keep = {.precision = kInt8, .rules = {{"layer.0.ffn.up|word", kFp32}}};
  const ExportOptions only = {.precision = kFp32, .rules = {{"layer.0.ffn.up|word", kInt8}}};

  const ExportedModel kept = export_tiny(tiny, keep);
  const ExportedModel alone = export_tiny(tiny, only);

  EXPECT_TRUE(same(kept.spec().layers[0].up, fp32.spec().layers[0].up));
  EXPECT_TRUE(same(kept.spec().layers[0].qkv, int8.spec().layers[0].qkv));
  EXPECT_TRUE(same(kept.spec().layers[1].up, int8.spec().layers[1].up));
  EXPECT_TRUE(same(*kept.spec().embedding.projection, *fp32.spec().embedding.projection));
  EXPECT_TRUE(same_bytes(kept.spec().embedding.word, fp32.spec().embedding.word));
  EXPECT_TRUE(same(alone.spec().layers[0].up, int8.spec().layers[0].up));
  EXPECT_FALSE(alone.spec().layers[0].up.input_scale.empty());
  EXPECT_TRUE(same(alone.spec().layers[1].qkv, fp32.spec().layers[1].qkv));
  EXPECT_TRUE(same(*alone.spec().embedding.projection, *int8.spec().embedding.projection));
  EXPECT_TRUE(same_bytes(alone.spec().embedding.word_scale, int8.spec().embedding.word_scale));
}

TEST(MixedExport, KeepsTheBytesOfAModelWhoseRulesChangeNothing) {
  ExportedModel plain = export_tiny({}, {.precision = kInt8});
  ExportedModel ruled = export_tiny({}, {.precision = kInt8, .rules = {{"ffn", kInt8}}});
  format::ModelSpec a = plain.spec();
  format::ModelSpec b = ruled.spec();

  EXPECT_EQ(b.self_test.tolerance, 0);
  a.provenance.clear();
  b.provenance.clear();
  EXPECT_EQ(format::to_bytes(a), format::to_bytes(b));
}

TEST(MixedExport, StatesItsRulesInTheirOrder) {
  const ExportedModel model =
      export_tiny({}, {.precision = kInt8, .rules = {{"ffn=up|ffn", kBf16}, {"layer.0", kFp32}}});

  const auto& options = model.spec().provenance[0].options;
  ASSERT_EQ(options.size(), 4U);
  EXPECT_EQ(options[2], (std::pair<std::string, std::string>{"rule.0", "ffn=up|ffn=bf16"}));
  EXPECT_EQ(options[3], (std::pair<std::string, std::string>{"rule.1", "layer.0=fp32"}));
}

TEST(MixedExport, PrunedLayersTakeRulesToo) {
  TinyCheckpoint tiny;
  tiny.uneven = {{{}, 8}, {{1}, 0}};

  for (const Precision rule : {kFp32, kInt8, kBf16}) {
    const ExportedModel model = export_tiny(tiny, {.precision = kInt8, .rules = {{"layer", rule}}});

    const auto file = format::ModelFile::parse(FileBytes::copy(format::to_bytes(model.spec())));
    EXPECT_EQ(precisions_of(file.spec())[1], rule);
    EXPECT_TRUE(file.spec().layers[0].qkv.bias.empty());
  }
}

TEST(TakePart, ReplacesThatPartAndNoOther) {
  const TinyCheckpoint tiny = {.embedding_rank = 7};
  const ExportedModel int8 = export_tiny(tiny, {.precision = kInt8});
  const ExportedModel fp32 = export_tiny(tiny, {.precision = kFp32});

  for (std::size_t part = 0; part < 9; ++part) {
    format::ModelSpec mixed = fp32.spec();
    take_part(mixed, int8.spec(), part);

    const std::vector<PartType> precisions = precisions_of(mixed);
    for (std::size_t other = 0; other < 9; ++other) {
      EXPECT_EQ(precisions[other], other == part ? kInt8 : kFp32) << part;
    }
    mixed.self_test = {};
    EXPECT_NO_THROW((void)format::to_bytes(mixed)) << part;  // words and projection go together
  }
}

TEST(PartBytes, AreWhatTheTensorsOfThePartTake) {
  const ExportedModel int8 = export_tiny({.embedding_rank = 7}, {.precision = kInt8});
  const ExportedModel fp32 = export_tiny({}, {.precision = kFp32});
  const format::EmbeddingSpec& embedding = int8.spec().embedding;

  // Hidden 32, feed-forward 64: panels are padded to 64 inputs, and an input scale has 32.
  EXPECT_EQ(part_bytes(int8.spec(), 3), 64U * 64 + 64 * 4 + 32 * 4);
  EXPECT_EQ(part_bytes(fp32.spec(), 3), 64U * 32 * 4);
  EXPECT_EQ(part_bytes(int8.spec(), 0),
            std::uint64_t{embedding.word.rows} * (7 + 4) + 64 * 64 + 32 * 4);
  EXPECT_EQ(part_bytes(fp32.spec(), 0), std::uint64_t{embedding.word.rows} * 32 * 4);
}

}  // namespace
}  // namespace espalier::compress
