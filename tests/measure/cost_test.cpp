#include "measure/cost.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <set>

#include "espalier/error.hpp"

namespace espalier::measure {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

EnergyFigure figure(EnergyTag tag, double joules) {
  return {tag, joules, "a counter", ""};
}

EnergyFigure nothing() {
  return {EnergyTag::unavailable, std::nullopt, "", "no counter here"};
}

TextCost cost(EnergyTag tag, double joules_per_text) {
  return cost_of_texts(figure(tag, joules_per_text), 1, {});
}

/// The message of the Error(usage) that `text` is refused with.
std::string refusal_of_grid(std::string_view text) {
  try {
    static_cast<void>(grid_from_text(text));
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::usage);
    return error.what();
  }
  ADD_FAILURE() << "'" << text << "' was taken";
  return {};
}

TEST(CostOfTexts, ScalesAMeasuredFigureToThousandsAndMillions) {
  // 7.2 J for 2 texts: 3,600 J a thousand; 3.6 MJ a million is 1 kWh, 1.5 with the building's
  // share.
  const TextCost cost = cost_of_texts(figure(EnergyTag::measured, 7.2), 2,
                                      {.grid = grid_from_text("DE"), .pue = 1.5});

  EXPECT_EQ(cost.tag, EnergyTag::measured);
  EXPECT_NEAR(cost.joules_per_1000_texts.value(), 3600, 1e-9);
  EXPECT_NEAR(cost.kwh_per_million_texts.value(), 1.5, 1e-12);
  EXPECT_NEAR(cost.grams_co2e_per_million_texts.value(), 1.5 * 381, 1e-9);
  EXPECT_EQ(cost.source, "a counter");
}

TEST(CostOfTexts, KeepsTheTagAndTheReasonOfItsEnergy) {
  EXPECT_EQ(cost(EnergyTag::estimated, 1).tag, EnergyTag::estimated);

  const TextCost unknown = cost_of_texts(nothing(), 10, {});

  EXPECT_EQ(unknown.tag, EnergyTag::unavailable);
  EXPECT_FALSE(unknown.joules_per_1000_texts);
  EXPECT_FALSE(unknown.kwh_per_million_texts);
  EXPECT_FALSE(unknown.grams_co2e_per_million_texts);
  EXPECT_EQ(unknown.reason, "no counter here");
}

TEST(CostOfTexts, RefusesNoTextsAndABuildingThatMakesPower) {
  const EnergyFigure joule = figure(EnergyTag::measured, 1);

  EXPECT_THROW(static_cast<void>(cost_of_texts(joule, 0, {})), Error);
  for (const double pue : {0.99, std::nan(""), std::numeric_limits<double>::infinity()}) {
    EXPECT_THROW(static_cast<void>(cost_of_texts(joule, 1, {.pue = pue})), Error) << pue;
  }
}

TEST(Grid, IsFoundByItsCodeInEitherCase) {
  EXPECT_EQ(grid_from_text("PL").grams_per_kwh, 662);
  EXPECT_EQ(grid_from_text("pl").region, "PL");
  EXPECT_EQ(grid_from_text("world").grams_per_kwh, 481);
  EXPECT_THAT(grid_from_text("SE").source, AllOf(HasSubstr("Ember"), HasSubstr("2023")));
}

TEST(Grid, MayBeANumber) {
  const Grid grid = grid_from_text("12.5");

  EXPECT_EQ(grid.grams_per_kwh, 12.5);
  EXPECT_EQ(grid.region, "given");
}

TEST(Grid, RefusesWhatIsNeitherAndListsTheCodes) {
  for (const std::string_view text : {"", "XX", "DEU", "-1", "10001", "nan", "12g", " 12"}) {
    EXPECT_THAT(refusal_of_grid(text), AllOf(HasSubstr("WORLD AT AU"), HasSubstr("ZA")));
  }
}

TEST(Grid, HasOnePlausibleRowARegion) {
  std::set<std::string_view> regions;
  for (const GridRow& row : grid_rows()) {
    EXPECT_TRUE(regions.insert(row.region).second) << row.region;
    EXPECT_GT(row.grams_per_kwh, 10) << row.region;
    EXPECT_LT(row.grams_per_kwh, 1000) << row.region;
    EXPECT_GE(row.year, 2023) << row.region;
    EXPECT_FALSE(row.source.empty()) << row.region;
  }
}

TEST(WithoutIdle, SubtractsIdlePowerForTheTimeOfTheWork) {
  const EnergyFigure net =
      without_idle(figure(EnergyTag::measured, 100), 4, {figure(EnergyTag::measured, 20), 2});

  EXPECT_EQ(net.tag, EnergyTag::measured);
  EXPECT_NEAR(net.joules.value(), 100 - 4 * 10, 1e-12);
  EXPECT_THAT(net.source, HasSubstr("less 10 W idle"));
}

