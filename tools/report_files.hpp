// Reads and writes the files of a report; tradeoff and report share it.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>

namespace espalier::tools {

inline constexpr const char* kResultsFile = "results.json";

enum class ReportKind { html, md, json };

/// By the suffix of the name. Throws Error(usage) for another one.
[[nodiscard]] ReportKind report_kind(const std::string& path);

/// A JSON file of at most 64 MB. Throws Error(bad_input).
[[nodiscard]] nlohmann::ordered_json read_json_file(const std::string& path);

/// Writes results whole or not at all, replacing what is there. Throws Error(output), and
/// Error(resource) for a page over 1 MB, saying what to leave out.
void write_report(const nlohmann::ordered_json& results, ReportKind kind, const std::string& path);

}  // namespace espalier::tools
