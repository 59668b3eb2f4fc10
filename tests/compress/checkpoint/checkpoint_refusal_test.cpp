#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <limits>
#include <random>
#include <string>
#include <string_view>

#include "tests/compress/checkpoint/edited_checkpoint.hpp"

namespace espalier::checkpoint {
namespace {

using ::testing::AllOf;
using testing::by_name;
using ::testing::HasSubstr;
using testing::refusal;
using testing::TemporaryFolder;
using testing::TensorList;
using testing::TinyArchitecture;
using testing::TinyCheckpoint;
using testing::TinyTensor;
using testing::write_tiny_checkpoint;

TEST(CheckpointRefusal, RefusesUnevenWeightsWithoutTheirWidths) {
  const std::string message =
      refusal({.uneven = {{{0, 3}, 48}, {{2}, 17}}, .config_patch = R"({"espalier":null})"});

  EXPECT_THAT(message, AllOf(HasSubstr("'model.safetensors'"),
                             HasSubstr("'bert.encoder.layer.0.attention.self.query.weight'"),
                             HasSubstr("[16, 32]"), HasSubstr("[32, 32]")));
}

TEST(CheckpointRefusal, RefusesAMissingTensorNamingItAndItsShape) {
  const std::string name = "bert.encoder.layer.1.output.dense.weight";

  const std::string message =
      refusal({.edit_tensors = [&](TensorList& tensors) { remove(tensors, name); }});

  EXPECT_THAT(message, AllOf(HasSubstr("'" + name + "' is missing"), HasSubstr("[32, 64]"),
                             HasSubstr("'model.safetensors'")));
}

TEST(CheckpointRefusal, RefusesAModelWithoutTheLayersOfItsConfig) {
  EXPECT_THAT(refusal({.config_patch = R"({"num_hidden_layers":3})"}),
              HasSubstr("'bert.encoder.layer.2.attention.self.query.weight' is missing"));
  EXPECT_THAT(refusal({.config_patch = R"({"num_hidden_layers":1})"}),
              AllOf(HasSubstr("'bert.encoder.layer.1."), HasSubstr("is no part of the model")));
}

TEST(CheckpointRefusal, RefusesAVocabularyOfAnotherSizeNamingBothShapes) {
  EXPECT_THAT(refusal({.config_patch = R"({"vocab_size":999})"}),
              AllOf(HasSubstr("word_embeddings"), HasSubstr("[999, 32]")));
}

TEST(CheckpointRefusal, RefusesLabelsThatAreNotTheRowsOfTheClassifier) {
  EXPECT_THAT(refusal({.config_patch = R"({"id2label":{"2":"third"}})"}),
              AllOf(HasSubstr("'classifier.weight'"), HasSubstr("[2, 32]"), HasSubstr("[3, 32]")));
}

TEST(CheckpointRefusal, RefusesASequenceClassifierWithoutPooler) {
  EXPECT_THAT(refusal({.pooler = false}), HasSubstr("'bert.pooler.dense.weight' is missing"));
  EXPECT_EQ(refusal({.architecture = TinyArchitecture::model, .pooler = false}), "");
}

TEST(CheckpointRefusal, RefusesOneParameterUnderTwoNames) {
  EXPECT_THAT(refusal({.edit_tensors =
                           [](TensorList& tensors) {
                             tensors.push_back(
                                 {"bert.embeddings.LayerNorm.gamma", {32}, std::vector<float>(32)});
                           }}),
              HasSubstr("same parameter"));
  EXPECT_THAT(refusal({.edit_tensors =
                           [](TensorList& tensors) {
                             TinyTensor copy =
                                 by_name(tensors, "bert.embeddings.word_embeddings.weight");
                             copy.name = "embeddings.word_embeddings.weight";
                             tensors.push_back(copy);
                           }}),
              HasSubstr("same parameter"));
}

TEST(CheckpointRefusal, RefusesTensorsThatWouldChangeWhatTheEncoderComputes) {
  for (const char* name : {"bert.encoder.layer.0.attention.self.distance_embedding.weight",
                           "bert.encoder.layer.0.crossattention.self.query.weight",
                           "bert.encoder.layer.0.attention.self.query.lora_A.weight",
                           "bert.embeddings.projection.weight", "encoder.layer.0.output.adapter"}) {
    const std::string message = refusal({.edit_tensors = [&](TensorList& tensors) {
      tensors.push_back({name, {1}, {0}});
    }});

    EXPECT_THAT(message, AllOf(HasSubstr(name), HasSubstr("is no part of the model")));
  }
}

TEST(CheckpointRefusal, RefusesAWordTableWhoseFactorsDoNotFitItsRank) {
  const std::string projection = "bert.embeddings.word_projection.weight";
  const TinyCheckpoint tiny{.embedding_rank = 7};
  TinyCheckpoint whole = tiny;
  whole.config_patch = R"({"espalier":null})";
  TinyCheckpoint other = tiny;
  other.config_patch = R"({"espalier":{"embedding_rank":8}})";
  TinyCheckpoint alone = tiny;
  alone.edit_tensors = [&](TensorList& tensors) { remove(tensors, projection); };
  const TinyCheckpoint extra{.edit_tensors = [&](TensorList& tensors) {
    tensors.push_back({projection, {1}, {0}});
  }};

  EXPECT_THAT(refusal(whole), AllOf(HasSubstr("word_embeddings"), HasSubstr(", 7]")));
  EXPECT_THAT(refusal(other), AllOf(HasSubstr("word_embeddings"), HasSubstr(", 8]")));
  EXPECT_THAT(refusal(alone), AllOf(HasSubstr(projection), HasSubstr("[32, 7]")));
  EXPECT_THAT(refusal(extra), AllOf(HasSubstr(projection), HasSubstr("is no part of the model")));
}

TEST(CheckpointRefusal, RefusesValuesThatAreNotFiniteWhenTheyAreRead) {
  for (const float value :
       {std::numeric_limits<float>::infinity(), std::numeric_limits<float>::quiet_NaN()}) {
    const TemporaryFolder folder;
    write_tiny_checkpoint(folder.path(), {.edit_tensors = [value](TensorList& tensors) {
                            by_name(tensors, "classifier.weight").values[40] = value;
                          }});
    const Checkpoint checkpoint = Checkpoint::open(folder.path());

    try {
      (void)checkpoint.parameters().classifier->weight.read_f32();
      FAIL() << "accepted " << value;
    } catch (const Error& error) {
      EXPECT_THAT(error.what(), AllOf(HasSubstr("'classifier.weight' is not finite at value 40"),
                                      HasSubstr("'model.safetensors'")));
    }
  }
}

TEST(CheckpointRefusal, RefusesWeightsThatAreIntegers) {
  const TemporaryFolder folder;
  write_tiny_checkpoint(folder.path());
  std::string bytes = testing::read_file(folder / "model.safetensors");
  bytes.replace(bytes.find("\"F32\""), 5, "\"I32\"");
  testing::write_file(folder / "model.safetensors", bytes);

  EXPECT_THROW(
      try { (void)Checkpoint::open(folder.path()); } catch (const Error& error) {
        EXPECT_THAT(error.what(), AllOf(HasSubstr("word_embeddings"), HasSubstr("is I32")));
        throw;
      },
      Error);
}

// An MLM checkpoint whose decoder is stored as well.
TinyCheckpoint with_decoder(float difference, const std::string& config_patch = "{}") {
  return {.architecture = TinyArchitecture::masked_lm,
          .config_patch = config_patch,
          .edit_tensors = [difference](TensorList& tensors) {
            TinyTensor decoder = by_name(tensors, "bert.embeddings.word_embeddings.weight");
            decoder.name = "cls.predictions.decoder.weight";
            decoder.values.back() += difference;
            tensors.push_back(decoder);
          }};
}

TEST(CheckpointRefusal, AcceptsAStoredDecoderOnlyWhenItIsTheWordEmbeddings) {
  EXPECT_EQ(refusal(with_decoder(0.0f)), "");
  EXPECT_EQ(refusal(with_decoder(0.0f, R"({"tie_word_embeddings":false})")), "");
  EXPECT_THAT(refusal(with_decoder(0.25f)),
              AllOf(HasSubstr("'cls.predictions.decoder.weight' differs"), HasSubstr("tied")));
}

TEST(CheckpointRefusal, AcceptsADecoderStoredInAWiderType) {
  TinyCheckpoint tiny = with_decoder(0.0f);
  const auto add_decoder = tiny.edit_tensors;
  tiny.edit_tensors = [add_decoder](TensorList& tensors) {
    add_decoder(tensors);
    tensors.back().stored_as = testing::StoredAs::f64;
  };

  EXPECT_EQ(refusal(tiny), "");
}

TEST(CheckpointRefusal, NeedsAStoredDecoderWhenItIsNotTied) {
  EXPECT_THAT(refusal({.architecture = TinyArchitecture::masked_lm,
                       .config_patch = R"({"tie_word_embeddings":false})"}),
              HasSubstr("'cls.predictions.decoder.weight' is missing"));
}

TEST(CheckpointRefusal, TakesTheDecoderBiasUnderEitherName) {
  const auto rename = [](TensorList& tensors) {
    by_name(tensors, "cls.predictions.bias").name = "cls.predictions.decoder.bias";
  };
  const auto both = [](float difference) {
    return [difference](TensorList& tensors) {
      TinyTensor copy = by_name(tensors, "cls.predictions.bias");
      copy.name = "cls.predictions.decoder.bias";
      copy.values[3] += difference;
      tensors.push_back(copy);
    };
  };
  const auto message = [](const auto& edit) {
    return refusal({.architecture = TinyArchitecture::masked_lm, .edit_tensors = edit});
  };

  EXPECT_EQ(message(rename), "");
  EXPECT_EQ(message(both(0.0f)), "");
  EXPECT_THAT(message(both(1.0f)), HasSubstr("differ"));
  EXPECT_THAT(message([](TensorList& tensors) { remove(tensors, "cls.predictions.bias"); }),
              HasSubstr("'cls.predictions.bias' is missing"));
}

TEST(CheckpointRefusal, TakesAConfigWithoutArchitecturesForAModelOnlyIfThereIsNoHead) {
  const std::string patch = R"({"architectures":null})";

  EXPECT_EQ(refusal({.architecture = TinyArchitecture::model, .config_patch = patch}), "");
  EXPECT_THAT(refusal({.config_patch = patch}), HasSubstr("'architectures' is missing"));
}

TEST(CheckpointRefusal, NamesTheFolderAndTheFileThatIsWrong) {
  const TemporaryFolder folder;
  write_tiny_checkpoint(folder / "mine");
  testing::write_file(folder / "mine" / "config.json", "{");

  try {
    (void)Checkpoint::open(folder / "mine");
    FAIL() << "accepted";
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), AllOf(HasSubstr("mine': config.json: "), HasSubstr("byte 2")));
  }
}

