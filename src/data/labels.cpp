#include "data/labels.hpp"

#include <charconv>
#include <cmath>
#include <optional>

#include "base/printable.hpp"
#include "data/json_line.hpp"

namespace espalier::data {
namespace {

std::string_view trim(std::string_view text) {
  const std::size_t begin = text.find_first_not_of(' ');
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(' ') - begin + 1);
}

// The number that `text` is in plain digits, if it is nothing else.
std::optional<std::size_t> whole_number(std::string_view text) {
  std::size_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (text.empty() || error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return number;
}

}  // namespace

void for_each_listed_label(std::string_view cell, const Place& place,
                           const std::function<void(std::string_view)>& visit) {
  if (trim(cell).empty()) return;
  if (trim(cell).starts_with('[')) {
    for (const std::string& item : json_list(cell, place)) visit(item);
    return;
  }
  while (true) {
    const std::size_t comma = cell.find(',');
    visit(trim(cell.substr(0, comma)));
    if (comma == std::string_view::npos) return;
    cell.remove_prefix(comma + 1);
  }
}

LabelMap::LabelMap(std::vector<std::string> names) : names_(std::move(names)) {
  if (names_.empty()) throw Error(ErrorCode::bad_input, "no labels; a model needs at least one");
  for (std::size_t index = 0; index < names_.size(); ++index) {
    if (!index_of_.emplace(names_[index], index).second) {
      throw Error(ErrorCode::bad_input, "label " + printable(names_[index]) + " is there twice");
    }
    if (whole_number(names_[index])) takes_indexes_ = false;
  }
}

std::size_t LabelMap::index(std::string_view cell, const Place& place) const {
  const auto known = index_of_.find(cell);
  if (known != index_of_.end()) return known->second;
  const std::optional<std::size_t> number = whole_number(cell);
  if (takes_indexes_ && number && *number < names_.size()) return *number;
  fail_at(place,
          "label " + printable(cell) + " is not one of " + list_names(names_) +
              (takes_indexes_ ? " nor a number below " + std::to_string(names_.size()) : ""));
}

std::vector<std::size_t> LabelMap::indexes(std::string_view cell, const Place& place) const {
  // Flags, not a growing list: a cell may repeat a label millions of times.
  std::vector<bool> is_chosen(names_.size());
  if (index_of_.find(cell) != index_of_.end()) {
    is_chosen[index(cell, place)] = true;
  } else {
    for_each_listed_label(cell, place,
                          [&](std::string_view label) { is_chosen[index(label, place)] = true; });
  }
  std::vector<std::size_t> chosen;
  for (std::size_t label = 0; label < is_chosen.size(); ++label) {
    if (is_chosen[label]) chosen.push_back(label);
  }
  return chosen;
}

double parse_score(std::string_view cell, const Place& place) {
  double score = 0.0;
  const auto [end, error] = std::from_chars(cell.data(), cell.data() + cell.size(), score);
  if (cell.empty() || error != std::errc() || end != cell.data() + cell.size() ||
      !std::isfinite(score)) {
    fail_at(place, "score " + printable(cell) + " is not a finite number");
  }
  return score;
}

}  // namespace espalier::data
