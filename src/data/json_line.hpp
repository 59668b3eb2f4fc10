// Reads the few values that are wanted out of one JSON text, without building the rest of it: what
// a hostile line can make us keep is bounded by its own length.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "data/place.hpp"

namespace espalier::data {

/// One value of an object, as text.
struct JsonValue {
  enum class Kind { text, number, truth, list };
  Kind kind = Kind::text;
  std::string text;                // text; digits as written; true or false
  std::vector<std::string> items;  // of a list of texts, numbers or truth values
};

/// The keys of the object `text`, in order.
/// Throws Error(bad_input) unless it is one JSON object with at most kMaxColumns keys.
[[nodiscard]] std::vector<std::string> json_keys(std::string_view text, const Place& place);

/// The values of the wanted keys; a missing key or null gives nullopt.
/// Throws Error(bad_input) if `text` is no JSON object, nests deeper than 64, or has a wanted key
/// twice or with an object or a nested list as its value; Error(resource) over kMaxWords items.
[[nodiscard]] std::vector<std::optional<JsonValue>> json_values(std::string_view text,
                                                                std::span<const std::string> wanted,
                                                                const Place& place);

/// The items of a JSON list of texts, numbers and truth values. Throws as json_values() does.
[[nodiscard]] std::vector<std::string> json_list(std::string_view text, const Place& place);

/// Writes texts as a JSON list.
[[nodiscard]] std::string to_json_list(const std::vector<std::string>& items);

}  // namespace espalier::data
