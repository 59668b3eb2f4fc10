// Sentences of unlike lengths in one matrix, and the batches in which inference walks them.
#include "compress/objective/padding.hpp"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

namespace espalier::objective {
namespace {

constexpr std::uint32_t kPad = 9;

TokenBatch sentences_of(const std::vector<std::uint32_t>& lengths) {
  TokenBatch tokens;
  tokens.offsets = {0};
  for (const std::uint32_t length : lengths) {
    for (std::uint32_t token = 0; token < length; ++token) {
      tokens.ids.push_back(static_cast<TokenId>(100 + tokens.ids.size()));
      tokens.segments.push_back(1);
    }
    tokens.offsets.push_back(tokens.offsets.back() + length);
  }
  return tokens;
}

at::Tensor matrix(const std::vector<std::int64_t>& values, std::int64_t rows) {
  return at::tensor(values, at::kLong).view({rows, -1});
}

TEST(Pad, FillsShorterSentencesToTheLongestOfTheChosen) {
  const TokenBatch tokens = sentences_of({2, 5, 3});
  const std::vector<std::size_t> sentences = {2, 0};

  const model::TokenTensors padded = pad(tokens, sentences, kPad);

  EXPECT_TRUE(at::equal(padded.ids, matrix({107, 108, 109, 100, 101, kPad}, 2)));
  EXPECT_TRUE(at::equal(padded.segments, matrix({1, 1, 1, 1, 1, 0}, 2)));
  EXPECT_TRUE(at::equal(padded.mask, matrix({1, 1, 1, 1, 1, 0}, 2).to(at::kBool)));
}

TEST(Pad, NeedsNoMaskForEqualLengths) {
  const TokenBatch tokens = sentences_of({3, 1, 3});
  const std::vector<std::size_t> sentences = {0, 2};

  const model::TokenTensors padded = pad(tokens, sentences, kPad);

  EXPECT_FALSE(padded.mask.defined());
  EXPECT_TRUE(at::equal(padded.ids, matrix({100, 101, 102, 104, 105, 106}, 2)));
}

TEST(PadValues, FillsAsPadDoes) {
  const TokenBatch tokens = sentences_of({2, 5, 3});
  const std::vector<std::int64_t> values = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9};
  const std::vector<std::size_t> sentences = {2, 0};

  const at::Tensor padded = pad_values(values, tokens, sentences, -100);

  EXPECT_TRUE(at::equal(padded, matrix({7, 8, 9, 0, 1, -100}, 2)));
}

TEST(InferenceBatches, HoldEverySentenceOnceByRisingLength) {
  const TokenBatch tokens = sentences_of({7, 2, 9, 2, 4, 1, 7});

  const std::vector<std::vector<std::size_t>> batches = inference_batches(tokens, 14);

  // Of equal lengths the first comes first; 1 2 2 4 would have 4 x 4 cells, 4 7 7 would have 3 x 7.
  const std::vector<std::vector<std::size_t>> expected = {{5, 1, 3}, {4, 0}, {6}, {2}};
  EXPECT_EQ(batches, expected);
}

TEST(InferenceBatches, GiveASentenceOverTheLimitABatchOfItsOwn) {
  const TokenBatch tokens = sentences_of({50, 3, 60});

  const std::vector<std::vector<std::size_t>> expected = {{1}, {0}, {2}};
  EXPECT_EQ(inference_batches(tokens, 10), expected);
}

TEST(InferenceBatches, AreFullToTheLastTokenThatFits) {
  const TokenBatch tokens = sentences_of({4, 4, 4, 4, 4});

  const std::vector<std::vector<std::size_t>> expected = {{0, 1, 2}, {3, 4}};
  EXPECT_EQ(inference_batches(tokens, 12), expected);
  EXPECT_EQ(inference_batches(tokens, 11).size(), 3U);
}

}  // namespace
}  // namespace espalier::objective
