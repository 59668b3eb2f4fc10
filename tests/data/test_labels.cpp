#include "data/labels.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace espalier::data {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

const Place kPlace{"a.tsv", 7};

template <typename Work>
std::string error_of(Work work) {
  try {
    work();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::bad_input);
    return error.what();
  }
  return "no error";
}

TEST(LabelMap, FindsLabelsByNameOrNumber) {
  const LabelMap labels({"negative", "positive"});

  EXPECT_EQ(labels.index("positive", kPlace), 1u);
  EXPECT_EQ(labels.index("0", kPlace), 0u);
  EXPECT_EQ(labels.name(1), "positive");
}

TEST(LabelMap, PrefersANameToANumber) {
  const LabelMap labels({"1", "0"});

  EXPECT_EQ(labels.index("1", kPlace), 0u);
  EXPECT_EQ(labels.index("0", kPlace), 1u);
}

TEST(LabelMap, TakesNoIndexWhereALabelIsANumber) {
  const LabelMap stars({"1", "2", "3"});

  EXPECT_EQ(stars.index("3", kPlace), 2u);
  EXPECT_THAT(error_of([&] { (void)stars.index("0", kPlace); }), HasSubstr("is not one of"));
}

TEST(LabelMap, RefusesAllElseNamingPlaceAndLabels) {
  const LabelMap labels({"no", "yes"});

  for (const char* cell : {"", "maybe", "Yes", " yes", "2", "-1", "+1", "1.0", "1 ", "0x1",
                           "99999999999999999999999"}) {
    EXPECT_THAT(error_of([&] { (void)labels.index(cell, kPlace); }),
                AllOf(HasSubstr("line 7 of 'a.tsv'"), HasSubstr("'no', 'yes'")))
        << cell;
  }
}

TEST(LabelMap, NeedsNamesThatDiffer) {
  EXPECT_THAT(error_of([] { LabelMap labels({}); }), HasSubstr("no labels"));
  EXPECT_THAT(error_of([] { LabelMap labels({"a", "b", "a"}); }), HasSubstr("'a' is there twice"));
}

TEST(LabelMap, ReadsAnyNumberOfLabelsFromOneCell) {
  const LabelMap labels({"joy", "fear", "awe, mixed"});

  EXPECT_THAT(labels.indexes("fear,joy", kPlace), ElementsAre(0, 1));
  EXPECT_THAT(labels.indexes(" 1 , joy ", kPlace), ElementsAre(0, 1));
  EXPECT_THAT(labels.indexes("[\"fear\", 2, \"fear\"]", kPlace), ElementsAre(1, 2));
  EXPECT_THAT(labels.indexes("awe, mixed", kPlace), ElementsAre(2));
  EXPECT_THAT(labels.indexes("", kPlace), IsEmpty());
  EXPECT_THAT(labels.indexes("[]", kPlace), IsEmpty());
}

TEST(LabelMap, RefusesACellWithOneUnknownLabel) {
  const LabelMap labels({"joy", "fear"});

  for (const char* cell : {"joy,", ",joy", "joy,,fear", "joy,rage", "[\"rage\"]", "[", "[1"}) {
    EXPECT_THAT(error_of([&] { (void)labels.indexes(cell, kPlace); }), HasSubstr("line 7")) << cell;
  }
}

TEST(Score, IsAFiniteNumberAndNothingElse) {
  EXPECT_EQ(parse_score("5.000", kPlace), 5.0);
  EXPECT_EQ(parse_score("-1e-3", kPlace), -0.001);
  for (const char* cell : {"", "x", "1,5", "nan", "inf", "1e999", "1 ", "5.0.0", "0x10"}) {
    EXPECT_THAT(error_of([&] { (void)parse_score(cell, kPlace); }),
                AllOf(HasSubstr("line 7"), HasSubstr("not a finite number")))
        << cell;
  }
}

}  // namespace
}  // namespace espalier::data
