// Sums over the parts of a profile.
#include <algorithm>

#include "profile.hpp"

namespace espalier::tools {

double Profile::part_ms(runtime::StepPart part) const {
  double sum = 0;
  for (const ProfiledLayer& layer : layers) sum += layer[static_cast<std::size_t>(part)].ms;
  return sum;
}

double Profile::parts_ms() const {
  double sum = 0;
  for (const ProfiledLayer& layer : layers) {
    for (const ProfiledPart& part : layer) sum += part.ms;
  }
  return sum;
}

double Profile::idle_share() const {
  const double busy_ms = parts_ms() - part_ms(runtime::StepPart::waiting);
  return std::clamp(1 - busy_ms / call.mean_ms, 0.0, 1.0);
}

}  // namespace espalier::tools
