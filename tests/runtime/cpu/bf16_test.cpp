// bf16 linears of the CPU, one at a time, so that nothing has come between to move a value across a
// rounding: rounded rows to the bit, products within what the order of a sum can change.
#include <gtest/gtest.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <memory>
#include <random>
#include <utility>
#include <vector>

#include "base/bfloat16.hpp"
#include "base/cpu_info.hpp"
#include "runtime/cpu/avx2_bf16.hpp"
#include "runtime/cpu/linear.hpp"
#include "runtime/reference/linear.hpp"

namespace espalier::runtime::cpu {
namespace {

using format::ElementType;

class Bf16 : public ::testing::Test {
 protected:
  void SetUp() override {
    if (detected_isa() < Isa::avx2) GTEST_SKIP() << "needs AVX2";
  }
};

/// Patterns around every boundary of the rounding: ties, their neighbours, subnormals, overflow,
/// infinities and NaN, of both signs.
std::vector<float> hard_values() {
  std::vector<float> values;
  for (const std::uint32_t upper :
       {0x0000U, 0x0001U, 0x007FU, 0x0080U, 0x3F80U, 0x3F81U, 0x7F7FU, 0x7F80U, 0x7FC0U, 0x7FFFU}) {
    for (const std::uint32_t lower : {0x0000U, 0x0001U, 0x7FFFU, 0x8000U, 0x8001U, 0xFFFFU}) {
      values.push_back(std::bit_cast<float>(upper << 16 | lower));
      values.push_back(std::bit_cast<float>(0x80000000U | upper << 16 | lower));
    }
  }
  return values;
}

TEST_F(Bf16, RowsAreRoundedAsTheirDefinitionSays) {
  const std::vector<float> src = hard_values();  // 120, a multiple of 8
  std::vector<float> floats(src.size());
  std::vector<std::uint16_t> patterns(src.size());

  round_row(src.data(), static_cast<std::uint32_t>(src.size()), floats.data());
  narrow_row(src.data(), static_cast<std::uint32_t>(src.size()), patterns.data());

  for (std::size_t i = 0; i < src.size(); ++i) {
    const std::uint16_t expected = float_to_bfloat16(src[i]);
    EXPECT_EQ(patterns[i], expected) << i;
    EXPECT_EQ(std::bit_cast<std::uint32_t>(floats[i]), std::uint32_t{expected} << 16) << i;
  }
}

/// A bf16 linear of noise, with rows to run it on.
struct Layer {
  Layer(std::uint32_t in, std::uint32_t out)
      : weight(std::size_t{in} * out), bias(out), x(std::size_t{kChunkRows} * float_stride(in)) {
    std::mt19937 random(in * 1000 + out);
    std::uniform_real_distribution<float> number(-1, 1);
    for (std::uint16_t& value : weight) value = float_to_bfloat16(number(random));
    for (float& value : bias) value = number(random);
    for (std::size_t row = 0; row < kChunkRows; ++row) {
      for (std::size_t k = 0; k < in; ++k) x[row * float_stride(in) + k] = number(random);
    }
    spec.in = in;
    spec.out = out;
    spec.precision = Precision::bf16;
    spec.weight = {ElementType::bf16, out, in, std::as_bytes(std::span(weight))};
    spec.bias = {ElementType::f32, 1, out, std::as_bytes(std::span(bias))};
  }

  [[nodiscard]] std::vector<float> run(LinearMaker& maker, std::uint32_t n_rows) const {
    const std::unique_ptr<Linear> linear = maker.make(spec);
    std::vector<float> dst(std::size_t{kChunkRows} * float_stride(spec.out));
    linear->run(*maker.new_scratch(), {.x = x.data(), .n_rows = n_rows}, Output::store, dst.data());
    return dst;
  }

