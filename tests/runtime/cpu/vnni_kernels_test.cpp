// The generated VNNI tiles: every one against the canonical functions, element by element, where
// the processor has the instructions; and how they use memory, anywhere.
#include "runtime/cpu/vnni_kernels.hpp"

#include <gtest/gtest.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "base/canonical.hpp"
#include "base/cpu_info.hpp"
#include "espalier/error.hpp"
#include "runtime/cpu/vnni_matmul.hpp"

namespace espalier::runtime::cpu {
namespace {

constexpr float kUntouched = 12345.0F;

/// A matmul on random operands, and the memory around its result.
struct Problem {
  Problem(TileEnd how, std::uint32_t n_rows, std::uint32_t n_columns, std::uint32_t n_depth)
      : end(how),
        rows(n_rows),
        columns(n_columns),
        padded((n_columns + 15) / 16 * 16),
        depth(n_depth),
        codes(std::size_t{rows} * depth),
        weights(std::size_t{padded} * depth),
        panels(std::size_t{(n_columns + 63) / 64 * 64} * depth),
        start(padded),
        row_zero(rows),
        row_scale(rows),
        column_scale(padded),
        bias(padded),
        before(std::size_t{rows} * stride(), kUntouched) {
    std::mt19937 random(rows * 1000 + columns * 10 + depth);
    std::uniform_int_distribution<int> code(0, 255);
    std::uniform_int_distribution<int> weight(-127, 127);
    std::uniform_real_distribution<float> number(-1, 1);
    for (std::uint8_t& value : codes) value = static_cast<std::uint8_t>(code(random));
    for (std::uint32_t n = 0; n < columns; ++n) {
      for (std::uint32_t k = 0; k < depth; ++k) set_weight(n, k, weight(random));
      start[n] = weight(random) * 1000;
      column_scale[n] = number(random) * 0.01F;
      bias[n] = number(random);
    }
    for (std::int32_t& zero : row_zero) zero = code(random);
    for (float& scale : row_scale) scale = number(random) * 0.05F;
    for (std::uint32_t row = 0; row < rows; ++row) {
      for (std::uint32_t n = 0; n < padded; ++n) before[row * stride() + n] = number(random);
    }
  }

  [[nodiscard]] std::size_t stride() const { return padded + 16; }

  void set_weight(std::uint32_t n, std::uint32_t k, int value) {
    const std::uint32_t wide = std::min(padded - n / 64 * 64, 64U);
    const std::size_t step_bytes = end == TileEnd::context ? std::size_t{wide} * 4 : 256;
    weights[std::size_t{n} * depth + k] = value;
    panels[std::size_t{n / 64} * 64 * depth + k / 4 * step_bytes + n % 64 * 4 + k % 4] =
        static_cast<std::int8_t>(value);
  }

  [[nodiscard]] bool linear() const {
    return end == TileEnd::store || end == TileEnd::gelu || end == TileEnd::add;
  }

  [[nodiscard]] float expected(std::uint32_t row, std::uint32_t n) const {
    std::int32_t sum = end == TileEnd::context ? 0 : start[n];
    if (own_zeros) sum *= row_zero[row];
    for (std::uint32_t k = 0; k < depth; ++k) {
      sum += codes[std::size_t{row} * depth + k] * weights[std::size_t{n} * depth + k];
    }
    const float y = canonical::dequantize(sum, row_scale[row], column_scale[n], bias[n]);
    switch (end) {
      case TileEnd::store:
        return y;
      case TileEnd::gelu:
        return canonical::gelu(y);
      case TileEnd::add:
        return before[row * stride() + n] + y;
      case TileEnd::scores:
        return static_cast<float>(sum) * row_scale[row] * column_scale[n];
      case TileEnd::context:
        return static_cast<float>(sum) * row_scale[row];
    }
    return 0;
  }

  [[nodiscard]] std::vector<float> expected() const {
    std::vector<float> dst = before;
    for (std::uint32_t row = 0; row < rows; ++row) {
      for (std::uint32_t n = 0; n < padded; ++n) dst[row * stride() + n] = expected(row, n);
    }
    return dst;
  }

  [[nodiscard]] std::vector<float> actual() const {
    std::vector<float> dst = before;
    multiply(vnni_kernels(), end,
             {.codes = codes.data(),
              .code_stride = depth,
              .n_rows = rows,
              .depth = depth,
              .columns = columns,
              .panels = panels.data(),
              .start = start.data(),
              .row_zero = own_zeros ? row_zero.data() : nullptr,
              .row_scale = row_scale.data(),
              .column_scale = column_scale.data(),
              .bias = bias.data(),
              .dst = dst.data(),
              .dst_stride = stride()});
    return dst;
  }