TEST(CheckpointRefusal, RefusesWhatIsNoFolder) {
  const TemporaryFolder folder;
  testing::write_file(folder / "file", "");

  EXPECT_THROW((void)Checkpoint::open(folder / "absent"), Error);
  EXPECT_THROW((void)Checkpoint::open(folder / "file"), Error);
  EXPECT_THROW((void)Checkpoint::open(folder.path()), Error);  // no config.json
}

TEST(CheckpointRefusal, AnswersDamagedFilesWithAnErrorAndNothingElse) {
  const TemporaryFolder folder;
  write_tiny_checkpoint(folder.path(), {.architecture = TinyArchitecture::model,
                                        .uneven = {{{0, 3}, 48}, {{2}, 17}},
                                        .shards = 2,
                                        .sentence_transformers = true});
  const std::string_view alphabet = "0123456789-.eE\"{}[],:truefalsn\\ \xc3";
  std::mt19937 random(7);
  int n_refused = 0;
  for (const char* name :
       {"config.json", "modules.json", "1_Pooling/config.json", "sentence_bert_config.json",
        "model.safetensors.index.json", "model-00002-of-00002.safetensors"}) {
    const std::string whole = testing::read_file(folder / name);
    for (int round = 0; round < 100; ++round) {
      std::string damaged = whole;
      // The first 2000 bytes hold the whole of the small files and the header of the large one.
      const std::size_t place = random() % std::min<std::size_t>(damaged.size(), 2000);
      damaged[place] = alphabet[random() % alphabet.size()];
      testing::write_file(folder / name, damaged);
      try {
        (void)Checkpoint::open(folder.path());
      } catch (const Error&) {
        ++n_refused;
      }
    }
    testing::write_file(folder / name, whole);
  }

  EXPECT_GT(n_refused, 300);
  EXPECT_NO_THROW((void)Checkpoint::open(folder.path()));
}

}  // namespace
}  // namespace espalier::checkpoint
