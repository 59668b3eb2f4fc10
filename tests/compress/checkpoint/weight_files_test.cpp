#include "compress/checkpoint/weight_files.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "compress/checkpoint/checkpoint.hpp"
#include "compress/checkpoint/paths.hpp"
#include "espalier/error.hpp"
#include "tests/compress/checkpoint/torch_builder.hpp"
#include "tests/support/safetensors_builder.hpp"
#include "tests/support/temporary_folder.hpp"
#include "tests/support/tiny_checkpoint.hpp"

namespace espalier::checkpoint {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using testing::safetensors_file;
using testing::TemporaryFolder;
using testing::torch_file;
using testing::write_file;

// A folder with the shards one.safetensors {a} and two.safetensors {b}.
class Shards : public ::testing::Test {
 protected:
  Shards() {
    write_file(folder_ / "one.safetensors", safetensors_file({{"a", {1}, {1}}}));
    write_file(folder_ / "two.safetensors", safetensors_file({{"b", {1}, {2}}}));
  }

  std::string refusal_of(const std::string& weight_map) {
    write_file(folder_ / "model.safetensors.index.json", "{\"weight_map\":" + weight_map + "}");
    return refusal();
  }

  std::string refusal() {
    try {
      (void)WeightFiles::open(folder_.path());
      return "";
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::bad_input);
      return error.what();
    }
  }

  TemporaryFolder folder_;
};

TEST_F(Shards, AreFoundByTheirIndex) {
  ASSERT_EQ(refusal_of(R"({"a":"one.safetensors","b":"two.safetensors"})"), "");

  const WeightFiles weights = WeightFiles::open(folder_.path());

  ASSERT_NE(weights.find("a"), nullptr);
  ASSERT_NE(weights.find("b"), nullptr);
  EXPECT_EQ(weights.find("c"), nullptr);
  EXPECT_EQ(weights.find("b")->file->filename(), "two.safetensors");
  EXPECT_EQ(weights.main_file().filename(), "model.safetensors.index.json");
}

TEST_F(Shards, GiveWayToOneFileOfTheUsualName) {
  write_file(folder_ / "model.safetensors", safetensors_file({{"c", {1}, {3}}}));
  ASSERT_EQ(refusal_of(R"({"a":"one.safetensors"})"), "");

  const WeightFiles weights = WeightFiles::open(folder_.path());

  EXPECT_NE(weights.find("c"), nullptr);
  EXPECT_EQ(weights.find("a"), nullptr);
}

TEST_F(Shards, RefuseAnIndexThatDoesNotMatchThem) {
  EXPECT_THAT(refusal_of(R"({"a":"one.safetensors","c":"two.safetensors"})"),
              AllOf(HasSubstr("'c' is not in 'two.safetensors'"), HasSubstr("index.json")));
  EXPECT_THAT(refusal_of(R"({"a":"two.safetensors","b":"one.safetensors"})"), HasSubstr("not in"));
  EXPECT_THAT(refusal_of(R"({"a":"one.safetensors","b":"absent.safetensors"})"),
              HasSubstr("'absent.safetensors' is missing"));
}

TEST_F(Shards, RefuseATensorThatTheIndexDoesNotList) {
  write_file(folder_ / "two.safetensors", safetensors_file({{"b", {1}, {2}}, {"a", {1}, {3}}}));

  EXPECT_THAT(refusal_of(R"({"a":"one.safetensors","b":"two.safetensors"})"),
              AllOf(HasSubstr("'a'"), HasSubstr("not listed")));
}

TEST_F(Shards, RefuseAMalformedIndex) {
  EXPECT_THAT(refusal_of("{}"), HasSubstr("weight_map"));
  EXPECT_THAT(refusal_of("[]"), HasSubstr("weight_map"));
  EXPECT_THAT(refusal_of("null"), HasSubstr("weight_map"));
  EXPECT_THAT(refusal_of(R"({"a":1})"), HasSubstr("plain names"));
  EXPECT_THAT(refusal_of(R"({"a":"one.safetensors","a":"two.safetensors"})"), HasSubstr("twice"));
}

TEST_F(Shards, RefusePathsThatLeaveTheFolder) {
  const TemporaryFolder elsewhere;
  write_file(elsewhere / "one.safetensors", safetensors_file({{"a", {1}, {1}}}));
  const std::string path = (elsewhere / "one.safetensors").string();

  for (const std::string& name :
       {path, std::string("../one.safetensors"), std::string("x/../one.safetensors"),
        std::string("./one.safetensors"), std::string(".."), std::string("")}) {
    EXPECT_THAT(refusal_of(R"({"a":")" + name + "\"}"), HasSubstr("plain names")) << name;
  }
}

TEST_F(Shards, RefuseALinkOutOfTheFolderButNotOneWithin) {
  const TemporaryFolder elsewhere;
  write_file(elsewhere / "a.safetensors", safetensors_file({{"a", {1}, {1}}}));
  std::filesystem::create_symlink(elsewhere / "a.safetensors", folder_ / "out.safetensors");
  std::filesystem::create_symlink("one.safetensors", folder_ / "in.safetensors");

  EXPECT_THAT(refusal_of(R"({"a":"out.safetensors"})"), HasSubstr("link out of this folder"));
  EXPECT_EQ(refusal_of(R"({"a":"in.safetensors"})"), "");
}

