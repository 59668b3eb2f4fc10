// What a calibration found out about the inputs of a model's linears, as a table and as JSON.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>

#include "compress/quantize/calibrate.hpp"
#include "quantize_request.hpp"

namespace espalier::tools {

/// A line for each input: codes, range, signal to noise of the codes and of codes per token, share
/// of values that are clipped.
[[nodiscard]] std::string calibration_table(const quantize::Calibrated& calibrated);

[[nodiscard]] nlohmann::ordered_json calibration_json(const CalibrationRequest& request,
                                                      const quantize::Calibrated& calibrated);

}  // namespace espalier::tools
