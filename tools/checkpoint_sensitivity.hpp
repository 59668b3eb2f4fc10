// What int8 costs a checkpoint part by part, on rows of a file: the way in for the verb and for
// tradeoff. The arithmetic is sensitivity_run.hpp's.
#pragma once

#include <cstdint>
#include <string>

#include "column_request.hpp"
#include "sensitivity_report.hpp"

namespace espalier::tools {

struct SensitivityRequest {
  std::string folder;
  std::string data;  ///< labels are not needed
  ColumnRequest columns;
  std::uint32_t limit = 0;  ///< the first rows alone; 0: all
  unsigned n_threads = 0;   ///< 0: one for each processor
  std::string backend = "auto";
};

/// Exports the checkpoint in fp32 and in int8 and asks their mixtures, saying so in notes. Throws
/// Error(bad_input) for data without rows, Error(interrupted), and as measure_sensitivity().
[[nodiscard]] SensitivityReport checkpoint_sensitivity(const SensitivityRequest& request);

}  // namespace espalier::tools
