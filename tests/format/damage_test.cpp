// A file that lost, gained or changed any bit is refused.
#include <gtest/gtest.h>

#include <cstring>

#include "format/writer.hpp"
#include "tests/format/forge.hpp"

namespace espalier::testing {
namespace {

Bytes small_file() {
  return format::to_bytes(make_tiny_model(smallest_model()).spec());
}

/// Bytes 8 to 11 hold the id: without it the file is none of ours.
ErrorCode expected_code(std::size_t byte) {
  return byte >= 8 && byte < 12 ? ErrorCode::bad_input : ErrorCode::verification;
}

TEST(Damage, EveryFlippedBitIsRefused) {
  Bytes file = small_file();
  ASSERT_LE(file.size(), 65536U);

  for (std::size_t byte = 0; byte < file.size(); ++byte) {
    for (int bit = 0; bit < 8; ++bit) {
      const auto mask = static_cast<std::byte>(1 << bit);
      file[byte] ^= mask;
      const Verdict verdict = read(file);
      file[byte] ^= mask;
      ASSERT_FALSE(verdict.accepted) << "byte " << byte << " bit " << bit;
      ASSERT_EQ(verdict.code, expected_code(byte)) << "byte " << byte << " bit " << bit;
    }
  }
  EXPECT_TRUE(read(file).accepted);
}

TEST(Damage, EveryTruncationIsRefused) {
  const Bytes file = small_file();

  for (std::size_t size = 0; size < file.size(); ++size) {
    const Verdict verdict = read(std::span<const std::byte>(file).first(size));
    ASSERT_FALSE(verdict.accepted) << size;
    ASSERT_EQ(verdict.code, size < 12 ? ErrorCode::bad_input : ErrorCode::verification) << size;
  }
}

TEST(Damage, TrailingBytesAreRefused) {
  for (const std::byte value : {std::byte{0}, std::byte{0xA5}}) {
    Bytes file = small_file();
    for (int extra = 1; extra <= 64; ++extra) {
      file.push_back(value);
      EXPECT_EQ(read(file).code, ErrorCode::verification) << extra;
      EXPECT_FALSE(read(file).accepted) << extra;
    }
  }
}

TEST(Damage, TrailingBytesUnderARightChecksumAreRefused) {
  Bytes file = small_file();
  file.resize(file.size() + 64);
  reseal(file);

  const Verdict verdict = read(file);

  EXPECT_FALSE(verdict.accepted);
  EXPECT_EQ(verdict.message.substr(0, 10), "data_bytes");
}

TEST(Damage, EveryTruncationUnderARightChecksumIsRefused) {
  const Bytes file = small_file();

  for (std::size_t size = 20; size < file.size(); ++size) {
    Bytes cut(file.begin(), file.begin() + static_cast<std::ptrdiff_t>(size));
    reseal(cut);
    ASSERT_FALSE(read(cut).accepted) << size;
  }
}

TEST(Damage, EveryPaddingByteMustBeZero) {
  const Bytes file = small_file();
  std::size_t n_padding = 0;
  for (std::size_t byte = header_end(file); byte < data_begin(file); ++byte, ++n_padding) {
    Bytes dirty = file;
    dirty[byte] = std::byte{1};
    reseal(dirty);
    EXPECT_FALSE(read(dirty).accepted) << byte;
  }
  // The vocabulary is the last part; what follows it is the trailer.
  const OwnedModel model = make_tiny_model(smallest_model());
  const std::size_t tail = 64 - model.spec().tokenizer.vocabulary.size() % 64;
  for (std::size_t back = 1; back <= tail && tail < 64; ++back, ++n_padding) {
    Bytes dirty = file;
    dirty[file.size() - 8 - back] = std::byte{1};
    reseal(dirty);
    const Verdict verdict = read(dirty);
    EXPECT_FALSE(verdict.accepted) << back;
    EXPECT_NE(verdict.message.find("tokenizer.vocabulary"), std::string::npos) << verdict.message;
  }
  EXPECT_GT(n_padding, 0U);
}

TEST(NotAModel, IsSaidToBeNoEsplFile) {
  for (const std::string& text : {std::string(), std::string("ESPL"), std::string(1000, '\0'),
                                  std::string("version https://git-lfs.github.com/spec/v1\n")}) {
    const Verdict verdict = read(std::as_bytes(std::span<const char>(text.data(), text.size())));

    EXPECT_EQ(verdict.code, ErrorCode::bad_input);
    EXPECT_NE(verdict.message.find("no .espl file"), std::string::npos) << verdict.message;
  }
}

}  // namespace
}  // namespace espalier::testing
