#include "calibrate_report.hpp"

#include <nlohmann/json.hpp>

#include "measure/report.hpp"
#include "report.hpp"

namespace espalier::tools {
namespace {

using Json = nlohmann::ordered_json;
using measure::Cell;

constexpr std::string_view codes_name(const quantize::InputReport& input) {
  return input.is_static ? "per tensor" : "per token";
}

double sqnr_db(const quantize::InputReport& input) {
  return input.is_static ? input.fidelity.sqnr_db : input.per_token_db;
}

}  // namespace

std::string calibration_table(const quantize::Calibrated& calibrated) {
  measure::Table table;
  table.add_column("input of").add_column("codes");
  for (const char* name :
       {"seen from", "to", "coded from", "to ", "SQNR dB", "per token dB", "clipped %"}) {
    table.add_column(name, measure::Align::right);
  }
  for (const quantize::InputReport& input : calibrated.inputs) {
    const bool fixed_range = input.is_static;
    table.add_row({input.name, codes_name(input), Cell::number(double{input.seen.low}, 3),
                   Cell::number(double{input.seen.high}, 3),
                   fixed_range ? Cell::number(double{input.range.low}, 3) : Cell(""),
                   fixed_range ? Cell::number(double{input.range.high}, 3) : Cell(""),
                   Cell::number(sqnr_db(input), 1), Cell::number(input.per_token_db, 1),
                   Cell::number(100 * input.fidelity.clipped_share, 4)});
  }
  return table.print(measure::TableFormat::table);
}

Json calibration_json(const CalibrationRequest& request, const quantize::Calibrated& calibrated) {
  Json inputs = Json::array();
  for (const quantize::InputReport& input : calibrated.inputs) {
    Json entry = {{"name", input.name},
                  {"codes", codes_name(input)},
                  {"seen", {shortest(input.seen.low), shortest(input.seen.high)}}};
    if (input.is_static) entry["range"] = {shortest(input.range.low), shortest(input.range.high)};
    entry["sqnr_db"] = sqnr_db(input);
    entry["per_token_sqnr_db"] = input.per_token_db;
    entry["clipped_share"] = input.fidelity.clipped_share;
    inputs.push_back(std::move(entry));
  }
  return {{"file", base_name(request.file)},
          {"sentences", calibrated.n_sentences},
          {"tokens", calibrated.n_tokens},
          {"method", request.method},
          {"percentile", request.percentile.value_or(quantize::MethodOptions{}.percentile)},
          {"activations", request.activations},
          {"smoothing", request.smoothing},
          {"inputs", std::move(inputs)}};
}

}  // namespace espalier::tools
