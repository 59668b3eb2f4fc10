#include "compress/objective/labelled_rows.hpp"

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <set>

#include "measure/entities.hpp"
#include "text/utf8.hpp"

namespace espalier::objective {
namespace {

// Labels become names in config.json, which is UTF-8.
void check_row(const data::Row& row, const data::Place& place) {
  check_utf8(row.text, "text", place);
  if (row.pair) check_utf8(*row.pair, "text", place);
  check_utf8(row.label, "label", place);
  for (const std::string& tag : row.tags) check_utf8(tag, "label", place);
}

std::optional<std::uint64_t> whole_number(std::string_view text) {
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return number;
}

}  // namespace

void check_utf8(std::string_view text, std::string_view what, const data::Place& place) {
  if (text::is_valid_utf8(text)) return;
  data::fail_at(place, "the " + std::string(what) +
                           " is not UTF-8; convert the file (iconv -f ... -t UTF-8)");
}

LabelledRows read_labelled_rows(const std::filesystem::path& path, data::Format format,
                                const data::Columns& columns) {
  LabelledRows result{.file = path.filename().string(),
                      .rows = data::read_all(path, format, columns)};
  if (result.rows.empty()) {
    data::fail_at({result.file, 0}, "there are no rows; give a file with labelled text");
  }
  for (std::size_t row = 0; row < result.rows.size(); ++row) {
    check_row(result.rows[row], result.place(row));
  }
  return result;
}

std::vector<std::string> distinct_labels(const LabelledRows& rows) {
  std::set<std::string> names;
  for (std::size_t row = 0; row < rows.rows.size(); ++row) {
    const std::string& label = rows.rows[row].label;
    if (label.empty()) data::fail_at(rows.place(row), "the label is empty");
    names.insert(label);
  }
  std::vector<std::string> labels(names.begin(), names.end());
  const auto is_number = [](const std::string& label) { return whole_number(label).has_value(); };
  if (std::all_of(labels.begin(), labels.end(), is_number)) {
    std::stable_sort(labels.begin(), labels.end(), [](const auto& first, const auto& second) {
      return *whole_number(first) < *whole_number(second);
    });
  }
  return labels;
}

std::vector<std::string> to_iob2(const std::vector<std::string>& tags) {
  const bool begins_and_insides = std::all_of(tags.begin(), tags.end(), [](const std::string& tag) {
    return measure::is_entity_tag(tag) && (tag[0] == 'O' || tag[0] == 'B' || tag[0] == 'I');
  });
  if (!begins_and_insides) return tags;
  const std::vector<std::string_view> views(tags.begin(), tags.end());
  std::vector<std::string> result = tags;
  for (const measure::Entity& entity : measure::entities_from_tags(views)) {
    result[entity.begin][0] = 'B';
  }
  return result;
}

}  // namespace espalier::objective
