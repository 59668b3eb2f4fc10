// What the verbs print: one JSON object, or lines of keys and values. Tables are the
// measure room's.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/decimal.hpp"  // fixed(): what is told about has numbers in it

namespace espalier::tools {

/// Version of what --format json prints; raised when a key changes its meaning or goes away.
inline constexpr int kSchemaVersion = 1;

/// Prints an object with `schema_version` as its first key. Invalid UTF-8 becomes U+FFFD.
void print_json(const nlohmann::ordered_json& object);

/// The double that is printed with the fewest digits which still read back as `number`: JSON of a
/// float then says 0.1, not 0.10000000149011612.
[[nodiscard]] double shortest(float number);
[[nodiscard]] std::vector<double> shortest(std::span<const float> numbers);

/// "key  value" lines, keys padded to one width.
[[nodiscard]] std::string key_value_text(
    const std::vector<std::pair<std::string, std::string>>& lines);

/// Bytes as "23.8 MB", where MB is 10^6 bytes.
[[nodiscard]] std::string megabytes(std::uint64_t bytes);

/// 16 hexadecimal digits.
[[nodiscard]] std::string hex(std::uint64_t number);

/// The file's name without its folders, as reports state it.
[[nodiscard]] std::string base_name(const std::string& path);

}  // namespace espalier::tools
