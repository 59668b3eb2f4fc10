#include "report/node.hpp"

#include <cmath>
#include <nlohmann/json.hpp>

namespace espalier::report {

bool Node::there() const {
  return value_ != nullptr && !value_->is_null();
}

Node Node::operator[](std::string_view key) const {
  std::string pointer = pointer_ + "/";
  for (const char byte : key) {
    if (byte == '~') {
      pointer += "~0";
    } else if (byte == '/') {
      pointer += "~1";
    } else {
      pointer += byte;
    }
  }
  const bool found = value_ != nullptr && value_->is_object() && value_->contains(key);
  return {found ? &value_->at(key) : nullptr, std::move(pointer)};
}

Node Node::operator[](std::size_t index) const {
  const bool found = value_ != nullptr && value_->is_array() && index < value_->size();
  return {found ? &value_->at(index) : nullptr, pointer_ + "/" + std::to_string(index)};
}

std::optional<double> Node::number() const {
  if (value_ == nullptr || !value_->is_number()) return std::nullopt;
  const auto number = value_->get<double>();
  return std::isfinite(number) ? std::optional(number) : std::nullopt;
}

std::string Node::text() const {
  return value_ != nullptr && value_->is_string() ? value_->get<std::string>() : std::string();
}

bool Node::is_true() const {
  return value_ != nullptr && value_->is_boolean() && value_->get<bool>();
}

const nlohmann::ordered_json& Node::json() const {
  static const nlohmann::ordered_json none;
  return value_ != nullptr ? *value_ : none;
}

std::size_t Node::size() const {
  return value_ != nullptr && value_->is_structured() ? value_->size() : 0;
}

std::vector<std::string> Node::keys() const {
  std::vector<std::string> keys;
  if (value_ == nullptr || !value_->is_object()) return keys;
  for (const auto& item : value_->items()) keys.push_back(item.key());
  return keys;
}

}  // namespace espalier::report
