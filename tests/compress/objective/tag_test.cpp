// How tagged sentences become windows of pieces with a target on the first piece of every word.
#include <ATen/ATen.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "tests/compress/objective/task_testing.hpp"

namespace espalier::objective {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using Words = std::vector<std::string>;

constexpr std::int64_t kNone = kIgnored;
const Words kLabels = {"O", "B-X", "I-X"};

Examples read_tagged(std::vector<data::Row> rows, std::uint32_t max_length) {
  return make_tag({.labels = kLabels})->read(rows_of(std::move(rows)), up_to(max_length));
}

// Each window as its pieces, blanks between.
Words windows_of(const Examples& examples) {
  Words windows;
  for (std::size_t window = 0; window < examples.tokens.n_sentences(); ++window) {
    std::string& text = windows.emplace_back();
    for (std::size_t token = examples.tokens.offsets[window];
         token < examples.tokens.offsets[window + 1]; ++token) {
      if (!text.empty()) text += ' ';
      text += shared_tokenizer().piece(examples.tokens.ids[token]);
    }
  }
  return windows;
}

std::vector<std::int64_t> targets_of(const Examples& examples) {
  const auto* values = examples.targets.const_data_ptr<std::int64_t>();
  return {values, values + examples.targets.numel()};
}

TEST(Tag, PutsTheTargetOnTheFirstPieceOfAWord) {
  const Examples examples =
      read_tagged({{.words = {"cats", "grow", "walled"}, .tags = {"B-X", "O", "I-X"}}}, 32);

  EXPECT_THAT(windows_of(examples), ElementsAre("[CLS] cat ##s grow wall ##ed [SEP]"));
  // The lone I-X begins an entity.
  EXPECT_THAT(targets_of(examples), ElementsAre(kNone, 1, kNone, 0, 1, kNone, kNone));
  EXPECT_EQ(examples.tokens.segments, std::vector<std::uint8_t>(7, 0));
}

TEST(Tag, LosesNoWordOfALongSentence) {
  const Examples examples =
      read_tagged({{.words = {"rain"}, .tags = {"O"}},
                   {.words = {"the", "sun", "cats", "grow", "in", "walled", "garden"},
                    .tags = {"O", "O", "B-X", "I-X", "O", "B-X", "I-X"}}},
                  5);

  // No word is cut in two, so the second window ends early where two pieces do not fit.
  EXPECT_THAT(windows_of(examples),
              ElementsAre("[CLS] rain [SEP]", "[CLS] the sun [SEP]", "[CLS] cat ##s grow [SEP]",
                          "[CLS] in wall ##ed [SEP]", "[CLS] garden [SEP]"));
  EXPECT_THAT(targets_of(examples), ElementsAre(kNone, 0, kNone,            //
                                                kNone, 0, 0, kNone,         //
                                                kNone, 1, kNone, 2, kNone,  //
                                                kNone, 0, 1, kNone, kNone,  //
                                                kNone, 2, kNone));
  EXPECT_THAT(examples.rows, ElementsAre(0, 1, 1, 1, 1));
  EXPECT_THAT(examples.lines, ElementsAre(2, 3, 3, 3, 3));
  EXPECT_EQ(examples.size(), 5U);
  EXPECT_EQ(examples.length(2), 5U);
  EXPECT_EQ(examples.place(4), "line 3 of 'train.tsv'");
}

TEST(Tag, KeepsOfAWordLongerThanAWindowWhatFits) {
  const Examples examples =
      read_tagged({{.words = {"rain", "catssss", "sun"}, .tags = {"O", "B-X", "O"}}}, 5);

  EXPECT_THAT(windows_of(examples),
              ElementsAre("[CLS] rain [SEP]", "[CLS] cat ##s ##s [SEP]", "[CLS] sun [SEP]"));
}

TEST(Tag, GivesNoTargetToAWordThatCleansToNothing) {
  // A control character and a zero width space.
  const Examples examples =
      read_tagged({{.words = {"sun", "\x01", "rain"}, .tags = {"B-X", "B-X", "I-X"}},
                   {.words = {"\xe2\x80\x8b"}, .tags = {"B-X"}}},
                  32);

  EXPECT_THAT(windows_of(examples), ElementsAre("[CLS] sun rain [SEP]", "[CLS] [SEP]"));
  EXPECT_THAT(targets_of(examples), ElementsAre(kNone, 1, 2, kNone, kNone, kNone));
}

TEST(Tag, RefusesAnUnknownTagNamingItsLine) {
  EXPECT_THAT(refusal_of([] {
                (void)read_tagged({{.words = {"rain"}, .tags = {"O"}},
                                   {.words = {"sun", "rain"}, .tags = {"B-X", "B-Y"}}},
                                  32);
              }),
              AllOf(HasSubstr("line 3 of 'train.tsv'"), HasSubstr("'B-Y'")));
}

TEST(Tag, PadsTargetsAsItPadsTokens) {
  const auto task = make_tag({.labels = kLabels});
  const Examples examples = task->read(rows_of({{.words = {"rain"}, .tags = {"O"}},
                                                {.words = {"sun", "cats"}, .tags = {"B-X", "O"}}}),
                                       up_to(32));
  const TaskObjective objective(*task, examples, 0);
  const std::vector<std::size_t> both = {1, 0};

  const Batch batch = objective.batch(both, 0);

  EXPECT_EQ(batch.examples, both);
  EXPECT_EQ(batch.tokens.ids.sizes(), batch.targets.sizes());
  const std::vector<std::int64_t> expected = {kNone, 1, 0,     kNone, kNone,
                                              kNone, 0, kNone, kNone, kNone};
  EXPECT_TRUE(at::equal(batch.targets, at::tensor(expected).view({2, 5})));
}

}  // namespace
}  // namespace espalier::objective
