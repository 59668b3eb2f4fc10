// The reference back end: plain loops that define what every step means. Its int8 mode is the
// canonical arithmetic (base/canonical.hpp); its fp32 mode sums in double and stores fp32 between
// steps. The oracle of every other back end, and the one that runs where no other does.
#pragma once

#include "runtime/backend.hpp"

namespace espalier::runtime {

/// The one instance; it has no state.
[[nodiscard]] const Backend& reference_backend() noexcept;

}  // namespace espalier::runtime
