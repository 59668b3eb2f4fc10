// Which folders are a BERT WordPiece tokenizer, what their files say, and how others are refused.
#include "text/tokenizer_spec.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <string>

#include "espalier/error.hpp"
#include "tests/text/small_spec.hpp"
#include "tests/text/temporary_folder.hpp"

namespace espalier::text {
namespace {

using nlohmann::json;
using ::testing::HasSubstr;

constexpr const char* kVocab = "[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\nthe\n##s\n";

json tokenizer_json() {
  json vocab;
  int id = 0;
  for (const char* piece : {"[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "the", "##s"}) {
    vocab[piece] = id++;
  }
  const auto special = [](const char* name, int segment) {
    return json{{"SpecialToken", {{"id", name}, {"type_id", segment}}}};
  };
  const auto sequence = [](const char* name, int segment) {
    return json{{"Sequence", {{"id", name}, {"type_id", segment}}}};
  };
  return {{"added_tokens",
           {{{"id", 4},
             {"content", "[MASK]"},
             {"special", true},
             {"lstrip", true},
             {"rstrip", false},
             {"single_word", false},
             {"normalized", false}}}},
          {"normalizer",
           {{"type", "BertNormalizer"},
            {"clean_text", true},
            {"handle_chinese_chars", true},
            {"strip_accents", nullptr},
            {"lowercase", false}}},
          {"pre_tokenizer", {{"type", "BertPreTokenizer"}}},
          {"post_processor",
           {{"type", "TemplateProcessing"},
            {"single", {special("[CLS]", 0), sequence("A", 0), special("[SEP]", 0)}},
            {"pair",
             {special("[CLS]", 0), sequence("A", 0), special("[SEP]", 0), sequence("B", 1),
              special("[SEP]", 1)}},
            {"special_tokens",
             {{"[CLS]", {{"id", "[CLS]"}, {"ids", {2}}, {"tokens", {"[CLS]"}}}},
              {"[SEP]", {{"id", "[SEP]"}, {"ids", {3}}, {"tokens", {"[SEP]"}}}}}}}},
          {"model",
           {{"type", "WordPiece"},
            {"unk_token", "[UNK]"},
            {"continuing_subword_prefix", "##"},
            {"max_input_chars_per_word", 100},
            {"vocab", vocab}}}};
}

std::string refusal_of(const std::filesystem::path& folder) {
  try {
    (void)load_tokenizer_spec(folder);
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::bad_input) << error.what();
    return error.what();
  }
  return "not refused";
}

std::string refusal_of(TokenizerSpec spec) {
  try {
    validate(spec);
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::bad_input) << error.what();
    return error.what();
  }
  return "not refused";
}

TEST(TokenizerFolder, VocabAloneIsUncasedBert) {
  const TemporaryFolder folder;
  folder.write("vocab.txt", kVocab);

  const TokenizerSpec spec = load_tokenizer_spec(folder.path());

  EXPECT_EQ(spec.pieces.size(), 7U);
  EXPECT_EQ(spec.pieces[6], "##s");
  EXPECT_TRUE(spec.lowercase && spec.strip_accents && spec.split_cjk && spec.clean_text);
  EXPECT_EQ(spec.max_length, 0U);
}

TEST(TokenizerFolder, VocabLinesEndAtLineFeedsOnly) {
  const TemporaryFolder folder;
  folder.write("vocab.txt", std::string(kVocab) + "\xE2\x80\xA8\r\n\nx\ry\nthe");

  const TokenizerSpec spec = load_tokenizer_spec(folder.path());

  ASSERT_EQ(spec.pieces.size(), 11U);
  EXPECT_EQ(spec.pieces[7], "\xE2\x80\xA8");  // U+2028 is a piece
  EXPECT_EQ(spec.pieces[8], "");              // an empty line counts
  EXPECT_EQ(spec.pieces[9], "x\ry");
  EXPECT_EQ(to_int(*Tokenizer(spec).find("the")), 10);  // of equal lines the last
}

TEST(TokenizerFolder, ConfigFlagsAreRead) {
  const TemporaryFolder folder;
  folder.write("vocab.txt", std::string(kVocab) + "<s>\n");
  folder.write("tokenizer_config.json",
               R"({"do_lower_case": false, "strip_accents": true, "tokenize_chinese_chars": false,
                   "model_max_length": 128, "never_split": null, "cls_token": "<s>",
                   "unk_token": {"content": "[UNK]", "lstrip": false}})");

