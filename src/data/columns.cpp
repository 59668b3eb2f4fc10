#include "data/columns.hpp"

#include <algorithm>
#include <array>
#include <string_view>

#include "base/printable.hpp"

namespace espalier::data {
namespace {

constexpr std::array<std::string_view, 4> kTextNames = {"text", "sentence", "text_a", "review"};
constexpr std::array<std::string_view, 3> kLabelNames = {"label", "labels", "score"};

class Header {
 public:
  Header(std::span<const std::string> names, const Place& place) : names_(names), place_(place) {}

  std::optional<std::size_t> find(std::string_view wanted) const {
    std::optional<std::size_t> found;
    for (std::size_t column = 0; column < names_.size(); ++column) {
      if (names_[column] != wanted) continue;
      if (found) refuse("column " + printable(wanted) + " is there twice");
      found = column;
    }
    return found;
  }

  std::optional<std::size_t> find_first(std::span<const std::string_view> candidates) const {
    for (const std::string_view candidate : candidates) {
      if (const auto column = find(candidate)) return column;
    }
    return std::nullopt;
  }

  std::size_t need(std::string_view wanted, const char* option) const {
    const auto column = find(wanted);
    if (!column) refuse("no column " + printable(wanted) + "; give " + option + " one of these");
    return *column;
  }

  std::string_view name(std::size_t column) const { return names_[column]; }

  [[noreturn]] void refuse(const std::string& what) const {
    fail_at(place_, what + " (columns: " + list_names(names_) + ")");
  }

 private:
  std::span<const std::string> names_;
  Place place_;
};

std::size_t choose_text(const Header& header, const Columns& wanted) {
  if (!wanted.text.empty()) return header.need(wanted.text, "--text-column");
  const auto column = header.find_first(kTextNames);
  if (!column) {
    header.refuse(wanted.header ? "no column text, sentence, text_a or review; name one with "
                                  "--text-column, or say --no-header if line 1 is data"
                                : "without a header, name a column by number with --text-column");
  }
  return *column;
}

std::optional<std::size_t> choose_label(const Header& header, const Columns& wanted) {
  if (!wanted.label.empty()) return header.need(wanted.label, "--label-column");
  const auto column = header.find_first(kLabelNames);
  if (!column && wanted.need_label) {
    header.refuse(wanted.header ? "no column label, labels or score; name one with --label-column"
                                : "without a header, name a column by number with --label-column");
  }
  return column;
}

}  // namespace

ColumnChoice choose_columns(std::span<const std::string> names, const Columns& wanted,
                            const Place& place) {
  const Header header(names, place);
  ColumnChoice choice;
  choice.text = choose_text(header, wanted);
  if (!wanted.pair.empty()) {
    choice.pair = header.need(wanted.pair, "--pair-column");
  } else if (wanted.text.empty() && header.name(choice.text) == "text_a") {
    choice.pair = header.find("text_b");
  }
  choice.label = choose_label(header, wanted);
  for (const std::string& name : wanted.slices) {
    choice.slices.push_back(header.need(name, "--slice-column"));
  }
  if (choice.pair == choice.text || choice.label == choice.text ||
      (choice.label && choice.label == choice.pair)) {
    header.refuse("text, pair and label must be different columns");
  }
  for (auto slice = choice.slices.begin(); slice != choice.slices.end(); ++slice) {
    if (*slice == choice.text || *slice == choice.pair || *slice == choice.label ||
        std::find(choice.slices.begin(), slice, *slice) != slice) {
      header.refuse("column " + printable(header.name(*slice)) +
                    " makes no slices: it is read for something else, or named twice");
    }
  }
  return choice;
}

std::vector<std::string> numbered_columns(std::size_t n_columns) {
  std::vector<std::string> names;
  for (std::size_t number = 1; number <= n_columns; ++number) {
    names.push_back(std::to_string(number));
  }
  return names;
}

}  // namespace espalier::data
