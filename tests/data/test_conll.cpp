#include "tests/data/data_file.hpp"

namespace espalier::data {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::StartsWith;

TEST(Conll, ReadsSentencesOverDocumentStartsAndRunsOfEmptyLines) {
  const auto rows = rows_of({"eng",
                             "-DOCSTART- -X- O O\n\nEU NNP I-NP I-ORG\nrejects VBZ I-VP O\n\n\n"
                             "-DOCSTART- -X- O O\nPeter NNP I-NP I-PER\n"});

  ASSERT_EQ(rows.size(), 2u);
  EXPECT_THAT(rows[0].words, ElementsAre("EU", "rejects"));
  EXPECT_THAT(rows[0].tags, ElementsAre("I-ORG", "O"));
  EXPECT_EQ(rows[0].text, "EU rejects");
  EXPECT_EQ(rows[0].line, 3u);
  EXPECT_EQ(rows[0].label, "");
  EXPECT_THAT(rows[1].words, ElementsAre("Peter"));
  EXPECT_EQ(rows[1].line, 8u);
}

TEST(Conll, TakesLinesOfBlanksAndTabsAsEmpty) {
  const auto rows = rows_of({"a.conll", "x\tO\r\n\t\r\ny\tB-a-b\r\n \r\nz\tO"});

  ASSERT_EQ(rows.size(), 3u);
  EXPECT_THAT(rows[1].tags, ElementsAre("B-a-b"));
}

TEST(Conll, EndsASentenceAtADocumentStart) {
  EXPECT_EQ(rows_of({"a", "x O\n-DOCSTART- O\ny O\n"}).size(), 2u);
  EXPECT_THAT(rows_of({"a", "x O\n-DOCSTART-s O\n"}).at(0).words, ElementsAre("x", "-DOCSTART-s"));
}

TEST(Conll, TakesNumberSignsAndQuotesAsWords) {
  EXPECT_THAT(rows_of({"a", "#\tO\n\"\tO\n# x\tO\n"}).at(0).words, ElementsAre("#", "\"", "# x"));
}

TEST(Conll, TakesColumnsByNumber) {
  const auto rows =
      rows_of({"a", "1 EU NNP I-ORG\n2 is VBZ O\n"}, {.text = "2", .label = "3", .header = false});

  EXPECT_THAT(rows.at(0).words, ElementsAre("EU", "is"));
  EXPECT_THAT(rows.at(0).tags, ElementsAre("NNP", "VBZ"));
}

TEST(Conll, RefusesRaggedAndIncompleteLinesByTheirNumber) {
  EXPECT_THAT(error_of({"a", "x O\ny A O\n"}),
              AllOf(StartsWith("3 line 2 of"), HasSubstr("expected 2 columns, got 3")));
  EXPECT_THAT(error_of({"a", "x O\n\ny\tO\n"}),
              AllOf(StartsWith("3 line 3 of"), HasSubstr("split at blanks")));
  EXPECT_THAT(error_of({"a", "x\tO\n\tO\n"}),
              AllOf(StartsWith("3 line 2 of"), HasSubstr("the word is empty")));
  EXPECT_THAT(error_of({"a.conll", "x\tO\ny\t\n"}),
              AllOf(StartsWith("3 line 2 of"), HasSubstr("the tag is empty")));
  EXPECT_THAT(error_of({"a.conll", "\n\n-DOCSTART- O\n"}), HasSubstr("holds no words"));
}

TEST(Conll, NeedsATagColumnOnlyWhenLabelsAreNeeded) {
  EXPECT_THAT(error_of({"a.conll", "x\ny\n"}), HasSubstr("--label-column"));
  const auto rows = rows_of({"a.conll", "x\ny\n"}, {.need_label = false});
  EXPECT_THAT(rows.at(0).words, ElementsAre("x", "y"));
  EXPECT_THAT(rows.at(0).tags, IsEmpty());
}

TEST(Conll, RefusesASentenceWithoutEnd) {
  std::string content = "fine O\n\n";
  for (std::size_t word = 0; word <= kMaxWords; ++word) content += "x O\n";

  EXPECT_THAT(error_of({"a", content}),
              AllOf(StartsWith("8 line 3 of"), HasSubstr("an empty line ends a sentence")));
}

TEST(Conll, HasNoPairsAndNoSlices) {
  EXPECT_THAT(error_of({"a", "x O\n"}, {.slices = {"2"}}), StartsWith("2 --slice-column"));
  EXPECT_THAT(error_of({"a", "x O\n"}, {.pair = "2"}), StartsWith("2 --pair-column"));
}

}  // namespace
}  // namespace espalier::data