  /// The largest distance of `dst` from the sums of rounded inputs, as a part of what adding in
  /// another order, in fp32, can change: n additions are off by at most n u Σ|terms|, u = 2^-24
  /// (Higham 2002, §3.1); the bias is one more term and storing one more rounding.
  [[nodiscard]] double worst_of(const std::vector<float>& dst, std::uint32_t n_rows) const {
    double worst = 0;
    for (std::size_t row = 0; row < n_rows; ++row) {
      for (std::size_t n = 0; n < spec.out; ++n) {
        double sum = double{bias[n]};
        double magnitudes = std::fabs(sum);
        for (std::size_t k = 0; k < spec.in; ++k) {
          const double product = double{round_to_bfloat16(x[row * float_stride(spec.in) + k])} *
                                 double{bfloat16_to_float(weight[n * spec.in + k])};
          sum += product;
          magnitudes += std::fabs(product);
        }
        const double apart = std::fabs(double{dst[row * float_stride(spec.out) + n]} - sum);
        worst = std::max(worst, apart / ((spec.in + 2.0) * 0x1p-24 * magnitudes));
      }
    }
    return worst;
  }

  std::vector<std::uint16_t> weight;  // (out, in)
  std::vector<float> bias;            // (out)
  std::vector<float> x;               // (kChunkRows, in), stride float_stride(in)
  format::LinearSpec spec;
};

void expect_exact_products(LinearMaker& maker) {
  for (const auto& [in, out] : std::vector<std::pair<std::uint32_t, std::uint32_t>>{
           {1, 1}, {7, 17}, {37, 111}, {64, 64}, {192, 40}, {771, 9}}) {
    const Layer layer(in, out);
    for (const std::uint32_t n_rows : {1U, 2U, 5U, 6U, 7U, kChunkRows}) {
      EXPECT_LE(layer.worst_of(layer.run(maker, n_rows), n_rows), 1.0)
          << in << " " << out << " " << n_rows;
    }
  }
}

TEST_F(Bf16, OurLinearsMultiplyRoundedInputsExactly) {
  expect_exact_products(*make_avx2_linears());
}

TEST_F(Bf16, TheLibrarysLinearsMultiplyRoundedInputsExactly) {
  if (!onednn_has_bf16()) GTEST_SKIP() << "needs oneDNN and AVX-512 BF16 or AMX";

  expect_exact_products(*make_onednn_linears(avx2_rows()));
}

TEST_F(Bf16, TheBoundShowsAnInputThatIsNotRounded) {
  const Layer layer(192, 40);
  std::vector<float> weight;
  for (const std::uint16_t value : layer.weight) weight.push_back(bfloat16_to_float(value));
  format::LinearSpec unrounded = layer.spec;
  unrounded.precision = Precision::fp32;
  unrounded.weight = {ElementType::f32, 40, 192, std::as_bytes(std::span(weight))};
  const auto maker = make_avx2_linears();
  const std::unique_ptr<Linear> linear = maker->make(unrounded);
  std::vector<float> dst(std::size_t{kChunkRows} * float_stride(40));

  linear->run(*maker->new_scratch(), {.x = layer.x.data(), .n_rows = 7}, Output::store, dst.data());

  EXPECT_GT(layer.worst_of(dst, 7), 1.0);
}

TEST_F(Bf16, TheReferenceMultipliesRoundedInputsExactlyToo) {
  const Layer layer(192, 40);  // rows of 192 lie without padding between them
  reference::LinearScratch scratch(7, 192);
  std::vector<float> dst(std::size_t{kChunkRows} * float_stride(40));
  std::vector<float> dense(std::size_t{7} * 40);

  reference::linear(layer.spec, layer.x, 7, dense, scratch);
  for (std::size_t row = 0; row < 7; ++row) {
    std::copy_n(dense.data() + row * 40, 40, dst.data() + row * float_stride(40));
  }

  EXPECT_LE(layer.worst_of(dst, 7), 1.0);
}

}  // namespace
}  // namespace espalier::runtime::cpu
