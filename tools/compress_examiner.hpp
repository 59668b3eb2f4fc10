// Asks models for compress: how right they are on rows, and how fast.
#pragma once

#include <filesystem>
#include <string>

#include "column_request.hpp"
#include "compress/recipe/search.hpp"

namespace espalier::tools {

struct ExaminerInput {
  std::string choosing;  ///< file of labelled rows; empty: there is none beside `deciding`
  std::string deciding;
  std::string timed;  ///< rows whose lengths are timed
  ColumnRequest columns;
  bool by_slice = false;  ///< scores of labels and slices too
  unsigned n_threads = 1;
};

class ModelExaminer final : public recipe::Examiner {
 public:
  explicit ModelExaminer(ExaminerInput input) : input_(std::move(input)) {}

  /// Throws Error(usage) for a task that has no score, Error(bad_input) for rows that do not fit.
  recipe::Judged judge(const std::filesystem::path& model, recipe::Rows rows) override;

  /// One text at a time, both models in turns.
  recipe::Speed speed(const std::filesystem::path& reference,
                      const std::filesystem::path& model) override;

 private:
  ExaminerInput input_;
};

/// Rows of a labelled file.
[[nodiscard]] std::size_t count_rows(const std::string& file, const ColumnRequest& columns,
                                     bool words);

}  // namespace espalier::tools
