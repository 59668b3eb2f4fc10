// Scores of an evaluation by label and by the values of slice columns, as JSON and as a table. The
// arithmetic is measure/slices.hpp's.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <string_view>

#include "data/reader.hpp"
#include "measure/slices.hpp"

namespace espalier::tools {

/// Adds up the rows of one evaluation. One thread at a time; `reader` outlives it.
class RowSlices {
 public:
  /// own_group: what the task itself groups by, "label" or "entity"; "" for neither. Throws
  /// Error(usage) for a slice column of that name, or when rows have slices but no label.
  RowSlices(const data::Reader& reader, measure::SliceScore kind, std::string_view own_group);

  /// To the slice of each slice column that the row is in.
  void add_row(const data::Row& row, const measure::Outcome& after,
               const std::optional<measure::Outcome>& before);

  /// To a value of the task's own group.
  void add_own(std::string_view value, const measure::Outcome& after,
               const std::optional<measure::Outcome>& before);

  /// Sets `slice_score` and `slices` of an evaluation's result; nothing where there are none.
  void report(nlohmann::ordered_json& result) const;

 private:
  const data::Reader& reader_;
  std::string own_group_;
  measure::SliceCounter counter_;
};

/// The `slices` of a result as a table, the worst rows of it; "" when there are none.
[[nodiscard]] std::string slice_table(const nlohmann::ordered_json& result);

}  // namespace espalier::tools
