#include "measure/pareto.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>

namespace espalier::measure {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

TEST(ParetoFront, HoldsWhatNoOtherPointBeatsFromTheLeastCostOn) {
  const std::vector<ParetoPoint> points = {{90, 91}, {10, 90}, {50, 89}};

  EXPECT_THAT(pareto_front(points), ElementsAre(1, 0));
}

TEST(ParetoFront, KeepsEqualPointsAndDropsOneThatIsWorseInOneOnly) {
  const std::vector<ParetoPoint> points = {{1, 5}, {1, 5}, {1, 4}, {2, 5}};

  EXPECT_THAT(pareto_front(points), ElementsAre(0, 1));
}

TEST(ParetoFront, LeavesOutWhatIsNotFiniteAndLetsItBeatNothing) {
  const double none = std::numeric_limits<double>::quiet_NaN();
  const double endless = std::numeric_limits<double>::infinity();
  const std::vector<ParetoPoint> points = {{none, 100}, {-endless, 99}, {0, endless}, {1, 5}};

  EXPECT_THAT(pareto_front(points), ElementsAre(3));
  EXPECT_THAT(pareto_front({}), IsEmpty());
}

}  // namespace
}  // namespace espalier::measure