  const TokenizerSpec spec = load_tokenizer_spec(folder.path());

  EXPECT_FALSE(spec.lowercase);
  EXPECT_TRUE(spec.strip_accents);
  EXPECT_FALSE(spec.split_cjk);
  EXPECT_EQ(spec.max_length, 128U);
  EXPECT_EQ(spec.cls, "<s>");
  EXPECT_EQ(spec.unk, "[UNK]");
}

TEST(TokenizerFolder, StripAccentsFollowsLowercaseUnlessStated) {
  const TemporaryFolder folder;
  folder.write("vocab.txt", kVocab);
  folder.write("tokenizer_config.json", R"({"do_lower_case": false, "strip_accents": null})");

  EXPECT_FALSE(load_tokenizer_spec(folder.path()).strip_accents);
}

TEST(TokenizerFolder, AnAstronomicMaxLengthIsNone) {
  const TemporaryFolder folder;
  folder.write("vocab.txt", kVocab);
  folder.write("tokenizer_config.json", R"({"model_max_length": 1000000000000000019884624838656})");

  EXPECT_EQ(load_tokenizer_spec(folder.path()).max_length, 0U);
}

TEST(TokenizerFolder, TokensAddedBesideVocabAreRead) {
  const TemporaryFolder folder;
  folder.write("vocab.txt", kVocab);
  folder.write("added_tokens.json", R"({"zebra": 8, "yak": 7})");

  const TokenizerSpec spec = load_tokenizer_spec(folder.path());

  ASSERT_EQ(spec.pieces.size(), 9U);
  EXPECT_EQ(spec.pieces[7], "yak");
  ASSERT_EQ(spec.added.size(), 2U);
  EXPECT_EQ(spec.added[1],
            (AddedToken{.id = TokenId{8}, .in_vocabulary = false, .normalized = true}));
}

TEST(TokenizerFolder, TheConfigsTokenListIsReadWithItsFlags) {
  const TemporaryFolder folder;
  folder.write("vocab.txt", kVocab);
  folder.write("tokenizer_config.json",
               R"({"added_tokens_decoder": {
                     "7": {"content": "yak", "special": false, "normalized": true, "rstrip": true},
                     "4": {"content": "[MASK]", "special": true, "normalized": false}}})");

  const TokenizerSpec spec = load_tokenizer_spec(folder.path());

  ASSERT_EQ(spec.added.size(), 2U);
  EXPECT_EQ(spec.added[0], (AddedToken{.id = TokenId{4}}));
  EXPECT_EQ(
      spec.added[1],
      (AddedToken{.id = TokenId{7}, .in_vocabulary = false, .rstrip = true, .normalized = true}));
}

TEST(TokenizerFolder, TokenizerJsonAloneIsEnoughAndWinsOverVocab) {
  const TemporaryFolder folder;
  folder.write("tokenizer.json", tokenizer_json().dump());
  folder.write("vocab.txt", "other\n");

  const TokenizerSpec spec = load_tokenizer_spec(folder.path());

  EXPECT_EQ(spec.pieces.size(), 7U);
  EXPECT_FALSE(spec.lowercase);
  EXPECT_FALSE(spec.strip_accents);
  ASSERT_EQ(spec.added.size(), 1U);
  EXPECT_TRUE(spec.added[0].lstrip);
}

TEST(TokenizerFolder, StatedConfigFlagsWinOverTokenizerJsonForABertClassOnly) {
  const TemporaryFolder folder;
  folder.write("tokenizer.json", tokenizer_json().dump());
  folder.write("tokenizer_config.json",
               R"({"do_lower_case": true, "tokenizer_class": "BertTokenizer"})");
  EXPECT_TRUE(load_tokenizer_spec(folder.path()).lowercase);
  EXPECT_TRUE(load_tokenizer_spec(folder.path()).strip_accents);

  folder.write("tokenizer_config.json",
               R"({"do_lower_case": true, "tokenizer_class": "PreTrainedTokenizerFast"})");
  EXPECT_FALSE(load_tokenizer_spec(folder.path()).lowercase);
}

