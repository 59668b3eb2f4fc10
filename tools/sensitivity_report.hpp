// What espalier sensitivity found, as a table, as one JSON object and as a picture.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>

#include "sensitivity_run.hpp"

namespace espalier::tools {

struct SensitivityReport {
  std::string model;  // names of the folder and the file, without folders
  std::string data;
  Sensitivity found;
};

[[nodiscard]] std::string sensitivity_table(const SensitivityReport& report);
[[nodiscard]] nlohmann::ordered_json sensitivity_json(const SensitivityReport& report);

/// Two bars a part, and the distance of the model that is all int8 as the line to hold them
/// against.
[[nodiscard]] std::string sensitivity_svg(const SensitivityReport& report);

}  // namespace espalier::tools
