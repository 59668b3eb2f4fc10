#include "data/json_line.hpp"

#include <nlohmann/json.hpp>

#include "base/printable.hpp"
#include "data/columns.hpp"
#include "data/row.hpp"

namespace espalier::data {
namespace {

using nlohmann::json;

constexpr std::size_t kMaxDepth = 64;

/// Receives a parse event by event. Depth 1 is inside the outermost object or list.
class Events final : public nlohmann::json_sax<json> {
 public:
  explicit Events(const Place& place) : place_(place) {}

  std::span<const std::string> wanted;
  std::vector<std::optional<JsonValue>> values;  // one for each wanted key
  std::vector<std::string>* keys = nullptr;      // all keys, if asked for
  JsonValue* list = nullptr;                     // the outermost list, if one is to be read

  bool null() override {
    if (depth_ == 0) refuse_scalar();
    if (list != nullptr || (depth_ > 1 && member_ != nullptr)) refuse_value();
    return true;  // as if the key were not there
  }
  bool boolean(bool value) override {
    return scalar(JsonValue::Kind::truth, value ? "true" : "false");
  }
  bool number_integer(number_integer_t value) override {
    return scalar(JsonValue::Kind::number, std::to_string(value));
  }
  bool number_unsigned(number_unsigned_t value) override {
    return scalar(JsonValue::Kind::number, std::to_string(value));
  }
  bool number_float(number_float_t, const string_t& digits) override {
    return scalar(JsonValue::Kind::number, digits);
  }
  bool string(string_t& value) override { return scalar(JsonValue::Kind::text, value); }
  bool binary(binary_t&) override { return true; }  // never comes from text

  bool start_object(std::size_t) override {
    enter();
    if (depth_ == 1 && list != nullptr) fail_at(place_, "expected a JSON list");
    if (depth_ > 1 && is_kept()) refuse_value();
    return true;
  }
  bool key(string_t& name) override {
    if (depth_ != 1) return true;
    if (keys != nullptr) {
      if (keys->size() == kMaxColumns) {
        fail_at(place_, "has more than " + std::to_string(kMaxColumns) + " keys");
      }
      keys->push_back(name);
    }
    member_ = nullptr;
    for (std::size_t index = 0; index < wanted.size(); ++index) {
      if (wanted[index] != name) continue;
      if (values[index]) fail_at(place_, "key " + printable(name) + " is there twice");
      member_ = &values[index];
    }
    return true;
  }
  bool end_object() override {
    --depth_;
    return true;
  }
  bool start_array(std::size_t) override {
    enter();
    if (depth_ == 1 && list == nullptr) {
      fail_at(place_, "is a JSON list; JSONL holds one object a line, {\"text\": ...}");
    }
    if (depth_ == 1) return true;
    if (depth_ > 2 || list != nullptr) {
      if (is_kept()) refuse_value();
    } else if (member_ != nullptr) {
      member_->emplace().kind = JsonValue::Kind::list;
    }
    return true;
  }
  bool end_array() override {
    --depth_;
    return true;
  }
  bool parse_error(std::size_t position, const std::string&,
                   const nlohmann::detail::exception&) override {
    fail_at(place_, "is not valid JSON at byte " + std::to_string(position));
  }

 private:
  void enter() {
    if (++depth_ > kMaxDepth) {
      fail_at(place_, "nests deeper than " + std::to_string(kMaxDepth) + " levels");
    }
  }

  [[noreturn]] void refuse_value() const {
    fail_at(place_, "a column that is read must hold a text, a number or a list of these");
  }

  [[noreturn]] void refuse_scalar() const {
    fail_at(place_, list == nullptr ? "is not a JSON object; JSONL holds one a line"
                                    : "expected a JSON list");
  }

  /// Whether what comes now belongs to a value that is kept.
  bool is_kept() const { return list != nullptr || member_ != nullptr; }

  bool scalar(JsonValue::Kind kind, std::string_view text) {
    if (depth_ == 0) refuse_scalar();
    if (list != nullptr) {
      add_item(*list, text);
    } else if (member_ != nullptr && depth_ == 1) {
      JsonValue& value = member_->emplace();
      value.kind = kind;
      value.text = text;
    } else if (member_ != nullptr) {
      add_item(**member_, text);
    }
    return true;
  }

  void add_item(JsonValue& value, std::string_view text) const {
    if (value.items.size() == kMaxWords) {
      fail_at(place_, "a list of more than " + std::to_string(kMaxWords) + " items",
              ErrorCode::resource);
    }
    value.items.emplace_back(text);
  }

  Place place_;
  std::size_t depth_ = 0;
  std::optional<JsonValue>* member_ = nullptr;  // the wanted value that is being read
};

void parse(std::string_view text, Events& events) {
  json::sax_parse(text.begin(), text.end(), &events);
}

}  // namespace

std::vector<std::string> json_keys(std::string_view text, const Place& place) {
  std::vector<std::string> keys;
  Events events(place);
  events.keys = &keys;
  parse(text, events);
  return keys;
}

std::vector<std::optional<JsonValue>> json_values(std::string_view text,
                                                  std::span<const std::string> wanted,
                                                  const Place& place) {
  Events events(place);
  events.wanted = wanted;
  events.values.resize(wanted.size());
  parse(text, events);
  return std::move(events.values);
}

std::vector<std::string> json_list(std::string_view text, const Place& place) {
  JsonValue list;
  Events events(place);
  events.list = &list;
  parse(text, events);
  return std::move(list.items);
}

std::string to_json_list(const std::vector<std::string>& items) {
  return json(items).dump();
}

}  // namespace espalier::data
