// The row kernels of every instruction set that this processor has, against the canonical
// functions, bit for bit: sizes around the vectors' widths, and what lies past a row.
#include "runtime/cpu/rows.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>
#include <random>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "base/canonical.hpp"
#include "base/cpu_info.hpp"

namespace espalier::runtime::cpu {
namespace {

constexpr std::uint32_t kSizes[] = {1, 7, 8, 9, 15, 16, 17, 31, 40, 64, 100, 384, 771};
constexpr float kUntouched = 12345.0F;

struct Row {
  std::string name;
  Isa isa;
  const RowKernels& (*kernels)() noexcept;
};

class Rows : public ::testing::TestWithParam<Row> {
 protected:
  void SetUp() override {
    if (detected_isa() < GetParam().isa) GTEST_SKIP() << "the processor has no such instructions";
  }

  [[nodiscard]] static const RowKernels& kernels() { return GetParam().kernels(); }

  /// `size` numbers in [-2, 2], then zeros up to a multiple of 16.
  std::vector<float> numbers(std::uint32_t size) {
    std::vector<float> row((size + 15) / 16 * 16);
    std::uniform_real_distribution<float> number(-2, 2);
    for (std::uint32_t i = 0; i < size; ++i) row[i] = number(random_);
    return row;
  }

  std::mt19937 random_{7};
};

std::vector<float> first(const std::vector<float>& row, std::uint32_t size) {
  return {row.begin(), row.begin() + size};
}

using format::ActivationCodes;

/// What the canonical functions make of a row of `coding`.
canonical::RowCode expected_code(const RowCoding& coding, std::span<const float> row) {
  switch (coding.codes) {
    case ActivationCodes::per_token_symmetric:
      break;
    case ActivationCodes::per_token_asymmetric:
      return canonical::asymmetric_row(canonical::range_of(row));
    case ActivationCodes::per_tensor_asymmetric:
      return coding.fixed;
  }
  return canonical::symmetric_row(canonical::max_magnitude(row));
}

void expect_codes(const RowKernels& kernels, const std::vector<float>& src, std::uint32_t size,
                  const RowCoding& coding) {
  SCOPED_TRACE(std::to_string(size) + " of codes " +
               std::to_string(static_cast<int>(coding.codes)));
  const std::uint32_t padded = (size + 63) / 64 * 64;
  std::vector<float> scaled = first(src, size);
  if (coding.input_scale != nullptr) {
    canonical::scale_row(scaled, std::span(coding.input_scale, size), scaled);
  }
  const canonical::RowCode code = expected_code(coding, scaled);
  std::vector<std::int16_t> words(padded, 99);
  std::vector<std::uint8_t> bytes(padded, 99);

  CodedRow of_words, of_bytes;
  kernels.quantize_rows(src.data(), coding, 1, size,
                        {words.data(), CodeLayout::s16, padded, &of_words.scale, &of_words.zero});
  kernels.quantize_rows(src.data(), coding, 1, size,
                        {bytes.data(), CodeLayout::u8, padded, &of_bytes.scale, &of_bytes.zero});

  for (const CodedRow& row : {of_words, of_bytes}) {
    EXPECT_EQ(row.scale, code.scale);
    EXPECT_EQ(row.zero, code.zero);
  }
  for (std::uint32_t i = 0; i < padded; ++i) {
    const int difference = i < size ? canonical::code_difference(scaled[i], code) : 0;
    EXPECT_EQ(words[i], difference) << i;
    EXPECT_EQ(bytes[i], difference + code.zero) << i;
  }
}

constexpr ActivationCodes kAllCodes[] = {ActivationCodes::per_token_symmetric,
                                         ActivationCodes::per_token_asymmetric,
                                         ActivationCodes::per_tensor_asymmetric};

TEST_P(Rows, CodeARowForEitherMatmul) {
  for (const std::uint32_t size : kSizes) {
    const std::vector<float> src = numbers(size), scale = numbers(size);
    for (const ActivationCodes codes : kAllCodes) {
      for (const float* input_scale : {static_cast<const float*>(nullptr), scale.data()}) {
        // Static codes of [-0.6, 1.95]: a third of the row is clipped.
        expect_codes(kernels(), src, size,
                     {codes, input_scale, canonical::asymmetric_row(0.01F, 60)});
      }
    }
  }
}

TEST_P(Rows, CodeTheRowsThatBreakRanges) {
  constexpr float kNaN = std::numeric_limits<float>::quiet_NaN();
  constexpr float kTiny = canonical::kTinyRow;
  for (const std::uint32_t size : {1U, 9U, 16U, 39U}) {
    for (const float value :
         {0.0F, -0.0F, 3.0F, -3.0F, 3e38F, -3e38F, kTiny, -kTiny, kTiny / 2, kNaN}) {
      std::vector<float> constant((size + 15) / 16 * 16);
      std::fill_n(constant.begin(), size, value);
      std::vector<float> one_apart = constant;
      one_apart[size - 1] = -0.17F;  // in the part that no whole vector holds
      for (const ActivationCodes codes : kAllCodes) {
        for (const auto& [scale, zero] :
             {std::pair(0.01F, 0), std::pair(2.0F, 255), std::pair(1e-30F, 17)}) {
          const RowCoding coding = {codes, nullptr, canonical::asymmetric_row(scale, zero)};
          expect_codes(kernels(), constant, size, coding);
          expect_codes(kernels(), one_apart, size, coding);
        }
      }
    }
  }
}

TEST_P(Rows, CodeATinyRowAsZeros) {
  const std::vector<float> src(16, canonical::kTinyRow / 2);
  std::vector<std::uint8_t> codes(64);

  CodedRow row = {1, 1};

  kernels().quantize_rows(src.data(), {}, 1, 16,
                          {codes.data(), CodeLayout::u8, 64, &row.scale, &row.zero});

  EXPECT_EQ(row.scale, 0.0F);
  EXPECT_EQ(codes, std::vector<std::uint8_t>(64, 128));
}

TEST_P(Rows, CodeWhatIsNotANumberAsMinus127) {
  std::vector<float> src(16, 1.0F);
  src[5] = std::numeric_limits<float>::quiet_NaN();
  std::vector<std::int8_t> codes(16);

  float scale = 0;

  kernels().quantize_heads(src.data(), 1, 16, codes.data(), &scale, 1);

  EXPECT_EQ(codes[4], 127);
  EXPECT_EQ(codes[5], -127);
}

// Around the number that kernels take together.
constexpr std::uint32_t kRowCounts[] = {1, 3, 4, 5, 11};

/// Rows one after the other, each of `size` numbers and its padding.
std::vector<float> joined(const std::vector<std::vector<float>>& rows) {
  std::vector<float> all;
  for (const std::vector<float>& row : rows) all.insert(all.end(), row.begin(), row.end());
  return all;
}

TEST_P(Rows, CodeManyRowsAsEachAlone) {
  for (const std::uint32_t size : {9U, 64U, 100U}) {
    const std::uint32_t padded = (size + 63) / 64 * 64;
    for (const std::uint32_t n_rows : kRowCounts) {
      std::vector<std::vector<float>> rows;
      for (std::uint32_t row = 0; row < n_rows; ++row) rows.push_back(numbers(size));
      for (const ActivationCodes codes : kAllCodes) {
        const RowCoding coding = {codes, nullptr, canonical::asymmetric_row(0.01F, 60)};
        std::vector<std::uint8_t> together(std::size_t{n_rows} * padded), alone(padded);
        std::vector<float> scales(n_rows);
        std::vector<std::int32_t> zeros(n_rows);

        kernels().quantize_rows(
            joined(rows).data(), coding, n_rows, size,
            {together.data(), CodeLayout::u8, padded, scales.data(), zeros.data()});

        for (std::uint32_t row = 0; row < n_rows; ++row) {
          CodedRow of_row;
          kernels().quantize_rows(
              rows[row].data(), coding, 1, size,
              {alone.data(), CodeLayout::u8, padded, &of_row.scale, &of_row.zero});
          EXPECT_EQ(scales[row], of_row.scale);
          EXPECT_EQ(zeros[row], of_row.zero);
          EXPECT_TRUE(std::equal(alone.begin(), alone.end(), together.begin() + row * padded))
              << row << " of " << n_rows;
        }
      }
    }
  }
}

TEST_P(Rows, CodeHeadsWithoutTouchingWhatFollowsThem) {
  constexpr std::size_t kStride = 3;
  for (const std::uint32_t size : kSizes) {
    for (const std::uint32_t n_heads : {1U, 12U, 16U, 17U}) {
      std::vector<float> src;
      std::vector<std::int8_t> expected(std::size_t{n_heads} * size);
      std::vector<float> scales(n_heads * kStride, kUntouched), expected_scales = scales;
      for (std::uint32_t head = 0; head < n_heads; ++head) {
        std::vector<float> slice = first(numbers(size), size);
        if (head == 5) std::fill(slice.begin(), slice.end(), canonical::kTinyRow / 2);
        expected_scales[head * kStride] =
            canonical::quantize_row(slice, std::span(expected).subspan(head * size, size));
        src.insert(src.end(), slice.begin(), slice.end());
      }
      expected.push_back(99);
      std::vector<std::int8_t> actual(expected.size(), 99);

      kernels().quantize_heads(src.data(), n_heads, size, actual.data(), scales.data(), kStride);

      EXPECT_EQ(scales, expected_scales) << n_heads << " of " << size;
      EXPECT_EQ(actual, expected) << n_heads << " of " << size;
    }
  }
}

TEST_P(Rows, NormaliseRows) {
  for (const std::uint32_t size : kSizes) {
    for (const std::uint32_t n_rows : kRowCounts) {
      const std::vector<float> weight = numbers(size), bias = numbers(size);
      std::vector<std::vector<float>> rows;
      for (std::uint32_t row = 0; row < n_rows; ++row) rows.push_back(numbers(size));
      std::vector<float> actual = joined(rows);
      for (std::vector<float>& row : rows) {
        canonical::layer_norm(std::span(row).first(size), weight, bias, 1e-5F);
      }

      kernels().layer_norm(actual.data(), n_rows, size, weight.data(), bias.data(), 1e-5F);

      EXPECT_EQ(actual, joined(rows)) << n_rows << " of " << size;
    }
  }
}

TEST_P(Rows, TakeTheTanhOfARow) {
  constexpr float kInfinity = std::numeric_limits<float>::infinity();
  for (const std::uint32_t size : kSizes) {
    std::vector<float> src = numbers(size);
    src[size - 1] = -0.0F;
    src[size / 2] = 50.0F;
    src[0] = -1e-30F;
    std::vector<float> actual = src;

    kernels().tanh(actual.data(), size);

    for (std::uint32_t i = 0; i < size; ++i) {
      EXPECT_EQ(std::bit_cast<std::uint32_t>(actual[i]),
                std::bit_cast<std::uint32_t>(canonical::tanh(src[i])))
          << src[i];
    }
  }
  for (const float value : {kInfinity, -kInfinity, std::numeric_limits<float>::quiet_NaN()}) {
    std::vector<float> row(16, value);
    kernels().tanh(row.data(), 16);
    EXPECT_TRUE(std::isnan(row[3])) << value;
  }
}

TEST_P(Rows, AddEmbeddings) {
  for (const std::uint32_t size : kSizes) {
    const std::vector<float> word = first(numbers(size), size);
    const std::vector<float> position = first(numbers(size), size);
    const std::vector<float> segment = first(numbers(size), size);
    std::vector<std::int8_t> codes(size);
    const float scale = canonical::quantize_row(word, codes);
    std::vector<float> of_codes((size + 15) / 16 * 16), of_floats(of_codes.size());

    kernels().add_code_embeddings(codes.data(), scale, position.data(), segment.data(), size,
                                  of_codes.data());
    kernels().add_float_embeddings(word.data(), position.data(), segment.data(), size,
                                   of_floats.data());

    for (std::uint32_t i = 0; i < of_codes.size(); ++i) {
      const float coded =
          i < size ? std::fma(static_cast<float>(codes[i]), scale, position[i]) + segment[i] : 0;
      EXPECT_EQ(of_codes[i], coded) << size << " at " << i;
      EXPECT_EQ(of_floats[i], i < size ? (word[i] + position[i]) + segment[i] : 0);
    }
  }
}

TEST_P(Rows, MultiplyARowByOthers) {
  for (const std::uint32_t size : kSizes) {
    for (const std::uint32_t n_rows : kRowCounts) {
      const std::vector<float> x = first(numbers(size), size);
      std::vector<float> rows, expected;
      for (std::uint32_t row = 0; row < n_rows; ++row) {
        const std::vector<float> y = first(numbers(size), size);
        rows.insert(rows.end(), y.begin(), y.end());
        expected.push_back(canonical::dot(x, y));
      }
      std::vector<float> actual(n_rows);

      kernels().dot_rows(x.data(), rows.data(), n_rows, size, actual.data());

      EXPECT_EQ(actual, expected) << n_rows << " of " << size;
    }
  }
}

float ended(Output output, float y, float before) {
  switch (output) {
    case Output::store:
      return y;
    case Output::gelu:
      return canonical::gelu(y);
    case Output::add:
      return before + y;
  }
  return y;
}

TEST_P(Rows, EndALinearsSums) {
  for (const std::uint32_t size : kSizes) {
    const std::vector<float> scale = numbers(size), bias = numbers(size);
    std::vector<std::int32_t> sums(scale.size()), weight_sums(scale.size());
    std::uniform_int_distribution<std::int32_t> number(-1'000'000, 1'000'000);
    for (std::size_t n = 0; n < sums.size(); ++n) {
      sums[n] = number(random_);
      weight_sums[n] = number(random_);
    }
    for (const std::int32_t zero : {0, 1, 128, 255}) {
      for (const Output output : {Output::store, Output::gelu, Output::add}) {
        const std::vector<float> before = numbers(size);
        std::vector<float> dst = before;

        kernels().finish_sums(
            sums.data(), {weight_sums.data(), {1e-5F, zero}, scale.data(), bias.data(), output},
            size, dst.data());

        for (std::uint32_t n = 0; n < dst.size(); ++n) {
          const std::int32_t sum = sums[n] - zero * weight_sums[n];
          const float y = canonical::dequantize(sum, 1e-5F, scale[n], bias[n]);
          EXPECT_EQ(dst[n], n < size ? ended(output, y, before[n]) : 0) << size << " at " << n;
        }
      }
    }
  }
}

TEST_P(Rows, EndALinearsProductsWhateverLiesPastThem) {
  for (const std::uint32_t size : kSizes) {
    std::vector<float> products = numbers(size);
    std::fill(products.begin() + size, products.end(), kUntouched);
    const std::vector<float> bias = numbers(size);
    for (const Output output : {Output::store, Output::gelu, Output::add}) {
      const std::vector<float> before = numbers(size);
      std::vector<float> dst = before;

      kernels().finish_floats(products.data(), bias.data(), size, output, dst.data());

      for (std::uint32_t n = 0; n < dst.size(); ++n) {
        const float expected = n < size ? ended(output, products[n] + bias[n], before[n]) : 0;
        EXPECT_EQ(dst[n], expected) << size << " at " << n;
      }
    }
  }
}

std::string name_of(const ::testing::TestParamInfo<Row>& given) {
  return given.param.name;
}

INSTANTIATE_TEST_SUITE_P(EveryInstructionSet, Rows,
                         ::testing::Values(Row{"Avx2", Isa::avx2, avx2_rows},
                                           Row{"Avx512", Isa::avx512_vnni, avx512_rows}),
                         name_of);

}  // namespace
}  // namespace espalier::runtime::cpu
