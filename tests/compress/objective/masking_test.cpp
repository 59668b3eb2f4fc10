// Which pieces are hidden, what stands in their place, and that nothing but draw and sequence
// decides it.
#include <ATen/ATen.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <numeric>

#include "base/random.hpp"
#include "compress/objective/masked_lm.hpp"
#include "espalier/error.hpp"
#include "tests/compress/objective/small_corpus.hpp"

namespace espalier::objective {
namespace {

// Words of one to three pieces, and Chinese characters.
Corpus random_corpus() {
  const std::vector<std::string> words = {"the",       "cat", "treeness", "tableingly", "garden",
                                          "prunement", "今",  "天",       "rain",       "xyz"};
  Random random(3);
  std::string text;
  for (int line = 0; line < 120; ++line) {
    for (int word = 0; word < 50; ++word) text += words[random.below(words.size())] + " ";
    text += "\n";
  }
  return small_corpus(text, {.max_length = 64});
}

std::vector<std::size_t> all_of(const MaskedLm& masked) {
  std::vector<std::size_t> examples(masked.size());
  std::iota(examples.begin(), examples.end(), std::size_t{0});
  return examples;
}

// One token of a batch: as it was, as the model sees it, as it is to be guessed.
struct Token {
  std::int64_t original;
  std::int64_t seen;
  std::int64_t target;
};

// Real tokens of a batch, sequence by sequence.
std::vector<std::vector<Token>> tokens_of(const Corpus& corpus, const Batch& batch) {
  std::vector<std::vector<Token>> rows;
  for (std::size_t row = 0; row < batch.examples.size(); ++row) {
    const std::size_t example = batch.examples[row];
    const std::size_t begin = corpus.tokens.offsets[example];
    const std::size_t length = corpus.tokens.offsets[example + 1] - begin;
    const auto* ids = batch.tokens.ids[static_cast<std::int64_t>(row)].data_ptr<std::int64_t>();
    const auto* targets = batch.targets[static_cast<std::int64_t>(row)].data_ptr<std::int64_t>();
    std::vector<Token>& tokens = rows.emplace_back();
    for (std::size_t token = 0; token < length; ++token) {
      tokens.push_back({to_int(corpus.tokens.ids[begin + token]), ids[token], targets[token]});
    }
  }
  return rows;
}

struct Counts {
  double pieces = 0;
  double hidden = 0;
  double masked = 0;
  double replaced = 0;
  double kept = 0;
};

PieceKind kind_of(const Corpus& corpus, std::int64_t id) {
  return corpus.kinds[static_cast<std::size_t>(id)];
}

// Checks what must hold for every token, and counts.
Counts count(const Corpus& corpus, const MaskedLm& masked, std::uint64_t n_draws) {
  Counts counts;
  for (std::uint64_t draw = 0; draw < n_draws; ++draw) {
    for (const auto& row : tokens_of(corpus, masked.batch(all_of(masked), draw))) {
      for (const Token& token : row) {
        const bool is_special = kind_of(corpus, token.original) == PieceKind::special;
        if (!is_special) ++counts.pieces;
        if (token.target == kIgnored) {
          EXPECT_EQ(token.seen, token.original);
          continue;
        }
        EXPECT_FALSE(is_special);
        EXPECT_EQ(token.target, token.original);
        ++counts.hidden;
        if (token.seen == to_int(corpus.mask)) {
          ++counts.masked;
        } else if (token.seen == token.original) {
          ++counts.kept;
        } else {
          EXPECT_NE(kind_of(corpus, token.seen), PieceKind::special);
          ++counts.replaced;
        }
      }
    }
  }
  return counts;
}

// Five standard deviations of a share of n independent draws.
double bound(double share, double n) {
  return 5 * std::sqrt(share * (1 - share) / n);
}

TEST(Masking, HidesTheShareAndDealsWithItAsThePaperSays) {
  const Corpus corpus = random_corpus();
  const MaskedLm masked(corpus, {});

  const Counts counts = count(corpus, masked, 5);

  ASSERT_GT(counts.hidden, 5000);
  EXPECT_NEAR(counts.hidden / counts.pieces, 0.15, bound(0.15, counts.pieces));
  EXPECT_NEAR(counts.masked / counts.hidden, 0.8, bound(0.8, counts.hidden));
  // One replacement in some hundreds is the piece itself, a tenth of the bound.
  EXPECT_NEAR(counts.replaced / counts.hidden, 0.1, bound(0.1, counts.hidden));
  EXPECT_NEAR(counts.kept / counts.hidden, 0.1, bound(0.1, counts.hidden));
}

TEST(Masking, IsRightOnAverageWhereSequencesAreShort) {
  // 0.3 of 5 pieces is one and a half.
  const Corpus corpus =
      small_corpus("the and of to in", {.max_length = 7, .packing = Packing::separate});
  const MaskedLm masked(corpus, {.share = 0.3});

  const Counts counts = count(corpus, masked, 4000);

  EXPECT_NEAR(counts.hidden / 4000, 1.5, bound(0.5, 4000));
}

TEST(Masking, FallsOnEveryPieceAlike) {
  const Corpus corpus = small_corpus(
      "the and of to in is it that was for on as with his be at by "
      "had not are");
  const MaskedLm masked(corpus, {});
  const std::vector<std::size_t> one = {0};
  std::vector<double> hidden(22);

  for (std::uint64_t draw = 0; draw < 4000; ++draw) {
    const auto row = tokens_of(corpus, masked.batch(one, draw)).front();
    for (std::size_t token = 0; token < row.size(); ++token) {
      hidden[token] += row[token].target != kIgnored;
    }
  }

  for (std::size_t token = 1; token < 21; ++token) {
    EXPECT_NEAR(hidden[token] / 4000, 0.15, bound(0.15, 4000)) << token;
  }
}

TEST(Masking, HidesWholeWordsTogether) {
  const Corpus corpus = random_corpus();
  const MaskedLm masked(corpus, {.whole_words = true});
  const MaskedLm piecewise(corpus, {});
  const auto words_torn = [&](const MaskedLm& objective) {
    std::size_t n_torn = 0;
    for (const auto& row : tokens_of(corpus, objective.batch(all_of(objective), 1))) {
      for (std::size_t token = 1; token < row.size(); ++token) {
        if (kind_of(corpus, row[token].original) != PieceKind::continuation) continue;
        n_torn += (row[token].target == kIgnored) != (row[token - 1].target == kIgnored);
      }
    }
    return n_torn;
  };

  EXPECT_EQ(words_torn(masked), 0U);
  EXPECT_GT(words_torn(piecewise), 100U);
  const Counts counts = count(corpus, masked, 5);
  EXPECT_NEAR(counts.hidden / counts.pieces, 0.15, bound(0.15, counts.pieces));
}

TEST(Masking, TakesEveryChineseCharacterForAWord) {
  const Corpus corpus = small_corpus("今天很好中国人的");
  const MaskedLm masked(corpus, {.share = 0.125, .whole_words = true});

  const Counts counts = count(corpus, masked, 50);

  EXPECT_EQ(counts.hidden, 50);  // one of eight each time
}

TEST(Masking, HidesAtLeastOnePieceAndThenItsWholeWord) {
  const Corpus one = small_corpus("the");
  const Corpus word = small_corpus("treeness");
  const Corpus cut = small_corpus("cxyz", {.max_length = 4});  // c ##x, ##y ##z

  EXPECT_EQ(count(one, MaskedLm(one, {}), 20).hidden, 20);
  EXPECT_EQ(count(word, MaskedLm(word, {.whole_words = true}), 20).hidden, 40);
  EXPECT_EQ(count(cut, MaskedLm(cut, {.whole_words = true}), 20).hidden, 80);
}

TEST(Masking, CanHideEverything) {
  const Corpus corpus = small_corpus("the cat ж treeness");

  EXPECT_EQ(count(corpus, MaskedLm(corpus, {.share = 1}), 3).hidden, 3 * 4);
}

TEST(Masking, DependsOnDrawAndSequenceOnly) {
  const Corpus corpus = random_corpus();
  const MaskedLm masked(corpus, {});
  const std::vector<std::size_t> some = {4, 7, 2};
  const std::vector<std::size_t> one = {7};

  const Batch first = masked.batch(some, 11);
  const Batch again = masked.batch(some, 11);
  const Batch alone = masked.batch(one, 11);
  const Batch other = masked.batch(some, 12);

  EXPECT_EQ(first.examples, some);
  EXPECT_TRUE(first.tokens.ids.equal(again.tokens.ids));
  EXPECT_TRUE(first.targets.equal(again.targets));
  const std::int64_t width = alone.targets.size(1);
  EXPECT_TRUE(first.targets[1].slice(0, 0, width).equal(alone.targets[0]));
  EXPECT_TRUE(first.tokens.ids[1].slice(0, 0, width).equal(alone.tokens.ids[0]));
  EXPECT_FALSE(first.targets.equal(other.targets));
}

TEST(Masking, DiffersFromSequenceToSequence) {
  // The same words in both.
  const Corpus corpus =
      small_corpus("the and of to in is it that was for\nthe and of to in is it that was for",
                   {.packing = Packing::separate});
  const MaskedLm masked(corpus, {});
  std::size_t n_different = 0;

  for (std::uint64_t draw = 0; draw < 20; ++draw) {
    const at::Tensor targets = masked.batch(all_of(masked), draw).targets;
    n_different += !targets[0].equal(targets[1]);
  }

  EXPECT_GT(n_different, 10U);
}

TEST(Masking, RefusesAShareThatIsNone) {
  const Corpus corpus = small_corpus("the");
  for (const double share : {0.0, -0.1, 1.1, std::nan("")}) {
    EXPECT_THROW((void)MaskedLm(corpus, {.share = share}), Error) << share;
  }
}

}  // namespace
}  // namespace espalier::objective
