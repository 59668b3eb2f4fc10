#include "compress/checkpoint/zip_archive.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "compress/checkpoint/crc32.hpp"
#include "espalier/error.hpp"
#include "tests/compress/checkpoint/torch_builder.hpp"

namespace espalier::checkpoint {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using testing::zip_file;
using testing::ZipEnd;
using testing::ZipPart;

constexpr std::uint16_t kSizesFollow = 1 << 3;

std::span<const std::byte> as_bytes(const std::string& text) {
  return std::as_bytes(std::span(text));
}

// The bytes must outlive the archive.
ZipArchive read(const std::string& file) {
  return ZipArchive::read(as_bytes(file), read_zip_directory(ZipBytes(as_bytes(file))));
}

std::string refusal(const std::string& file) {
  try {
    (void)read(file);
    return "";
  } catch (const Error& error) {
    return error.what();
  }
}

std::string content(const ZipArchive& archive, std::string_view name) {
  const ZipMember* member = archive.find(name);
  if (member == nullptr) return "absent";
  return {reinterpret_cast<const char*>(member->bytes.data()), member->bytes.size()};
}

TEST(Crc32, GivesTheStandardsCheckValueAndThatOfEveryLength) {
  EXPECT_EQ(crc32(as_bytes("123456789")), 0xCBF43926u);
  EXPECT_EQ(crc32({}), 0u);
  // The archive's writer computes it bit by bit; lengths around and beyond a step of the reader.
  for (std::size_t n_bytes = 0; n_bytes < 70; ++n_bytes) {
    std::string bytes;
    for (std::size_t byte = 0; byte < n_bytes; ++byte) {
      bytes += static_cast<char>(byte * 37 + n_bytes);
    }
    EXPECT_EQ(refusal(zip_file({{.name = "a", .bytes = bytes}})), "") << n_bytes;
  }
}

TEST(ZipArchive, GivesMembersByTheirNames) {
  for (const bool in_64_bits : {false, true}) {
    for (const std::uint16_t flags : {std::uint16_t{0}, kSizesFollow}) {
      const std::string file =
          zip_file({{.name = "z", .bytes = "last", .flags = flags, .in_64_bits = in_64_bits},
                    {.name = "a/b", .bytes = "first", .flags = flags},
                    {.name = "empty", .bytes = ""}},
                   {.in_64_bits = in_64_bits});

      const ZipArchive archive = read(file);

      EXPECT_EQ(content(archive, "z"), "last");
      EXPECT_EQ(content(archive, "a/b"), "first");
      EXPECT_EQ(content(archive, "empty"), "");
      EXPECT_EQ(content(archive, "b"), "absent");
      EXPECT_EQ(archive.members().size(), 3u);
    }
  }
}

TEST(ZipArchive, RefusesWhatTorchNeverWrites) {
  const std::pair<ZipPart, const char*> cases[] = {
      {{.name = "a", .bytes = "x", .flags = 1}, "encrypted"},
      {{.name = "a", .bytes = "x", .flags = 1 << 5}, "flags 32"},
      {{.name = "a", .bytes = "x", .flags = 1 << 6}, "flags 64"},
      {{.name = "a", .bytes = "x", .flags = 1 << 13}, "flags 8192"},
      {{.name = "a", .bytes = "x", .method = 8}, "compressed"},
      {{.name = "a", .bytes = "x", .crc_error = 1}, "checksum"},
      {{.name = "a", .bytes = "x", .local_name = "b"}, "another name"},
      {{.name = "a", .bytes = "x", .local_size_error = 1}, "another size"},
      {{.name = "a", .bytes = "x", .flags = kSizesFollow, .local_size_error = 1}, "descriptor"},
      {{.name = "a", .bytes = "x", .flags = kSizesFollow, .crc_error = 1}, "checksum"},
      {{.name = "a", .bytes = "x", .gap = "hidden"}, "6 bytes that belong to nothing"},
      {{.name = "a", .bytes = "x", .flags = kSizesFollow, .gap = "hidden"}, "descriptor"},
  };
  for (const auto& [part, reason] : cases) {
    EXPECT_THAT(refusal(zip_file({{.name = "before", .bytes = "1"}, part})),
                AllOf(HasSubstr("member 'a' at byte 37"), HasSubstr(reason)));
  }
}

TEST(ZipArchive, RefusesTwoMembersOfOneName) {
  EXPECT_THAT(refusal(zip_file({{.name = "a", .bytes = "1"}, {.name = "a", .bytes = "2"}})),
              HasSubstr("'a' twice"));
}

TEST(ZipArchive, RefusesBytesAroundIt) {
  const std::string good = zip_file({{.name = "a", .bytes = "1"}});
  ASSERT_EQ(refusal(good), "");

  EXPECT_THAT(refusal(good + "x"), HasSubstr("does not end with its end record"));
  EXPECT_NE(refusal("x" + good), "");
  EXPECT_THAT(refusal(zip_file({{.name = "a", .bytes = "1"}}, {.comment = "hello"})),
              HasSubstr("does not end with its end record"));
  EXPECT_THAT(refusal(""), HasSubstr("cut short"));
}

TEST(ZipArchive, RefusesEndRecordsThatAreWrong) {
  const auto refused = [](const ZipEnd& end) {
    return refusal(zip_file({{.name = "a", .bytes = "1"}, {.name = "b", .bytes = "2"}}, end));
  };

  EXPECT_NE(refused({.count_error = 1}), "");
  EXPECT_NE(refused({.count_error = 60'000}), "");
  EXPECT_NE(refused({.count_error = static_cast<std::uint64_t>(-1)}), "");
  EXPECT_NE(refused({.offset_error = 1}), "");
  EXPECT_NE(refused({.in_64_bits = true, .offset_error = 1}), "");
  EXPECT_NE(refused({.in_64_bits = true, .offset_error = static_cast<std::uint64_t>(-8)}), "");
  EXPECT_THAT(refused({.in_64_bits = true, .record_error = 1}), HasSubstr("contradict"));
}

// Two entries of the directory over the same bytes are the way to a bomb.
TEST(ZipArchive, RefusesMembersThatOverlap) {
  const ZipPart part = {.name = "a", .bytes = "1"};
  std::string file = zip_file({part, part});
  const std::size_t second = file.rfind("PK\1\2");
  file.replace(second + 42, 4, testing::little_endian(0, 4));

  EXPECT_THAT(refusal(file), HasSubstr("overlaps what follows"));
}

TEST(ZipArchive, IsRefusedWhenCutOrChangedAnywhere) {
  const std::string good = zip_file(
      {{.name = "first", .bytes = "1234"}, {.name = "next", .bytes = "5", .flags = kSizesFollow}},
      {.in_64_bits = true});
  ASSERT_EQ(refusal(good), "");

  for (std::size_t bytes = 0; bytes < good.size(); ++bytes) {
    EXPECT_NE(refusal(good.substr(0, bytes)), "") << bytes;
  }
  // Dates, versions and attributes may differ; nothing that is changed may crash or change bytes.
  for (std::size_t place = 0; place < good.size(); ++place) {
    std::string spoilt = good;
    spoilt[place] = static_cast<char>(spoilt[place] ^ 0x80);
    if (refusal(spoilt).empty()) {
      const ZipArchive archive = read(spoilt);
      EXPECT_EQ(content(archive, "first"), "1234") << place;
      EXPECT_EQ(content(archive, "next"), "5") << place;
    }
  }
}

}  // namespace
}  // namespace espalier::checkpoint
