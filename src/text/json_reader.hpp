// JSON of a tokenizer's files with bounds: size, depth, and errors that name the key.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

namespace espalier::text {

using Json = nlohmann::json;

/// Reads a JSON file whose top is an object. Throws Error(bad_input) for malformed JSON, nesting
/// over 32, and Error(resource) past `max_bytes`.
[[nodiscard]] Json read_json_object(const std::filesystem::path& path, std::size_t max_bytes);

/// One value and the path of keys that leads to it ("model.vocab"), for messages.
class JsonField {
 public:
  JsonField(const Json& value, std::string path) : value_(&value), path_(std::move(path)) {}

  /// The field under `key`; a null field when it is absent or this is null.
  [[nodiscard]] JsonField operator[](std::string_view key) const;
  [[nodiscard]] JsonField item(std::size_t index) const;  // of an array of more than `index` items

  [[nodiscard]] bool is_null() const { return value_->is_null(); }
  [[nodiscard]] bool is_string() const { return value_->is_string(); }
  [[nodiscard]] const Json& json() const { return *value_; }
  [[nodiscard]] const std::string& path() const { return path_; }

  /// Checked reads; throw Error(bad_input) naming the key.
  [[nodiscard]] const std::string& as_string() const;
  [[nodiscard]] bool as_bool() const;
  [[nodiscard]] std::uint32_t as_uint(std::uint32_t max) const;
  [[nodiscard]] const Json& as_object() const;
  [[nodiscard]] const Json& as_array() const;

  /// Checked reads where an absent or null field means `fallback`.
  [[nodiscard]] bool bool_or(bool fallback) const { return is_null() ? fallback : as_bool(); }

  /// Throws Error(bad_input) "'path' `what`".
  [[noreturn]] void refuse(const std::string& what) const;

 private:
  const Json* value_;
  std::string path_;
};

}  // namespace espalier::text
