#include "measure/report.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <nlohmann/json.hpp>

#include "base/printable.hpp"
#include "espalier/error.hpp"

namespace espalier::measure {
namespace {

constexpr std::array<std::pair<std::string_view, TableFormat>, 5> kFormats = {{
    {"table", TableFormat::table},
    {"md", TableFormat::md},
    {"csv", TableFormat::csv},
    {"json", TableFormat::json},
    {"jsonl", TableFormat::jsonl},
}};

/// A cell on one line: control bytes as \xNN, and `special` behind a backslash.
std::string escaped(std::string_view text, char special = '\0') {
  static constexpr char kHex[] = "0123456789abcdef";
  std::string line;
  for (const char byte : text) {
    const auto value = static_cast<unsigned char>(byte);
    if (value < 0x20 || value == 0x7f) {
      line += "\\x";
      line += kHex[value >> 4];
      line += kHex[value & 15];
      continue;
    }
    if (special != '\0' && byte == special) line += '\\';
    line += byte;
  }
  return line;
}

void append_padded(std::string& line, const std::string& text, std::size_t width, Align align) {
  const std::string padding(width - std::min(width, display_width(text)), ' ');
  line += align == Align::right ? padding + text : text + padding;
}

std::string csv_field(const std::string& text) {
  if (text.find_first_of(",\"\r\n") == std::string::npos) return text;
  std::string quoted = "\"";
  for (const char byte : text) {
    if (byte == '"') quoted += '"';
    quoted += byte;
  }
  return quoted + '"';
}

std::string json_text(const std::string& text) {
  return nlohmann::json(text).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

}  // namespace

TableFormat table_format_from_name(std::string_view name) {
  std::string known;
  for (const auto& format : kFormats) {
    if (format.first == name) return format.second;
    known += (known.empty() ? "" : ", ") + std::string(format.first);
  }
  throw Error(ErrorCode::usage, "no output format " + printable(name) + "; known are " + known);
}

Cell Cell::number(double value, int n_decimals) {
  Cell cell("n/a");
  cell.is_number_ = true;
  if (!std::isfinite(value)) return cell;
  std::array<char, 512> digits{};  // the largest double has 309 before the point
  const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), value,
                                 std::chars_format::fixed, std::clamp(n_decimals, 0, 100));
  cell.text_.assign(digits.data(), end.ptr);
  return cell;
}

Cell Cell::count(std::size_t value) {
  Cell cell(std::to_string(value));
  cell.is_number_ = true;
  return cell;
}

Table& Table::add_column(std::string name, Align align) {
  columns_.push_back({std::move(name), align});
  return *this;
}

Table& Table::add_row(std::vector<Cell> cells) {
  if (cells.size() != columns_.size()) {
    throw Error(ErrorCode::failed, "a row of " + std::to_string(cells.size()) +
                                       " cells in a table of " + std::to_string(columns_.size()) +
                                       " columns");
  }
  rows_.push_back(std::move(cells));
  return *this;
}

std::string Table::print(TableFormat format) const {
  switch (format) {
    case TableFormat::table:
      return print_aligned();
    case TableFormat::md:
      return print_markdown();
    case TableFormat::csv:
      return print_csv();
    case TableFormat::json:
      return print_json(true);
    case TableFormat::jsonl:
      return print_json(false);
  }
  return {};
}

std::string Table::print_aligned() const {
  std::vector<std::size_t> widths;
  for (std::size_t column = 0; column < columns_.size(); ++column) {
    widths.push_back(display_width(escaped(columns_[column].name)));
    for (const auto& row : rows_) {
      widths[column] = std::max(widths[column], display_width(escaped(row[column].text())));
    }
  }
  std::string result;
  const auto append_line = [&](const auto& text_of) {
    std::string line;
    for (std::size_t column = 0; column < columns_.size(); ++column) {
      if (column != 0) line += "  ";
      append_padded(line, escaped(text_of(column)), widths[column], columns_[column].align);
    }
    line.erase(line.find_last_not_of(' ') + 1);
    result += line + '\n';
  };
  append_line([&](std::size_t column) { return columns_[column].name; });
  for (const auto& row : rows_) {
    append_line([&](std::size_t column) { return row[column].text(); });
  }
  return result;
}

std::string Table::print_markdown() const {
  std::string result;
  const auto append_cell = [&](const std::string& text) {
    result += "| ";
    result += escaped(text, '|');
    result += ' ';
  };
  for (const Column& column : columns_) append_cell(column.name);
  result += "|\n";
  for (const Column& column : columns_) result += column.align == Align::right ? "|---:" : "|---";
  result += "|\n";
  for (const auto& row : rows_) {
    for (const Cell& cell : row) append_cell(cell.text());
    result += "|\n";
  }
  return result;
}

std::string Table::print_csv() const {
  std::string result;
  for (std::size_t column = 0; column < columns_.size(); ++column) {
    if (column != 0) result += ',';
    result += csv_field(columns_[column].name);
  }
  result += '\n';
  for (const auto& row : rows_) {
    for (std::size_t column = 0; column < row.size(); ++column) {
      if (column != 0) result += ',';
      result += csv_field(row[column].text());
    }
    result += '\n';
  }
  return result;
}

std::string Table::print_json(bool as_list) const {
  std::string result = as_list ? "[" : "";
  for (std::size_t row = 0; row < rows_.size(); ++row) {
    if (as_list) result += row == 0 ? "\n" : ",\n";
    result += '{';
    for (std::size_t column = 0; column < columns_.size(); ++column) {
      const Cell& cell = rows_[row][column];
      if (column != 0) result += ',';
      result += json_text(columns_[column].name) + ':';
      if (!cell.is_number()) {
        result += json_text(cell.text());
      } else {
        result += cell.text() == "n/a" ? "null" : cell.text();
      }
    }
    result += as_list ? "}" : "}\n";
  }
  if (as_list) result += rows_.empty() ? "]\n" : "\n]\n";
  return result;
}

}  // namespace espalier::measure
