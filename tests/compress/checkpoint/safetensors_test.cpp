#include "compress/checkpoint/safetensors.hpp"

#include <gtest/gtest.h>

#include <cstring>
#include <fstream>
#include <sstream>
#include <string>

#include "espalier/error.hpp"
#include "tests/compress/checkpoint/hostile_files.hpp"
#include "tests/support/real_data.hpp"
#include "tests/support/safetensors_builder.hpp"
#include "tests/support/temporary_folder.hpp"

namespace espalier::checkpoint {
namespace {

SafetensorsFile parse(const std::string& bytes) {
  return SafetensorsFile::parse(FileBytes::copy(std::as_bytes(std::span(bytes))),
                                "folder/x.safetensors");
}

// "" when the file is accepted.
std::string refusal(const std::string& bytes) {
  try {
    (void)parse(bytes);
    return "";
  } catch (const Error& error) {
    return error.what();
  }
}

TEST(Safetensors, GivesTensorsWithTheirBytesInFileOrder) {
  const SafetensorsFile file =
      parse(testing::safetensors_file({{"second", {2}, {1, 2}}, {"first", {1, 1}, {3}}}));

  ASSERT_EQ(file.tensors().size(), 2u);
  EXPECT_EQ(file.tensors()[0].name, "second");
  EXPECT_EQ(file.tensors()[1].shape, (std::vector<std::uint64_t>{1, 1}));
  EXPECT_EQ(file.tensors()[1].type, ElementType::f32);
  float value = 0;
  ASSERT_EQ(file.tensors()[1].bytes.size(), sizeof value);
  std::memcpy(&value, file.tensors()[1].bytes.data(), sizeof value);
  EXPECT_EQ(value, 3.0f);
}

TEST(Safetensors, FindsTensorsByNameAlsoAfterAMove) {
  SafetensorsFile original = parse(testing::safetensors_file({{"b", {1}, {1}}, {"a", {1}, {2}}}));
  const TensorView* before = original.find("a");

  const SafetensorsFile file = std::move(original);

  EXPECT_EQ(file.find("a"), before);
  EXPECT_EQ(*before->file, "folder/x.safetensors");
  EXPECT_EQ(file.find("aa"), nullptr);
  EXPECT_EQ(file.find(""), nullptr);
}

TEST(Safetensors, JudgesEachHostileFileAsItMust) {
  for (const testing::HostileFile& file : testing::hostile_safetensors()) {
    const std::string message = refusal(file.bytes);

    EXPECT_EQ(message.empty(), file.accepted) << file.name << ": " << message;
    EXPECT_NE(message.find(file.reason), std::string::npos) << file.name << ": " << message;
    EXPECT_LT(message.size(), 400u) << file.name;
  }
}

TEST(Safetensors, RefusesAFileCutAnywhere) {
  const std::string whole = testing::safetensors_file({{"a", {3}, {1, 2, 3}}, {"b", {1}, {4}}});
  ASSERT_EQ(refusal(whole), "");

  // Each cut gets memory of its own size, so that a sanitizer sees a read past the end.
  for (std::size_t bytes = 0; bytes < whole.size(); ++bytes) {
    EXPECT_NE(refusal(whole.substr(0, bytes)), "") << bytes;
  }
}

TEST(Safetensors, NamesTheFileAndEscapesControlBytesInMessages) {
  const std::string header = R"({"\u001b[31m":{"dtype":"F32","shape":[2],"data_offsets":[0,4]}})";

  const std::string message = refusal(testing::safetensors_frame(header, "abcd"));

  EXPECT_NE(message.find("'x.safetensors': tensor '\\x1b[31m'"), std::string::npos) << message;
}

// What the message says where the memory that a header may cost is at its limit.
std::string refusal_of_resource(const std::string& header) {
  try {
    (void)parse(testing::safetensors_frame(header, ""));
    return "";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::resource);
    return error.what();
  }
}

// {"0": value, "1": value, ...}
std::string object_of(std::size_t n_keys, const std::string& value) {
  std::string text = "{";
  for (std::size_t key = 0; key < n_keys; ++key) {
    text += (key == 0 ? "\"" : ",\"") + std::to_string(key) + "\":" + value;
  }
  return text + "}";
}

TEST(Safetensors, RefusesMoreTensorsThanTheLimitAsAResource) {
  const std::string value = R"({"dtype":"U8","shape":[0],"data_offsets":[0,0]})";

  EXPECT_NE(refusal_of_resource(object_of(kMaxTensors + 1, value)).find("tensors"),
            std::string::npos);
}

TEST(Safetensors, RefusesMoreMetadataThanTheLimitAsAResource) {
  const std::string keys = object_of(kMaxTensors + 1, R"("")");

  EXPECT_NE(refusal_of_resource(R"({"__metadata__":)" + keys + "}").find("__metadata__"),
            std::string::npos);
}

TEST(Safetensors, RefusesMoreDimensionsThanTheLimitAsAResource) {
  std::string shape = "[0";
  for (std::size_t axis = 0; axis < kMaxDimensions; ++axis) shape += ",1";
  const std::string header = R"({"a":{"dtype":"U8","data_offsets":[0,0],"shape":)" + shape + "]}}";

  EXPECT_NE(refusal_of_resource(header).find("dimensions"), std::string::npos);
}

TEST(Safetensors, ReadsAndMapsTheSame) {
  const testing::TemporaryFolder folder;
  testing::write_file(folder / "m.safetensors", testing::safetensors_file({{"a", {1}, {1.5f}}}));

  for (const FileAccess access : {FileAccess::read, FileAccess::map}) {
    const SafetensorsFile file = SafetensorsFile::open(folder / "m.safetensors", access);
    ASSERT_NE(file.find("a"), nullptr);
    EXPECT_EQ(file.find("a")->bytes.size(), 4u);
  }
}

TEST(Safetensors, AgreesWithTheReferenceOnTheHostileCollection) {
  ESPALIER_NEEDS_REAL_DATA();
  const std::filesystem::path folder = testing::real_data() / "data" / "hostile" / "safetensors";
  std::istringstream manifest(testing::read_file(folder / "MANIFEST.tsv"));
  std::string line;
  std::getline(manifest, line);  // header
  int n_files = 0;
  for (; std::getline(manifest, line); ++n_files) {
    const std::string name = line.substr(0, line.find('\t'));
    const bool reference_accepts = line.substr(line.rfind('\t') + 1).starts_with("accepts");

    const std::string message = refusal(testing::read_file(folder / name));

    EXPECT_EQ(message.empty(), reference_accepts) << name << ": " << message;
  }
  EXPECT_GE(n_files, 30);
}

}  // namespace
}  // namespace espalier::checkpoint
