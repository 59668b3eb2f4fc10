// Depth is checked while parsing, before values are built.
#include "text/json_reader.hpp"

#include "base/file_bytes.hpp"
#include "base/printable.hpp"
#include "espalier/error.hpp"

namespace espalier::text {
namespace {

constexpr int kMaxDepth = 32;  // a tokenizer.json is 6 deep

const Json kNullValue;

}  // namespace

Json read_json_object(const std::filesystem::path& path, std::size_t max_bytes) {
  const FileBytes file = FileBytes::open(path, FileAccess::read, max_bytes);
  const auto bytes = file.bytes();
  const char* const text = reinterpret_cast<const char*>(bytes.data());
  const auto check_depth = [](int depth, Json::parse_event_t, Json&) {
    if (depth > kMaxDepth) {
      throw Error(ErrorCode::bad_input,
                  "JSON is nested deeper than " + std::to_string(kMaxDepth) + " levels");
    }
    return true;
  };
  Json document;
  try {
    document = Json::parse(text, text + bytes.size(), check_depth);
  } catch (const Json::exception& error) {
    throw Error(ErrorCode::bad_input, "not valid JSON: " + printable(error.what(), 200));
  }
  if (!document.is_object()) throw Error(ErrorCode::bad_input, "JSON is not an object");
  return document;
}

JsonField JsonField::operator[](std::string_view key) const {
  std::string path = path_.empty() ? std::string(key) : path_ + "." + std::string(key);
  if (value_->is_null()) return {kNullValue, std::move(path)};
  const auto found = as_object().find(std::string(key));
  return {found == value_->end() ? kNullValue : *found, std::move(path)};
}

JsonField JsonField::item(std::size_t index) const {
  return {as_array().at(index), path_ + "[" + std::to_string(index) + "]"};
}

const std::string& JsonField::as_string() const {
  if (!value_->is_string()) refuse("is not a string");
  return value_->get_ref<const std::string&>();
}

bool JsonField::as_bool() const {
  if (!value_->is_boolean()) refuse("is not true or false");
  return value_->get<bool>();
}

std::uint32_t JsonField::as_uint(std::uint32_t max) const {
  if (!value_->is_number_unsigned() || value_->get<std::uint64_t>() > max) {
    refuse("is not a whole number from 0 to " + std::to_string(max));
  }
  return static_cast<std::uint32_t>(value_->get<std::uint64_t>());
}

const Json& JsonField::as_object() const {
  if (!value_->is_object()) refuse("is not an object");
  return *value_;
}

const Json& JsonField::as_array() const {
  if (!value_->is_array()) refuse("is not an array");
  return *value_;
}

void JsonField::refuse(const std::string& what) const {
  throw Error(ErrorCode::bad_input, "'" + path_ + "' " + what);
}

}  // namespace espalier::text
