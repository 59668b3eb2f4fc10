// Small data files for tests: written when made, removed when out of scope. And short ways to read
// them and to look at the errors they cause.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <stdlib.h>
#include <zlib.h>

#include <filesystem>
#include <fstream>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "data/reader.hpp"

namespace espalier::data {

class DataFile {
 public:
  DataFile(const std::string& name, std::string_view content) : path_(fresh_folder() / name) {
    std::ofstream(path_, std::ios::binary) << content;
  }

  static DataFile gzipped(const std::string& name, std::string_view content) {
    DataFile file(name, "");
    gzFile out = gzopen(file.path_.c_str(), "wb");
    gzwrite(out, content.data(), static_cast<unsigned>(content.size()));
    gzclose(out);
    return file;
  }

  DataFile(DataFile&& other) noexcept : path_(std::move(other.path_)) { other.path_.clear(); }
  DataFile& operator=(DataFile&&) = delete;
  ~DataFile() {
    if (!path_.empty()) std::filesystem::remove_all(path_.parent_path());
  }

  const std::filesystem::path& path() const { return path_; }

 private:
  static std::filesystem::path fresh_folder() {
    std::string name = (std::filesystem::temp_directory_path() / "espalier_data_XXXXXX").string();
    if (mkdtemp(name.data()) == nullptr) throw std::runtime_error("no temporary folder");
    return name;
  }

  std::filesystem::path path_;
};

inline std::vector<Row> rows_of(const DataFile& file, const Columns& columns = {},
                                Format format = Format::automatic) {
  return read_all(file.path(), format, columns);
}

/// The message of the Error that reading the whole file throws, after its code: "3 line 2 of ...".
inline std::string error_of(const DataFile& file, const Columns& columns = {},
                            Format format = Format::automatic) {
  try {
    rows_of(file, columns, format);
  } catch (const Error& error) {
    return std::to_string(static_cast<int>(error.code())) + " " + error.what();
  }
  return "no error";
}

/// The texts of all rows.
inline std::vector<std::string> texts_of(const std::vector<Row>& rows) {
  std::vector<std::string> texts;
  for (const Row& row : rows) texts.push_back(row.text);
  return texts;
}

}  // namespace espalier::data
