// From a checkpoint's tokenizer to the form that a model file stores.
#include "compress/export/tokenizer_part.hpp"

#include <gtest/gtest.h>

#include "espalier/error.hpp"

namespace espalier::compress {
namespace {

text::TokenizerSpec small_tokenizer() {
  text::TokenizerSpec spec;
  spec.pieces = {"[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "a", "##b", "a"};
  return spec;
}

std::string message_of(const text::TokenizerSpec& spec) {
  std::string vocabulary;
  try {
    (void)tokenizer_part(spec, vocabulary);
  } catch (const Error& error) {
    return error.code() == ErrorCode::bad_input ? error.what() : "another code";
  }
  return "no error";
}

TEST(TokenizerPart, LaysPiecesEndToEnd) {
  std::string vocabulary;

  const format::TokenizerSpec part = tokenizer_part(small_tokenizer(), vocabulary);

  EXPECT_EQ(part.vocabulary, "[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\na\n##b\na\n");
  EXPECT_EQ(part.n_pieces, 8U);
  EXPECT_EQ(part.unk, 1U);
  EXPECT_EQ(part.cls, 2U);
  EXPECT_EQ(part.sep, 3U);
  EXPECT_EQ(part.pad, 0U);
  EXPECT_EQ(part.mask, 4U);
}

TEST(TokenizerPart, TakesTheLastOfEqualPieces) {
  text::TokenizerSpec spec = small_tokenizer();
  spec.unk = "a";
  std::string vocabulary;

  EXPECT_EQ(tokenizer_part(spec, vocabulary).unk, 7U);
}

TEST(TokenizerPart, KeepsFlagsAndAddedTokens) {
  text::TokenizerSpec spec = small_tokenizer();
  spec.lowercase = false;
  spec.strip_accents = false;
  spec.max_word_chars = 7;
  spec.added = {{.id = TokenId{4}, .lstrip = true}};
  std::string vocabulary;

  const format::TokenizerSpec part = tokenizer_part(spec, vocabulary);

  EXPECT_FALSE(part.lowercase);
  EXPECT_FALSE(part.strip_accents);
  EXPECT_EQ(part.max_word_chars, 7U);
  ASSERT_EQ(part.added.size(), 1U);
  EXPECT_EQ(part.added[0].content, "[MASK]");
  EXPECT_TRUE(part.added[0].lstrip);
}

TEST(TokenizerPart, RefusesAPieceWithALineFeed) {
  text::TokenizerSpec spec = small_tokenizer();
  spec.pieces[5] = "a\nb";

  EXPECT_NE(message_of(spec).find("piece 5 ('a\\x0ab')"), std::string::npos) << message_of(spec);
}

TEST(TokenizerPart, RefusesAnOutsideTokenThatCouldBeAPartOfAWord) {
  for (const char* content : {"covid", "##covid", "果"}) {
    text::TokenizerSpec spec = small_tokenizer();
    spec.pieces[6] = content;
    spec.added = {{.id = TokenId{6}, .in_vocabulary = false}};

    EXPECT_NE(message_of(spec).find("added token"), std::string::npos) << content;
  }
}

TEST(TokenizerPart, TakesAnOutsideTokenThatNoWordCanHold) {
  text::TokenizerSpec spec = small_tokenizer();
  spec.pieces[6] = "<e1>";
  spec.added = {{.id = TokenId{6}, .in_vocabulary = false}};

  EXPECT_EQ(message_of(spec), "no error");
}

}  // namespace
}  // namespace espalier::compress
