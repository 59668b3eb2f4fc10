// What TSV and CSV share: records of a fixed number of fields, the first of them a header or not.
// How a record is cut into fields is the only difference, and comes as a function.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "data/lines.hpp"
#include "data/reader.hpp"

namespace espalier::data {

/// The fields of one record. The views hold until the next record is read.
struct Record {
  std::size_t line = 0;                  // where it starts
  std::size_t n_fields = 0;              // all fields, also those that were not kept
  std::vector<std::string_view> fields;  // the first kMaxColumns of them
  std::string bytes;                     // unquoted fields of CSV; TSV's views need no copy

  void add(std::string_view field) {
    if (++n_fields <= kMaxColumns) fields.push_back(field);
  }
};

/// Reads the next record into an emptied `record`; false at the end of the file.
using ReadRecord = bool (*)(LineSource& lines, Record& record);

class DelimitedReader final : public Reader {
 public:
  /// Reads the first record and finds the columns in it.
  DelimitedReader(Format format, std::unique_ptr<LineSource> source, ReadRecord read,
                  const Columns& columns);

  bool next(Row& row) override;

 private:
  bool read_record();
  bool only_empty_lines_left();
  void check_fields();

  ReadRecord read_;
  Record record_;
  std::size_t n_columns_ = 0;
  ColumnChoice choice_;
  bool words_;
  bool first_is_data_;  // the record at hand has not been handed out yet
};

}  // namespace espalier::data
