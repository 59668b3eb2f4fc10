// Four-bit codes: which half of a byte is which, their signs, and which multiplier meets which
// code.
#include "format/four_bits.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <vector>

namespace espalier::format {
namespace {

using ::testing::ElementsAre;
using ::testing::ElementsAreArray;

std::vector<std::uint8_t> packed(const std::vector<std::int8_t>& codes) {
  std::vector<std::uint8_t> bytes((codes.size() + 1) / 2, 0xFF);
  pack_four_bits(codes, bytes);
  return bytes;
}

TEST(FourBits, LieTwoAByteTheLowerBitsFirst) {
  EXPECT_THAT(packed({1, 2, -1, 7, -7, -2}), ElementsAre(0x21, 0x7F, 0xE9));
  EXPECT_EQ(lower_code(0x7F), -1);
  EXPECT_EQ(upper_code(0x7F), 7);
}

TEST(FourBits, EndAnOddRowWithZeros) {
  EXPECT_THAT(packed({3, -4, 5}), ElementsAre(0xC3, 0x05));
  EXPECT_THAT(packed({-1}), ElementsAre(0x0F));
}

TEST(FourBits, EveryPairOfCodesComesBack) {
  for (int lower = -7; lower <= 7; ++lower) {
    for (int upper = -7; upper <= 7; ++upper) {
      const std::vector<std::int8_t> codes = {static_cast<std::int8_t>(lower),
                                              static_cast<std::int8_t>(upper)};
      const std::uint8_t byte = packed(codes)[0];
      EXPECT_EQ(lower_code(byte), lower);
      EXPECT_EQ(upper_code(byte), upper);
    }
  }
}

// Rows that end before, at and past the ends of groups, even and odd.
TEST(FourBits, AreMultipliedByTheMultiplierOfTheirGroup) {
  for (const std::uint32_t group : {32U, 64U, 128U}) {
    for (const std::size_t cols : {1U, 2U, 31U, 32U, 33U, 63U, 64U, 65U, 127U, 128U, 129U, 300U}) {
      std::vector<std::int8_t> codes(cols);
      for (std::size_t col = 0; col < cols; ++col) {
        codes[col] = static_cast<std::int8_t>(static_cast<int>(col % 15) - 7);
      }
      std::vector<std::int8_t> multipliers(n_groups(static_cast<std::uint32_t>(cols), group));
      for (std::size_t index = 0; index < multipliers.size(); ++index) {
        multipliers[index] = static_cast<std::int8_t>(18 - index);
      }
      std::vector<std::int8_t> expected(cols);
      for (std::size_t col = 0; col < cols; ++col) {
        expected[col] = static_cast<std::int8_t>(codes[col] * multipliers[col / group]);
      }

      const std::vector<std::uint8_t> bytes = packed(codes);
      std::vector<std::int8_t> actual(cols, 99);
      multiply_out({bytes, multipliers, group}, actual);

      EXPECT_THAT(actual, ElementsAreArray(expected)) << group << " " << cols;
    }
  }
}

TEST(FourBits, ReachNearlyTheWholeRangeOfInt8) {
  const std::vector<std::uint8_t> bytes = packed({7, -7});
  const std::vector<std::int8_t> multipliers = {kMaxMultiplier};
  std::vector<std::int8_t> codes(2);

  multiply_out({bytes, multipliers, 32}, codes);

  EXPECT_THAT(codes, ElementsAre(126, -126));
}

TEST(FourBits, RowsOfATableBeginBytes) {
  // Three rows of three codes with two multipliers each would overlap if odd rows shared bytes.
  alignas(64) const std::uint8_t bytes[] = {0x21, 0x03, 0x54, 0x06, 0x17, 0x02};
  alignas(64) const std::int8_t multipliers[] = {1, 10, 18};
  const Tensor codes = {ElementType::s4, 3, 3, std::as_bytes(std::span(bytes))};
  const Tensor multiplier = {ElementType::s8, 3, 1, std::as_bytes(std::span(multipliers))};
  std::vector<std::int8_t> row(3);

  multiply_out(four_bit_row(codes, multiplier, 32, 1), row);
  EXPECT_THAT(row, ElementsAre(40, 50, 60));
  multiply_out(four_bit_row(codes, multiplier, 32, 2), row);
  EXPECT_THAT(row, ElementsAre(126, 18, 36));
}

TEST(FourBits, OfWordsAreMultipliedOutAndBytesViewedWhereTheyLie) {
  alignas(64) const std::uint8_t bytes[] = {0x21, 0x3F};
  alignas(64) const std::int8_t multipliers[] = {2, 3};
  EmbeddingSpec words;
  words.word = {ElementType::s4, 2, 2, std::as_bytes(std::span(bytes))};
  words.word_group = 64;
  words.word_multiplier = {ElementType::s8, 2, 1, std::as_bytes(std::span(multipliers))};
  std::vector<std::int8_t> scratch(2);

  EXPECT_THAT(word_codes(words, 0, scratch), ElementsAre(2, 4));
  EXPECT_THAT(word_codes(words, 1, scratch), ElementsAre(-3, 9));

  words.word = {ElementType::s8, 1, 2, std::as_bytes(std::span(multipliers))};
  EXPECT_EQ(word_codes(words, 0, {}).data(), multipliers);
}

}  // namespace
}  // namespace espalier::format
