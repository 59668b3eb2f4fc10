// espalier sys: what this machine and this build can do, for bug reports and before a benchmark.
#include <unistd.h>

#include <chrono>
#include <nlohmann/json.hpp>
#include <thread>

#include "api/backends.hpp"
#include "base/cpu_info.hpp"
#include "commands.hpp"
#include "espalier/error.hpp"
#include "format/container.hpp"
#include "measure/energy.hpp"
#include "output.hpp"
#include "report.hpp"

namespace espalier::tools {
namespace {

struct SysOptions {
  std::string format = "table";
};

template <typename Visitor>
void visit(SysOptions& options, Visitor&& visitor) {
  visitor({.name = "--format", .help = "how to print", .choices = "table|json"}, options.format);
}

std::uint64_t memory_bytes() {
  const long pages = sysconf(_SC_PHYS_PAGES);
  const long page_bytes = sysconf(_SC_PAGE_SIZE);
  if (pages < 0 || page_bytes < 0) return 0;
  return static_cast<std::uint64_t>(pages) * static_cast<std::uint64_t>(page_bytes);
}

struct BackendState {
  std::string name;
  std::string reason;  // empty: it runs here
};

std::vector<BackendState> backend_states() {
  std::vector<BackendState> states;
  for (const api::BackendRow& row : api::backends()) {
    states.push_back({std::string(row.name), {}});
    try {
      static_cast<void>(row.make());
    } catch (const Error& error) {
      states.back().reason = error.what();
    }
  }
  return states;
}

/// What an energy meter shows here. The counters are watched for a moment, because some are shown
/// that stand still.
measure::Energy watched_energy() {
  constexpr std::chrono::milliseconds kMoment(200);  // GPUs count every 100 ms at the latest
  measure::EnergyMeter meter = measure::EnergyMeter::open();
  meter.start();
  std::this_thread::sleep_for(kMoment);
  return meter.stop();
}

nlohmann::ordered_json meter_json(const measure::EnergyFigure& figure) {
  return {{"tag", measure::energy_tag_name(figure.tag)},
          {"source", figure.source},
          {"reason", figure.reason}};
}

std::string meter_text(const measure::EnergyFigure& figure) {
  std::string text(measure::energy_tag_name(figure.tag));
  for (const std::string* part : {&figure.source, &figure.reason}) {
    if (!part->empty()) text += (part == &figure.source ? ": " : "; ") + *part;
  }
  return text;
}

void print_report(const std::vector<BackendState>& states, const measure::Energy& energy) {
  nlohmann::ordered_json backends = nlohmann::ordered_json::array();
  for (const BackendState& state : states) {
    backends.push_back({{"name", state.name}, {"available", state.reason.empty()}});
    if (!state.reason.empty()) backends.back()["reason"] = state.reason;
  }
  print_json({{"version", version()},
              {"compiler", compiler()},
              {"build_type", ESPALIER_BUILD_TYPE},
              {"build_flags", ESPALIER_BUILD_FLAGS},
              {"format_version", format::kFormatVersion},
              {"onednn", ESPALIER_ONEDNN_VERSION},
              {"cpu", cpu_name()},
              {"isa_detected", isa_name(detected_isa())},
              {"isa_used", isa_name(usable_isa())},
              {"processors", usable_cpus()},
              {"memory_bytes", memory_bytes()},
              {"backends", backends},
              {"energy", {{"cpu", meter_json(energy.cpu)}, {"gpu", meter_json(energy.gpu)}}}});
}

void run(const SysOptions& options) {
  const std::vector<BackendState> states = backend_states();
  const measure::Energy energy = watched_energy();
  if (options.format == "json") return print_report(states, energy);
  const std::string onednn = ESPALIER_ONEDNN_VERSION;
  std::vector<std::pair<std::string, std::string>> lines = {
      {"version",
       version_line("espalier") + ", file format " + std::to_string(format::kFormatVersion)},
      {"build", ESPALIER_BUILD_TYPE + std::string(" ") + ESPALIER_BUILD_FLAGS},
      {"oneDNN", onednn.empty() ? "not in this build" : onednn},
      {"processor", cpu_name()},
      {"instructions", std::string(isa_name(usable_isa())) + " (detected " +
                           std::string(isa_name(detected_isa())) + ")"},
      {"processors", std::to_string(usable_cpus()) + " for this process"},
      {"memory", megabytes(memory_bytes())}};
  for (const BackendState& state : states) {
    lines.emplace_back("back end",
                       state.name + (state.reason.empty() ? ": runs here" : ": " + state.reason));
  }
  lines.emplace_back("energy of CPUs", meter_text(energy.cpu));
  lines.emplace_back("energy of GPUs", meter_text(energy.gpu));
  write_out(key_value_text(lines));
}

}  // namespace

Command sys_command() {
  return make_command<SysOptions>(
      {.name = "sys",
       .summary = "say what this machine and this build can do",
       .examples = "espalier sys\nespalier sys --format json",
       .details =
           "ESPALIER_MAX_ISA lowers the instruction set, ESPALIER_BACKEND chooses a back end."},
      run);
}

}  // namespace espalier::tools
