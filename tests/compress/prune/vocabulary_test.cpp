#include "compress/prune/vocabulary.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>

#include "base/random.hpp"
#include "compress/checkpoint/checkpoint.hpp"
#include "compress/export/export.hpp"
#include "compress/model/checkpoint_io.hpp"
#include "espalier/error.hpp"
#include "espalier/espalier.hpp"
#include "format/writer.hpp"
#include "tests/support/temporary_folder.hpp"
#include "tests/support/tiny_checkpoint.hpp"
#include "tests/support/tiny_vocabulary.hpp"
#include "text/tokenizer_files.hpp"

namespace espalier::prune {
namespace {

using testing::TinyArchitecture;

text::TokenizerSpec tiny_spec() {
  return {.pieces = testing::tiny_vocabulary(), .added = {}};
}

constexpr std::string_view kCorpus[] = {"The small tree grows flat.", "prune the small branch",
                                        "trees of the old garden", "unable"};

std::vector<TokenId> kept_for_corpus(const text::Tokenizer& tokenizer,
                                     const KeepRules& rules = {}) {
  PieceCounter counter(tokenizer);
  for (const std::string_view text : kCorpus) counter.add(text);
  return choose_pieces(tokenizer, counter.counts(), rules);
}

bool keeps(const text::TokenizerSpec& spec, std::string_view piece) {
  return std::count(spec.pieces.begin(), spec.pieces.end(), piece) == 1;
}

/// Words of the vocabulary and of nowhere, some of them joined.
std::string random_text(Random& random, const std::vector<std::string>& pieces) {
  std::string text;
  for (std::size_t n = 1 + random.below(8); n > 0; --n) {
    if (random.below(4) == 0) {
      for (std::size_t letter = random.below(6); letter > 0; --letter) {
        text += static_cast<char>('a' + random.below(26));
      }
    } else {
      const std::string& piece = pieces[5 + random.below(pieces.size() - 5)];
      text += piece.starts_with("##") ? piece.substr(2) : piece;
    }
    if (random.below(3) > 0) text += ' ';
  }
  return text;
}

std::vector<TokenId> encode(const text::Tokenizer& tokenizer, std::string_view text) {
  const Text one{.first = text};
  return tokenizer.encode(std::span(&one, 1), 512).ids;
}

TEST(Vocabulary, KeepsWhatOccursAndWhatStandsAlone) {
  const text::Tokenizer tokenizer(tiny_spec());

  const text::TokenizerSpec cut = cut_tokenizer(tokenizer.spec(), kept_for_corpus(tokenizer));

  for (const char* piece : {"[MASK]", "the", "##s", "##able", "z", "##z", "7", "很", "!"}) {
    EXPECT_TRUE(keeps(cut, piece)) << piece;
  }
  for (const char* piece : {"movie", "##ness"}) EXPECT_FALSE(keeps(cut, piece)) << piece;
  EXPECT_TRUE(std::is_sorted(cut.pieces.begin(), cut.pieces.end(),
                             [&](const std::string& a, const std::string& b) {
                               return *tokenizer.find(a) < *tokenizer.find(b);
                             }));
}

TEST(Vocabulary, CountsDecideFromMinCountOn) {
  const text::Tokenizer tokenizer(tiny_spec());

  const auto twice = cut_tokenizer(tokenizer.spec(), kept_for_corpus(tokenizer, {.min_count = 2}));
  const auto all = kept_for_corpus(tokenizer, {.min_count = 0});

  EXPECT_TRUE(keeps(twice, "small"));
  EXPECT_FALSE(keeps(twice, "garden"));
  EXPECT_EQ(all.size(), tokenizer.vocabulary_size());
}

TEST(Vocabulary, KeepsWhatIsAskedFor) {
  const text::Tokenizer tokenizer(tiny_spec());
  const TokenId movie = *tokenizer.find("movie");

  const auto kept = kept_for_corpus(tokenizer, {.always = std::span(&movie, 1)});

  EXPECT_TRUE(std::binary_search(kept.begin(), kept.end(), movie));
}

TEST(Vocabulary, ATextWhosePiecesStayIsCutAsBefore) {
  const text::Tokenizer before(tiny_spec());
  const std::vector<TokenId> kept = kept_for_corpus(before);
  const text::Tokenizer after(cut_tokenizer(before.spec(), kept));
  Random random(1);

  std::size_t n_covered = 0;
  std::size_t n_changed = 0;
  for (int round = 0; round < 5000; ++round) {
    const std::string text = random_text(random, before.spec().pieces);
    const std::vector<TokenId> expected = encode(before, text);
    std::vector<TokenId> found = encode(after, text);
    for (TokenId& id : found) id = kept[static_cast<std::size_t>(to_int(id))];
    const bool is_covered = std::all_of(expected.begin(), expected.end(), [&](TokenId id) {
      return std::binary_search(kept.begin(), kept.end(), id);
    });
    ++(is_covered ? n_covered : n_changed);
    if (!is_covered) continue;
    EXPECT_EQ(found, expected) << text;
  }

  EXPECT_GT(n_covered, 100U);
  EXPECT_GT(n_changed, 100U);
}

TEST(Vocabulary, NoWordBecomesUnknownOrCeasesToBe) {
  const text::Tokenizer before(tiny_spec());
  ASSERT_EQ(n_unspellable(before), 0U);
  const text::Tokenizer after(cut_tokenizer(before.spec(), kept_for_corpus(before)));
  const auto n_unknown = [](const text::Tokenizer& tokenizer, std::string_view text) {
    const std::vector<TokenId> ids = encode(tokenizer, text);
    return std::count(ids.begin(), ids.end(), tokenizer.unk());
  };
  Random random(2);

  for (int round = 0; round < 2000; ++round) {
    const std::string text = random_text(random, before.spec().pieces) + "moviebed";
    EXPECT_EQ(n_unknown(after, text), n_unknown(before, text)) << text;
  }
  EXPECT_EQ(n_unknown(after, "movieщ " + std::string(101, 'a')), 2);
}

TEST(Vocabulary, KeepsPiecesWithACharacterThatDoesNotStandAlone) {
  text::TokenizerSpec spec = tiny_spec();
  for (const char* piece : {"щa", "##aщ", "щ"}) spec.pieces.emplace_back(piece);
  const text::Tokenizer tokenizer(spec);

  const text::TokenizerSpec cut = cut_tokenizer(tokenizer.spec(), kept_for_corpus(tokenizer));

  EXPECT_EQ(n_unspellable(tokenizer), 1U);  // "##щ" is missing, "щ" is there
  EXPECT_TRUE(keeps(cut, "##aщ"));
  EXPECT_FALSE(keeps(cut, "щa"));
}

TEST(Vocabulary, AddedTokensStayAndGetTheirNewIds) {
  text::TokenizerSpec spec = tiny_spec();
  spec.pieces.emplace_back("[quote]");
  spec.added = {{.id = static_cast<TokenId>(spec.pieces.size() - 1), .lstrip = true}};
  const text::Tokenizer tokenizer(spec);

  const text::TokenizerSpec cut = cut_tokenizer(spec, kept_for_corpus(tokenizer));

  ASSERT_EQ(cut.added.size(), 1U);
  EXPECT_EQ(cut.pieces.at(static_cast<std::size_t>(to_int(cut.added[0].id))), "[quote]");
  EXPECT_TRUE(cut.added[0].lstrip);
  EXPECT_LT(cut.pieces.size(), spec.pieces.size());
}

TEST(Vocabulary, OfEqualPiecesTheOneThatIsNeverReadGoes) {
  text::TokenizerSpec spec = tiny_spec();
  spec.pieces.emplace_back("z");
  const text::Tokenizer tokenizer(spec);

  const std::vector<TokenId> kept = kept_for_corpus(tokenizer);

  const text::TokenizerSpec cut = cut_tokenizer(spec, kept);
  EXPECT_TRUE(keeps(cut, "z"));
  EXPECT_EQ(kept.back(), *tokenizer.find("z"));
}

TEST(Vocabulary, RefusesWhatDoesNotFit) {
  const text::Tokenizer tokenizer(tiny_spec());
  std::vector<TokenId> kept = kept_for_corpus(tokenizer);
  const std::vector<std::uint64_t> counts(3);
  const TokenId outside{100'000};

  EXPECT_THROW(static_cast<void>(choose_pieces(tokenizer, counts, {})), Error);
  EXPECT_THROW(static_cast<void>(kept_for_corpus(tokenizer, {.always = std::span(&outside, 1)})),
               Error);
  EXPECT_THROW(static_cast<void>(cut_tokenizer(tokenizer.spec(), std::span(kept).subspan(1))),
               Error);  // no [PAD]
  std::swap(kept[7], kept[8]);
  EXPECT_THROW(static_cast<void>(cut_tokenizer(tokenizer.spec(), kept)), Error);
}

TEST(SegmentationComparison, CountsWordsAndTextsThatAreCutOtherwise) {
  const text::Tokenizer before(tiny_spec());
  const std::vector<TokenId> kept = kept_for_corpus(before);
  const text::Tokenizer after(cut_tokenizer(before.spec(), kept));
  SegmentationComparison comparison(before, after, kept);

  EXPECT_TRUE(comparison.add("the small tree."));             // 4 words, cut as before
  EXPECT_FALSE(comparison.add("boring movies, the best щ"));  // 6 words, 3 otherwise
  EXPECT_TRUE(comparison.add(""));

  const SegmentationChange& change = comparison.change();
  EXPECT_EQ(change.n_texts, 3U);
  EXPECT_EQ(change.n_changed_texts, 1U);
  EXPECT_EQ(change.n_words, 10U);
  EXPECT_EQ(change.n_changed_words, 3U);
  EXPECT_EQ(change.n_new_unknown_words, 0U);
  EXPECT_EQ(change.n_tokens_before, 11U);
  EXPECT_EQ(change.n_tokens_after, 4U + 6U + 6U + 3U + 4U);
}

TEST(SegmentationComparison, SeesWordsThatBecomeUnknown) {
  const text::Tokenizer before(tiny_spec());
  std::vector<TokenId> kept = kept_for_corpus(before);
  std::erase(kept, *before.find("##z"));
  const text::Tokenizer after(cut_tokenizer(before.spec(), kept));
  SegmentationComparison comparison(before, after, kept);

  EXPECT_FALSE(comparison.add("az щ"));

  EXPECT_EQ(comparison.change().n_new_unknown_words, 1U);
}

/// A tiny model before and after, in memory and on disk.
struct CutModel {
  explicit CutModel(TinyArchitecture architecture) {
    const auto source = testing::write_tiny_checkpoint(
        folder / "before",
        {.architecture = architecture, .config_patch = R"({"pad_token_id": 3})"});
    before = model::load_bert(checkpoint::Checkpoint::open(source));
    const text::TokenizerSpec spec = text::load_tokenizer_spec(source);
    const text::Tokenizer tokenizer(spec);
    const std::vector<TokenId> always = int8_scale_pieces(tokenizer, before.config.positions);
    kept = kept_for_corpus(tokenizer, {.always = always});
    after = cut_vocabulary(before, kept);
    std::filesystem::create_directory(folder / "after");
    model::save_bert(after, folder / "after", model::WeightType::f32, Overwrite::refuse);
    text::write_tokenizer(folder / "after", cut_tokenizer(spec, kept), Overwrite::refuse);
  }

  [[nodiscard]] Model open(const char* name) const {
    const auto exported =
        compress::export_checkpoint(folder / name, {.precision = Precision::int8});
    return Model::open(format::to_bytes(exported.spec()));
  }

  testing::TemporaryFolder folder;
  model::Bert before;
  model::Bert after;
  std::vector<TokenId> kept;
};

model::TokenTensors tokens_of(const std::vector<std::int64_t>& ids) {
  const at::Tensor tensor = at::tensor(ids, at::kLong).unsqueeze(0);
  return {.ids = tensor, .segments = at::zeros_like(tensor), .mask = {}};
}

TEST(CutVocabulary, LogitsAreTheSameBits) {
  for (const TinyArchitecture architecture :
       {TinyArchitecture::sequence_classification, TinyArchitecture::masked_lm}) {
    const CutModel cut(architecture);
    const std::vector<std::int64_t> after = {2, 9, 40, 77, 3};
    std::vector<std::int64_t> before;
    for (const std::int64_t id : after) {
      before.push_back(to_int(cut.kept[static_cast<std::size_t>(id)]));
    }

    at::Tensor expected =
        model::head_logits(cut.before, model::encode(cut.before, tokens_of(before)));
    if (architecture == TinyArchitecture::masked_lm) {
      std::vector<std::int64_t> columns;
      for (const TokenId id : cut.kept) columns.push_back(to_int(id));
      expected = expected.index_select(2, at::tensor(columns, at::kLong));
    }
    const at::Tensor found =
        model::head_logits(cut.after, model::encode(cut.after, tokens_of(after)));

    EXPECT_LT(cut.after.config.vocab, cut.before.config.vocab);
    EXPECT_EQ(cut.after.config.pad_id, 3U);
    EXPECT_TRUE(at::equal(found, expected));
  }
}

TEST(CutVocabulary, Int8FilesGiveTheSameBitsForCoveredTexts) {
  const CutModel cut(TinyArchitecture::sequence_classification);
  const Model before = cut.open("before");
  const Model after = cut.open("after");
  Session dense(before, {.n_threads = 1});
  Session small(after, {.n_threads = 1});

  ASSERT_LT(after.info().vocabulary_size, before.info().vocabulary_size);
  for (const std::string_view text : kCorpus) {
    EXPECT_EQ(small.classify({text})[0].logits, dense.classify({text})[0].logits) << text;
  }
}

TEST(CutVocabulary, RefusesToDropTheIdForPadding) {
  const CutModel cut(TinyArchitecture::sequence_classification);
  std::vector<TokenId> kept = cut.kept;
  std::erase(kept, TokenId{3});

  EXPECT_THROW(static_cast<void>(cut_vocabulary(cut.before, kept)), Error);
}

}  // namespace
}  // namespace espalier::prune
