// What cannot be converted is refused with what, where and why, before any work.
#include <gtest/gtest.h>

#include <limits>

#include "compress/export/export.hpp"
#include "espalier/error.hpp"
#include "tests/support/temporary_folder.hpp"
#include "tests/support/tiny_checkpoint.hpp"
#include "tests/support/tiny_vocabulary.hpp"

namespace espalier::compress {
namespace {

using testing::TemporaryFolder;
using testing::TinyArchitecture;
using testing::TinyCheckpoint;
using testing::TinyTensor;
using testing::write_file;
using testing::write_tiny_checkpoint;

/// Code and message of the error that exporting `folder` gives.
std::string refusal(const std::filesystem::path& folder, const ExportOptions& options = {}) {
  try {
    (void)export_checkpoint(folder, options);
  } catch (const Error& error) {
    return std::to_string(static_cast<int>(error.code())) + ": " + error.what();
  }
  return "no error";
}

bool says(const std::string& message, std::string_view part) {
  return message.find(part) != std::string::npos;
}

TEST(ExportRefuses, AVocabularyOfAnotherSizeNamingBothCounts) {
  const TemporaryFolder folder;
  write_tiny_checkpoint(folder.path());
  write_file(folder / "vocab.txt", testing::tiny_vocabulary_text() + "extra\n");
  const std::size_t n_rows = testing::tiny_vocabulary().size();

  const std::string message = refusal(folder.path());

  EXPECT_TRUE(says(message, "3: the vocabulary has " + std::to_string(n_rows + 1))) << message;
  EXPECT_TRUE(says(message, std::to_string(n_rows) + " rows")) << message;
}

TEST(ExportRefuses, AWeightThatIsNotANumberNamingTheTensor) {
  const TemporaryFolder folder;
  TinyCheckpoint tiny;
  tiny.edit_tensors = [](std::vector<TinyTensor>& tensors) {
    for (TinyTensor& tensor : tensors) {
      if (tensor.name == "bert.encoder.layer.1.output.dense.weight") {
        tensor.values[7] = std::numeric_limits<float>::quiet_NaN();
      }
    }
  };
  write_tiny_checkpoint(folder.path(), tiny);

  for (const Precision precision : {Precision::fp32, Precision::int8, Precision::bf16}) {
    const std::string message = refusal(folder.path(), {.precision = precision});

    EXPECT_TRUE(says(message, "encoder.layer.1.output.dense.weight")) << message;
    EXPECT_TRUE(says(message, "3: ")) << message;
  }
}

TEST(ExportRefuses, AModelWhoseAnswersOverflow) {
  const TemporaryFolder folder;
  TinyCheckpoint tiny;
  tiny.edit_tensors = [](std::vector<TinyTensor>& tensors) {
    for (TinyTensor& tensor : tensors) {
      if (tensor.name == "classifier.weight") {
        for (float& value : tensor.values) value = 3e38F;
      }
    }
  };
  write_tiny_checkpoint(folder.path(), tiny);

  const std::string message = refusal(folder.path());

  EXPECT_TRUE(says(message, "1: ")) << message;
}

TEST(ExportRefuses, ALengthThatTheModelCannotHave) {
  const TemporaryFolder folder;
  write_tiny_checkpoint(folder.path());

  EXPECT_TRUE(says(refusal(folder.path(), {.max_length = 65}), "2: a sentence can have 3 to 64"));
  EXPECT_TRUE(says(refusal(folder.path(), {.max_length = 2}), "asked for were 2"));
}

TEST(ExportRefuses, ALowerCaseRequestThatTheTokenizerWouldIgnore) {
  const TemporaryFolder folder;
  TinyCheckpoint tiny;
  tiny.architecture = TinyArchitecture::model;
  tiny.sentence_transformers = true;
  write_tiny_checkpoint(folder.path(), tiny);
  write_file(folder / "sentence_bert_config.json",
             R"({"max_seq_length": 32, "do_lower_case": true})");
  write_file(folder / "tokenizer_config.json",
             R"({"do_lower_case": false, "tokenizer_class": "BertTokenizer"})");

  EXPECT_TRUE(says(refusal(folder.path()), "do_lower_case"));
}

TEST(ExportRefuses, AFolderWithoutATokenizer) {
  const TemporaryFolder folder;
  write_tiny_checkpoint(folder.path());
  std::filesystem::remove(folder / "vocab.txt");

  EXPECT_TRUE(says(refusal(folder.path()), "vocab.txt"));
}

TEST(ExportRefuses, AFolderThatIsNotThere) {
  const TemporaryFolder folder;

  EXPECT_TRUE(says(refusal(folder / "nowhere"), "3: "));
}

TEST(Export, AnExceptionOfTheProgressCallbackEndsIt) {
  const TemporaryFolder folder;
  write_tiny_checkpoint(folder.path());
  ExportOptions options;
  options.on_progress = [](double share, std::string_view) {
    if (share > 0.1) throw Error(ErrorCode::interrupted, "stopped");
  };

  EXPECT_EQ(refusal(folder.path(), options), "130: stopped");
}

}  // namespace
}  // namespace espalier::compress