TEST(WithoutIdle, LeavesAnEstimateFromCpuTimeAlone) {
  const EnergyFigure net =
      without_idle(figure(EnergyTag::estimated, 100), 4, {figure(EnergyTag::estimated, 20), 2});

  EXPECT_EQ(net.joules, 100);
  EXPECT_EQ(net.tag, EnergyTag::estimated);
  EXPECT_THAT(net.source, HasSubstr("no idle share"));
}

TEST(WithoutIdle, HasNoFigureWhereNothingIsLeftOrTheTwoDoNotMatch) {
  const EnergyFigure work = figure(EnergyTag::measured, 30);
  const EnergyFigure none_left = without_idle(work, 4, {figure(EnergyTag::measured, 20), 2});
  const EnergyFigure mixed = without_idle(work, 4, {figure(EnergyTag::estimated, 1), 2});
  const EnergyFigure unknown = without_idle(nothing(), 4, {figure(EnergyTag::measured, 1), 2});

  for (const EnergyFigure* net : {&none_left, &mixed, &unknown}) {
    EXPECT_EQ(net->tag, EnergyTag::unavailable);
    EXPECT_FALSE(net->joules);
    EXPECT_FALSE(net->reason.empty());
  }
  EXPECT_THAT(none_left.reason, HasSubstr("idle"));
  EXPECT_THAT(unknown.reason, HasSubstr("no counter here"));
}

TEST(WithoutIdle, RefusesTimesThatAreNone) {
  const EnergyFigure work = figure(EnergyTag::measured, 30);

  EXPECT_THROW(static_cast<void>(without_idle(work, 0, {work, 1})), Error);
  EXPECT_THROW(static_cast<void>(without_idle(work, 1, {work, std::nan("")})), Error);
}

TEST(Payback, CountsTheTextsThatSaveWhatCompressingTook) {
  // 10 J compressing, 0.4 J saved a text: 25 texts; 11 J take 27.5, so 28.
  const TextCost before = cost(EnergyTag::measured, 0.5);
  const TextCost after = cost(EnergyTag::measured, 0.1);

  EXPECT_EQ(payback(figure(EnergyTag::measured, 10), before, after).n_texts, 25);
  EXPECT_EQ(payback(figure(EnergyTag::measured, 11), before, after).n_texts, 28);
  EXPECT_THAT(payback(figure(EnergyTag::measured, 10), before, after).reason, IsEmpty());
}

TEST(Payback, IsTaggedLikeTheWorstOfItsParts) {
  const TextCost measured = cost(EnergyTag::measured, 0.5);
  const TextCost estimated = cost(EnergyTag::estimated, 0.1);

  EXPECT_EQ(payback(figure(EnergyTag::measured, 1), measured, estimated).tag, EnergyTag::estimated);
  EXPECT_EQ(payback(figure(EnergyTag::estimated, 1), measured, cost(EnergyTag::measured, 0)).tag,
            EnergyTag::estimated);
}

TEST(Payback, NeverComesWhereNothingIsSaved) {
  const TextCost same = cost(EnergyTag::measured, 0.5);
  const Payback never = payback(figure(EnergyTag::measured, 10), same, same);

  EXPECT_FALSE(never.n_texts);
  EXPECT_EQ(never.tag, EnergyTag::measured);
  EXPECT_THAT(never.reason, HasSubstr("no less"));
}

TEST(Payback, IsUnknownWhereAPartIs) {
  const TextCost before = cost(EnergyTag::measured, 0.5);
  const TextCost after = cost(EnergyTag::measured, 0.1);
  const TextCost unknown = cost_of_texts(nothing(), 1, {});

  EXPECT_EQ(payback(nothing(), before, after).tag, EnergyTag::unavailable);
  EXPECT_THAT(payback(nothing(), before, after).reason, HasSubstr("compressing"));
  EXPECT_EQ(payback(figure(EnergyTag::measured, 1), before, unknown).tag, EnergyTag::unavailable);
}

TEST(TwoDigitText, WritesTwoDigitsAndNoExponentWhereItCan) {
  EXPECT_EQ(two_digit_text(4.519), "4.5");
  EXPECT_EQ(two_digit_text(1), "1.0");
  EXPECT_EQ(two_digit_text(9.96), "10");
  EXPECT_EQ(two_digit_text(-0.01749), "-0.017");
  EXPECT_EQ(two_digit_text(324), "320");
  EXPECT_EQ(two_digit_text(1'349'999), "1300000");
  EXPECT_EQ(two_digit_text(0), "0");
  EXPECT_EQ(two_digit_text(3.14e-9), "3.1e-09");
  EXPECT_EQ(two_digit_text(std::nan("")), "n/a");
}

}  // namespace
}  // namespace espalier::measure
