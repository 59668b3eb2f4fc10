#include "compress/checkpoint/json_fields.hpp"

#include <nlohmann/json.hpp>
#include <set>
#include <utility>
#include <vector>

#include "base/file_bytes.hpp"
#include "base/printable.hpp"
#include "compress/checkpoint/safetensors.hpp"
#include "espalier/error.hpp"

namespace espalier::checkpoint {
namespace {

// A document costs up to some 40 times its text; a config is a few kB, a weight map of the largest
// model half a MB.
constexpr std::size_t kMaxJsonBytes = std::size_t{4} << 20;

// Walks the events of a text before a document is built of it: depth and duplicate keys.
class LimitsHandler {
 public:
  bool null() { return true; }
  bool boolean(bool /*value*/) { return true; }
  bool number_integer(nlohmann::json::number_integer_t /*value*/) { return true; }
  bool number_unsigned(nlohmann::json::number_unsigned_t /*value*/) { return true; }
  bool number_float(nlohmann::json::number_float_t /*value*/, const std::string& /*text*/) {
    return true;
  }
  bool string(std::string& /*value*/) { return true; }
  bool binary(nlohmann::json::binary_t& /*value*/) { return true; }

  bool key(std::string& value) {
    if (!keys_.back().insert(value).second) {
      throw Error(ErrorCode::bad_input, "has the key " + printable(value) + " twice");
    }
    return true;
  }
  bool start_object(std::size_t /*size*/) { return descend(); }
  bool start_array(std::size_t /*size*/) { return descend(); }
  bool end_object() { return ascend(); }
  bool end_array() { return ascend(); }

  bool parse_error(std::size_t position, const std::string& /*token*/,
                   const nlohmann::detail::exception& /*error*/) {
    throw Error(ErrorCode::bad_input, "is not valid JSON at byte " + std::to_string(position));
  }

 private:
  bool descend() {
    keys_.emplace_back();
    if (keys_.size() > static_cast<std::size_t>(kMaxJsonDepth)) {
      throw Error(ErrorCode::bad_input,
                  "nests JSON deeper than " + std::to_string(kMaxJsonDepth) + " levels");
    }
    return true;
  }
  bool ascend() {
    keys_.pop_back();
    return true;
  }

  std::vector<std::set<std::string>> keys_;  // one set a level; arrays keep theirs empty
};

}  // namespace

nlohmann::json parse_json(std::string_view text) {
  if (text.size() > kMaxJsonBytes) {
    throw Error(ErrorCode::bad_input, "has " + std::to_string(text.size()) +
                                          " bytes, more than the limit of " +
                                          std::to_string(kMaxJsonBytes));
  }
  // The parser would take a NUL for the end of the text.
  if (text.find('\0') != std::string_view::npos) {
    throw Error(ErrorCode::bad_input, "holds a NUL byte");
  }
  LimitsHandler limits;
  nlohmann::json::sax_parse(text.begin(), text.end(), &limits);
  return nlohmann::json::parse(text.begin(), text.end());
}

std::string read_text(const std::filesystem::path& path) {
  // Read, not mapped: a file that shrinks meanwhile must not change between two passes.
  const FileBytes file = FileBytes::open(path, FileAccess::read, kMaxJsonBytes);
  return {reinterpret_cast<const char*>(file.bytes().data()), file.bytes().size()};
}

nlohmann::json read_json(const std::filesystem::path& path) {
  return with_context(printable(path.filename().string()),
                      [&path] { return parse_json(read_text(path)); });
}

JsonFields::JsonFields(const nlohmann::json& object, std::string prefix)
    : object_(object), prefix_(std::move(prefix)) {
  if (!object.is_object()) {
    const std::string what =
        prefix_.empty() ? "the file" : "key " + printable(prefix_.substr(0, prefix_.size() - 1));
    throw Error(ErrorCode::bad_input, what + " is " + object.type_name() + ", not a JSON object");
  }
}

bool JsonFields::has(std::string_view key) const {
  return find(key) != nullptr;
}

const nlohmann::json* JsonFields::find(std::string_view key) const {
  const auto place = object_.find(key);
  return place == object_.end() || place->is_null() ? nullptr : &*place;
}

std::optional<std::uint64_t> JsonFields::integer(std::string_view key, IntegerRange range) const {
  const nlohmann::json* value = find(key);
  if (value == nullptr) return std::nullopt;
  const bool fits = value->is_number_unsigned() && value->get<std::uint64_t>() >= range.least &&
                    value->get<std::uint64_t>() <= range.most;
  if (!fits) {
    refuse(key, "must be an integer from " + std::to_string(range.least) + " to " +
                    std::to_string(range.most));
  }
  return value->get<std::uint64_t>();
}

std::optional<double> JsonFields::number(std::string_view key) const {
  const nlohmann::json* value = find(key);
  if (value == nullptr) return std::nullopt;
  if (!value->is_number()) refuse(key, "must be a number");
  return value->get<double>();
}

std::optional<bool> JsonFields::boolean(std::string_view key) const {
  const nlohmann::json* value = find(key);
  if (value == nullptr) return std::nullopt;
  if (!value->is_boolean()) refuse(key, "must be true or false");
  return value->get<bool>();
}

std::optional<std::string> JsonFields::text(std::string_view key) const {
  const nlohmann::json* value = find(key);
  if (value == nullptr) return std::nullopt;
  if (!value->is_string()) refuse(key, "must be a string");
  return value->get<std::string>();
}

std::uint64_t JsonFields::required_integer(std::string_view key, IntegerRange range) const {
  const std::optional<std::uint64_t> value = integer(key, range);
  if (!value) {
    throw Error(ErrorCode::bad_input, "key " + printable(prefix_ + std::string(key)) +
                                          " is missing; it must be an integer from " +
                                          std::to_string(range.least) + " to " +
                                          std::to_string(range.most));
  }
  return *value;
}

void JsonFields::refuse(std::string_view key, const std::string& what) const {
  const nlohmann::json* value = find(key);
  const std::string shown = value == nullptr ? "absent" : printable(value->dump());
  throw Error(ErrorCode::bad_input,
              "key " + printable(prefix_ + std::string(key)) + " is " + shown + "; it " + what);
}

}  // namespace espalier::checkpoint
