// Lists and ranges of numbers on the command line.
#include "number_list.hpp"

#include <gtest/gtest.h>

#include "espalier/error.hpp"

namespace espalier::tools {
namespace {

using Numbers = std::vector<std::uint32_t>;

Numbers parse(std::string_view text) {
  return parse_numbers(text, "--seq", 4'000'000'000U);
}

TEST(NumberList, KeepsTheOrderGiven) {
  EXPECT_EQ(parse("8,1,8"), (Numbers{8, 1, 8}));
}

TEST(NumberList, ARangeEndsAtOrBelowItsLastNumber) {
  EXPECT_EQ(parse("16-128*2"), (Numbers{16, 32, 64, 128}));
  EXPECT_EQ(parse("16-127*2,3"), (Numbers{16, 32, 64, 3}));
  EXPECT_EQ(parse("16-48+16"), (Numbers{16, 32, 48}));
  EXPECT_EQ(parse("7-7+1"), (Numbers{7}));
}

TEST(NumberList, ALargeFactorDoesNotWrapAround) {
  EXPECT_EQ(parse("1-4000000000*4000000000"), (Numbers{1, 4'000'000'000U}));
}

TEST(NumberList, RefusesWhatIsNoList) {
  for (const char* text : {"", ",", "1,", "a", "0", "-1", "1-8", "1-8*1", "8-1+1", "1-8+0", "1 2",
                           "5000000000", "1-8*", "1.5"}) {
    EXPECT_THROW(static_cast<void>(parse(text)), Error) << text;
  }
}

TEST(NumberList, RefusesAListTooLongToBeMeant) {
  EXPECT_THROW(static_cast<void>(parse("1-1001+1")), Error);
  EXPECT_EQ(parse("1-1000+1").size(), 1000U);
}

}  // namespace
}  // namespace espalier::tools
