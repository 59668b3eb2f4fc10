// Reads small JSON files of a checkpoint and their fields, each with its type and range, so that a
// wrong one is refused by name.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <string_view>

namespace espalier::checkpoint {

/// Parses `text`. Throws Error(bad_input) when it is not JSON, has a key twice in one object, is
/// nested deeper than 16 levels, or is larger than 4 MiB.
[[nodiscard]] nlohmann::json parse_json(std::string_view text);

/// The content of a small text file. Throws like FileBytes::open, also past 4 MiB.
[[nodiscard]] std::string read_text(const std::filesystem::path& path);

/// Reads and parses a file; messages begin with its base name. Throws like parse_json and
/// FileBytes.
[[nodiscard]] nlohmann::json read_json(const std::filesystem::path& path);

/// Smallest and largest value of a field, both allowed.
struct IntegerRange {
  std::uint64_t least = 0;
  std::uint64_t most = UINT64_MAX;
};

/// The fields of one JSON object. An absent field and one that is null are the same. Borrows the
/// object. Every function throws Error(bad_input) naming the key when a value has another type or
/// is out of range.
class JsonFields {
 public:
  /// `prefix` stands before each key in messages ("espalier.layers[3].").
  explicit JsonFields(const nlohmann::json& object, std::string prefix = "");

  [[nodiscard]] bool has(std::string_view key) const;

  /// The value, or null when the field is absent.
  [[nodiscard]] const nlohmann::json* find(std::string_view key) const;

  [[nodiscard]] std::optional<std::uint64_t> integer(std::string_view key, IntegerRange) const;
  [[nodiscard]] std::optional<double> number(std::string_view key) const;
  [[nodiscard]] std::optional<bool> boolean(std::string_view key) const;
  [[nodiscard]] std::optional<std::string> text(std::string_view key) const;

  /// As integer(), but an absent field is an error too.
  [[nodiscard]] std::uint64_t required_integer(std::string_view key, IntegerRange) const;

  /// Throws Error(bad_input): key, the value as it stands in the file, and `what`.
  [[noreturn]] void refuse(std::string_view key, const std::string& what) const;

 private:
  const nlohmann::json& object_;
  std::string prefix_;
};

}  // namespace espalier::checkpoint
