#include "base/decimal.hpp"

#include <gtest/gtest.h>

#include <limits>

namespace espalier {
namespace {

TEST(Fixed, HasExactlyTheDecimalsAskedFor) {
  EXPECT_EQ(fixed(3, 0), "3");
  EXPECT_EQ(fixed(3, 2), "3.00");
  EXPECT_EQ(fixed(-1.25, 1), "-1.2");  // a tie goes to the even digit
  EXPECT_EQ(fixed(0.05, 1), "0.1");    // the double is a little above
  EXPECT_EQ(fixed(99.999, 2), "100.00");
}

TEST(Fixed, GivesZeroNoSign) {
  EXPECT_EQ(fixed(-0.0, 1), "0.0");
  EXPECT_EQ(fixed(-0.004, 2), "0.00");
  EXPECT_EQ(fixed(-0.006, 2), "-0.01");
  EXPECT_EQ(fixed(-0.4, 0), "0");
}

TEST(Fixed, HasRoomForTheLargestNumber) {
  const std::string text = fixed(-std::numeric_limits<double>::max(), 3);

  EXPECT_EQ(text.size(), 1 + 309 + 1 + 3);
  EXPECT_EQ(text.substr(0, 5), "-1797");
}

TEST(Fixed, NamesWhatIsNoNumber) {
  EXPECT_EQ(fixed(std::numeric_limits<double>::infinity(), 2), "inf");
  EXPECT_EQ(fixed(-std::numeric_limits<double>::infinity(), 2), "-inf");
  EXPECT_EQ(fixed(std::numeric_limits<double>::quiet_NaN(), 2), "nan");
}

}  // namespace
}  // namespace espalier
