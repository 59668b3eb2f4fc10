#include "compress/checkpoint/torch_file.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>
#include <string>

#include "espalier/error.hpp"
#include "tests/compress/checkpoint/torch_builder.hpp"

namespace espalier::checkpoint {
namespace {

using namespace std::string_literals;
using ::testing::AllOf;
using testing::dict;
using testing::encode;
using testing::global;
using ::testing::HasSubstr;
using testing::list;
using testing::number;
using testing::storage;
using testing::StoredAs;
using testing::tensor;
using testing::text;
using testing::torch_legacy_file;
using testing::torch_zip_file;
using testing::tuple;

TorchFile parse(const std::string& bytes) {
  return TorchFile::parse(FileBytes::copy(std::as_bytes(std::span(bytes))), "folder/x.bin");
}

std::string refusal(const std::string& bytes) {
  try {
    (void)parse(bytes);
    return "";
  } catch (const Error& error) {
    return error.what();
  }
}

std::vector<float> values(const TorchFile& file, std::string_view name) {
  const TensorView* view = file.find(name);
  if (view == nullptr || view->type != ElementType::f32) return {};
  std::vector<float> floats(view->bytes.size() / sizeof(float));
  if (!floats.empty()) std::memcpy(floats.data(), view->bytes.data(), view->bytes.size());
  return floats;
}

const std::string kSix = encode({0, 1, 2, 3, 4, 5}, StoredAs::f32);

std::string six(const std::string& last_item = "") {
  return storage("FloatStorage", "k", 6, last_item);
}

TEST(TorchFile, SeesPartsOfOneStorageInBothLayouts) {
  const std::string object = dict(
      {text("whole"), tensor({.storage = six(), .shape = {2, 3}, .strides = {3, 1}}), text("end"),
       tensor({.storage = six(), .offset = 4, .shape = {2}, .strides = {1}}), text("one"),
       tensor({.storage = six(), .offset = 5, .shape = {}, .strides = {}}), text("none"),
       tensor({.storage = six(), .offset = 6, .shape = {0, 9}, .strides = {9, 1}})});
  for (const std::string& bytes :
       {torch_zip_file(object, {{"k", kSix}}), torch_legacy_file(object, {{"k", kSix}})}) {
    const TorchFile file = parse(bytes);

    EXPECT_EQ(values(file, "whole"), (std::vector<float>{0, 1, 2, 3, 4, 5}));
    EXPECT_EQ(values(file, "end"), (std::vector<float>{4, 5}));
    EXPECT_EQ(values(file, "one"), (std::vector<float>{5}));
    EXPECT_EQ(file.find("none")->shape, (std::vector<std::uint64_t>{0, 9}));
    EXPECT_TRUE(file.find("none")->bytes.empty());
    EXPECT_EQ(file.tensors()[1].name, "end");
    EXPECT_EQ(*file.tensors()[1].file, "folder/x.bin");
    // Shared, not copied.
    EXPECT_EQ(file.find("end")->bytes.data(), file.find("whole")->bytes.data() + 16);
  }
}

TEST(TorchFile, BringsStridedTensorsIntoOrder) {
  const TorchFile file = parse(torch_zip_file(
      dict({text("transposed"), tensor({.storage = six(), .shape = {3, 2}, .strides = {1, 3}}),
            text("every other"),
            tensor({.storage = six(), .offset = 1, .shape = {3}, .strides = {2}}), text("repeated"),
            tensor({.storage = six(), .offset = 2, .shape = {2, 2}, .strides = {0, 1}}),
            text("axis of one"),
            tensor({.storage = six(), .shape = {3, 1, 2}, .strides = {2, 77, 1}})}),
      {{"k", kSix}}));

  EXPECT_EQ(values(file, "transposed"), (std::vector<float>{0, 3, 1, 4, 2, 5}));
  EXPECT_EQ(values(file, "every other"), (std::vector<float>{1, 3, 5}));
  EXPECT_EQ(values(file, "repeated"), (std::vector<float>{2, 3, 2, 3}));
  EXPECT_EQ(values(file, "axis of one"), (std::vector<float>{0, 1, 2, 3, 4, 5}));
}

TEST(TorchFile, TurnsTheBytesOfABigEndianMachine) {
  const std::string object = dict(
      {text("h"), tensor({.storage = storage("HalfStorage", "k", 2), .shape = {2}, .strides = {1}}),
       text("b"),
       tensor({.storage = storage("ByteStorage", "b", 2), .shape = {2}, .strides = {1}})});

  const TorchFile file = parse(torch_zip_file(object, {{"k", "\1\2\3\4"}, {"b", "\5\6"}}, "big"));

  const auto bytes = [&file](std::string_view name) {
    const auto view = file.find(name)->bytes;
    return std::string(reinterpret_cast<const char*>(view.data()), view.size());
  };
  EXPECT_EQ(bytes("h"), "\2\1\4\3");
  EXPECT_EQ(bytes("b"), "\5\6");
  EXPECT_THAT(refusal(torch_zip_file(object, {{"k", "\1\2\3\4"}, {"b", "\5\6"}}, "middle")),
              HasSubstr("'middle', expected 'little' or 'big'"));
}

TEST(TorchFile, NamesNestedTensorsByTheWayToThem) {
  const std::string one = tensor({.storage = six(), .shape = {}, .strides = {}});
  const std::string parameter =
      global("torch._utils", "_rebuild_parameter") + tuple({one, "\x88", dict({})}) + "R";

  const TorchFile file =
      parse(torch_zip_file(dict({text("model"), dict({text("a.b"), one, number(7), parameter}),
                                 text("list"), list({one, tuple({"N", one})}), text("epoch"),
                                 number(3), text("loss"), "G12345678", text("done"), "\x88"}),
                           {{"k", kSix}}));

  std::vector<std::string> names;
  for (const TensorView& view : file.tensors()) names.push_back(view.name);
  EXPECT_EQ(names, (std::vector<std::string>{"model.a.b", "model.7", "list.0", "list.1.1"}));
  EXPECT_NE(parse(torch_zip_file(one, {{"k", kSix}})).find(""), nullptr);
}

TEST(TorchFile, ReadsEachTypeOfStorage) {
  const std::pair<const char*, ElementType> types[] = {
      {"FloatStorage", ElementType::f32}, {"DoubleStorage", ElementType::f64},
      {"HalfStorage", ElementType::f16},  {"BFloat16Storage", ElementType::bf16},
      {"LongStorage", ElementType::i64},  {"IntStorage", ElementType::i32},
      {"ShortStorage", ElementType::i16}, {"CharStorage", ElementType::i8},
      {"ByteStorage", ElementType::u8},   {"BoolStorage", ElementType::boolean},
  };
  for (const auto& [name, type] : types) {
    const std::string bytes(3 * (bits_of(type) / 8), '\1');
    const std::string object =
        tensor({.storage = storage(name, "k", 3), .shape = {3}, .strides = {1}});

    const TorchFile file = parse(torch_zip_file(object, {{"k", bytes}}));

    EXPECT_EQ(file.find("")->type, type);
    EXPECT_EQ(file.find("")->bytes.size(), bytes.size());
  }
}

TEST(TorchFile, SeesTheViewsOfOldStorages) {
  const auto viewed = [](std::int64_t first, std::int64_t count, std::int64_t offset) {
    return torch_legacy_file(
        tensor({.storage = six(tuple({text("view"), number(first), number(count)})),
                .offset = offset,
                .shape = {2},
                .strides = {1}}),
        {{"k", kSix}});
  };

  EXPECT_EQ(values(parse(viewed(2, 3, 1)), ""), (std::vector<float>{3, 4}));
  EXPECT_THAT(refusal(viewed(2, 3, 2)), HasSubstr("reaches to element 4"));
  EXPECT_THAT(refusal(viewed(2, 5, 0)), HasSubstr("past its end"));
  EXPECT_THAT(refusal(viewed(INT64_MAX, INT64_MAX, 0)), HasSubstr("past its end"));
}

TEST(TorchFile, RefusesTensorsThatGoBeyondTheirStorage) {
  const auto refused = [](const testing::TensorParts& parts) {
    return refusal(torch_zip_file(dict({text("w"), tensor(parts)}), {{"k", kSix}}));
  };
  const std::int64_t half = std::int64_t{1} << 32;

  EXPECT_THAT(refused({.storage = six(), .shape = {7}, .strides = {1}}),
              AllOf(HasSubstr("'x.bin'"), HasSubstr("tensor 'w'"), HasSubstr("element 7"),
                    HasSubstr("has 6")));
  EXPECT_THAT(refused({.storage = six(), .offset = 7, .shape = {0}, .strides = {1}}),
              HasSubstr("element 7"));
  EXPECT_THAT(refused({.storage = six(), .offset = 1, .shape = {2}, .strides = {5}}),
              HasSubstr("element 7"));
  EXPECT_THAT(refused({.storage = six(), .shape = {half, half}, .strides = {0, 0}}),
              HasSubstr("overflows"));
  EXPECT_THAT(refused({.storage = six(), .shape = {half, half, 0}, .strides = {0, 0, 0}}),
              HasSubstr("overflows"));
  EXPECT_THAT(refused({.storage = six(), .shape = {2, 2}, .strides = {INT64_MAX, INT64_MAX}}),
              HasSubstr("element 18446744073709551615"));
  EXPECT_THAT(refused({.storage = six(), .shape = {3}, .strides = {INT64_MAX}}),
              HasSubstr("element 18446744073709551615"));
  EXPECT_THAT(refused({.storage = six(), .shape = {4}, .strides = {INT64_MAX}}),
              HasSubstr("overflows"));
  EXPECT_THAT(refused({.storage = six(), .shape = {-1}, .strides = {1}}), HasSubstr("shape"));
  EXPECT_THAT(refused({.storage = six(), .shape = {2}, .strides = {-1}}), HasSubstr("strides"));
  EXPECT_THAT(refused({.storage = six(), .offset = -1, .shape = {}, .strides = {}}),
              HasSubstr("offset"));
  EXPECT_THAT(refused({.storage = six(), .shape = {2}, .strides = {}}), HasSubstr("1 axes and 0"));
}

TEST(TorchFile, RefusesStoragesOfAnotherSizeOrNone) {
  const std::string object =
      dict({text("w"), tensor({.storage = six(), .shape = {6}, .strides = {1}})});

  EXPECT_THAT(refusal(torch_zip_file(object, {{"k", kSix + "x"}})),
              AllOf(HasSubstr("tensor 'w'"), HasSubstr("storage 'k' has 25 bytes")));
  EXPECT_THAT(refusal(torch_zip_file(object, {{"k", kSix + kSix}})), HasSubstr("48 bytes"));
  EXPECT_THAT(refusal(torch_zip_file(object, {{"other", kSix}})),
              HasSubstr("storage 'k', which is not in the archive"));
  EXPECT_THAT(refusal(torch_legacy_file(object, {{"k", kSix + kSix}})),
              HasSubstr("has 12 elements, its tensors expect 6"));
  EXPECT_THAT(refusal(torch_legacy_file(object, {})), HasSubstr("storage 'k', which is not"));
  EXPECT_THAT(refusal(torch_legacy_file(object, {{"k", kSix}, {"l", kSix}})),
              HasSubstr("'l', which has no use"));
  EXPECT_THAT(refusal(torch_legacy_file(object, {{"k", kSix}, {"k", kSix}})), HasSubstr("twice"));
  EXPECT_THAT(refusal(torch_legacy_file(object, {{"k", kSix}}) + "x"),
              HasSubstr("1 bytes after its last storage"));
  EXPECT_THAT(
      refusal(torch_legacy_file(
          dict({text("a"), tensor({.storage = six(), .shape = {}, .strides = {}}), text("b"),
                tensor({.storage = storage("IntStorage", "k", 6), .shape = {}, .strides = {}})}),
          {{"k", kSix}})),
      HasSubstr("'k' in two ways"));
}

TEST(TorchFile, RefusesTensorsThatAreNotAsTorchWritesThem) {
  const auto refused = [](const std::string& object) {
    return refusal(torch_zip_file(object, {{"k", kSix}}));
  };
  const std::string one = tensor({.storage = six(), .shape = {}, .strides = {}});

  EXPECT_THAT(refused(dict({})), HasSubstr("holds no tensors"));
  EXPECT_THAT(refused(list({number(1), text("a")})), HasSubstr("holds no tensors"));
  EXPECT_THAT(refused(dict({text("a"), dict({text("b"), one}), text("a.b"), one})),
              HasSubstr("'a.b' twice"));
  EXPECT_THAT(refused(dict({"N", one})), HasSubstr("neither text nor number"));
  EXPECT_THAT(refused(global("torch._utils", "_rebuild_tensor_v2") + ")R"),
              HasSubstr("another number of parts"));
  EXPECT_THAT(refused(global("torch._utils", "_rebuild_parameter") +
                      tuple({number(1), "\x88", dict({})}) + "R"),
              HasSubstr("parameter of what is no tensor"));
  EXPECT_THAT(refused(tensor({.storage = number(1), .shape = {}, .strides = {}})),
              HasSubstr("no storage"));
  EXPECT_THAT(refused(tensor({.storage = "NQ", .shape = {}, .strides = {}})),
              HasSubstr("without a description"));
  EXPECT_THAT(
      refused(tensor({.storage = tuple({text("module")}) + "Q", .shape = {}, .strides = {}})),
      HasSubstr("malformed"));
  EXPECT_THAT(refused(tensor({.storage = six(),
                              .shape = {},
                              .strides = {},
                              .last_item = dict({text("neg"), "\x88"})})),
              HasSubstr("negated"));
  EXPECT_EQ(refused(tensor({.storage = six(), .shape = {}, .strides = {}, .last_item = dict({})})),
            "");
  EXPECT_THAT(refused(tensor({.storage = six(),
                              .shape = std::vector<std::int64_t>(65, 1),
                              .strides = std::vector<std::int64_t>(65, 1)})),
              HasSubstr("more than 64 axes"));
}

TEST(TorchFile, RefusesBombs) {
  const auto refused = [](const std::string& object) {
    return refusal(torch_zip_file(object, {{"k", kSix}}));
  };
  // A list of a list of ...
  EXPECT_THAT(refused(std::string(66, ']') + std::string(65, 'a')), HasSubstr("deeper than 64"));
  // ... of itself
  EXPECT_THAT(refused("]q\0h\0a"s), HasSubstr("deeper than 64"));
  // 50 lists, each of the one before twice
  std::string doubled = "]q\0"s;
  for (int level = 0; level < 50; ++level) {
    doubled += "]h\0ah\0aq\0"s;
  }
  EXPECT_THAT(refused("(" + doubled + "t"), HasSubstr("no state dict"));
  // One number as a matrix of a terabyte
  EXPECT_THAT(refused(tensor({.storage = six(), .shape = {1 << 20, 1 << 18}, .strides = {0, 0}})),
              HasSubstr("more memory than the file"));
}

TEST(TorchFile, NamesWhatIsNoTorchFile) {
  std::string tar(1024, '\0');
  tar.replace(257, 5, "ustar");
  const std::pair<std::string, const char*> cases[] = {
      {"", "is empty"},
      {"version https://git-lfs.github.com/spec/v1\noid sha256:00\n", "Git LFS pointer"},
      {"<!DOCTYPE html><html></html>", "web page"},
      {tar, "tar archive of a torch from before 2017"},
      {"\x08\x06\x12\x07pytorch", "ONNX graph"},
      {testing::safetensors_file({{"a", {1}, {1}}}), "safetensors file"},
      {testing::zip_file({{.name = "s/data.pkl", .bytes = "."},
                          {.name = "s/code/a.py", .bytes = "x", .method = 8}}),
       "TorchScript"},
      {testing::zip_file(
           {{.name = "s/data.pkl", .bytes = "."}, {.name = "s/constants.pkl", .bytes = "."}}),
       "TorchScript"},
      {testing::zip_file({{.name = "data.pkl", .bytes = "."}}), "without a data.pkl in a folder"},
      {testing::zip_file(
           {{.name = "a/data.pkl", .bytes = "."}, {.name = "b/data.pkl", .bytes = "."}}),
       "more than one data.pkl"},
      {testing::zip_file({}), "without a data.pkl"},
      {testing::pickle(number(1)), "holds no tensors"},
      {testing::pickle(global("os", "system")), "'os.system'"},
      {"hello", "not a file of torch.save"},
  };
  for (const auto& [bytes, reason] : cases) {
    EXPECT_THAT(refusal(bytes), AllOf(HasSubstr("'x.bin'"), HasSubstr(reason))) << reason;
  }
}

TEST(TorchFile, RefusesAPickleWithBytesAfterItsEnd) {
  EXPECT_THAT(
      refusal(testing::zip_file(
          {{.name = "a/data.pkl",
            .bytes = testing::pickle(tensor({.storage = six(), .shape = {}, .strides = {}})) + "x"},
           {.name = "a/data/k", .bytes = kSix}})),
      HasSubstr("1 bytes after its end"));
}

TEST(TorchFile, PassesOverMembersOutsideItsFolder) {
  const std::string object =
      testing::pickle(tensor({.storage = six(), .shape = {}, .strides = {}}));

  EXPECT_EQ(refusal(testing::zip_file({{.name = "a/data.pkl", .bytes = object},
                                       {.name = "a/data/k", .bytes = kSix},
                                       {.name = "../../evil.txt", .bytes = "x"}})),
            "");
}

TEST(TorchFile, IsRefusedWhenCutAnywhere) {
  const std::string object =
      dict({text("w"), tensor({.storage = six(), .shape = {3, 2}, .strides = {1, 3}})});
  for (const std::string& whole :
       {torch_zip_file(object, {{"k", kSix}}), torch_legacy_file(object, {{"k", kSix}})}) {
    ASSERT_EQ(refusal(whole), "");

    // Each cut gets memory of its own size, so that a sanitizer sees a read past the end.
    for (std::size_t bytes = 0; bytes < whole.size(); ++bytes) {
      EXPECT_NE(refusal(whole.substr(0, bytes)), "") << bytes;
    }
  }
}

TEST(TorchFile, KeepsItsViewsWhenItMoves) {
  TorchFile original = parse(torch_zip_file(
      dict({text("w"), tensor({.storage = six(), .shape = {3, 2}, .strides = {1, 3}})}),
      {{"k", kSix}}));
  const TensorView* before = original.find("w");
  const std::byte* bytes = before->bytes.data();

  const TorchFile file = std::move(original);

  EXPECT_EQ(file.find("w"), before);
  EXPECT_EQ(before->bytes.data(), bytes);
  EXPECT_EQ(*before->file, "folder/x.bin");
}

}  // namespace
}  // namespace espalier::checkpoint
