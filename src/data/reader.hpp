// Reads data sets row by row: TSV, CSV, JSONL and CoNLL columns, plain or gzip-compressed. The one
// door through which evaluation, calibration and training see labelled text.
#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "data/columns.hpp"
#include "data/place.hpp"
#include "data/row.hpp"

namespace espalier::data {

class LineSource;

/// How rows are written in a file.
enum class Format {
  automatic,  ///< guessed from the first lines, then from the name
  tsv,        ///< split at TAB and nowhere else; no quoting; LF or CRLF
  csv,        ///< RFC 4180: quotes, doubled quotes, line breaks within quotes
  jsonl,      ///< one JSON object a line
  conll,      ///< one word a line, an empty line after each sentence, -DOCSTART- lines skipped
};

/// The format that --data-format names: auto, tsv, csv, jsonl or conll.
/// Throws Error(usage), listing these, for any other name.
[[nodiscard]] Format format_from_name(std::string_view name);

/// The name of a format, as --data-format takes it.
[[nodiscard]] std::string_view name_of(Format format);

/// The columns that a reader reads, by the names its file gives them.
struct ColumnNames {
  std::string text;
  std::optional<std::string> pair;
  std::optional<std::string> label;
  std::vector<std::string> slices = {};
};

/// Reads one file from front to back in bounded memory. One thread at a time.
class Reader {
 public:
  /// Opens `path`, settles its format and finds its columns.
  /// Throws Error(bad_input) if the file cannot be read, is empty or lacks a column, and
  /// Error(usage) for a wish the format cannot meet, such as JSONL without names.
  [[nodiscard]] static std::unique_ptr<Reader> open(const std::filesystem::path& path,
                                                    Format format = Format::automatic,
                                                    const Columns& columns = {});
  virtual ~Reader();
  Reader(const Reader&) = delete;
  Reader& operator=(const Reader&) = delete;

  /// Fills `row` with the next row; every field of it is set anew. Returns false at the end.
  /// Empty lines at the end of a file are no rows; anywhere else they are errors (CoNLL apart).
  /// Throws Error(bad_input), naming the line, if it is malformed, and Error(resource) if a row is
  /// longer than 64 MiB or has over kMaxWords words. After an error the reader is done.
  [[nodiscard]] virtual bool next(Row& row) = 0;

  /// Never Format::automatic.
  [[nodiscard]] Format format() const { return format_; }
  [[nodiscard]] const ColumnNames& columns() const { return columns_; }

  /// Where `row` stands, for errors about what it means. Borrows the reader's file name.
  [[nodiscard]] Place place(const Row& row) const;

 protected:
  Reader(Format format, std::unique_ptr<LineSource> lines);

  [[nodiscard]] LineSource& lines() { return *lines_; }
  void set_columns(const std::vector<std::string>& header, const ColumnChoice& choice);

 private:
  Format format_;
  std::unique_ptr<LineSource> lines_;
  ColumnNames columns_;
};

/// All rows of a file that fits into memory. Throws as Reader does.
[[nodiscard]] std::vector<Row> read_all(const std::filesystem::path& path,
                                        Format format = Format::automatic,
                                        const Columns& columns = {});

}  // namespace espalier::data
