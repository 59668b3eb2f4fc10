// The tokenizer's own rules on a small vocabulary: layout of a batch, truncation, words, ids.
#include "text/tokenizer.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <thread>
#include <vector>

#include "espalier/error.hpp"
#include "tests/text/small_spec.hpp"

namespace espalier::text {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

TEST(Tokenizer, ASentenceStandsBetweenItsSpecialTokens) {
  const Tokenizer tokenizer(small_spec());
  const Text text = {"The unaffable cat."};

  const TokenBatch batch = tokenizer.encode(std::span(&text, 1), 16);

  EXPECT_THAT(pieces_of(tokenizer, batch),
              ElementsAre("[CLS]", "the", "un", "##aff", "##able", "cat", ".", "[SEP]"));
  EXPECT_THAT(batch.segments, ElementsAre(0, 0, 0, 0, 0, 0, 0, 0));
  EXPECT_THAT(batch.spans,
              ElementsAre(ByteSpan{0, 0}, ByteSpan{0, 3}, ByteSpan{4, 6}, ByteSpan{6, 9},
                          ByteSpan{9, 13}, ByteSpan{14, 17}, ByteSpan{17, 18}, ByteSpan{0, 0}));
  EXPECT_THAT(batch.offsets, ElementsAre(0, 8));
  EXPECT_THAT(batch.truncated, ElementsAre(0));
}

TEST(Tokenizer, APairHasTwoSegmentsAndSpansInItsOwnTexts) {
  const Tokenizer tokenizer(small_spec());
  const Text texts[] = {{"the cat", "a \xE4\xB8\xAD"}, {""}};

  const TokenBatch batch = tokenizer.encode(texts, 16);

  EXPECT_THAT(pieces_of(tokenizer, batch),
              ElementsAre("[CLS]", "the", "cat", "[SEP]", "a", "中", "[SEP]", "[CLS]", "[SEP]"));
  EXPECT_THAT(batch.segments, ElementsAre(0, 0, 0, 0, 1, 1, 1, 0, 0));
  EXPECT_EQ(batch.spans[5], (ByteSpan{2, 5}));
  EXPECT_THAT(batch.offsets, ElementsAre(0, 7, 9));
}

TEST(Tokenizer, AnEmptySecondTextIsStillAPair) {
  const Tokenizer tokenizer(small_spec());
  const Text text = {"cat", ""};

  EXPECT_THAT(pieces_of(tokenizer, tokenizer.encode(std::span(&text, 1), 8)),
              ElementsAre("[CLS]", "cat", "[SEP]", "[SEP]"));
}

class Truncating : public ::testing::Test {
 protected:
  [[nodiscard]] std::vector<std::string> pieces(const Text& text, const EncodeOptions& options) {
    batch_ = {};
    tokenizer_.encode(text, options, batch_, scratch_);
    return pieces_of(tokenizer_, batch_);
  }

  Tokenizer tokenizer_{small_spec()};
  Scratch scratch_;
  TokenBatch batch_;
};

TEST_F(Truncating, ASingleTextKeepsItsBeginning) {
  EXPECT_THAT(pieces({"the cat sat ."}, {.max_length = 4}),
              ElementsAre("[CLS]", "the", "cat", "[SEP]"));
  EXPECT_THAT(batch_.truncated, ElementsAre(1));
  EXPECT_THAT(pieces({"the cat"}, {.max_length = 4}), ElementsAre("[CLS]", "the", "cat", "[SEP]"));
  EXPECT_THAT(batch_.truncated, ElementsAre(0));
  EXPECT_THAT(pieces({"the cat"}, {.max_length = 2}), ElementsAre("[CLS]", "[SEP]"));
}

TEST_F(Truncating, LongestFirstGivesTheOddPieceToTheLongerText) {
  const Text second_longer = {"the the the", "cat cat cat cat cat cat cat cat"};
  const Text first_longer = {"the the the the the the the the", "cat cat cat"};

  EXPECT_THAT(pieces(second_longer, {.max_length = 8}),
              ElementsAre("[CLS]", "the", "the", "[SEP]", "cat", "cat", "cat", "[SEP]"));
  EXPECT_THAT(pieces(first_longer, {.max_length = 8}),
              ElementsAre("[CLS]", "the", "the", "the", "[SEP]", "cat", "cat", "[SEP]"));
  EXPECT_THAT(batch_.truncated, ElementsAre(1));
}

TEST_F(Truncating, LongestFirstLeavesAShortTextWhole) {
  EXPECT_THAT(pieces({"a", "cat cat cat cat cat cat"}, {.max_length = 7}),
              ElementsAre("[CLS]", "a", "[SEP]", "cat", "cat", "cat", "[SEP]"));
}

TEST_F(Truncating, TheLongerOfTwoOverflowingTextsIsKnown) {
  std::string longer;
  for (int at = 0; at < 50; ++at) longer += "the ";
  const std::string shorter = longer.substr(0, 40);

  EXPECT_THAT(pieces({longer, shorter}, {.max_length = 6}),
              ElementsAre("[CLS]", "the", "the", "[SEP]", "the", "[SEP]"));
  EXPECT_THAT(pieces({shorter, longer}, {.max_length = 6}),
              ElementsAre("[CLS]", "the", "[SEP]", "the", "the", "[SEP]"));
}

TEST_F(Truncating, OneSidedTruncationCutsOnlyThatSide) {
  const Text text = {"the the the", "cat cat cat"};

  EXPECT_THAT(pieces(text, {.max_length = 7, .truncation = Truncation::only_first}),
              ElementsAre("[CLS]", "the", "[SEP]", "cat", "cat", "cat", "[SEP]"));
  EXPECT_THAT(pieces(text, {.max_length = 7, .truncation = Truncation::only_second}),
              ElementsAre("[CLS]", "the", "the", "the", "[SEP]", "cat", "[SEP]"));
}

TEST_F(Truncating, WhatCannotReachTheLengthIsRefusedAndTheBatchUnchanged) {
  tokenizer_.encode({"a"}, {}, batch_, scratch_);
  const TokenBatch before = batch_;
  const auto refuse = [&](const Text& text, const EncodeOptions& options) {
    EXPECT_THROW(tokenizer_.encode(text, options, batch_, scratch_), Error);
    EXPECT_EQ(batch_.ids, before.ids);
    EXPECT_EQ(batch_.offsets, before.offsets);
  };

  refuse({"a", "cat cat cat"}, {.max_length = 6, .truncation = Truncation::only_first});
  refuse({"the the the", "b"}, {.max_length = 6, .truncation = Truncation::only_second});
  refuse({"the the the"}, {.max_length = 4, .truncation = Truncation::only_second});
  refuse({"a"}, {.max_length = 1});
  refuse({"a", "b"}, {.max_length = 2});
}

TEST_F(Truncating, NoneCutsNothing) {
  EXPECT_EQ(pieces({"the cat sat"}, {.max_length = 2, .truncation = Truncation::none}).size(), 5U);
}

TEST(Tokenizer, AnErrorNamesTheText) {
  const Tokenizer tokenizer(small_spec());
  const Text texts[] = {{"a"}, {"a", "b"}};

  try {
    (void)tokenizer.encode(texts, 2);
    FAIL() << "no error";
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), HasSubstr("text 1"));
    EXPECT_EQ(error.code(), ErrorCode::usage);
  }
}

