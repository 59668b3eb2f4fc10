// The options of espalier quantize --calib.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "column_request.hpp"
#include "export_model.hpp"

namespace espalier::tools {

struct CalibrationRequest {
  std::string file;
  std::uint32_t samples = 300;
  std::string method;                // empty: percentile
  std::optional<double> percentile;  // none: 99.99
  std::string activations = "dynamic";
  std::string smoothing = "0.7";
  std::string report;
  ColumnRequest columns;
};

struct QuantizeRequest {
  ExportRequest request = {.folder = {}, .output = {}, .precision = "int8"};
  CalibrationRequest calibration;
};

template <typename Visitor>
void visit_calibration(CalibrationRequest& request, Visitor&& visitor) {
  visitor({.name = "--calib",
           .help = "text to calibrate on: rows or .txt lines, .gz too",
           .value = "FILE",
           .required = true},
          request.file);
  visitor({.name = "--samples", .help = "texts of it that are used, spread evenly", .min = 1},
          request.samples);
  visitor({.name = "--method",
           .help = "how static ranges are chosen; else percentile",
           .choices = "minmax|percentile|mse|entropy"},
          request.method);
  visitor({.name = "--percentile",
           .help = "percentile: kept at each end; else 99.99",
           .value = "P",
           .min = 50,
           .max = 100},
          request.percentile);
  visitor({.name = "--activations",
           .help = "which scales are found now, not per token",
           .choices = "dynamic|mixed|static"},
          request.activations);
  visitor(
      {.name = "--smoothing", .help = "of outliers into weights, 0 to 1, or off", .value = "ALPHA"},
      request.smoothing);
  visitor({.name = "--report", .help = "what became of every input, as JSON", .value = "FILE"},
          request.report);
  visit_columns(request.columns, visitor);
}

template <typename Visitor>
void visit(QuantizeRequest& request, Visitor&& visitor) {
  visit_export(request.request, visitor);
  visitor({.name = "--precision", .help = "of the linear layers", .choices = "int8"},
          request.request.precision);
  visit_calibration(request.calibration, visitor);
}

}  // namespace espalier::tools
