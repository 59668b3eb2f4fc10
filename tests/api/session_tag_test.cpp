// Labels of words and their spans through the public API.
#include <gtest/gtest.h>

#include "tests/api/tiny_models.hpp"

namespace espalier {
namespace {

using testing::open_tiny;
using testing::tiny_tagger;

using Words = std::vector<std::string_view>;

TEST(Tag, LabelsEveryWordAndSaysWhereItLies) {
  Session session(open_tiny(tiny_tagger()));
  const Words texts = {"john lives in (berlin)."};

  const Tagging answer = session.tag(texts)[0];

  ASSERT_EQ(answer.word_bytes.size(), 7U);  // john lives in ( berlin ) .
  EXPECT_EQ(answer.word_bytes[4], (ByteSpan{15, 21}));
  EXPECT_EQ(answer.word_labels.size(), answer.word_bytes.size());
  EXPECT_FALSE(answer.truncated);
}

TEST(Tag, SpansCoverTheirWordsAndHaveNoPrefix) {
  Session session(open_tiny(tiny_tagger()));
  const Words texts = {"john lives in berlin near mary and the river bank of paris"};

  const Tagging answer = session.tag(texts)[0];

  ASSERT_FALSE(answer.spans.empty()) << "the seed must give entities for this test to say anything";
  for (const TaggedSpan& span : answer.spans) {
    EXPECT_TRUE(span.label == "PER" || span.label == "LOC") << span.label;
    EXPECT_EQ(span.bytes.begin, answer.word_bytes[span.words.begin].begin);
    EXPECT_EQ(span.bytes.end, answer.word_bytes[span.words.end - 1].end);
    EXPECT_GT(span.score, 0.0F);
    EXPECT_LE(span.score, 1.0F);
  }
}

TEST(Tag, GivenWordsAreLabelledAsTheSameWordsOfAText) {
  Session session(open_tiny(tiny_tagger()));
  const Words texts = {"mary plays in paris"};
  const std::vector<Words> sentences = {{"mary", "plays", "in", "paris"}};

  const Tagging from_text = session.tag(texts)[0];
  const Tagging from_words = session.tag_words(sentences)[0];

  EXPECT_EQ(from_text.word_labels, from_words.word_labels);
  EXPECT_EQ(from_text.n_tokens, from_words.n_tokens);
  EXPECT_TRUE(from_words.word_bytes.empty());
}

TEST(Tag, AWordTakesTheLabelOfItsFirstPiece) {
  const Model model = open_tiny(tiny_tagger());
  Session session(model);
  const std::vector<Words> sentences = {{"trees", "grow"}};  // tree ##s grow
  const std::vector<Text> text = {{.first = "trees grow", .second = {}}};
  const TokenBatch batch = model.tokenizer().encode(text);
  ASSERT_EQ(batch.n_tokens(), 5U);
  std::vector<float> logits(session.output_size(batch));

  session.run(batch, logits);
  const Tagging answer = session.tag_words(sentences)[0];

  const auto best = [&](std::size_t token) {
    const auto row = logits.begin() + static_cast<std::ptrdiff_t>(token * 5);
    return static_cast<std::uint32_t>(std::max_element(row, row + 5) - row);
  };
  EXPECT_EQ(answer.word_labels, (std::vector<std::uint32_t>{best(1), best(3)}));
}

TEST(Tag, AWordWithoutPiecesIsOutside) {
  Session session(open_tiny(tiny_tagger()));
  const std::vector<Words> sentences = {{"mary", "\x01", "", "paris"}};

  const Tagging answer = session.tag_words(sentences)[0];

  ASSERT_EQ(answer.word_labels.size(), 4U);
  EXPECT_EQ(answer.word_labels[1], 0U);  // "O"
  EXPECT_EQ(answer.word_labels[2], 0U);
}

TEST(Tag, AnEmptySentenceHasTwoTokensAndNoWords) {
  Session session(open_tiny(tiny_tagger()));
  const Words texts = {"", "  \n"};

  for (const Tagging& answer : session.tag(texts)) {
    EXPECT_TRUE(answer.word_labels.empty());
    EXPECT_TRUE(answer.spans.empty());
    EXPECT_EQ(answer.n_tokens, 2U);
  }
}

TEST(Tag, LongSentencesAreReadInWindowsOfWholeWords) {
  // Windows of 8 tokens hold 6 pieces: "trees" has two, so three words each.
  Session session(open_tiny(tiny_tagger()), {.max_length = 8});
  const std::vector<Words> whole = {{"trees", "trees", "trees", "trees", "mary", "paris", "trees"}};
  const std::vector<Words> parts = {{"trees", "trees", "trees"},
                                    {"trees", "mary", "paris", "trees"}};

  const Tagging answer = session.tag_words(whole)[0];
  const std::vector<Tagging> answers = session.tag_words(parts);

  std::vector<std::uint32_t> expected = answers[0].word_labels;
  expected.insert(expected.end(), answers[1].word_labels.begin(), answers[1].word_labels.end());
  EXPECT_EQ(answer.word_labels, expected);
  EXPECT_EQ(answer.n_tokens, 12U + 4U);
}

TEST(Tag, AWordLongerThanAWindowStillGetsALabel) {
  Session session(open_tiny(tiny_tagger()), {.max_length = 5});
  const std::vector<Words> sentences = {{"qxqxqxqxqxqxqx", "mary"}};

  const Tagging answer = session.tag_words(sentences)[0];

  EXPECT_EQ(answer.word_labels.size(), 2U);
  EXPECT_EQ(answer.n_tokens, 5U + 3U);
}

TEST(Tag, AnswersDoNotDependOnTheOtherSentences) {
  Session session(open_tiny(tiny_tagger()));
  const Words texts = {"john lives in berlin", "", "mary and the fox", "acme corp of paris"};

  const std::vector<Tagging> together = session.tag(texts);

  for (std::size_t i = 0; i < texts.size(); ++i) {
    const Tagging alone = session.tag(std::span(&texts[i], 1))[0];
    EXPECT_EQ(together[i].word_labels, alone.word_labels) << i;
    ASSERT_EQ(together[i].spans.size(), alone.spans.size()) << i;
    for (std::size_t span = 0; span < alone.spans.size(); ++span) {
      EXPECT_EQ(together[i].spans[span].score, alone.spans[span].score);
    }
  }
}

}  // namespace
}  // namespace espalier
