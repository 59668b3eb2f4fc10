// What is written is what is read, byte for byte and value for value.
#include <gtest/gtest.h>

#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <ostream>

#include "format/writer.hpp"
#include "tests/format/forge.hpp"
#include "tests/support/temporary_folder.hpp"

namespace espalier::testing {
namespace {

using format::ModelFile;
using format::ModelSpec;
using format::Tensor;

struct Named {
  const char* name;
  TinyModel tiny;
};

void PrintTo(const Named& model, std::ostream* out) {
  *out << model.name;
}

std::vector<Named> models() {
  return {
      {"Classify", {.self_test = true}},
      {"ClassifyFp32", {.precision = Precision::fp32, .self_test = true}},
      {"MultiLabel", {.task = Task::multi_label, .self_test = true}},
      {"Regress", {.task = Task::regress, .self_test = true}},
      {"Tag", {.task = Task::tag, .self_test = true}},
      {"EmbedMean", {.task = Task::embed, .self_test = true}},
      {"EmbedCls", {.task = Task::embed, .pooling = format::Pooling::cls, .normalize = false}},
      {"FillMask", {.task = Task::fill_mask, .self_test = true}},
      {"ClassifyBf16", {.precision = Precision::bf16, .self_test = true}},
      {"FillMaskBf16", {.task = Task::fill_mask, .precision = Precision::bf16, .self_test = true}},
      {"FillMaskFp32", {.task = Task::fill_mask, .precision = Precision::fp32, .self_test = true}},
      {"NoSegments",
       {.segments = 0, .pooler_activation = format::PoolerActivation::relu, .self_test = true}},
      {"HalfParts", {.small_type = format::ElementType::f16}},
      {"Uneven", {.n_heads = {3, 1, 2}, .intermediate = {17, 64, 130}}},
      {"NoHeads", {.n_heads = {0, 4}, .intermediate = {64, 64}}},
      {"NoFeedForward", {.n_heads = {4, 4}, .intermediate = {64, 0}, .self_test = true}},
      {"AllPrunedFp32", {.precision = Precision::fp32, .n_heads = {0}, .intermediate = {0}}},
      {"AllPrunedBf16", {.precision = Precision::bf16, .n_heads = {0}, .intermediate = {0}}},
      {"Mixed", {.layer_precision = {Precision::fp32, Precision::int8}, .self_test = true}},
      {"Factorised", {.embedding_rank = 7, .self_test = true}},
      {"FactorisedFp32", {.precision = Precision::fp32, .embedding_rank = 31}},
      {"FactorisedBf16", {.task = Task::embed, .precision = Precision::bf16, .embedding_rank = 1}},
      {"AsymmetricCodes", {.input_scales = true, .codes = kAllAsymmetric, .self_test = true}},
      {"StaticCodes",
       {.n_heads = {2, 0}, .input_scales = true, .codes = kAllStatic, .self_test = true}},
      {"FourBits", {.four_bit_group = 32, .input_scales = true, .self_test = true}},
      {"FourBitsOddWidth",
       {.hidden = 75,
        .head_dim = 5,
        .n_heads = {3, 0},
        .intermediate = {0, 65},
        .embedding_rank = 67,
        .four_bit_group = 64}},
      {"OddWidth", {.hidden = 30, .head_dim = 7, .n_heads = {5, 3}}},
  };
}

class RoundTrip : public ::testing::TestWithParam<Named> {};

void expect_same(const Tensor& written, const Tensor& read, const char* what) {
  ASSERT_EQ(written.bytes.size(), read.bytes.size()) << what;
  if (written.empty()) return;
  EXPECT_EQ(written.type, read.type) << what;
  EXPECT_EQ(written.rows, read.rows) << what;
  EXPECT_EQ(written.cols, read.cols) << what;
  EXPECT_EQ(std::memcmp(written.bytes.data(), read.bytes.data(), read.bytes.size()), 0) << what;
  EXPECT_EQ(reinterpret_cast<std::uintptr_t>(read.bytes.data()) % 64, 0U) << what;
}

void expect_same(const format::LinearSpec& written, const format::LinearSpec& read,
                 const char* what) {
  EXPECT_EQ(written.in, read.in) << what;
  EXPECT_EQ(written.out, read.out) << what;
  EXPECT_EQ(written.precision, read.precision) << what;
  EXPECT_EQ(written.activations, read.activations) << what;
  EXPECT_EQ(written.activation_scale, read.activation_scale) << what;
  EXPECT_EQ(written.activation_zero, read.activation_zero) << what;
  expect_same(written.weight, read.weight, what);
  expect_same(written.scale, read.scale, what);
  expect_same(written.bias, read.bias, what);
  expect_same(written.input_scale, read.input_scale, what);
  EXPECT_EQ(written.group, read.group) << what;
  expect_same(written.multiplier, read.multiplier, what);
}

void expect_same(const format::NormSpec& written, const format::NormSpec& read, const char* what) {
  expect_same(written.weight, read.weight, what);
  expect_same(written.bias, read.bias, what);
}

void expect_same(const std::optional<format::HeadLinear>& written,
                 const std::optional<format::HeadLinear>& read, const char* what) {
  ASSERT_EQ(written.has_value(), read.has_value()) << what;
  if (!written) return;
  EXPECT_EQ(written->in, read->in) << what;
  EXPECT_EQ(written->out, read->out) << what;
  expect_same(written->weight, read->weight, what);
  expect_same(written->bias, read->bias, what);
}

TEST_P(RoundTrip, GivesBackEveryTensor) {
  const OwnedModel model = make_tiny_model(GetParam().tiny);
  const ModelSpec& written = model.spec();

  const ModelFile file = ModelFile::parse(FileBytes::copy(format::to_bytes(written)));

  const ModelSpec& read = file.spec();
  expect_same(written.embedding.word, read.embedding.word, "word");
  expect_same(written.embedding.word_scale, read.embedding.word_scale, "word_scale");
  EXPECT_EQ(written.embedding.word_group, read.embedding.word_group);
  expect_same(written.embedding.word_multiplier, read.embedding.word_multiplier, "multiplier");
  expect_same(written.embedding.position, read.embedding.position, "position");
  expect_same(written.embedding.segment, read.embedding.segment, "segment");
  expect_same(written.embedding.norm, read.embedding.norm, "norm");
  ASSERT_EQ(written.embedding.projection.has_value(), read.embedding.projection.has_value());
  if (read.embedding.projection) {
    expect_same(*written.embedding.projection, *read.embedding.projection, "projection");
  }
  ASSERT_EQ(written.layers.size(), read.layers.size());
  for (std::size_t layer = 0; layer < read.layers.size(); ++layer) {
    const format::LayerSpec& before = written.layers[layer];
    const format::LayerSpec& after = read.layers[layer];
    EXPECT_EQ(before.n_heads, after.n_heads);
    EXPECT_EQ(before.intermediate, after.intermediate);
    expect_same(before.qkv, after.qkv, "qkv");
    expect_same(before.out, after.out, "out");
    expect_same(before.attention_norm, after.attention_norm, "attention_norm");
    expect_same(before.up, after.up, "up");
    expect_same(before.down, after.down, "down");
    expect_same(before.output_norm, after.output_norm, "output_norm");
  }
  expect_same(written.head.pooler, read.head.pooler, "pooler");
  expect_same(written.head.classifier, read.head.classifier, "classifier");
  expect_same(written.head.transform, read.head.transform, "transform");
  expect_same(written.head.transform_norm, read.head.transform_norm, "transform_norm");
  expect_same(written.head.decoder_bias, read.head.decoder_bias, "decoder_bias");
}

TEST_P(RoundTrip, GivesBackEveryOtherField) {
  const OwnedModel model = make_tiny_model(GetParam().tiny);
  const ModelSpec& written = model.spec();

  const ModelFile file = ModelFile::parse(FileBytes::copy(format::to_bytes(written)));

  const ModelSpec& read = file.spec();
  EXPECT_EQ(written.task, read.task);
  EXPECT_EQ(written.precision, read.precision);
  EXPECT_EQ(written.hidden, read.hidden);
  EXPECT_EQ(written.head_dim, read.head_dim);
  EXPECT_EQ(written.layer_norm_eps, read.layer_norm_eps);
  EXPECT_EQ(written.max_length, read.max_length);
  EXPECT_EQ(written.labels, read.labels);
  EXPECT_EQ(written.head.pooling, read.head.pooling);
  EXPECT_EQ(written.head.normalize, read.head.normalize);
  EXPECT_EQ(written.head.pooler_activation, read.head.pooler_activation);
  EXPECT_EQ(written.n_segments(), read.n_segments());
  EXPECT_EQ(written.tokenizer.vocabulary, read.tokenizer.vocabulary);
  EXPECT_EQ(written.self_test.tolerance, read.self_test.tolerance);
  ASSERT_EQ(written.self_test.cases.size(), read.self_test.cases.size());
  for (std::size_t test = 0; test < read.self_test.cases.size(); ++test) {
    EXPECT_EQ(written.self_test.cases[test].ids, read.self_test.cases[test].ids);
    EXPECT_EQ(written.self_test.cases[test].segments, read.self_test.cases[test].segments);
    EXPECT_EQ(written.self_test.cases[test].expected, read.self_test.cases[test].expected);
  }
}

TEST_P(RoundTrip, RewritesTheSameBytes) {
  const OwnedModel model = make_tiny_model(GetParam().tiny);
  const Bytes first = format::to_bytes(model.spec());

  const ModelFile file = ModelFile::parse(FileBytes::copy(first));

  EXPECT_EQ(format::to_bytes(file.spec()), first);
  EXPECT_EQ(format::to_bytes(make_tiny_model(GetParam().tiny).spec()), first);
}

INSTANTIATE_TEST_SUITE_P(Tiny, RoundTrip, ::testing::ValuesIn(models()),
                         [](const auto& test) { return std::string(test.param.name); });

TEST(RoundTripOfText, GivesBackTheTokenizerAndTheProvenance) {
  OwnedModel model = make_tiny_model();
  format::TokenizerSpec& tokenizer = model.edit().tokenizer;
  tokenizer.lowercase = false;
  tokenizer.strip_accents = true;
  tokenizer.split_cjk = false;
  tokenizer.clean_text = false;
  tokenizer.max_word_chars = 77;
  tokenizer.continuation = "@@";
  tokenizer.added = {{"<a>", 7, true, false, true, false}, {"很", 63, false, true, false, true}};
  model.edit().provenance = {{"train", "0.1.0", {{"rate", "3e-5"}}, {{"a.tsv", "00ff"}}, {}},
                             {"quantize", "0.1.0", {}, {}, {{"kl", "0.001"}, {"", ""}}}};

  const ModelFile file = ModelFile::parse(FileBytes::copy(format::to_bytes(model.spec())));

  const format::TokenizerSpec& read = file.spec().tokenizer;
  EXPECT_FALSE(read.lowercase);
  EXPECT_TRUE(read.strip_accents);
  EXPECT_FALSE(read.split_cjk);
  EXPECT_FALSE(read.clean_text);
  EXPECT_EQ(read.max_word_chars, 77U);
  EXPECT_EQ(read.continuation, "@@");
  EXPECT_EQ(read.pad, 0U);
  EXPECT_EQ(read.unk, 1U);
  EXPECT_EQ(read.cls, 2U);
  EXPECT_EQ(read.sep, 3U);
  EXPECT_EQ(read.mask, 4U);
  ASSERT_EQ(read.added.size(), 2U);
  EXPECT_EQ(read.added[0].content, "<a>");
  EXPECT_EQ(read.added[1].id, 63U);
  EXPECT_TRUE(read.added[0].single_word && read.added[0].rstrip);
  EXPECT_FALSE(read.added[0].lstrip || read.added[0].normalized);
  EXPECT_TRUE(read.added[1].lstrip && read.added[1].normalized);
  EXPECT_FALSE(read.added[1].single_word || read.added[1].rstrip);
  ASSERT_EQ(file.spec().provenance.size(), 2U);
  const format::ProvenanceStage& train = file.spec().provenance[0];
  EXPECT_EQ(train.name, "train");
  EXPECT_EQ(train.version, "0.1.0");
  EXPECT_EQ(train.options, model.spec().provenance[0].options);
  EXPECT_EQ(train.inputs, model.spec().provenance[0].inputs);
  EXPECT_EQ(file.spec().provenance[1].metrics, model.spec().provenance[1].metrics);
}

TEST(RoundTripOfText, HoldsEveryListAtItsLimit) {
  OwnedModel model = make_tiny_model({.n_heads = std::vector<std::uint32_t>(256, 0),
                                      .intermediate = std::vector<std::uint32_t>(256, 0)});
  model.edit().tokenizer.added.assign(16384, {"x", 5});
  format::ProvenanceStage stage{"s", "0", {}, {}, {}};
  stage.options.assign(128, {"k", "v"});
  stage.inputs = stage.metrics = stage.options;
  model.edit().provenance.assign(64, stage);

  const Verdict verdict = read(format::to_bytes(model.spec()));

  EXPECT_TRUE(verdict.accepted) << verdict.message;
}

TEST(ModelFile, OpensAWrittenFileReadOrMapped) {
  const TemporaryFolder folder;
  const OwnedModel model = make_tiny_model();
  const Bytes bytes = format::to_bytes(model.spec());
  format::write_model(model.spec(), folder / "a.espl", Overwrite::refuse);

  for (const FileAccess access : {FileAccess::read, FileAccess::map}) {
    const ModelFile file = ModelFile::open(folder / "a.espl", access);

    EXPECT_EQ(file.size_bytes(), bytes.size());
    EXPECT_EQ(file.version(), 0U);
    EXPECT_EQ(file.checksum_hex().size(), 16U);
    EXPECT_EQ(
        std::memcmp(
            &bytes[bytes.size() - 8],
            std::as_bytes(std::span<const std::uint64_t>(std::array{file.checksum()})).data(), 8),
        0);
    EXPECT_EQ(format::to_bytes(file.spec()), bytes);
  }
}

TEST(ModelFile, KeepsItsViewsWhenMoved) {
  const OwnedModel model = make_tiny_model();
  ModelFile file = ModelFile::parse(FileBytes::copy(format::to_bytes(model.spec())));

  const ModelFile moved = std::move(file);

  EXPECT_EQ(moved.spec().tokenizer.vocabulary, model.spec().tokenizer.vocabulary);
}

/// Covers halves, a pruned layer, a layer of odd widths, codes of all kinds, added tokens,
/// provenance and a self-test.
TinyModel golden_model() {
  return {.hidden = 16,
          .head_dim = 4,
          .n_heads = {3, 0},
          .intermediate = {24, 8},
          .positions = 16,
          .small_type = format::ElementType::f16,
          .codes = {.out = format::ActivationCodes::per_tensor_asymmetric,
                    .down = format::ActivationCodes::per_token_asymmetric},
          .seed = 20,
          .self_test = true};
}

/// The same for weights and words of four bits: odd rows, a group that is short, a pruned layer.
TinyModel golden_four_bits() {
  return {.hidden = 35,
          .head_dim = 4,
          .n_heads = {1, 0},
          .intermediate = {9, 8},
          .positions = 8,
          .small_type = format::ElementType::f16,
          .four_bit_group = 32,
          .seed = 21,
          .self_test = true};
}

struct GoldenFile {
  const char* name;
  TinyModel tiny;
};

class Golden : public ::testing::TestWithParam<GoldenFile> {};

TEST_P(Golden, OpensAndIsWrittenAgainByteForByte) {
  const std::filesystem::path path =
      std::filesystem::path(ESPALIER_FORMAT_TEST_DATA) / GetParam().name;
  const OwnedModel model = make_tiny_model(GetParam().tiny);
  if (std::getenv("ESPALIER_WRITE_GOLDEN") != nullptr) {
    format::write_model(model.spec(), path, Overwrite::replace);
  }

  const ModelFile golden = ModelFile::open(path);
  const std::string bytes = read_file(path);

  EXPECT_LT(bytes.size(), 60000U);
  EXPECT_EQ(golden.spec().labels, model.spec().labels);
  const Bytes again = format::to_bytes(model.spec());
  ASSERT_EQ(again.size(), bytes.size());
  EXPECT_EQ(std::memcmp(again.data(), bytes.data(), bytes.size()), 0)
      << "the bytes of version 0 may change: run with ESPALIER_WRITE_GOLDEN=1 to accept";
}

INSTANTIATE_TEST_SUITE_P(Files, Golden,
                         ::testing::Values(GoldenFile{"tiny_v0.espl", golden_model()},
                                           GoldenFile{"four_bits_v0.espl", golden_four_bits()}),
                         [](const auto& test) {
                           return std::string(test.index == 0 ? "EightBits" : "FourBits");
                         });

}  // namespace
}  // namespace espalier::testing
