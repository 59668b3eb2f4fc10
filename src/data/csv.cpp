// CSV as RFC 4180 has it: comma, double quotes around a field, doubled quotes and line breaks
// inside it. Besides CRLF, LF ends a record too. Quotes anywhere else are errors, not text.
#include "data/delimited.hpp"
#include "data/formats.hpp"

namespace espalier::data {
namespace {

/// Walks one record. Fields are gathered in record.bytes, which may move while it grows, so their
/// ends are kept until the record is whole.
class CsvRecord {
 public:
  CsvRecord(LineSource& lines, Record& record) : lines_(lines), record_(record) {}

  bool read() {
    if (!lines_.next(rest_)) return false;
    record_.line = lines_.place().line;
    while (true) {
      if (rest_.starts_with('"')) {
        take_quoted();
      } else {
        take_plain();
      }
      ends_.push_back(record_.bytes.size());
      if (rest_.empty() || rest_ == "\r") break;
      rest_.remove_prefix(1);  // the comma
      if (ends_.size() > kMaxColumns) {
        fail_at(lines_.place(), "has more than " + std::to_string(kMaxColumns) + " fields");
      }
    }
    std::size_t begin = 0;
    for (const std::size_t end : ends_) {
      record_.add(std::string_view(record_.bytes).substr(begin, end - begin));
      begin = end;
    }
    return true;
  }

 private:
  void take_plain() {
    std::string_view field = rest_.substr(0, rest_.find(','));
    if (field.size() == rest_.size()) field = without_cr(field);
    if (field.find('"') != std::string_view::npos) {
      fail_at(lines_.place(),
              "a quote inside an unquoted field; quote the whole field and double "
              "the quotes within");
    }
    record_.bytes.append(field);
    rest_.remove_prefix(field.size());
  }

  void take_quoted() {
    rest_.remove_prefix(1);
    while (true) {
      const std::size_t quote = rest_.find('"');
      append(rest_.substr(0, quote));
      if (quote == std::string_view::npos) {
        append("\n");
        if (!lines_.next(rest_)) {
          fail_at(lines_.place(record_.line), "a quote opened in this record is never closed");
        }
        continue;
      }
      rest_.remove_prefix(quote + 1);
      if (!rest_.starts_with('"')) break;
      append("\"");
      rest_.remove_prefix(1);
    }
    if (!rest_.empty() && rest_ != "\r" && !rest_.starts_with(',')) {
      fail_at(lines_.place(), "text after a closing quote; quotes within a field are doubled");
    }
  }

  void append(std::string_view bytes) {
    if (record_.bytes.size() + bytes.size() > LineSource::kMaxLineBytes) {
      fail_at(lines_.place(record_.line),
              "the record that starts here is longer than 64 MiB; is a quote left open?",
              ErrorCode::resource);
    }
    record_.bytes.append(bytes);
  }

  LineSource& lines_;
  Record& record_;
  std::string_view rest_;  // of the current line
  std::vector<std::size_t> ends_;
};

bool read_csv(LineSource& lines, Record& record) {
  return CsvRecord(lines, record).read();
}

}  // namespace

// A first line with TABs and no comma is TSV, even in a file named .csv.
Guess guess_csv(std::string_view head) {
  const std::string_view first = take_line(head);
  const bool has_tab = first.find('\t') != std::string_view::npos;
  const bool has_comma = first.find(',') != std::string_view::npos;
  if (has_comma) return has_tab ? Guess::possible : Guess::likely;
  return has_tab ? Guess::no : Guess::possible;
}

std::unique_ptr<Reader> open_csv(std::unique_ptr<LineSource> lines, const Columns& columns) {
  return std::make_unique<DelimitedReader>(Format::csv, std::move(lines), read_csv, columns);
}

}  // namespace espalier::data
