#include "measure/report.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "espalier/error.hpp"

namespace espalier::measure {
namespace {

Table small_table() {
  Table table;
  table.add_column("model").add_column("ms", Align::right).add_column("note");
  table.add_row({"fp32", Cell::number(12.345, 2), "a|b, \"c\""});
  table.add_row({"模型", Cell::count(7), ""});
  return table;
}

TEST(Table, AlignsColumnsByDisplayWidth) {
  EXPECT_EQ(small_table().print(TableFormat::table),
            "model     ms  note\n"
            "fp32   12.35  a|b, \"c\"\n"
            "模型       7\n");
}

TEST(Table, PrintsMarkdown) {
  EXPECT_EQ(small_table().print(TableFormat::md),
            "| model | ms | note |\n"
            "|---|---:|---|\n"
            "| fp32 | 12.35 | a\\|b, \"c\" |\n"
            "| 模型 | 7 |  |\n");
}

TEST(Table, PrintsCsv) {
  EXPECT_EQ(small_table().print(TableFormat::csv),
            "model,ms,note\n"
            "fp32,12.35,\"a|b, \"\"c\"\"\"\n"
            "模型,7,\n");
}

TEST(Table, PrintsJson) {
  EXPECT_EQ(small_table().print(TableFormat::json),
            "[\n"
            "{\"model\":\"fp32\",\"ms\":12.35,\"note\":\"a|b, \\\"c\\\"\"},\n"
            "{\"model\":\"模型\",\"ms\":7,\"note\":\"\"}\n"
            "]\n");
  EXPECT_EQ(small_table().print(TableFormat::jsonl),
            "{\"model\":\"fp32\",\"ms\":12.35,\"note\":\"a|b, \\\"c\\\"\"}\n"
            "{\"model\":\"模型\",\"ms\":7,\"note\":\"\"}\n");
}

TEST(Table, WithoutRowsIsStillWellFormed) {
  Table table;
  table.add_column("a");

  EXPECT_EQ(table.print(TableFormat::table), "a\n");
  EXPECT_EQ(table.print(TableFormat::json), "[]\n");
  EXPECT_EQ(table.print(TableFormat::jsonl), "");
}

TEST(Table, EscapesControlBytes) {
  Table table;
  table.add_column("a");
  table.add_row({"\x1b[2J\n"});

  EXPECT_EQ(table.print(TableFormat::table), "a\n\\x1b[2J\\x0a\n");
  EXPECT_EQ(table.print(TableFormat::jsonl), "{\"a\":\"\\u001b[2J\\n\"}\n");
}

TEST(Table, WritesNumbersThatAreNotFiniteAsNothing) {
  Table table;
  table.add_column("a");
  table.add_row({Cell::number(std::nan(""), 2)});

  EXPECT_EQ(table.print(TableFormat::csv), "a\nn/a\n");
  EXPECT_EQ(table.print(TableFormat::jsonl), "{\"a\":null}\n");
}

TEST(Table, RefusesARowOfTheWrongLength) {
  Table table;
  table.add_column("a");

  EXPECT_THROW(table.add_row({"1", "2"}), Error);
  EXPECT_THROW(table.add_row({}), Error);
}

TEST(Table, FormatsGoByName) {
  EXPECT_EQ(table_format_from_name("md"), TableFormat::md);
  EXPECT_EQ(table_format_from_name("jsonl"), TableFormat::jsonl);
  try {
    (void)table_format_from_name("xml");
    FAIL() << "took an unknown format";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::usage);
    EXPECT_THAT(error.what(), ::testing::HasSubstr("table, md, csv, json, jsonl"));
  }
}

TEST(Cell, RoundsToTheDigitsAsked) {
  EXPECT_EQ(Cell::number(0.125, 2).text(), "0.12");
  EXPECT_EQ(Cell::number(-2.0, 0).text(), "-2");
  EXPECT_EQ(Cell::number(std::numeric_limits<double>::max(), 200).text().size(), 309u + 1 + 100);
}

TEST(DisplayWidth, CountsWideAndCombiningCharacters) {
  EXPECT_EQ(display_width("abc"), 3u);
  EXPECT_EQ(display_width("é"), 1u);
  EXPECT_EQ(display_width("e\xCC\x81"), 1u);
  EXPECT_EQ(display_width("酒店"), 4u);
  EXPECT_EQ(display_width("\xF0\x9F\x98\x80"), 2u);
  EXPECT_EQ(display_width("\xFF\xE4"), 2u);
}

}  // namespace
}  // namespace espalier::measure
