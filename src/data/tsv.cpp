// TSV: one record a line, split at TAB and nowhere else. Quotes mean nothing: MRPC and RTE hold
// unbalanced ones.
#include "data/delimited.hpp"
#include "data/formats.hpp"

namespace espalier::data {
namespace {

bool read_tsv(LineSource& lines, Record& record) {
  std::string_view line;
  if (!lines.next(line)) return false;
  line = without_cr(line);
  record.line = lines.place().line;
  while (true) {
    const std::size_t end = line.find('\t');
    record.add(line.substr(0, end));
    if (end == std::string_view::npos) return true;
    line.remove_prefix(end + 1);
  }
}

}  // namespace

// Any text can be TSV, if only of one column.
Guess guess_tsv(std::string_view) {
  return Guess::possible;
}

std::unique_ptr<Reader> open_tsv(std::unique_ptr<LineSource> lines, const Columns& columns) {
  return std::make_unique<DelimitedReader>(Format::tsv, std::move(lines), read_tsv, columns);
}

}  // namespace espalier::data
