#include "compress/checkpoint/sentence_transformers.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "compress/checkpoint/checkpoint.hpp"
#include "espalier/error.hpp"
#include "tests/support/temporary_folder.hpp"
#include "tests/support/tiny_checkpoint.hpp"

namespace espalier::checkpoint {
namespace {

using ::testing::AllOf;
using ::testing::Contains;
using ::testing::HasSubstr;
using testing::TemporaryFolder;
using testing::TinyArchitecture;
using testing::TinyCheckpoint;
using testing::TinyPooling;
using testing::write_file;
using testing::write_tiny_checkpoint;

// A checkpoint in this layout, changed by writing `content` to `file` afterwards.
class Layout : public ::testing::Test {
 protected:
  Layout() {
    write_tiny_checkpoint(folder_.path(), {.architecture = TinyArchitecture::model,
                                           .bert_prefix = false,
                                           .sentence_transformers = true});
  }

  std::string refusal_with(const std::string& file, const std::string& content) {
    write_file(folder_ / file, content);
    try {
      (void)Checkpoint::open(folder_.path());
      return "";
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::bad_input);
      return error.what();
    }
  }

  std::string refusal_of_modules(const std::string& kinds) {
    std::string modules;
    std::istringstream list(kinds);
    for (std::string kind; list >> kind;) {
      modules += (modules.empty() ? "" : ",");
      modules += R"({"type":"sentence_transformers.models.)" + kind + R"(","path":")";
      modules += (kind == "Transformer" ? "" : "1_Pooling") + std::string("\"}");
    }
    return refusal_with("modules.json", "[" + modules + "]");
  }

  TemporaryFolder folder_;
};

TEST_F(Layout, GivesPoolingNormalizationAndLength) {
  const Checkpoint checkpoint = Checkpoint::open(folder_.path());

  ASSERT_TRUE(checkpoint.embedding().has_value());
  EXPECT_EQ(checkpoint.embedding()->pooling, Pooling::mean);
  EXPECT_TRUE(checkpoint.embedding()->normalize);
  EXPECT_FALSE(checkpoint.embedding()->lower_case);
  EXPECT_EQ(checkpoint.embedding()->max_length, 32u);
  EXPECT_EQ(checkpoint.model_folder(), folder_.path());
  EXPECT_TRUE(checkpoint.notes().empty());
}

TEST(SentenceTransformers, ReadsClsPoolingWithoutNormalize) {
  const TemporaryFolder folder;
  write_tiny_checkpoint(folder.path(), {.architecture = TinyArchitecture::model,
                                        .sentence_transformers = true,
                                        .pooling = TinyPooling::cls,
                                        .normalize = false});

  const Checkpoint checkpoint = Checkpoint::open(folder.path());

  EXPECT_EQ(checkpoint.embedding()->pooling, Pooling::cls);
  EXPECT_FALSE(checkpoint.embedding()->normalize);
}

TEST(SentenceTransformers, AreAbsentFromAPlainCheckpoint) {
  const TemporaryFolder folder;
  write_tiny_checkpoint(folder.path(), {.architecture = TinyArchitecture::model});

  EXPECT_FALSE(Checkpoint::open(folder.path()).embedding().has_value());
}

TEST_F(Layout, WithoutModulesFileThePoolingConfigIsEnoughForAModel) {
  std::filesystem::remove(folder_ / "modules.json");

  const Checkpoint checkpoint = Checkpoint::open(folder_.path());

  ASSERT_TRUE(checkpoint.embedding().has_value());
  EXPECT_FALSE(checkpoint.embedding()->normalize);
}

TEST(SentenceTransformers, MakeAnEmbeddingModelOfAnyArchitecture) {
  for (const TinyArchitecture architecture :
       {TinyArchitecture::sequence_classification, TinyArchitecture::masked_lm}) {
    const TemporaryFolder folder;
    write_tiny_checkpoint(folder.path(),
                          {.architecture = architecture, .sentence_transformers = true});

    const Checkpoint checkpoint = Checkpoint::open(folder.path());

    EXPECT_EQ(checkpoint.config().architecture, Architecture::model);
    EXPECT_TRUE(checkpoint.embedding().has_value());
    EXPECT_TRUE(checkpoint.config().labels.empty());
    EXPECT_THAT(checkpoint.notes(), Contains(HasSubstr("modules.json")));
  }
}

TEST(SentenceTransformers, PoolingConfigAloneLeavesAClassifierAClassifier) {
  const TemporaryFolder folder;
  write_tiny_checkpoint(folder.path(), {.sentence_transformers = true});
  std::filesystem::remove(folder / "modules.json");

  const Checkpoint checkpoint = Checkpoint::open(folder.path());

  EXPECT_EQ(checkpoint.config().architecture, Architecture::sequence_classification);
  EXPECT_FALSE(checkpoint.embedding().has_value());
}

