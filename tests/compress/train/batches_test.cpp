#include "compress/train/batches.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "small_task.hpp"

namespace espalier::train {
namespace {

TEST(EpochBatches, ShowEveryExampleOnce) {
  const SmallTask small;

  const std::vector<Examples> batches = epoch_batches(small.objective, 8, 7, 0);

  std::multiset<std::size_t> seen;
  std::size_t n_full = 0;
  for (const Examples& batch : batches) {
    seen.insert(batch.begin(), batch.end());
    n_full += batch.size() == 8 ? 1 : 0;
  }
  EXPECT_EQ(batches.size(), 6U);
  EXPECT_EQ(n_full, 5U);
  EXPECT_EQ(seen.size(), 45U);
  EXPECT_EQ(std::set<std::size_t>(seen.begin(), seen.end()).size(), 45U);
}

TEST(EpochBatches, HoldExamplesOfLikeLength) {
  const SmallTask small;

  std::size_t n_padding = 0;
  std::size_t n_tokens = 0;
  for (const Examples& batch : epoch_batches(small.objective, 5, 7, 0)) {
    std::uint32_t longest = 0;
    for (const std::size_t example : batch) {
      longest = std::max(longest, small.objective.length(example));
    }
    for (const std::size_t example : batch) {
      n_padding += longest - small.objective.length(example);
      n_tokens += small.objective.length(example);
    }
  }

  // Lengths 3 to 12 are uniform: in nine batches of sorted ones each spans about one length, where
  // an unsorted batch would pad by 5/6 of the range, 4 tokens in 7.5.
  EXPECT_LT(static_cast<double>(n_padding), 0.15 * static_cast<double>(n_tokens));
}

TEST(EpochBatches, AreAFunctionOfSeedAndEpoch) {
  const SmallTask small;

  const std::vector<Examples> first = epoch_batches(small.objective, 8, 7, 3);

  EXPECT_EQ(first, epoch_batches(small.objective, 8, 7, 3));
  EXPECT_NE(first, epoch_batches(small.objective, 8, 7, 4));
  EXPECT_NE(first, epoch_batches(small.objective, 8, 8, 3));
}

}  // namespace
}  // namespace espalier::train
