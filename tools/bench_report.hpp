// What a bench found, as lines for people, as a table and as JSON.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "bench_run.hpp"
#include "measure/report.hpp"

namespace espalier::tools {

/// What every run says before it measures: version, processor, instruction set, threads, precision,
/// where figures of power come from; a line each.
[[nodiscard]] std::vector<std::string> bench_first_lines(const BenchResult& result);

/// What has to be known to believe the table: cold starts, memory, how steady the machine was, and
/// why figures of energy are not measured, where they are not; a line each.
[[nodiscard]] std::vector<std::string> bench_last_lines(const BenchResult& result);

[[nodiscard]] std::string bench_table(const BenchResult& result, measure::TableFormat format);

[[nodiscard]] nlohmann::ordered_json bench_json(const BenchRequest& request,
                                                const BenchResult& result);

}  // namespace espalier::tools
