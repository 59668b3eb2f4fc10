// A checkpoint as a whole becomes a model that the file accepts and that proves itself.
#include "compress/export/export.hpp"

#include <gtest/gtest.h>

#include "format/reader.hpp"
#include "format/writer.hpp"
#include "runtime/reference/reference.hpp"
#include "runtime/self_test.hpp"
#include "tests/support/temporary_folder.hpp"
#include "tests/support/tiny_checkpoint.hpp"

namespace espalier::compress {
namespace {

using testing::StoredAs;
using testing::TemporaryFolder;
using testing::TinyArchitecture;
using testing::TinyCheckpoint;
using testing::TinyPooling;

ExportedModel export_tiny(const TinyCheckpoint& tiny, const ExportOptions& options) {
  const TemporaryFolder folder;
  return export_checkpoint(testing::write_tiny_checkpoint(folder.path(), tiny), options);
}

struct Case {
  const char* name;
  TinyCheckpoint tiny;
  Task task;
};

std::vector<Case> cases() {
  TinyCheckpoint multi;
  multi.problem_type = "multi_label_classification";
  TinyCheckpoint regression;
  regression.labels = {"value"};
  TinyCheckpoint uneven;
  uneven.uneven = {{{2}, 8}, {{0, 1, 3}, 40}};
  TinyCheckpoint emptied;
  emptied.layers = 3;
  emptied.uneven = {{{}, 24}, {{3}, 0}, {{}, 0}};
  TinyCheckpoint half;
  half.stored_as = StoredAs::f16;
  TinyCheckpoint sharded;
  sharded.shards = 3;
  TinyCheckpoint sentences;
  sentences.architecture = TinyArchitecture::model;
  sentences.sentence_transformers = true;
  TinyCheckpoint tagger;
  tagger.architecture = TinyArchitecture::token_classification;
  tagger.labels = {"O", "B-PER", "I-PER"};
  TinyCheckpoint distilbert_tagger = tagger;
  distilbert_tagger.distilbert = true;
  return {{"classify", {}, Task::classify},
          {"multi_label", multi, Task::multi_label},
          {"regress", regression, Task::regress},
          {"uneven", uneven, Task::classify},
          {"emptied", emptied, Task::classify},
          {"factorised", {.embedding_rank = 7}, Task::classify},
          {"factorised_model",
           {.architecture = TinyArchitecture::model, .embedding_rank = 31},
           Task::embed},
          {"half", half, Task::classify},
          {"sharded", sharded, Task::classify},
          {"tag", tagger, Task::tag},
          {"model", {.architecture = TinyArchitecture::model}, Task::embed},
          {"sentence_transformers", sentences, Task::embed},
          {"masked_lm", {.architecture = TinyArchitecture::masked_lm}, Task::fill_mask},
          {"distilbert", {.distilbert = true}, Task::classify},
          {"distilbert_tag", distilbert_tagger, Task::tag},
          {"distilbert_model",
           {.distilbert = true, .architecture = TinyArchitecture::model},
           Task::embed},
          {"distilbert_masked_lm",
           {.distilbert = true, .architecture = TinyArchitecture::masked_lm},
           Task::fill_mask}};
}

class ExportEvery : public ::testing::TestWithParam<std::tuple<Case, Precision>> {};

TEST_P(ExportEvery, ArchitectureBecomesAFileThatProvesItself) {
  const auto& [given, precision] = GetParam();

  const ExportedModel model = export_tiny(given.tiny, {.precision = precision});
  const auto file = format::ModelFile::parse(FileBytes::copy(format::to_bytes(model.spec())));

  const format::ModelSpec& spec = file.spec();
  EXPECT_EQ(spec.task, given.task);
  EXPECT_EQ(spec.precision, precision);
  ASSERT_EQ(spec.self_test.cases.size(), 4U);
  EXPECT_EQ(spec.self_test.tolerance == 0.0F, precision == Precision::int8);
  for (const format::SelfTestCase& test : spec.self_test.cases) EXPECT_FALSE(test.expected.empty());
  const runtime::Backend& reference = runtime::reference_backend();
  const auto prepared = reference.prepare(spec);
  runtime::Executor executor(reference, *prepared, spec, 1, runtime::default_limits(spec));
  EXPECT_TRUE(runtime::self_test(executor).passed);
}

TEST_P(ExportEvery, ArchitectureGivesTheSameBytesTwice) {
  const auto& [given, precision] = GetParam();

  const ExportedModel first = export_tiny(given.tiny, {.precision = precision});
  const ExportedModel second = export_tiny(given.tiny, {.precision = precision, .n_threads = 2});

  EXPECT_EQ(format::to_bytes(first.spec()), format::to_bytes(second.spec()));
}

INSTANTIATE_TEST_SUITE_P(Of, ExportEvery,
                         ::testing::Combine(::testing::ValuesIn(cases()),
                                            ::testing::Values(Precision::fp32, Precision::int8,
                                                              Precision::bf16)),
                         [](const auto& instance) {
                           return std::string(std::get<0>(instance.param).name) + "_" +
                                  std::string(name_of(std::get<1>(instance.param)));
                         });

TEST(Export, TakesPoolingNormalizationAndLengthFromSentenceTransformers) {
  TinyCheckpoint tiny;
  tiny.architecture = TinyArchitecture::model;
  tiny.sentence_transformers = true;
  tiny.pooling = TinyPooling::cls;
  tiny.max_seq_length = 17;

  const ExportedModel model = export_tiny(tiny, {});

  EXPECT_EQ(model.spec().head.pooling, format::Pooling::cls);
  EXPECT_TRUE(model.spec().head.normalize);
  EXPECT_EQ(model.spec().max_length, 17U);
  EXPECT_FALSE(model.spec().head.pooler.has_value());
}

TEST(Export, PoolsABareModelByTheMeanAndSaysSo) {
  const ExportedModel model = export_tiny({.architecture = TinyArchitecture::model}, {});

  EXPECT_EQ(model.spec().head.pooling, format::Pooling::mean);
  EXPECT_FALSE(model.spec().head.normalize);
  bool said = false;
  for (const std::string& note : model.notes()) {
    said = said || note.find("mean over all tokens") != std::string::npos;
  }
  EXPECT_TRUE(said);
}

TEST(Export, GivesADistilBertNoSegmentsAndItsOwnActivation) {
  for (const Precision precision : {Precision::fp32, Precision::int8}) {
    const ExportedModel model = export_tiny({.distilbert = true}, {.precision = precision});

    EXPECT_EQ(model.spec().n_segments(), 0U);
    EXPECT_EQ(model.spec().head.pooler_activation, format::PoolerActivation::relu);
    EXPECT_EQ(export_tiny({}, {.precision = precision}).spec().head.pooler_activation,
              format::PoolerActivation::tanh);
  }
}

TEST(Export, KeepsLabelsInTheirOrder) {
  TinyCheckpoint tiny;
  tiny.labels = {"z", "a", "m"};

  EXPECT_EQ(export_tiny(tiny, {}).spec().labels, tiny.labels);
}

TEST(Export, CapsTheLengthAtThePositions) {
  TinyCheckpoint tiny;
  tiny.architecture = TinyArchitecture::model;
  tiny.sentence_transformers = true;
  tiny.positions = 20;
  tiny.max_seq_length = 32;

  EXPECT_EQ(export_tiny(tiny, {}).spec().max_length, 20U);
}

TEST(Export, TakesTheLengthAskedFor) {
  const ExportedModel model = export_tiny({}, {.max_length = 9});

  EXPECT_EQ(model.spec().max_length, 9U);
  for (const format::SelfTestCase& test : model.spec().self_test.cases) {
    EXPECT_LE(test.ids.size(), 9U);
  }
}

TEST(Export, TellsItsOriginByBaseNamesAndHashes) {
  const ExportedModel model = export_tiny({}, {.precision = Precision::int8});

  ASSERT_EQ(model.spec().provenance.size(), 1U);
  const format::ProvenanceStage& stage = model.spec().provenance[0];
  EXPECT_EQ(stage.name, "quantize");
  std::vector<std::string> names;
  for (const auto& [name, hash] : stage.inputs) {
    names.push_back(name);
    EXPECT_EQ(hash.size(), 16U);
  }
  EXPECT_EQ(names, (std::vector<std::string>{"config.json", "model.safetensors", "vocab.txt",
                                             "tokenizer_config.json"}));
}

TEST(Export, ReportsProgressThatNeverFalls) {
  std::vector<double> shares;
  ExportOptions options;
  options.on_progress = [&](double share, std::string_view) { shares.push_back(share); };

  (void)export_tiny({}, options);

  ASSERT_GT(shares.size(), 3U);
  EXPECT_TRUE(std::is_sorted(shares.begin(), shares.end()));
  EXPECT_EQ(shares.back(), 1.0);
}

TEST(Export, SelfTestHoldsAPairAndUnknownCharacters) {
  for (const bool distilbert : {false, true}) {
    const ExportedModel model = export_tiny({.distilbert = distilbert}, {});

    bool pair = false;
    bool unknown = false;
    for (const format::SelfTestCase& test : model.spec().self_test.cases) {
      for (const std::uint8_t segment : test.segments) pair = pair || segment == 1;
      for (const TokenId id : test.ids) unknown = unknown || to_int(id) == 1;
    }
    EXPECT_TRUE(pair);
    EXPECT_TRUE(unknown);
  }
}

}  // namespace
}  // namespace espalier::compress
