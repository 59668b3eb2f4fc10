#include "tests/data/data_file.hpp"

namespace espalier::data {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::StartsWith;

std::string csv_error(std::string_view content) {
  return error_of({"a.csv", content}, {}, Format::csv);
}

TEST(Csv, UnquotesFields) {
  const auto rows =
      rows_of({"a.csv", "label,text\r\n1,\"a, \"\"b\"\"\"\r\n0,plain\r\n\"1\",\"\"\r\n"});

  EXPECT_THAT(texts_of(rows), ElementsAre("a, \"b\"", "plain", ""));
  EXPECT_EQ(rows[2].label, "1");
}

TEST(Csv, KeepsLineBreaksWithinQuotesAndCountsThem) {
  const auto rows = rows_of({"a.csv", "text,label\n\"one\r\ntwo\n\",1\nthree,0\n"});

  EXPECT_THAT(texts_of(rows), ElementsAre("one\r\ntwo\n", "three"));
  EXPECT_EQ(rows[0].line, 2u);
  EXPECT_EQ(rows[1].line, 5u);
}

TEST(Csv, ReadsBackWhatAWriterQuotes) {
  const std::vector<std::string> texts = {"",     "\"",     "\"\"", ",",  "\n",    "\r\n",  "a\"b",
                                          ",\",", "\n\"\n", " x ",  "\t", "\",\"", "a,b\nc"};
  std::string content = "text,label\r\n";
  for (const std::string& text : texts) {
    content += '"';
    for (const char letter : text) content += letter == '"' ? "\"\"" : std::string(1, letter);
    content += "\",1\r\n";
  }

  EXPECT_EQ(texts_of(rows_of({"a.csv", content}, {}, Format::csv)), texts);
}

TEST(Csv, TakesAnEmptyLastField) {
  EXPECT_EQ(rows_of({"a.csv", "text,label\nx,\n"})[0].label, "");
  EXPECT_EQ(rows_of({"a.csv", "text,label\r\nx,\r\n"})[0].label, "");
}

TEST(Csv, RefusesMisplacedQuotesByTheirLine) {
  EXPECT_THAT(csv_error("text,label\na \"b\",1\n"),
              AllOf(StartsWith("3 line 2 of"), HasSubstr("a quote inside an unquoted field")));
  EXPECT_THAT(csv_error("text,label\nx,1\n\"a\" b,1\n"),
              AllOf(StartsWith("3 line 3 of"), HasSubstr("text after a closing quote")));
  EXPECT_THAT(csv_error("text,label\n\"a,1\nx,0\n"),
              AllOf(StartsWith("3 line 2 of"), HasSubstr("never closed")));
}

TEST(Csv, RefusesARaggedRowByItsNumber) {
  EXPECT_THAT(csv_error("text,label\n\"a\nb\",1\nx, y,1\n"),
              AllOf(StartsWith("3 line 4 of"), HasSubstr("expected 2 fields, got 3")));
  EXPECT_THAT(csv_error("text,label\n" + std::string(5000, ',')), HasSubstr("more than 4096"));
}

TEST(Csv, RefusesARecordOver64MiB) {
  const std::string line(std::size_t{1} << 20, 'x');
  std::string content = "text,label\nfine,1\n\"";
  for (int n_lines = 0; n_lines < 65; ++n_lines) content += line + "\n";

  EXPECT_THAT(csv_error(content), AllOf(StartsWith("8 line 3 of"), HasSubstr("64 MiB")));
}

}  // namespace
}  // namespace espalier::data
