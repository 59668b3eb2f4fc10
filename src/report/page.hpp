// The results of a trade-off as one HTML page that needs nothing else: no script, no font, no
// picture from elsewhere; light or dark as the reader's system is. Every number on it names its
// place in the results by a data-key attribute, a JSON Pointer.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>

#include "report/node.hpp"

namespace espalier::report {

/// The whole page, the same bytes for the same results. results: as merge_results() made them.
/// All texts are escaped.
[[nodiscard]] std::string results_page(const nlohmann::ordered_json& results);

// Sections of the page, one file each; empty where there is nothing to show.
/// What is best, the table of models, and the charts of size, time and energy against the score.
[[nodiscard]] std::string summary_section(const Node& results);
[[nodiscard]] std::string models_section(const Node& results);
[[nodiscard]] std::string fronts_section(const Node& results);
/// What changed in the answers.
[[nodiscard]] std::string calibration_section(const Node& results);
[[nodiscard]] std::string labels_section(const Node& results);
[[nodiscard]] std::string slices_section(const Node& results);
[[nodiscard]] std::string flips_section(const Node& results);
[[nodiscard]] std::string reasons_section(const Node& results);
/// What the models are made of, and what each part costs.
[[nodiscard]] std::string structure_section(const Node& results);
[[nodiscard]] std::string sensitivity_section(const Node& results);
[[nodiscard]] std::string activations_section(const Node& results);

}  // namespace espalier::report
