// Lists and ranges of whole numbers on the command line: "1,8" and "16-512*2".
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

namespace espalier::tools {

/// The numbers of `text`: items between commas, each a number N, a range A-B*F (A, A*F, A*F*F ...
/// up to B) or a range A-B+S (A, A+S ... up to B), in that order. option: what the error names.
/// Throws Error(usage) unless all are from 1 to `max`, factors are at least 2 and steps at least 1,
/// and there are no more than 1000.
[[nodiscard]] std::vector<std::uint32_t> parse_numbers(std::string_view text,
                                                       std::string_view option, std::uint32_t max);

}  // namespace espalier::tools
