// The scans find a bad element wherever it hides, and nothing else.
#include "format/scan.hpp"

#include <gtest/gtest.h>

#include <limits>
#include <vector>

#include "format/panels.hpp"

namespace espalier::format {
namespace {

// Around the block that the scans work in, and far from any multiple of it.
constexpr std::size_t kSizes[] = {0, 1, 15, 1023, 1024, 1025, 3000};

TEST(Scan, FindsTheFirstNonfiniteFloat) {
  for (const std::size_t size : kSizes) {
    std::vector<float> values(size, std::numeric_limits<float>::max());
    EXPECT_EQ(find_nonfinite(std::span<const float>(values)), std::nullopt) << size;
    for (const std::size_t at : {std::size_t{0}, size / 2, size - 1}) {
      if (at >= size) continue;
      for (const float bad :
           {std::numeric_limits<float>::infinity(), -std::numeric_limits<float>::infinity(),
            std::numeric_limits<float>::quiet_NaN()}) {
        values[at] = bad;
        EXPECT_EQ(find_nonfinite(std::span<const float>(values)), BadIndex(at)) << size;
        values[at] = 0;
      }
    }
  }
}

TEST(Scan, FindsEveryByteWithAFourBitCodeOfMinusEightAndNoOther) {
  for (unsigned bits = 0; bits < 256; ++bits) {
    std::vector<std::uint8_t> bytes(1030, 0x97);  // -7 above 7
    const std::size_t at = bits * 4;
    bytes[at] = static_cast<std::uint8_t>(bits);
    const bool bad = bits % 16 == 8 || bits / 16 == 8;
    ASSERT_EQ(find_four_bit_code_out_of_range(bytes), bad ? BadIndex(at) : std::nullopt) << bits;
  }
}

TEST(Scan, FindsEveryMultiplierOutOfRangeAndNoOther) {
  for (int value = -128; value <= 127; ++value) {
    std::vector<std::int8_t> multipliers(1030, 18);
    multipliers[1029] = 1;
    const auto at = static_cast<std::size_t>(value + 128);
    multipliers[at] = static_cast<std::int8_t>(value);
    const bool bad = value < 1 || value > 18;
    ASSERT_EQ(find_multiplier_out_of_range(multipliers), bad ? BadIndex(at) : std::nullopt)
        << value;
  }
}

TEST(Scan, FindsEveryNonfiniteHalfAndNoOther) {
  for (std::uint32_t bits = 0; bits < 65536; ++bits) {
    std::vector<std::uint16_t> halves(1030, 0x7BFF);
    const std::size_t at = bits % halves.size();
    halves[at] = static_cast<std::uint16_t>(bits);
    const bool nonfinite = (bits >> 10 & 31) == 31;
    ASSERT_EQ(find_nonfinite(std::span<const std::uint16_t>(halves)),
              nonfinite ? BadIndex(at) : std::nullopt);
  }
}

TEST(Scan, FindsEveryNonfiniteBfloat16AndNoOther) {
  for (std::uint32_t bits = 0; bits < 65536; ++bits) {
    std::vector<std::uint16_t> brains(1030, 0x7F7F);
    const std::size_t at = bits % brains.size();
    brains[at] = static_cast<std::uint16_t>(bits);
    const bool nonfinite = (bits >> 7 & 255) == 255;
    ASSERT_EQ(find_nonfinite_bfloat16(std::span<const std::uint16_t>(brains)),
              nonfinite ? BadIndex(at) : std::nullopt);
  }
}

TEST(Scan, FindsOnlyTheCodeMinus128) {
  for (int code = -128; code <= 127; ++code) {
    std::vector<std::int8_t> codes(2050, -127);
    codes[2049] = static_cast<std::int8_t>(code);
    EXPECT_EQ(find_code_out_of_range(codes), code == -128 ? BadIndex(2049) : std::nullopt);
    EXPECT_EQ(find_nonzero(std::vector<std::int8_t>{0, 0, static_cast<std::int8_t>(code)}),
              code == 0 ? std::nullopt : BadIndex(2));
  }
}

TEST(Scan, FindsDirtExactlyInThePadding) {
  for (const auto& [out, in] : std::vector<std::pair<std::uint32_t, std::uint32_t>>{
           {1, 1}, {64, 64}, {63, 61}, {65, 130}, {128, 62}, {3, 64}, {64, 3}}) {
    std::vector<std::int8_t> inside(panel_bytes(out, in));
    for (std::uint32_t row = 0; row < out; ++row) {
      for (std::uint32_t col = 0; col < in; ++col) inside[panel_index(row, col, in)] = 1;
    }
    EXPECT_EQ(find_dirty_padding(inside, out, in), std::nullopt) << out << "x" << in;
    for (std::size_t byte = 0; byte < inside.size(); ++byte) {
      if (inside[byte] != 0) continue;
      inside[byte] = -1;
      EXPECT_EQ(find_dirty_padding(inside, out, in), BadIndex(byte)) << out << "x" << in;
      inside[byte] = 0;
    }
  }
}

TEST(Panels, HoldEachWeightOnceInTheStatedOrder) {
  const std::uint32_t out = 70;
  const std::uint32_t in = 66;
  std::vector<std::int8_t> weights(std::size_t{out} * in);
  for (std::size_t i = 0; i < weights.size(); ++i) {
    weights[i] = static_cast<std::int8_t>(i % 255 - 127);
  }

  const std::vector<std::int8_t> panels = pack_panels(weights, out, in);

  ASSERT_EQ(panels.size(), 128U * 128U);
  EXPECT_EQ(unpack_panels(panels, out, in), weights);
  // [N/64][K/4][64][4]: panel 1, group 16, column 5, byte 1 is output 69, input 65.
  EXPECT_EQ(panels[128 * 64 + 16 * 256 + 5 * 4 + 1], weights[69 * 66 + 65]);
  EXPECT_EQ(find_dirty_padding(panels, out, in), std::nullopt);
}

TEST(Utf8, AcceptsEveryScalarValueAndNoSurrogate) {
  for (std::uint32_t point = 0; point <= 0x10FFFF; ++point) {
    std::string text;
    const auto put = [&](std::uint32_t byte) { text += static_cast<char>(byte); };
    if (point < 0x80) {
      put(point);
    } else if (point < 0x800) {
      put(0xC0 | point >> 6);
      put(0x80 | (point & 63));
    } else if (point < 0x10000) {
      put(0xE0 | point >> 12);
      put(0x80 | (point >> 6 & 63));
      put(0x80 | (point & 63));
    } else {
      put(0xF0 | point >> 18);
      put(0x80 | (point >> 12 & 63));
      put(0x80 | (point >> 6 & 63));
      put(0x80 | (point & 63));
    }
    const bool surrogate = point >= 0xD800 && point <= 0xDFFF;
    ASSERT_EQ(find_invalid_utf8(text), surrogate ? BadIndex(0) : std::nullopt) << point;
    if (text.size() > 1) {
      text.pop_back();
      ASSERT_EQ(find_invalid_utf8("a" + text), BadIndex(1)) << point;
    }
  }
}

TEST(Utf8, RefusesOverlongFormsStrayBytesAndHugeValues) {
  for (const char* text : {"\x80", "\xC0\x80", "\xC1\xBF", "\xE0\x9F\xBF", "\xF0\x8F\xBF\xBF",
                           "\xF4\x90\x80\x80", "\xF8\x88\x80\x80\x80", "\xFF",
                           "\xE4\xBD"
                           "A"}) {
    EXPECT_EQ(find_invalid_utf8(text), BadIndex(0));
  }
}

}  // namespace
}  // namespace espalier::format
