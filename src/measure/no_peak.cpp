// Processors whose peak nobody has written a loop for.
#include "espalier/error.hpp"
#include "measure/peak.hpp"

namespace espalier::measure {
namespace {

[[noreturn]] void refuse() {
  throw Error(
      ErrorCode::unavailable,
      "the peak of a processor is measured on x86-64 only; there is nothing to compare with");
}

}  // namespace

std::string_view name_of(PeakOp) noexcept {
  return "unknown";
}

PeakOp int8_op_in_use() {
  refuse();
}

PeakOp fp32_op_in_use() {
  refuse();
}

double peak_gmac_per_s(PeakOp, ThreadTeam&) {
  refuse();
}

}  // namespace espalier::measure