TEST(SentenceTransformers, MayKeepTheTransformerInAFolderOfItsOwn) {
  const TemporaryFolder folder;
  write_tiny_checkpoint(folder / "0_Transformer", {.architecture = TinyArchitecture::model});
  write_file(folder / "modules.json",
             R"([{"type":"sentence_transformers.models.Transformer","path":"0_Transformer"},)"
             R"({"type":"sentence_transformers.models.Pooling","path":"1_Pooling"}])");
  write_file(folder / "1_Pooling" / "config.json", R"({"pooling_mode":"mean"})");

  EXPECT_EQ(Checkpoint::open(folder.path()).model_folder(), folder / "0_Transformer");
}

TEST_F(Layout, RefusesOtherModulesByName) {
  EXPECT_EQ(refusal_of_modules("Transformer Pooling"), "");
  EXPECT_EQ(refusal_of_modules("Transformer Pooling Normalize"), "");
  EXPECT_THAT(refusal_of_modules("Transformer Pooling Dense"), HasSubstr("module 2 is 'Dense'"));
  EXPECT_THAT(refusal_of_modules("Transformer Pooling Normalize Dense"), HasSubstr("'Dense'"));
  EXPECT_THAT(refusal_of_modules("Transformer Normalize Pooling"), HasSubstr("'Normalize'"));
  EXPECT_THAT(refusal_of_modules("Transformer WordWeights"), HasSubstr("'WordWeights'"));
  EXPECT_THAT(refusal_of_modules("BoW"), HasSubstr("'BoW'"));
  EXPECT_THAT(refusal_of_modules("Transformer"), HasSubstr("no Pooling"));
  EXPECT_THAT(refusal_of_modules(""), HasSubstr("no Pooling"));
}

TEST_F(Layout, RefusesModulesOfOthersAndPathsOutside) {
  EXPECT_THAT(refusal_with("modules.json", R"([{"type":"custom.Transformer","path":""}])"),
              HasSubstr("custom.Transformer"));
  EXPECT_THAT(
      refusal_with("modules.json",
                   R"([{"type":"sentence_transformers.models.Transformer","path":"../x"}])"),
      HasSubstr("path"));
  EXPECT_THAT(refusal_with("modules.json", "{}"), HasSubstr("modules.json"));
  EXPECT_THAT(refusal_with("modules.json", "[1]"), HasSubstr("modules.json"));
  EXPECT_THAT(refusal_with("modules.json",
                           R"([{"type":"sentence_transformers.models.Transformer","path":""},)"
                           R"({"type":"sentence_transformers.models.Pooling","path":""}])"),
              HasSubstr("no folder of its own"));
}

TEST_F(Layout, RefusesOtherPoolingsByName) {
  for (const char* mode : {"max_tokens", "mean_sqrt_len_tokens", "weightedmean_tokens", "lasttoken",
                           "something_new"}) {
    const std::string key = std::string("pooling_mode_") + mode;
    EXPECT_THAT(refusal_with("1_Pooling/config.json", "{\"" + key + "\":true}"),
                AllOf(HasSubstr(key), HasSubstr("1_Pooling")));
  }
  EXPECT_THAT(refusal_with("1_Pooling/config.json", R"({"pooling_mode":"max"})"), HasSubstr("max"));
}

TEST_F(Layout, RefusesConcatenationsAndNoPoolingAtAll) {
  // Mean is on unless it is switched off, as in the original: cls alone is a concatenation.
  EXPECT_THAT(refusal_with("1_Pooling/config.json", R"({"pooling_mode_cls_token":true})"),
              HasSubstr("concatenation"));
  EXPECT_THAT(refusal_with("1_Pooling/config.json", R"({"pooling_mode_mean_tokens":false})"),
              HasSubstr("pooling_mode_mean_tokens"));
  EXPECT_EQ(refusal_with("1_Pooling/config.json", "{}"), "");
}

TEST_F(Layout, RefusesVectorsOfAnotherSize) {
  EXPECT_THAT(refusal_with("1_Pooling/config.json", R"({"word_embedding_dimension":48})"),
              AllOf(HasSubstr("48"), HasSubstr("32")));
}

TEST_F(Layout, RefusesALengthThatIsNone) {
  for (const char* length : {"0", "-1", "2", "\"32\"", "1.5"}) {
    EXPECT_THAT(refusal_with("sentence_bert_config.json",
                             "{\"max_seq_length\":" + std::string(length) + "}"),
                HasSubstr("max_seq_length"));
  }
  EXPECT_EQ(refusal_with("sentence_bert_config.json", R"({"max_seq_length":null})"), "");
}

TEST_F(Layout, CutsALengthOverThePositionsAndSaysSo) {
  write_file(folder_ / "sentence_bert_config.json",
             R"({"max_seq_length":512,"do_lower_case":true})");

  const Checkpoint checkpoint = Checkpoint::open(folder_.path());

  EXPECT_EQ(checkpoint.embedding()->max_length, 64u);
  EXPECT_TRUE(checkpoint.embedding()->lower_case);
  EXPECT_THAT(checkpoint.notes(), Contains(HasSubstr("max_seq_length 512")));
}

TEST_F(Layout, NotesADefaultPromptThatIsNotAdded) {
  write_file(folder_ / "config_sentence_transformers.json", R"({"default_prompt_name":"query"})");

  EXPECT_THAT(Checkpoint::open(folder_.path()).notes(), Contains(HasSubstr("'query'")));
}

}  // namespace
}  // namespace espalier::checkpoint
