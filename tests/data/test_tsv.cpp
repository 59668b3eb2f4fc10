// TSV, and what all delimited files share.
#include "tests/data/data_file.hpp"

namespace espalier::data {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::StartsWith;

TEST(Tsv, ReadsTextLabelAndLine) {
  const auto rows = rows_of({"a.tsv", "sentence\tlabel\nfine \t1\nbad\t0\n"});

  ASSERT_EQ(rows.size(), 2u);
  EXPECT_EQ(rows[0].text, "fine ");
  EXPECT_EQ(rows[0].label, "1");
  EXPECT_EQ(rows[0].line, 2u);
  EXPECT_EQ(rows[1].line, 3u);
  EXPECT_EQ(rows[1].pair, std::nullopt);
}

TEST(Tsv, ReadsCellsOfSlices) {
  const auto rows =
      rows_of({"a.tsv", "year\ttext\tlabel\tsource\n2019\tfine\t1\tnews\n\tbad\t0\t\n"},
              {.slices = {"source", "year"}});

  EXPECT_THAT(rows[0].slices, ElementsAre("news", "2019"));
  EXPECT_THAT(rows[1].slices, ElementsAre("", ""));
}

TEST(Tsv, KeepsQuotesAsText) {
  const auto rows = rows_of({"a.tsv", "text\tlabel\n\" open\t1\na \"\"b\"\t0\n"});

  EXPECT_THAT(texts_of(rows), ElementsAre("\" open", "a \"\"b\""));
}

TEST(Tsv, DropsTheByteOrderMarkAndCarriageReturns) {
  const auto rows = rows_of({"a.tsv", "\xEF\xBB\xBFtext\tlabel\r\nx\t1\r\ny\t0"});

  ASSERT_EQ(rows.size(), 2u);
  EXPECT_EQ(rows[0].label, "1");
  EXPECT_EQ(rows[1].label, "0");
}

TEST(Tsv, TakesTheFirstLineAsDataWithoutAHeader) {
  const Columns columns{.text = "4", .label = "2", .header = false};

  const auto rows = rows_of({"a.tsv", "gj04\t1\t\tIt works.\ngj04\t0\t*\tWorks it.\n"}, columns);

  ASSERT_EQ(rows.size(), 2u);
  EXPECT_EQ(rows[0].text, "It works.");
  EXPECT_EQ(rows[0].line, 1u);
  EXPECT_EQ(rows[1].label, "0");
}

TEST(Tsv, RefusesARaggedRowByItsNumber) {
  const char* start = "text\tlabel\nfine\t1\n";

  EXPECT_THAT(error_of({"a.tsv", std::string(start) + "x\t1\t2\n"}),
              AllOf(StartsWith("3 line 3 of"), HasSubstr("expected 2 fields, got 3")));
  EXPECT_THAT(error_of({"a.tsv", std::string(start) + "x\n"}),
              AllOf(StartsWith("3 line 3 of"), HasSubstr("expected 2 fields, got 1")));
}

TEST(Tsv, RefusesAnEmptyLineBetweenRowsButNotAtTheEnd) {
  EXPECT_THAT(error_of({"a.tsv", "text\tlabel\nx\t1\n\n\ny\t1\n"}),
              AllOf(StartsWith("3 line 3 of"), HasSubstr("is empty")));
  EXPECT_EQ(rows_of({"a.tsv", "text\tlabel\nx\t1\n\n\r\n"}).size(), 1u);
}

TEST(Tsv, TakesEmptyTextsInAFileOfOneColumn) {
  const auto rows = rows_of({"a.tsv", "text\nx\n\ny\n"}, {.need_label = false});

  EXPECT_THAT(texts_of(rows), ElementsAre("x", "", "y"));
}

TEST(Tsv, RefusesAFileWithoutAFirstLine) {
  EXPECT_THAT(error_of({"a.tsv", ""}), HasSubstr("is empty"));
  EXPECT_THAT(error_of({"a.tsv", "\ntext\tlabel\n"}), HasSubstr("is empty"));
  EXPECT_THAT(rows_of({"a.tsv", "text\tlabel\n"}), IsEmpty());
}

TEST(Tsv, RefusesThousandsOfColumns) {
  const std::string tabs(kMaxColumns, '\t');

  EXPECT_THAT(error_of({"a.tsv", "text\tlabel" + tabs + "\n"}),
              HasSubstr("more than 4096 columns"));
  EXPECT_THAT(error_of({"a.tsv", "text\tlabel\n" + tabs + "\n"}),
              HasSubstr("expected 2 fields, got 4097"));
}

TEST(Tsv, SplitsWordsAndTagsAtBlanks) {
  const auto rows =
      rows_of({"a.tsv", "text_a\tlabel\n 海 钓  比\tO B-LOC I-LOC\n"}, {.words = true});

  ASSERT_EQ(rows.size(), 1u);
  EXPECT_THAT(rows[0].words, ElementsAre("海", "钓", "比"));
  EXPECT_THAT(rows[0].tags, ElementsAre("O", "B-LOC", "I-LOC"));
  EXPECT_EQ(rows[0].text, " 海 钓  比");
  EXPECT_EQ(rows[0].label, "");
}

TEST(Tsv, RefusesASentenceWithoutOneTagForEachWord) {
  const Columns columns{.words = true};

  EXPECT_THAT(error_of({"a.tsv", "text_a\tlabel\na b\tO O\na b\tO\n"}, columns),
              AllOf(StartsWith("3 line 3 of"), HasSubstr("2 words but 1 tags")));
  EXPECT_THAT(error_of({"a.tsv", "text_a\tlabel\n \t \n"}, columns), HasSubstr("has no words"));
}

TEST(Tsv, RefusesASentenceOfOverAMillionWords) {
  std::string words;
  for (std::size_t word = 0; word <= kMaxWords; ++word) words += "a ";

  EXPECT_THAT(error_of({"a.tsv", "text\n" + words + "\n"}, {.need_label = false, .words = true}),
              AllOf(StartsWith("8 line 2 of"), HasSubstr("1048576 words")));
}

TEST(Tsv, SetsEveryFieldOfARowAnew) {
  const DataFile file("a.tsv", "text\tlabel\nx\t1\n");
  const auto reader = Reader::open(file.path());
  Row row{.line = 9, .text = "old", .pair = "old", .label = "old", .words = {"old"}, .tags = {"O"}};

  ASSERT_TRUE(reader->next(row));

  EXPECT_EQ(row.pair, std::nullopt);
  EXPECT_THAT(row.words, IsEmpty());
  EXPECT_THAT(row.tags, IsEmpty());
  EXPECT_EQ(row.text, "x");
  EXPECT_FALSE(reader->next(row));
  EXPECT_FALSE(reader->next(row));
}

}  // namespace
}  // namespace espalier::data
