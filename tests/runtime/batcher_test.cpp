// The cut of a batch into blocks: every sentence once, no block too large, every thread busy.
#include "runtime/batcher.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>
#include <vector>

namespace espalier::runtime {
namespace {

using Lengths = std::vector<std::uint32_t>;

std::vector<Lengths> blocks_of(const Batcher& batcher, const Lengths& lengths) {
  std::vector<Lengths> blocks;
  for (std::uint32_t block = 0; block < batcher.n_blocks(); ++block) {
    blocks.emplace_back();
    for (std::uint32_t place = batcher.begin(block); place < batcher.begin(block + 1); ++place) {
      blocks.back().push_back(lengths[batcher.order()[place]]);
    }
  }
  return blocks;
}

std::vector<Lengths> plan(const Lengths& lengths, const BatchLimits& limits) {
  Batcher batcher;
  batcher.plan(lengths, limits);
  return blocks_of(batcher, lengths);
}

std::uint32_t rows(const Lengths& block) {
  return std::accumulate(block.begin(), block.end(), 0U);
}

TEST(Batcher, PutsASmallBatchIntoOneBlock) {
  EXPECT_EQ(plan({3, 9, 5}, {.block_rows = 256, .threads = 1}), (std::vector<Lengths>{{9, 5, 3}}));
}

TEST(Batcher, MakesNoBlockOfNothing) {
  EXPECT_TRUE(plan({}, {.block_rows = 256, .threads = 2}).empty());
}

TEST(Batcher, GivesEveryThreadABlockOfLikeSize) {
  EXPECT_EQ(plan({10, 10, 9, 9}, {.block_rows = 256, .threads = 2}),
            (std::vector<Lengths>{{10, 9}, {10, 9}}));
}

TEST(Batcher, NeverMakesMoreBlocksThanSentences) {
  EXPECT_EQ(plan({4, 5}, {.block_rows = 256, .threads = 3}).size(), 2U);
}

TEST(Batcher, GivesALongSentenceABlockOfItsOwn) {
  EXPECT_EQ(plan({2, 50, 3}, {.block_rows = 16, .threads = 1}),
            (std::vector<Lengths>{{50}, {3, 2}}));
}

TEST(Batcher, SplitsASentenceThatWouldKeepOneThreadBusyAlone) {
  Batcher batcher;
  const Lengths lengths = {8, 128, 9};

  batcher.plan(lengths, {.block_rows = 256, .threads = 2});

  EXPECT_EQ(batcher.n_split(), 1U);
  EXPECT_EQ(blocks_of(batcher, lengths), (std::vector<Lengths>{{128}, {9}, {8}}));
}

TEST(Batcher, SplitsNothingForOneThread) {
  Batcher batcher;

  batcher.plan(Lengths{512}, {.block_rows = 256, .threads = 1});

  EXPECT_EQ(batcher.n_split(), 0U);
}

TEST(Batcher, SplitsOnlyWhatGivesEachThreadEnoughRows) {
  Batcher batcher;

  batcher.plan(Lengths{3 * kMinRowsOfSplit - 1}, {.block_rows = 256, .threads = 3});
  EXPECT_EQ(batcher.n_split(), 0U);

  batcher.plan(Lengths{3 * kMinRowsOfSplit}, {.block_rows = 256, .threads = 3});
  EXPECT_EQ(batcher.n_split(), 1U);
}

TEST(Batcher, DoesNotSplitWhenTheOthersFillTheOtherThread) {
  Batcher batcher;

  batcher.plan(Lengths{128, 127}, {.block_rows = 256, .threads = 2});

  EXPECT_EQ(batcher.n_split(), 0U);
}

TEST(Batcher, KeepsItsPromisesOnManyBatches) {
  Batcher batcher;
  std::uint32_t noise = 1;
  for (int round = 0; round < 500; ++round) {
    Lengths lengths(1 + round % 70);
    for (std::uint32_t& length : lengths) {
      noise = noise * 1664525 + 1013904223;
      length = 1 + (noise >> 24) % (round % 2 == 0 ? 40 : 200);
    }
    const BatchLimits limits = {.block_rows = 64 + 64U * (round % 4),
                                .threads = 1U + static_cast<unsigned>(round) % 5};
    batcher.plan(lengths, limits);

    Lengths seen(batcher.order().begin(), batcher.order().end());
    std::sort(seen.begin(), seen.end());
    Lengths all(lengths.size());
    std::iota(all.begin(), all.end(), 0U);
    ASSERT_EQ(seen, all) << round;
    for (const Lengths& block : blocks_of(batcher, lengths)) {
      ASSERT_FALSE(block.empty()) << round;
      ASSERT_TRUE(block.size() == 1 || rows(block) <= limits.block_rows) << round;
    }
  }
}

TEST(Batcher, GivesTheSamePlanForTheSameLengths) {
  const Lengths lengths = {7, 7, 30, 7, 12, 30, 1, 99};
  const BatchLimits limits = {.block_rows = 40, .threads = 2};
  Batcher used;
  used.plan(Lengths{1, 2, 3}, limits);
  used.plan(lengths, limits);
  Batcher fresh;
  fresh.plan(lengths, limits);

  EXPECT_TRUE(std::equal(used.order().begin(), used.order().end(), fresh.order().begin(),
                         fresh.order().end()));
}

}  // namespace
}  // namespace espalier::runtime
