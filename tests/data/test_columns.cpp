#include "data/columns.hpp"

#include "tests/data/data_file.hpp"

namespace espalier::data {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

ColumnChoice choose(const std::vector<std::string>& header, const Columns& wanted = {}) {
  return choose_columns(header, wanted, {"a.tsv", 1});
}

std::string choice_error(const std::vector<std::string>& header, const Columns& wanted = {}) {
  try {
    choose(header, wanted);
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::bad_input);
    return error.what();
  }
  return "no error";
}

TEST(Columns, PreferTextThenSentenceThenTextAThenReview) {
  EXPECT_EQ(choose({"label", "review", "text_a", "sentence", "text"}).text, 4u);
  EXPECT_EQ(choose({"label", "review", "text_a", "sentence"}).text, 3u);
  EXPECT_EQ(choose({"label", "review", "text_a"}).text, 2u);
  EXPECT_EQ(choose({"label", "review"}).text, 1u);
}

TEST(Columns, PreferLabelThenLabelsThenScore) {
  EXPECT_EQ(choose({"text", "score", "labels", "label"}).label, 3u);
  EXPECT_EQ(choose({"text", "score", "labels"}).label, 2u);
  EXPECT_EQ(choose({"text", "score"}).label, 1u);
}

TEST(Columns, TakeTextBAsPairOnlyWhenTextAWasFoundByDefault) {
  const std::vector<std::string> header = {"text_a", "text_b", "label"};

  EXPECT_EQ(choose(header).pair, 1u);
  EXPECT_EQ(choose(header, {.text = "text_a"}).pair, std::nullopt);
  EXPECT_EQ(choose({"text", "text_a", "text_b", "label"}).pair, std::nullopt);
}

TEST(Columns, AreTakenByName) {
  const auto choice = choose({"Quality", "#1 ID", "#1 String", "#2 String"},
                             {.text = "#1 String", .pair = "#2 String", .label = "Quality"});

  EXPECT_EQ(choice.text, 2u);
  EXPECT_EQ(choice.pair, 3u);
  EXPECT_EQ(choice.label, 0u);
}

TEST(Columns, ForSlicesAreTakenByNameInTheOrderAskedFor) {
  const auto choice = choose({"source", "text", "label", "year"}, {.slices = {"year", "source"}});

  EXPECT_EQ(choice.slices, (std::vector<std::size_t>{3, 0}));
}

TEST(Columns, ForSlicesAreRefusedWhereMissingTwiceOrReadForSomethingElse) {
  const std::vector<std::string> header = {"text", "label", "year"};

  EXPECT_THAT(choice_error(header, {.slices = {"month"}}),
              AllOf(HasSubstr("no column 'month'"), HasSubstr("--slice-column"),
                    HasSubstr("(columns: 'text', 'label', 'year')")));
  EXPECT_THAT(choice_error(header, {.slices = {"label"}}), HasSubstr("makes no slices"));
  EXPECT_THAT(choice_error(header, {.slices = {"text"}}), HasSubstr("makes no slices"));
  EXPECT_THAT(choice_error(header, {.slices = {"year", "year"}}), HasSubstr("named twice"));
}

TEST(Columns, MissingOnesAreRefusedWithTheHeader) {
  const auto header = HasSubstr("(columns: 'a', 'b')");

  EXPECT_THAT(choice_error({"a", "b"}), AllOf(HasSubstr("--text-column"), header));
  EXPECT_THAT(choice_error({"a", "b"}, {.text = "a"}), AllOf(HasSubstr("--label-column"), header));
  EXPECT_THAT(choice_error({"a", "b"}, {.text = "c"}), AllOf(HasSubstr("no column 'c'"), header));
  EXPECT_THAT(choice_error({"a", "b"}, {.text = "a", .pair = "c"}),
              AllOf(HasSubstr("--pair-column"), header));
  EXPECT_THAT(choice_error({"a", "b"}, {.text = "a", .label = "c", .need_label = false}),
              AllOf(HasSubstr("--label-column"), header));
}

TEST(Columns, MayLackALabelWhenNoneIsNeeded) {
  EXPECT_EQ(choose({"text", "other"}, {.need_label = false}).label, std::nullopt);
  EXPECT_EQ(choose({"text", "label"}, {.need_label = false}).label, 1u);
}

TEST(Columns, OfTheSameNameOrForTwoPurposesAreRefused) {
  EXPECT_THAT(choice_error({"text", "text", "label"}), HasSubstr("'text' is there twice"));
  EXPECT_THAT(choice_error({"text", "label"}, {.label = "text"}), HasSubstr("different columns"));
  EXPECT_EQ(choose({"text", "label", "x", "x"}).text, 0u);
}

TEST(Columns, EscapeAndCutWhatAHostileHeaderSays) {
  const std::string hostile = "\x1b[2J" + std::string(10000, 'x');

  const std::string message = choice_error(std::vector<std::string>(1000, hostile));

  EXPECT_EQ(message.find('\x1b'), std::string::npos);
  EXPECT_LT(message.size(), 2000u);
}

TEST(Columns, AreNamedByAReader) {
  const DataFile file("a.tsv", "text_a\ttext_b\tlabel\nx\ty\t1\n");

  const auto reader = Reader::open(file.path());

  EXPECT_EQ(reader->columns().text, "text_a");
  EXPECT_EQ(reader->columns().pair, "text_b");
  EXPECT_EQ(reader->columns().label, "label");
  Row row;
  ASSERT_TRUE(reader->next(row));
  EXPECT_EQ(row.pair, "y");
}

}  // namespace
}  // namespace espalier::data
