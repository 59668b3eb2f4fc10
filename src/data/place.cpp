#include "data/place.hpp"

#include "base/printable.hpp"

namespace espalier::data {

void fail_at(const Place& place, const std::string& what, ErrorCode code) {
  std::string where = printable(place.file, 400);
  if (place.line != 0) where = "line " + std::to_string(place.line) + " of " + where;
  throw Error(code, where + ": " + what);
}

std::string list_names(std::span<const std::string> names) {
  constexpr std::size_t kMaxShown = 20;
  constexpr std::size_t kMaxNameBytes = 40;
  std::string list;
  for (std::size_t index = 0; index < names.size(); ++index) {
    if (index == kMaxShown) return list + ", ...";
    if (index != 0) list += ", ";
    list += printable(names[index], kMaxNameBytes);
  }
  return list;
}

}  // namespace espalier::data
