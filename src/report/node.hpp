// Reads a JSON document of unknown care: what is missing or of another type is simply not there. A
// node knows its place in the document, which the page prints beside each figure.
#pragma once

#include <cstddef>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace espalier::report {

/// A place in a document, which outlives it. Cheap to copy.
class Node {
 public:
  explicit Node(const nlohmann::ordered_json& root) : value_(&root) {}

  /// Whether there is a value; null is none.
  [[nodiscard]] bool there() const;
  /// The member of that name, or the element at that place; not there where there is none.
  [[nodiscard]] Node operator[](std::string_view key) const;
  [[nodiscard]] Node operator[](const char* key) const { return (*this)[std::string_view(key)]; }
  [[nodiscard]] Node operator[](std::size_t index) const;
  /// A 0 written out would be a null pointer as well as an index.
  [[nodiscard]] Node operator[](int index) const {
    return (*this)[static_cast<std::size_t>(index)];
  }

  /// JSON Pointer (RFC 6901) to it.
  [[nodiscard]] const std::string& pointer() const { return pointer_; }
  /// A finite number; nothing otherwise.
  [[nodiscard]] std::optional<double> number() const;
  /// A text; empty otherwise.
  [[nodiscard]] std::string text() const;
  [[nodiscard]] bool is_true() const;
  /// The value itself; null where there is none.
  [[nodiscard]] const nlohmann::ordered_json& json() const;
  /// Of a list or an object; 0 otherwise.
  [[nodiscard]] std::size_t size() const;
  /// Of an object, in its order.
  [[nodiscard]] std::vector<std::string> keys() const;

 private:
  Node(const nlohmann::ordered_json* value, std::string pointer)
      : value_(value), pointer_(std::move(pointer)) {}

  const nlohmann::ordered_json* value_;  // null: not there
  std::string pointer_;
};

}  // namespace espalier::report