TEST(Tokenizer, WordsAsGivenKeepTheirPiecesApart) {
  const Tokenizer tokenizer(small_spec());
  const std::string_view words[] = {"Unaffable", "\x01", "cat.", "", "[SEP]", "ab"};
  WordPieces pieces;
  Scratch scratch;

  tokenizer.encode_words(words, pieces, scratch);

  EXPECT_THAT(pieces.first, ElementsAre(0, 3, 3, 5, 5, 6, 8));
  TokenBatch flat;
  flat.ids = pieces.ids;
  EXPECT_THAT(pieces_of(tokenizer, flat),
              ElementsAre("un", "##aff", "##able", "cat", ".", "[SEP]", "a", "##b"));
  EXPECT_EQ(pieces.spans[4], (ByteSpan{3, 4}));
  EXPECT_EQ(pieces.spans[7], (ByteSpan{1, 2}));
}

TEST(Tokenizer, ALaterEqualPieceWins) {
  TokenizerSpec spec = small_spec();
  spec.pieces.push_back("cat");
  const Tokenizer tokenizer(spec);
  const Text text = {"cat"};

  EXPECT_EQ(tokenizer.find("cat"), static_cast<TokenId>(spec.pieces.size() - 1));
  EXPECT_EQ(to_int(tokenizer.encode(std::span(&text, 1), 8).ids[1]),
            static_cast<int>(spec.pieces.size() - 1));
}

TEST(Tokenizer, FindsPiecesAndSpecialTokens) {
  const Tokenizer tokenizer(small_spec());

  EXPECT_EQ(to_int(*tokenizer.find("un")), 5);
  EXPECT_EQ(tokenizer.find("nothing"), std::nullopt);
  EXPECT_EQ(tokenizer.piece(tokenizer.cls()), "[CLS]");
  EXPECT_EQ(tokenizer.piece(tokenizer.sep()), "[SEP]");
  EXPECT_EQ(tokenizer.piece(tokenizer.pad()), "[PAD]");
  EXPECT_EQ(tokenizer.piece(tokenizer.unk()), "[UNK]");
  EXPECT_EQ(tokenizer.piece(*tokenizer.mask()), "[MASK]");
  EXPECT_EQ(tokenizer.vocabulary_size(), small_spec().pieces.size());
}

TEST(Tokenizer, APieceKnownOnlyAsAddedTokenIsNoPartOfAWord) {
  TokenizerSpec spec = small_spec();
  spec.pieces.push_back("tha");
  spec.added.push_back({.id = static_cast<TokenId>(spec.pieces.size() - 1),
                        .in_vocabulary = false,
                        .single_word = true});
  const Tokenizer tokenizer(spec);
  const Text text = {"tha thab"};

  EXPECT_THAT(pieces_of(tokenizer, tokenizer.encode(std::span(&text, 1), 8)),
              ElementsAre("[CLS]", "tha", "[UNK]", "[SEP]"));
}

TEST(Tokenizer, ThreadsShareOneTokenizer) {
  const Tokenizer tokenizer(small_spec());
  const Text text = {"the unaffable caf\xC3\xA9 [MASK] \xE4\xB8\xAD", "sat"};
  const TokenBatch wanted = tokenizer.encode(std::span(&text, 1), 16);
  std::vector<int> n_equal(4, 0);
  std::vector<std::thread> threads;

  for (int& count : n_equal) {
    threads.emplace_back([&] {
      for (int round = 0; round < 500; ++round) {
        count += tokenizer.encode(std::span(&text, 1), 16).ids == wanted.ids ? 1 : 0;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();

  EXPECT_THAT(n_equal, ElementsAre(500, 500, 500, 500));
}

}  // namespace
}  // namespace espalier::text
