#include "row_slices.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "espalier/error.hpp"
#include "json_text.hpp"
#include "measure/report.hpp"
#include "report.hpp"

namespace espalier::tools {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::size_t kMostShown = 30;  // of a table; JSON has all

std::string_view name_of(measure::SliceScore kind) {
  switch (kind) {
    case measure::SliceScore::accuracy:
      return "accuracy";
    case measure::SliceScore::f1:
      return "f1";
    case measure::SliceScore::mean_error:
      return "mean_error";
  }
  return "";
}

Json ends(const measure::Interval& interval) {
  return {interval.low, interval.high};
}

std::string to_text(const Json& low_high) {
  // An end that is no number reads back as null.
  const auto text = [](const Json& end) {
    return end.is_number() && std::isfinite(end.get<double>()) ? fixed(end.get<double>(), 2)
                                                               : std::string("?");
  };
  return text(low_high[0]) + " to " + text(low_high[1]);
}

}  // namespace

RowSlices::RowSlices(const data::Reader& reader, measure::SliceScore kind,
                     std::string_view own_group)
    : reader_(reader), own_group_(own_group), counter_(kind) {
  const std::vector<std::string>& columns = reader.columns().slices;
  if (columns.empty()) return;
  if (!reader.columns().label) {
    throw Error(ErrorCode::usage,
                "--slice-column needs rows with a label to score; --label-column names it");
  }
  if (std::find(columns.begin(), columns.end(), own_group) != columns.end()) {
    throw Error(ErrorCode::usage, "--slice-column " + own_group_ + ": scores by " + own_group_ +
                                      " are there without it");
  }
}

void RowSlices::add_row(const data::Row& row, const measure::Outcome& after,
                        const std::optional<measure::Outcome>& before) {
  for (std::size_t column = 0; column < row.slices.size(); ++column) {
    counter_.add(reader_.columns().slices[column], row.slices[column], after, before);
  }
}

void RowSlices::add_own(std::string_view value, const measure::Outcome& after,
                        const std::optional<measure::Outcome>& before) {
  counter_.add(own_group_, value, after, before);
}

void RowSlices::report(Json& result) const {
  Json slices = Json::array();
  for (const measure::Slice& slice : counter_.worst_first()) {
    Json json = {{"group", slice.group},
                 {"value", slice.value},
                 {"n", slice.n_items},
                 {"score", slice.score},
                 {"score_95", ends(slice.score_95)}};
    if (slice.change) {
      json["before"] = slice.change->before;
      json["difference"] = slice.change->difference;
      json["difference_95"] = ends(slice.change->difference_95);
    }
    slices.push_back(std::move(json));
  }
  if (slices.empty()) return;
  result["slice_score"] = name_of(counter_.kind());
  result["slices"] = std::move(slices);
}

std::string slice_table(const Json& result) {
  if (!result.contains("slices")) return "";
  const Json& slices = result["slices"];
  const std::string score = result["slice_score"].get<std::string>();
  const bool compared = slices[0].contains("before");
  measure::Table table;
  table.add_column("slice").add_column("n", measure::Align::right);
  if (compared) table.add_column(score + " before", measure::Align::right);
  table.add_column(compared ? "after" : score, measure::Align::right);
  if (compared) table.add_column("difference", measure::Align::right);
  table.add_column("95 % interval", measure::Align::right);
  const std::size_t n_shown = std::min(slices.size(), kMostShown);
  for (std::size_t index = 0; index < n_shown; ++index) {
    const Json& slice = slices[index];
    std::vector<measure::Cell> cells = {
        one_line(slice["group"].get<std::string>() + "=" + slice["value"].get<std::string>(), 40),
        measure::Cell::count(slice["n"].get<std::size_t>())};
    if (compared) cells.push_back(measure::Cell::number(slice["before"].get<double>(), 2));
    cells.push_back(measure::Cell::number(slice["score"].get<double>(), 2));
    if (compared) cells.push_back(measure::Cell::number(slice["difference"].get<double>(), 2));
    cells.emplace_back(to_text(slice[compared ? "difference_95" : "score_95"]));
    table.add_row(std::move(cells));
  }
  std::string text = table.print(measure::TableFormat::table);
  if (n_shown < slices.size()) {
    text += "and " + std::to_string(slices.size() - n_shown) + " more with --format json\n";
  }
  return text;
}

}  // namespace espalier::tools
