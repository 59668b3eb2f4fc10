// Why a model is not faster: what a profile shows, put into words, the worst first.
#pragma once

#include <string>
#include <vector>

#include "profile.hpp"

namespace espalier::tools {

/// Something that takes time without need.
struct Cause {
  std::string name;    // "padding", "over_subscription", "float" ..., for scripts
  std::string what;    // one line
  double gain = 0;     // 0 to 1: share of the time that the remedy saves at most
  std::string action;  // the remedy, one line
};

/// What a cause has to be good for to be worth an action.
inline constexpr double kWorthwhileGain = 0.05;

/// The causes found, the largest gain first.
[[nodiscard]] std::vector<Cause> causes_of(const Profile& profile);

/// The one thing to do next: the remedy of the first cause that is worthwhile, else what makes the
/// part that takes most time smaller.
[[nodiscard]] std::string action_for(const Profile& profile, const std::vector<Cause>& causes);

}  // namespace espalier::tools
