// Tables for people and for scripts: one set of cells, five ways to write it.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace espalier::measure {

enum class TableFormat {
  table,  ///< aligned columns for a terminal
  md,     ///< a GitHub-flavoured Markdown table
  csv,    ///< quoted as in RFC 4180, a header line first, LF line ends
  json,   ///< one list of objects, a line each
  jsonl,  ///< one object a line
};

/// The format that --format names: table, md, csv, json or jsonl.
/// Throws Error(usage), listing these, for any other name.
[[nodiscard]] TableFormat table_format_from_name(std::string_view name);

enum class Align { left, right };

/// One value: text, or a number that JSON shows without quotes.
class Cell {
 public:
  Cell(std::string text) : text_(std::move(text)) {}  // NOLINT(google-explicit-constructor)
  Cell(const char* text) : text_(text) {}             // NOLINT(google-explicit-constructor)
  Cell(std::string_view text) : text_(text) {}        // NOLINT(google-explicit-constructor)

  /// `value` with `n_decimals` digits after the point, whatever the locale. A value that is not
  /// finite is written n/a, and null in JSON.
  static Cell number(double value, int n_decimals);
  static Cell count(std::size_t value);

  [[nodiscard]] const std::string& text() const { return text_; }
  [[nodiscard]] bool is_number() const { return is_number_; }

 private:
  std::string text_;
  bool is_number_ = false;
};

/// Columns and rows. One thread at a time.
class Table {
 public:
  /// Columns come before rows. In JSON the names are the keys.
  Table& add_column(std::string name, Align align = Align::left);

  /// Throws Error(failed) unless there is one cell for each column.
  Table& add_row(std::vector<Cell> cells);

  /// The whole table, with a line feed at its end; control bytes of cells are escaped in all
  /// formats but CSV. JSON gets U+FFFD for bytes that are not UTF-8.
  [[nodiscard]] std::string print(TableFormat format) const;

 private:
  struct Column {
    std::string name;
    Align align;
  };

  [[nodiscard]] std::string print_aligned() const;
  [[nodiscard]] std::string print_markdown() const;
  [[nodiscard]] std::string print_csv() const;
  [[nodiscard]] std::string print_json(bool as_list) const;

  std::vector<Column> columns_;
  std::vector<std::vector<Cell>> rows_;
};

/// Columns that `text` takes on a terminal: 2 for East Asian wide characters and emoji, 0 for
/// combining marks, 1 for all else. A short table of ranges, good for aligning, not for editing.
[[nodiscard]] std::size_t display_width(std::string_view text);

}  // namespace espalier::measure
