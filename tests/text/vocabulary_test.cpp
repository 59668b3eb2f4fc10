// Words as they are counted, vocabularies as they are made of them: piece by piece those of the
// reference (data/vocabularies.json, made by make_vocabularies.py, which says what it does about
// ties), and rules of our own.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>
#include <string>

#include "espalier/error.hpp"
#include "tests/support/real_data.hpp"
#include "tests/text/gunzip.hpp"
#include "text/tokenizer.hpp"
#include "text/vocabulary_trainer.hpp"

namespace espalier::text {
namespace {

using nlohmann::json;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Pair;
using ::testing::UnorderedElementsAre;

const std::vector<std::string> kSpecial = {"[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"};

WordCounts count(std::initializer_list<std::string_view> texts, const TokenizerSpec& spec = {}) {
  VocabularyCounter counter(spec);
  for (const std::string_view text : texts) counter.add(text);
  return counter.counts();
}

std::vector<std::string> without_special(std::vector<std::string> vocabulary) {
  EXPECT_TRUE(std::equal(kSpecial.begin(), kSpecial.end(), vocabulary.begin()));
  vocabulary.erase(vocabulary.begin(), vocabulary.begin() + 5);
  return vocabulary;
}

TEST(VocabularyCounter, CountsWordsAsTheTokenizerCutsThem) {
  EXPECT_THAT(count({"The CAFÉ, the", "cafe\xCC\x81 今天\u3000the", "n\u302E"}),
              UnorderedElementsAre(Pair("the", 3), Pair("cafe", 2), Pair(",", 1), Pair("今", 1),
                                   Pair("天", 1), Pair("n\u302E", 1)));
}

TEST(VocabularyCounter, FollowsTheFlags) {
  TokenizerSpec spec;
  spec.lowercase = spec.strip_accents = spec.split_cjk = false;

  EXPECT_THAT(count({"Ünder 今天"}, spec), UnorderedElementsAre(Pair("Ünder", 1), Pair("今天", 1)));
}

TEST(VocabularyCounter, TakesAnyBytes) {
  EXPECT_THAT(count({"a\xFF"
                     "b \xE4\xBB",
                     std::string_view("c\0d", 3)}),
              UnorderedElementsAre(Pair("ab", 1), Pair("cd", 1)));
}

TEST(VocabularyCounter, LeavesOutWordsThatTheTokenizerDoesNotLookAt) {
  const std::string longest(100, 'x');

  EXPECT_THAT(count({longest + " " + longest + "x a"}),
              UnorderedElementsAre(Pair(longest, 1), Pair("a", 1)));
}

TEST(VocabularyCounter, DropsTheRarestWordsWhenThereAreTooMany) {
  VocabularyCounter counter({}, 4);

  counter.add("a a a b b b c c d");
  EXPECT_EQ(counter.counts().size(), 4U);
  counter.add("e");

  EXPECT_THAT(counter.counts(), UnorderedElementsAre(Pair("a", 3), Pair("b", 3), Pair("c", 2)));
}

TEST(Vocabulary, HasTheReferencesPiecesInItsOrder) {
  const json cases = json::parse(std::ifstream(TEST_DATA "/vocabularies.json"));
  ASSERT_EQ(cases.size(), 7U);
  for (const json& expected : cases) {
    TokenizerSpec spec;
    spec.lowercase = expected["lowercase"];
    spec.strip_accents = expected["strip_accents"];
    spec.split_cjk = expected["handle_chinese_chars"];
    VocabularyCounter counter(spec);
    for (const std::string line : expected["lines"]) counter.add(line);

    const std::vector<std::string> vocabulary =
        train_vocabulary(counter.counts(), {.n_pieces = expected["n_pieces"],
                                            .min_count = expected["min_count"],
                                            .max_characters = expected["max_characters"]});

    EXPECT_EQ(json(vocabulary), expected["vocabulary"]);
  }
}

// FNV-1a of vocab.txt, as make_vocabularies.py and the reference make it of the same file.
std::uint64_t fingerprint(const std::vector<std::string>& vocabulary) {
  std::uint64_t hash = 0xcbf29ce484222325U;
  for (const std::string& piece : vocabulary) {
    for (const char byte : piece + "\n") {
      hash = (hash ^ static_cast<std::uint8_t>(byte)) * 0x100000001b3U;
    }
  }
  return hash;
}

struct RealText {
  const char* name;
  std::size_t n_pieces;
  std::uint64_t fingerprint;
};

class RealVocabulary : public ::testing::TestWithParam<RealText> {};

TEST_P(RealVocabulary, HasTheReferencesPiecesInItsOrder) {
  ESPALIER_NEEDS_REAL_DATA();
  const RealText& real = GetParam();
  VocabularyCounter counter({});
  std::istringstream lines(gunzip(testing::real_data() / "data" / "text" / real.name));
  for (std::string line; std::getline(lines, line);) counter.add(line);

  const auto vocabulary = train_vocabulary(counter.counts(), {.n_pieces = real.n_pieces});

  EXPECT_EQ(vocabulary.size(), real.n_pieces);
  EXPECT_EQ(fingerprint(vocabulary), real.fingerprint);
}

INSTANTIATE_TEST_SUITE_P(
    Texts, RealVocabulary,
    ::testing::Values(RealText{"books_en.txt.gz", 30'000, 0xfa4cd5fa80653ce9U},
                      RealText{"wiki_zh_paragraphs.txt.gz", 8'000, 0xe7843fde13d77e70U}),
    [](const auto& given) { return std::string(given.param.name).substr(0, 5); });

TEST(Vocabulary, BeginsWithSpecialTokensAndCharacters) {
  const auto vocabulary = train_vocabulary(count({"ba b"}), {.n_pieces = 8});

  EXPECT_THAT(without_special(vocabulary), ElementsAre("a", "b", "##a"));
}

TEST(Vocabulary, JoinsTheMostFrequentPairFirstAndOfEqualOnesTheEarlierPieces) {
  const auto vocabulary =
      train_vocabulary({{"ab", 3}, {"cd", 5}, {"ca", 3}}, {.n_pieces = 5 + 7 + 3});

  EXPECT_THAT(without_special(vocabulary),
              ElementsAre("a", "b", "c", "d", "##a", "##b", "##d", "cd", "ab", "ca"));
}

TEST(Vocabulary, DoesNotJoinPairsBelowTheMinimum) {
  const WordCounts words = {{"ab", 3}, {"cd", 2}};

  EXPECT_EQ(train_vocabulary(words, {.n_pieces = 100, .min_count = 3}).back(), "ab");
  EXPECT_EQ(train_vocabulary(words, {.n_pieces = 100, .min_count = 2}).back(), "cd");
}

TEST(Vocabulary, KeepsTheMostFrequentCharacters) {
  const auto vocabulary = train_vocabulary({{"a", 1}, {"b", 9}, {"c", 1}, {"d", 4}},
                                           {.n_pieces = 100, .max_characters = 3});

  EXPECT_THAT(without_special(vocabulary), ElementsAre("a", "b", "d"));
}

TEST(Vocabulary, CutsItsOwnTextWithoutUnknownWords) {
  const std::initializer_list<std::string_view> texts = {"Renewing the bridges, 今天很好",
                                                         "the bridge is renewed!"};
  TokenizerSpec spec;
  spec.pieces = train_vocabulary(count(texts), {.n_pieces = 200});
  const Tokenizer tokenizer(spec);

  for (const std::string_view text : texts) {
    const Text one = {text};
    const TokenBatch batch = tokenizer.encode({&one, 1}, 512);
    EXPECT_THAT(batch.ids, ::testing::Not(::testing::Contains(tokenizer.unk())));
  }
}

TEST(Vocabulary, TellsHowFarItIsAndCanBeStopped) {
  std::vector<std::size_t> seen;
  const auto vocabulary = train_vocabulary(count({"abc abc abc"}), {.n_pieces = 100},
                                           [&](std::size_t n) { seen.push_back(n); });

  EXPECT_THAT(seen, ElementsAre(11, 12));
  EXPECT_EQ(vocabulary.size(), 12U);
  EXPECT_THROW((void)train_vocabulary(count({"abc abc abc"}), {},
                                      [](std::size_t) { throw Error(ErrorCode::interrupted, ""); }),
               Error);
}

std::string refusal(const WordCounts& words, const VocabularyOptions& options, ErrorCode code) {
  try {
    (void)train_vocabulary(words, options);
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), code);
    return error.what();
  }
  return "not refused";
}

TEST(Vocabulary, RefusesWhatItCannotMake) {
  EXPECT_THAT(refusal({}, {}, ErrorCode::bad_input), HasSubstr("no words"));
  EXPECT_THAT(refusal(count({"abc"}), {.n_pieces = 9}, ErrorCode::usage),
              HasSubstr("special tokens and characters of the text are 10"));
  EXPECT_THAT(refusal(count({"abc"}), {.n_pieces = kMaxPieces + 1}, ErrorCode::usage),
              HasSubstr("too large"));
}

}  // namespace
}  // namespace espalier::text
