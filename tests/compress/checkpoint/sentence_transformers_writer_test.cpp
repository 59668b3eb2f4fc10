// What is written for the sentence-transformers package is read back as it was meant.
#include "compress/checkpoint/sentence_transformers_writer.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <string>

#include "compress/checkpoint/checkpoint.hpp"
#include "espalier/error.hpp"
#include "tests/support/temporary_folder.hpp"
#include "tests/support/tiny_checkpoint.hpp"

namespace espalier::checkpoint {
namespace {

using ::testing::HasSubstr;
using testing::read_file;
using testing::TemporaryFolder;
using testing::write_file;

EmbeddingLayout round_trip(const EmbeddingOptions& options, std::uint32_t dimension) {
  const TemporaryFolder folder;
  write_embedding_layout(folder.path(), options, dimension, Overwrite::refuse);
  EmbeddingLayout layout = read_embedding_layout(folder.path());
  EXPECT_EQ(layout.transformer, folder.path());
  return layout;
}

TEST(SentenceTransformersWriter, KeepsEveryOption) {
  for (const Pooling pooling : {Pooling::mean, Pooling::cls}) {
    for (const bool normalize : {false, true}) {
      for (const bool lower_case : {false, true}) {
        for (const std::uint32_t max_length : {0U, 3U, 256U}) {
          const EmbeddingLayout layout = round_trip({.pooling = pooling,
                                                     .normalize = normalize,
                                                     .lower_case = lower_case,
                                                     .max_length = max_length},
                                                    384);

          ASSERT_TRUE(layout.embedding.has_value());
          EXPECT_EQ(layout.embedding->pooling, pooling);
          EXPECT_EQ(layout.embedding->normalize, normalize);
          EXPECT_EQ(layout.embedding->lower_case, lower_case);
          EXPECT_EQ(layout.embedding->max_length, max_length);
          EXPECT_EQ(layout.dimension, 384U);
          EXPECT_TRUE(layout.has_pipeline);
          EXPECT_TRUE(layout.notes.empty());
        }
      }
    }
  }
}

TEST(SentenceTransformersWriter, TurnsACheckpointIntoAnEmbeddingModel) {
  const TemporaryFolder folder;
  testing::write_tiny_checkpoint(folder.path(), {.architecture = testing::TinyArchitecture::model});
  const std::uint32_t hidden = Checkpoint::open(folder.path()).config().hidden;

  write_embedding_layout(folder.path(), {.pooling = Pooling::cls, .max_length = 16}, hidden,
                         Overwrite::refuse);

  const Checkpoint checkpoint = Checkpoint::open(folder.path());
  ASSERT_TRUE(checkpoint.embedding().has_value());
  EXPECT_EQ(checkpoint.embedding()->pooling, Pooling::cls);
  EXPECT_EQ(checkpoint.embedding()->max_length, 16U);
}

// The package finds a module by its class and its folder, and wants the folder to be there.
TEST(SentenceTransformersWriter, NamesModulesAsThePackageDoes) {
  const TemporaryFolder folder;

  write_embedding_layout(folder.path(), {.normalize = true}, 8, Overwrite::refuse);

  const nlohmann::json modules = nlohmann::json::parse(read_file(folder / "modules.json"));
  ASSERT_EQ(modules.size(), 3U);
  EXPECT_EQ(modules[0]["type"], "sentence_transformers.models.Transformer");
  EXPECT_EQ(modules[0]["path"], "");
  EXPECT_EQ(modules[1]["type"], "sentence_transformers.models.Pooling");
  EXPECT_EQ(modules[2]["type"], "sentence_transformers.models.Normalize");
  for (std::size_t index = 0; index < modules.size(); ++index) {
    EXPECT_EQ(modules[index]["idx"], index);
    EXPECT_EQ(modules[index]["name"], std::to_string(index));
    EXPECT_TRUE(std::filesystem::is_directory(folder / std::string(modules[index]["path"])));
  }
}

TEST(SentenceTransformersWriter, ReplacesOnlyWhenItMay) {
  const TemporaryFolder folder;
  write_embedding_layout(folder.path(), {.normalize = true, .max_length = 128}, 8,
                         Overwrite::refuse);
  try {
    write_embedding_layout(folder.path(), {.pooling = Pooling::cls}, 8, Overwrite::refuse);
    FAIL() << "it was written over";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::output);
  }
  EXPECT_EQ(read_embedding_layout(folder.path()).embedding->pooling, Pooling::mean);

  write_embedding_layout(folder.path(), {.pooling = Pooling::cls}, 8, Overwrite::replace);

  const EmbeddingLayout layout = read_embedding_layout(folder.path());
  EXPECT_EQ(layout.embedding->pooling, Pooling::cls);
  EXPECT_FALSE(layout.embedding->normalize);
  EXPECT_EQ(layout.embedding->max_length, 0U);
}

TEST(SentenceTransformersWriter, LeavesNoPipelineWhereItIsRemoved) {
  const TemporaryFolder folder;
  write_embedding_layout(folder.path(), {.normalize = true}, 8, Overwrite::replace);

  remove_embedding_layout(folder.path());

  const EmbeddingLayout layout = read_embedding_layout(folder.path());
  EXPECT_FALSE(layout.has_pipeline);
  EXPECT_FALSE(layout.embedding.has_value());
  remove_embedding_layout(folder.path());  // nothing there is no error
}

TEST(SentenceTransformersWriter, NamesTheFolderThatItCannotMake) {
  const TemporaryFolder folder;
  write_file(folder / "1_Pooling", "a file is in the way");

  try {
    write_embedding_layout(folder.path(), {}, 8, Overwrite::replace);
    FAIL() << "a folder was made of a file";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::output);
    EXPECT_THAT(error.what(), HasSubstr("1_Pooling"));
  }
  EXPECT_FALSE(std::filesystem::exists(folder / "modules.json"));
}

}  // namespace
}  // namespace espalier::checkpoint
