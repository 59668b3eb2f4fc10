#include "data/json_line.hpp"
#include "tests/data/data_file.hpp"

namespace espalier::data {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::StartsWith;

std::string jsonl_error(std::string_view content, const Columns& columns = {}) {
  return error_of({"a.jsonl", content}, columns, Format::jsonl);
}

TEST(Jsonl, ReadsTextPairAndLabelOfAnyScalarKind) {
  const auto rows =
      rows_of({"a.jsonl",
               "{\"text_a\": \"caf\\u00e9\\n\", \"text_b\": \"b\", \"label\": 1}\n"
               "{\"label\": \"yes\", \"text_b\": \"\", \"text_a\": \"\"}\r\n"
               "{\"text_a\": \"c\", \"text_b\": \"d\", \"label\": -2.50, \"z\": [{}]}\n"
               "{\"text_a\": \"c\", \"text_b\": \"d\", \"label\": true}"});

  ASSERT_EQ(rows.size(), 4u);
  EXPECT_EQ(rows[0].text, "caf\xC3\xA9\n");
  EXPECT_EQ(rows[0].pair, "b");
  EXPECT_EQ(rows[0].label, "1");
  EXPECT_EQ(rows[1].label, "yes");
  EXPECT_EQ(rows[2].label, "-2.50");
  EXPECT_EQ(rows[3].label, "true");
  EXPECT_EQ(rows[3].line, 4u);
}

TEST(Jsonl, ReadsCellsOfSlicesBesideWordsAndWithoutALabel) {
  const auto rows =
      rows_of({"a.jsonl",
               "{\"text\": \"a\", \"pair\": \"b\", \"year\": 2019, \"tags\": [\"x\", 1]}\n"
               "{\"text\": \"c\", \"pair\": \"d\", \"tags\": \"y\", \"year\": true}\n"},
              {.pair = "pair", .slices = {"tags", "year"}, .need_label = false});

  EXPECT_EQ(rows[0].pair, "b");
  EXPECT_EQ(rows[0].label, "");
  EXPECT_THAT(rows[0].slices, ElementsAre("[\"x\",\"1\"]", "2019"));
  EXPECT_THAT(rows[1].slices, ElementsAre("y", "true"));
  EXPECT_THAT(
      jsonl_error("{\"text\": \"a\", \"label\": 1, \"year\": null}\n", {.slices = {"year"}}),
      HasSubstr("no value for 'year'"));
}

TEST(Jsonl, KeepsAListOfLabelsAsJson) {
  const auto rows = rows_of({"a.jsonl", "{\"text\": \"x\", \"labels\": [\"a\\\"b\", 3]}\n"});

  EXPECT_EQ(rows.at(0).label, "[\"a\\\"b\",\"3\"]");
}

TEST(Jsonl, ReadsWordsAndTagsFromListsOrStrings) {
  const Columns columns{.words = true};

  const auto rows = rows_of({"a.jsonl",
                             "{\"text\": [\"New York\", \"!\"], \"labels\": [\"B-LOC\", \"O\"]}\n"
                             "{\"text\": \"New York\", \"labels\": \"B-LOC I-LOC\"}\n"
                             "{\"text\": [\"a\"], \"labels\": [3]}\n"},
                            columns);

  EXPECT_THAT(rows[0].words, ElementsAre("New York", "!"));
  EXPECT_EQ(rows[0].text, "New York !");
  EXPECT_THAT(rows[0].tags, ElementsAre("B-LOC", "O"));
  EXPECT_THAT(rows[1].words, ElementsAre("New", "York"));
  EXPECT_THAT(rows[2].tags, ElementsAre("3"));
  EXPECT_THAT(jsonl_error("{\"text\": [\"a\", \"b\"], \"labels\": [\"O\"]}\n", columns),
              AllOf(StartsWith("3 line 1 of"), HasSubstr("2 words but 1 tags")));
  EXPECT_THAT(jsonl_error("{\"text\": 5, \"labels\": [\"O\"]}\n", columns),
              HasSubstr("must be a JSON string"));
}

TEST(Jsonl, RefusesMalformedLinesByTheirNumber) {
  const std::string start = "{\"text\": \"x\", \"label\": 1}\n";
  for (const char* line :
       {"{\"text\": \"x\", \"label\": 1", "{\"text\": \"x\" \"label\": 1}", "{} {}", "x",
        "{\"text\": \"\xFF\", \"label\": 1}", "{\"text\": \"x\", \"label\": 1e999}",
        "{\"text\": \"x\", \"label\": 1},"}) {
    EXPECT_THAT(jsonl_error(start + line + "\n"),
                AllOf(StartsWith("3 line 2 of"), HasSubstr("not valid JSON at byte")))
        << line;
  }
  EXPECT_THAT(jsonl_error(start + "5\n"), HasSubstr("is not a JSON object"));
  EXPECT_THAT(jsonl_error(start + "null\n"), HasSubstr("is not a JSON object"));
  EXPECT_THAT(jsonl_error("[\n" + start), HasSubstr("is a JSON list"));
}

TEST(Jsonl, RefusesValuesThatAreMissingTwiceOrOfTheWrongKind) {
  const std::string start = "{\"text\": \"x\", \"label\": 1}\n";

  EXPECT_THAT(jsonl_error(start + "{\"text\": \"x\"}\n"), HasSubstr("no value for 'label'"));
  EXPECT_THAT(jsonl_error(start + "{\"text\": null, \"label\": 1}\n"),
              HasSubstr("no value for 'text'"));
  EXPECT_THAT(jsonl_error(start + "{\"text\": \"x\", \"text\": \"y\", \"label\": 1}\n"),
              HasSubstr("'text' is there twice"));
  EXPECT_THAT(jsonl_error(start + "{\"text\": 5, \"label\": 1}\n"),
              HasSubstr("must be a JSON string"));
  EXPECT_THAT(jsonl_error(start + "{\"text\": [\"x\"], \"label\": 1}\n"),
              HasSubstr("must be a JSON string"));
  for (const char* label : {"{}", "{\"label\": 1}", "[[1]]", "[{}]", "[null]"}) {
    EXPECT_THAT(jsonl_error(start + "{\"text\": \"x\", \"label\": " + label + "}\n"),
                HasSubstr("must hold a text, a number or a list"))
        << label;
  }
}

TEST(Jsonl, IgnoresKeysInsideOtherValues) {
  const auto rows = rows_of(
      {"a.jsonl", "{\"meta\": {\"text\": \"no\", \"label\": 0}, \"text\": \"x\", \"label\": 1}\n"});

  EXPECT_EQ(rows.at(0).text, "x");
  EXPECT_EQ(rows.at(0).label, "1");
}

TEST(Jsonl, RefusesDeepNestingManyKeysAndLongLists) {
  std::string keys = "{\"text\": \"x\"";
  for (std::size_t key = 0; key < kMaxColumns; ++key) keys += ",\"" + std::to_string(key) + "\":0";
  std::string items = "{\"text\": \"x\", \"label\": [0";
  for (std::size_t item = 0; item < kMaxWords; ++item) items += ",0";

  EXPECT_THAT(jsonl_error("{\"a\":" + std::string(1000000, '[')),
              HasSubstr("nests deeper than 64"));
  EXPECT_THAT(jsonl_error(keys + "}\n"), HasSubstr("more than 4096 keys"));
  EXPECT_THAT(jsonl_error(items + "]}\n"),
              AllOf(StartsWith("8 line 1"), HasSubstr("1048576 items")));
}

TEST(Jsonl, RefusesAnEmptyLineBetweenRowsButNotAtTheEnd) {
  const std::string line = "{\"text\": \"x\", \"label\": 1}\n";

  EXPECT_THAT(jsonl_error(line + "\n" + line),
              AllOf(StartsWith("3 line 2"), HasSubstr("is empty")));
  EXPECT_EQ(rows_of({"a.jsonl", line + line + " \r\n\n"}).size(), 2u);
}

TEST(Jsonl, HasNoUseForNoHeader) {
  EXPECT_THAT(jsonl_error("{\"text\": \"x\", \"label\": 1}\n", {.header = false}),
              AllOf(StartsWith("2 "), HasSubstr("--no-header")));
}

TEST(JsonList, ReadsListsAndRefusesAllElse) {
  EXPECT_THAT(json_list("[\"a\", 1, false]", {"f", 1}), ElementsAre("a", "1", "false"));
  EXPECT_THAT(json_list("[]", {"f", 1}), IsEmpty());
  for (const char* text : {"", "[", "{}", "1", "null", "[null]", "[[]]", "[{}]", "[] x"}) {
    EXPECT_THROW((void)json_list(text, {"f", 1}), Error) << text;
  }
}

}  // namespace
}  // namespace espalier::data
