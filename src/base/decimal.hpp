// Numbers as people read them.
#pragma once

#include <string>

namespace espalier {

/// `number` with exactly that many decimals, rounded to nearest, whatever the locale: "0.30". What
/// rounds to zero has no sign; what is not finite is "inf", "-inf" or "nan". decimals: 0 or more.
[[nodiscard]] std::string fixed(double number, int decimals);

}  // namespace espalier