  TileEnd end;
  std::uint32_t rows, columns, padded, depth;
  std::vector<std::uint8_t> codes;  // (rows, depth)
  std::vector<int> weights;         // (padded, depth)
  std::vector<std::int8_t> panels;
  bool own_zeros = false;
  std::vector<std::int32_t> start;     // (padded)
  std::vector<std::int32_t> row_zero;  // (rows)
  std::vector<float> row_scale;        // (rows)
  std::vector<float> column_scale;     // (padded)
  std::vector<float> bias;             // (padded)
  std::vector<float> before;           // (rows, stride)
};

class VnniTiles : public ::testing::TestWithParam<TileEnd> {
 protected:
  void SetUp() override {
    if (detected_isa() < Isa::avx512_vnni) GTEST_SKIP() << "the processor has no AVX-512 VNNI";
  }
};

TEST_P(VnniTiles, GiveTheCanonicalBitsForEveryNumberOfRowsAndColumns) {
  for (std::uint32_t rows = 1; rows <= kVnniTileRows + 1; ++rows) {
    for (const std::uint32_t columns : {1U, 16U, 17U, 48U, 64U, 65U, 130U}) {
      const Problem problem(GetParam(), rows, columns, 48);

      EXPECT_EQ(problem.actual(), problem.expected()) << rows << " rows, " << columns;
    }
  }
}

TEST_P(VnniTiles, GiveTheCanonicalBitsForEveryDepth) {
  for (const std::uint32_t depth : {0U, 16U, 64U, 1024U}) {
    const Problem problem(GetParam(), 13, 64, depth);

    EXPECT_EQ(problem.actual(), problem.expected()) << depth;
  }
}

TEST_P(VnniTiles, BeginEachRowWithItsOwnZero) {
  Problem problem(GetParam(), kVnniTileRows + 2, 130, 48);
  if (!problem.linear()) GTEST_SKIP() << "attention has no zero points";
  problem.own_zeros = true;
  const std::vector<float> expected = problem.expected();

  EXPECT_EQ(problem.actual(), expected);

  ++problem.row_zero.back();
  EXPECT_NE(problem.actual(), expected);
}

TEST_P(VnniTiles, ShowOneWeightOffByOneCode) {
  Problem problem(GetParam(), 6, 64, 64);
  const std::vector<float> expected = problem.expected();

  problem.set_weight(63, 63, problem.weights.back() - 1);

  EXPECT_NE(problem.actual(), expected);
}

std::string name_of(const ::testing::TestParamInfo<TileEnd>& given) {
  constexpr std::array<std::string_view, kTileEnds> kNames = {"Store", "Gelu", "Add", "Scores",
                                                              "Context"};
  return std::string(kNames[static_cast<std::size_t>(given.param)]);
}

INSTANTIATE_TEST_SUITE_P(EveryEnd, VnniTiles,
                         ::testing::Values(TileEnd::store, TileEnd::gelu, TileEnd::add,
                                           TileEnd::scores, TileEnd::context),
                         name_of);

TEST(VnniStartSums, AreMinusZeroTimesTheSumOfAColumn) {
  if (detected_isa() < Isa::avx512_vnni) GTEST_SKIP() << "the processor has no AVX-512 VNNI";
  const Problem problem(TileEnd::store, 1, 70, 32);
  for (const int zero : {0, 1, 128, 255}) {
    std::vector<std::int32_t> expected(problem.padded);
    for (std::size_t n = 0; n < expected.size(); ++n) {
      for (std::size_t k = 0; k < problem.depth; ++k) {
        expected[n] -= zero * problem.weights[n * problem.depth + k];
      }
    }

    std::vector<std::int32_t> actual(problem.padded);
    start_sums(problem.panels.data(), problem.depth, problem.columns,
               static_cast<std::uint8_t>(zero), actual.data());

    EXPECT_EQ(actual, expected) << zero;
  }
}

/// What the process may do with the memory at `address`, as the system lists it: "r-xp".
std::string protection_of(const void* address) {
  std::ifstream maps("/proc/self/maps");
  for (std::string line; std::getline(maps, line);) {
    unsigned long long begin = 0, end = 0;
    char protection[5] = {};
    if (std::sscanf(line.c_str(), "%llx-%llx %4s", &begin, &end, protection) != 3) continue;
    const auto at = reinterpret_cast<std::uintptr_t>(address);
    if (begin <= at && at < end) return protection;
  }
  return {};
}

TEST(VnniKernels, LieInMemoryThatIsExecutableAndNotWritable) {
  const VnniKernels kernels;

  EXPECT_EQ(protection_of(kernels.code().data()), "r-xp");
  EXPECT_EQ(protection_of(&kernels.code().back()), "r-xp");
}

// Of Linux 6.3: a process may ask never to be given executable memory that it could have written.
// The headers may be older.
constexpr int kSetMdwe = 65, kGetMdwe = 66;
constexpr unsigned long kRefuseExecGain = 1;

/// Makes kernels in a process that may make no memory executable; exits with the error's code.
[[noreturn]] void generate_without_executable_memory() {
  if (prctl(kSetMdwe, kRefuseExecGain, 0, 0, 0) != 0) std::exit(99);
  try {
    const VnniKernels kernels;
  } catch (const Error& error) {
    std::fputs(error.what(), stderr);
    std::exit(static_cast<int>(error.code()));
  }
  std::exit(0);
}

TEST(VnniKernelsDeathTest, NameTheRemedyWhereExecutableMemoryIsRefused) {
  if (prctl(kGetMdwe, 0, 0, 0, 0) < 0) GTEST_SKIP() << "needs Linux 6.3";

  EXPECT_EXIT(
      generate_without_executable_memory(), [](int status) { return WEXITSTATUS(status) == 6; },
      "ESPALIER_MAX_ISA=avx2");
}

}  // namespace
}  // namespace espalier::runtime::cpu