TEST(TokenizerFolder, BertProcessingIsTheSameTemplate) {
  const TemporaryFolder folder;
  json document = tokenizer_json();
  document["post_processor"] = {
      {"type", "BertProcessing"}, {"sep", {"[SEP]", 3}}, {"cls", {"[CLS]", 2}}};
  folder.write("tokenizer.json", document.dump());
  EXPECT_EQ(load_tokenizer_spec(folder.path()).sep, "[SEP]");

  document["post_processor"]["sep"][1] = 2;
  folder.write("tokenizer.json", document.dump());
  EXPECT_THAT(refusal_of(folder.path()), HasSubstr("'post_processor.sep[1]'"));
}

TEST(TokenizerFolder, AVocabularyWithoutMaskHasNoMask) {
  const TemporaryFolder folder;
  folder.write("vocab.txt", "[PAD]\n[UNK]\n[CLS]\n[SEP]\n");

  EXPECT_EQ(Tokenizer(load_tokenizer_spec(folder.path())).mask(), std::nullopt);
}

TEST(TokenizerFolder, ForeignPipelinesAreRefusedByKey) {
  struct Case {
    const char* patch;
    const char* named;
  };
  const Case cases[] = {
      {R"({"model": {"type": "BPE"}})", "'model.type'"},
      {R"({"model": {"max_input_chars_per_word": 100000}})", "'model.max_input_chars_per_word'"},
      {R"({"model": {"vocab": {"far": 9}}})", "model.vocab"},
      {R"({"model": {"vocab": {"twice": 5}}})", "model.vocab"},
      {R"({"model": {"vocab": {"the": -1}}})", "model.vocab"},
      {R"({"model": {"unk_token": null}})", "'model.unk_token'"},
      {R"({"normalizer": {"type": "Sequence"}})", "'normalizer.type'"},
      {R"({"normalizer": null})", "'normalizer.type'"},
      {R"({"normalizer": {"lowercase": "yes"}})", "'normalizer.lowercase'"},
      {R"({"pre_tokenizer": {"type": "Whitespace"}})", "'pre_tokenizer.type'"},
      {R"({"post_processor": {"type": "RobertaProcessing"}})", "'post_processor.type'"},
      {R"({"post_processor": {"single": []}})", "'post_processor.single'"},
      {R"({"post_processor": {"special_tokens": {"[CLS]": {"ids": [3]}}}})",
       "'post_processor.special_tokens.[CLS].ids[0]'"},
      {R"({"added_tokens": [{"id": 3, "content": "[MASK]"}]})", "'added_tokens[0]'"},
      {R"({"added_tokens": [{"id": 99, "content": "new"}]})", "'added_tokens[0]'"},
      {R"({"added_tokens": 5})", "'added_tokens'"},
  };
  const TemporaryFolder folder;
  for (const Case& foreign : cases) {
    json document = tokenizer_json();
    document.merge_patch(json::parse(foreign.patch));
    folder.write("tokenizer.json", document.dump());
    const std::string refusal = refusal_of(folder.path());
    EXPECT_THAT(refusal, HasSubstr(foreign.named)) << foreign.patch;
    EXPECT_THAT(refusal, HasSubstr("tokenizer.json")) << foreign.patch;
  }
}

TEST(TokenizerFolder, ATemplateOfAnotherOrderIsRefused) {
  const TemporaryFolder folder;
  json document = tokenizer_json();
  std::swap(document["post_processor"]["pair"][1], document["post_processor"]["pair"][3]);
  folder.write("tokenizer.json", document.dump());

  EXPECT_THAT(refusal_of(folder.path()), HasSubstr("'post_processor.pair[1]'"));
}

