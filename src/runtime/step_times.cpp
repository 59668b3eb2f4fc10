#include "runtime/step_times.hpp"

namespace espalier::runtime {

std::string_view name_of(StepPart part) noexcept {
  switch (part) {
    case StepPart::embedding:
      return "embedding";
    case StepPart::qkv:
      return "qkv";
    case StepPart::waiting:
      return "waiting";
    case StepPart::attention:
      return "attention";
    case StepPart::out:
      return "out";
    case StepPart::up:
      return "up";
    case StepPart::down:
      return "down";
    case StepPart::head:
      return "head";
  }
  return "";
}

double StepTimes::ms(StepPart part) const noexcept {
  double sum = 0;
  for (const auto& layer : ms_) sum += layer[static_cast<std::size_t>(part)];
  return sum;
}

}  // namespace espalier::runtime
