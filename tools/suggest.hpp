// "Did you mean ...?" for verbs, options and values.
#pragma once

#include <span>
#include <string>
#include <string_view>

namespace espalier::tools {

/// The candidate that `word` was probably meant to be, as "; did you mean '--text'?", or "" when
/// none is near. Quadratic in the length of the words: both are cut to 64 bytes.
[[nodiscard]] std::string did_you_mean(std::string_view word,
                                       std::span<const std::string_view> candidates);

}  // namespace espalier::tools
