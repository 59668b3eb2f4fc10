// The table of back ends that the conformance tests loop over: a new row is tested by what is here.
#pragma once

#include <string>
#include <vector>

#include "runtime/backend.hpp"

namespace espalier::testing {

/// Every back end of this build that runs on this machine, `reference` first.
[[nodiscard]] std::vector<const runtime::Backend*> all_backends();

/// The same without `reference`: those that are held to it step by step.
[[nodiscard]] inline std::vector<const runtime::Backend*> other_backends() {
  std::vector<const runtime::Backend*> backends = all_backends();
  backends.erase(backends.begin());
  return backends;
}

/// The back end's name as a test may be called: letters and digits only.
[[nodiscard]] std::string test_name(const runtime::Backend& backend);

}  // namespace espalier::testing