TEST(TokenizerFolder, BrokenFilesAreRefusedByName) {
  const TemporaryFolder folder;
  EXPECT_THAT(refusal_of(folder.path()), HasSubstr("neither tokenizer.json nor vocab.txt"));

  folder.write("vocab.txt", kVocab);
  folder.write("tokenizer_config.json", "{\"do_lower_case\": maybe}");
  EXPECT_THAT(refusal_of(folder.path()), HasSubstr("tokenizer_config.json"));
  folder.write("tokenizer_config.json", std::string(100'000, '['));
  EXPECT_THAT(refusal_of(folder.path()), HasSubstr("nested deeper"));
  folder.write("tokenizer_config.json", "[]");
  EXPECT_THAT(refusal_of(folder.path()), HasSubstr("not an object"));
  folder.write("tokenizer_config.json", R"({"model_max_length": -1})");
  EXPECT_THAT(refusal_of(folder.path()), HasSubstr("'model_max_length'"));
  folder.write("tokenizer_config.json", R"({"never_split": ["x"]})");
  EXPECT_THAT(refusal_of(folder.path()), HasSubstr("'never_split'"));
  folder.write("tokenizer_config.json", R"({"added_tokens_decoder": {"x": {"content": "y"}}})");
  EXPECT_THAT(refusal_of(folder.path()), HasSubstr("'added_tokens_decoder'"));
}

TEST(TokenizerFolder, EveryTruncationOfTokenizerJsonIsRefused) {
  const TemporaryFolder folder;
  const std::string whole = tokenizer_json().dump();
  for (std::size_t n_bytes = 0; n_bytes < whole.size(); n_bytes += 7) {
    folder.write("tokenizer.json", whole.substr(0, n_bytes));
    EXPECT_NE(refusal_of(folder.path()), "not refused") << n_bytes;
  }
}

TEST(TokenizerSpec, MissingSpecialTokensAreNamed) {
  for (const char* name : {"[UNK]", "[CLS]", "[SEP]", "[PAD]", "[MASK]"}) {
    TokenizerSpec spec = small_spec();
    for (std::string& piece : spec.pieces) piece = piece == name ? "other" : piece;
    EXPECT_THAT(refusal_of(spec), HasSubstr(name));
  }
}

TEST(TokenizerSpec, WhatAModelFileMayGetWrongIsRefused) {
  EXPECT_EQ(refusal_of(small_spec()), "not refused");
  const auto refused = [](auto change) {
    TokenizerSpec spec = small_spec();
    change(spec);
    return refusal_of(spec);
  };
  EXPECT_THAT(refused([](TokenizerSpec& s) { s.pieces.clear(); }), HasSubstr("empty"));
  EXPECT_THAT(refused([](TokenizerSpec& s) { s.pieces[7] = "\xFF"; }), HasSubstr("piece 7"));
  EXPECT_THAT(refused([](TokenizerSpec& s) { s.pieces[7].assign(kMaxPieceBytes, 'x'); }),
              HasSubstr("bytes"));
  EXPECT_THAT(refused([](TokenizerSpec& s) { s.cls.clear(); }), HasSubstr("cls_token"));
  EXPECT_THAT(refused([](TokenizerSpec& s) { s.max_word_chars = 0; }), HasSubstr("longest word"));
  EXPECT_THAT(refused([](TokenizerSpec& s) { s.continuation = "\xC3"; }),
              HasSubstr("continuation"));
  EXPECT_THAT(refused([](TokenizerSpec& s) { s.added = {{.id = TokenId{-1}}}; }),
              HasSubstr("id -1"));
  EXPECT_THAT(refused([](TokenizerSpec& s) { s.added = {{.id = TokenId{99}}}; }),
              HasSubstr("id 99"));
  EXPECT_THAT(refused([](TokenizerSpec& s) {
                s.added = {{.id = TokenId{4}}, {.id = TokenId{4}}};
              }),
              HasSubstr("twice"));
  EXPECT_THAT(refused([](TokenizerSpec& s) {
                s.pieces.emplace_back(kMaxAddedTokenBytes + 1, 'x');
                s.added = {{.id = static_cast<TokenId>(s.pieces.size() - 1)}};
              }),
              HasSubstr("bytes"));
}

}  // namespace
}  // namespace espalier::text
