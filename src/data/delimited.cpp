#include "data/delimited.hpp"

namespace espalier::data {
namespace {

bool is_empty_line(const Record& record) {
  return record.n_fields == 1 && record.fields[0].empty();
}

}  // namespace

DelimitedReader::DelimitedReader(Format format, std::unique_ptr<LineSource> source, ReadRecord read,
                                 const Columns& columns)
    : Reader(format, std::move(source)),
      read_(read),
      words_(columns.words),
      first_is_data_(!columns.header) {
  if (!read_record() || is_empty_line(record_)) {
    fail_at(lines().place(1), "is empty; the first line must hold a header or data");
  }
  if (record_.n_fields > kMaxColumns) {
    fail_at(lines().place(1), "has more than " + std::to_string(kMaxColumns) + " columns");
  }
  n_columns_ = record_.n_fields;
  const std::vector<std::string> header =
      columns.header ? std::vector<std::string>(record_.fields.begin(), record_.fields.end())
                     : numbered_columns(n_columns_);
  choice_ = choose_columns(header, columns, lines().place(1));
  set_columns(header, choice_);
}

bool DelimitedReader::read_record() {
  record_.n_fields = 0;
  record_.fields.clear();
  record_.bytes.clear();
  return read_(lines(), record_);
}

bool DelimitedReader::only_empty_lines_left() {
  while (read_record()) {
    if (!is_empty_line(record_)) return false;
  }
  return true;
}

void DelimitedReader::check_fields() {
  if (record_.n_fields == n_columns_) return;
  fail_at(lines().place(record_.line),
          "expected " + std::to_string(n_columns_) + " fields, got " +
              std::to_string(record_.n_fields) +
              (format() == Format::tsv ? "; fields are split at TABs"
                                       : "; quote fields that hold commas"));
}

bool DelimitedReader::next(Row& row) {
  if (!first_is_data_ && !read_record()) return false;
  first_is_data_ = false;
  // A file of one column may hold empty texts; in any other an empty line is a mistake.
  if (n_columns_ > 1 && is_empty_line(record_)) {
    const std::size_t empty_line = record_.line;
    if (only_empty_lines_left()) return false;
    fail_at(lines().place(empty_line), "is empty; rows must follow each other without a gap");
  }
  check_fields();

  restart(row, record_.line);
  row.text.assign(record_.fields[choice_.text]);
  if (choice_.pair) row.pair.emplace(record_.fields[*choice_.pair]);
  for (const std::size_t slice : choice_.slices) row.slices.emplace_back(record_.fields[slice]);
  if (words_) {
    row.words = split_blanks(row.text, place(row));
    if (choice_.label) row.tags = split_blanks(record_.fields[*choice_.label], place(row));
    check_words(row, choice_.label.has_value(), place(row));
  } else if (choice_.label) {
    row.label.assign(record_.fields[*choice_.label]);
  }
  return true;
}

}  // namespace espalier::data