TEST_F(Shards, OfTorchAreFoundByTheirIndex) {
  write_file(folder_ / "one.bin", torch_file({{"a", {1}, {1}}}));
  write_file(folder_ / "two.bin", torch_file({{"b", {1}, {2}}}));
  write_file(folder_ / "pytorch_model.bin.index.json",
             R"({"weight_map":{"a":"one.bin","b":"two.bin"}})");

  const WeightFiles weights = WeightFiles::open(folder_.path());

  EXPECT_EQ(weights.files().size(), 2u);
  EXPECT_EQ(weights.find("b")->file->filename(), "two.bin");
  EXPECT_EQ(weights.files()[0].path().filename(), "one.bin");
  EXPECT_EQ(weights.main_file().filename(), "pytorch_model.bin.index.json");
}

TEST_F(Shards, OfTorchAreCheckedLikeOthers) {
  write_file(folder_ / "one.bin", torch_file({{"a", {1}, {1}}}));
  const auto refused = [this](const std::string& weight_map) {
    write_file(folder_ / "pytorch_model.bin.index.json", "{\"weight_map\":" + weight_map + "}");
    return refusal();
  };

  EXPECT_EQ(refused(R"({"a":"one.bin"})"), "");
  EXPECT_THAT(refused(R"({"b":"one.bin"})"),
              AllOf(HasSubstr("pytorch_model.bin.index.json"), HasSubstr("'b' is not in")));
  EXPECT_THAT(refused(R"({"a":"../one.bin"})"), HasSubstr("plain names"));
  EXPECT_THAT(refused(R"({"a":"one.safetensors"})"), HasSubstr("is a safetensors file"));
}

TEST(WeightFiles, PrefersSafetensorsToTorchFiles) {
  const TemporaryFolder folder;
  write_file(folder / "pytorch_model.bin", torch_file({{"t", {1}, {1}}}));

  EXPECT_NE(WeightFiles::open(folder.path()).find("t"), nullptr);

  write_file(folder / "pytorch_model.bin.index.json", R"({"weight_map":{"t":"absent.bin"}})");
  EXPECT_NE(WeightFiles::open(folder.path()).find("t"), nullptr);

  write_file(folder / "one.safetensors", safetensors_file({{"s", {1}, {1}}}));
  write_file(folder / "model.safetensors.index.json", R"({"weight_map":{"s":"one.safetensors"}})");
  EXPECT_NE(WeightFiles::open(folder.path()).find("s"), nullptr);
  EXPECT_EQ(WeightFiles::open(folder.path()).find("t"), nullptr);
}

TEST(WeightFiles, RefusesATorchFileThatIsNone) {
  const TemporaryFolder folder;
  write_file(folder / "pytorch_model.bin", "PK\3\4");

  try {
    (void)WeightFiles::open(folder.path());
    FAIL() << "accepted";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::bad_input);
    EXPECT_THAT(error.what(), AllOf(HasSubstr("'pytorch_model.bin'"), HasSubstr("cut short")));
  }
}

TEST(WeightFiles, GiveTheSameCheckpointWhicheverFileHoldsThem) {
  const TemporaryFolder folder;
  const testing::TinyCheckpoint tiny = {
      .stored_as = testing::StoredAs::f16, .uneven = {{{}, 8}, {{0, 3}, 0}}, .embedding_rank = 5};
  write_tiny_checkpoint(folder / "safetensors", tiny);
  write_tiny_checkpoint(folder / "torch", tiny);
  std::filesystem::remove(folder / "torch" / "model.safetensors");
  write_file(folder / "torch" / "pytorch_model.bin", torch_file(testing::tiny_tensors(tiny)));

  const Checkpoint expected = Checkpoint::open(folder / "safetensors");
  const Checkpoint checkpoint = Checkpoint::open(folder / "torch");

  const auto values = [](const Checkpoint& from) {
    std::vector<float> all = from.parameters().word_embeddings.read_f32();
    const auto add = [&all](const TensorRef& tensor) {
      const std::vector<float> some = tensor.read_f32();
      all.insert(all.end(), some.begin(), some.end());
    };
    add(from.parameters().word_projection.value());
    for (const LayerParameters& layer : from.parameters().layers) {
      add(layer.query.weight);
      add(layer.output.weight);
    }
    return all;
  };
  EXPECT_EQ(values(checkpoint), values(expected));
  EXPECT_EQ(checkpoint.parameters().word_embeddings.stored_as(), ElementType::f16);
}

TEST(WeightFiles, RefusesAFolderWithoutWeights) {
  const TemporaryFolder folder;

  EXPECT_THROW((void)WeightFiles::open(folder.path()), Error);
}

TEST(Paths, PlainNamesAreJustThat) {
  for (const char* name : {"a", "model-00001-of-00002.safetensors", "..a", ".hidden", "名"}) {
    EXPECT_TRUE(is_plain_name(name)) << name;
  }
  for (const std::string& name :
       {std::string(), std::string("."), std::string(".."), std::string("a/b"), std::string("/"),
        std::string("a\\b"), std::string("a\0b", 3), std::string("a\n"), std::string(256, 'a')}) {
    EXPECT_FALSE(is_plain_name(name)) << name;
  }
}

}  // namespace
}  // namespace espalier::checkpoint
