#include "profile_report.hpp"

#include <nlohmann/json.hpp>

#include "cli.hpp"
#include "measure/report.hpp"
#include "report.hpp"

namespace espalier::tools {
namespace {

using measure::Align;
using measure::Cell;
using runtime::kStepParts;
using runtime::StepPart;
using Json = nlohmann::ordered_json;

// Said of every model: no option changes it.
constexpr const char* kAlwaysFloat =
    "LayerNorm, softmax, residuals, position and segment tables, pooler and classifier are "
    "computed in floats in every model";

std::string percent(double share) {
  return Cell::number(100 * share, 1).text();
}

/// A part over all layers.
struct PartSum {
  double ms = 0;
  double multiply_adds = 0;
  std::uint64_t weight_bytes = 0;
  std::string type;  // "mixed" where the layers differ
  std::optional<double> peak_share;
};

PartSum sum_of(const Profile& profile, StepPart part) {
  PartSum sum;
  double at_peak_ms = 0;  // what the products would take at the peak
  for (const ProfiledLayer& layer : profile.layers) {
    const ProfiledPart& own = layer[static_cast<std::size_t>(part)];
    sum.ms += own.ms;
    sum.multiply_adds += own.multiply_adds;
    sum.weight_bytes += own.weight_bytes;
    if (own.peak_share) at_peak_ms += *own.peak_share * own.ms;
    if (own.type.empty()) continue;
    sum.type = sum.type.empty() || sum.type == own.type ? own.type : "mixed";
  }
  if (at_peak_ms > 0 && sum.ms > 0) sum.peak_share = at_peak_ms / sum.ms;
  return sum;
}

/// Of a call, what no part took: cutting batches up, waking threads, waiting for the last one.
double between_ms(const Profile& profile) {
  return profile.call.mean_ms - profile.parts_ms();
}

std::string parts_table(const Profile& profile) {
  measure::Table table;
  table.add_column("part").add_column("type");
  for (const char* name : {"ms", "% of time", "weights MB", "GMAC", "GMAC/s", "% of peak"}) {
    table.add_column(name, Align::right);
  }
  const double whole_ms = profile.whole_ms();
  const auto add = [&](const std::string& name, double ms) {
    table.add_row({name, "", Cell::number(ms, 3), percent(ms / whole_ms), "", "", "", ""});
  };
  if (profile.tokenizer_ms) add("tokenizer", *profile.tokenizer_ms);
  for (std::size_t index = 0; index < kStepParts; ++index) {
    const auto part = static_cast<StepPart>(index);
    const PartSum sum = sum_of(profile, part);
    if (sum.multiply_adds == 0 && sum.weight_bytes == 0) {
      add(std::string(name_of(part)), sum.ms);
      continue;
    }
    const bool multiplies = sum.multiply_adds > 0 && sum.ms > 0;
    table.add_row(
        {std::string(name_of(part)), sum.type, Cell::number(sum.ms, 3), percent(sum.ms / whole_ms),
         sum.weight_bytes > 0 ? Cell::number(static_cast<double>(sum.weight_bytes) / 1e6, 2)
                              : Cell(""),
         multiplies ? Cell::number(sum.multiply_adds / 1e9, 4) : Cell(""),
         multiplies ? Cell::number(sum.multiply_adds / sum.ms / 1e6, 1) : Cell(""),
         sum.peak_share ? Cell(percent(*sum.peak_share)) : Cell("")});
  }
  add("between", between_ms(profile));
  add("whole call", whole_ms);
  return table.print(measure::TableFormat::table);
}

std::string layers_table(const Profile& profile) {
  constexpr StepPart kParts[] = {StepPart::qkv, StepPart::attention, StepPart::out, StepPart::up,
                                 StepPart::down};
  measure::Table table;
  table.add_column("layer", Align::right);
  for (const StepPart part : kParts) {
    table.add_column(std::string(name_of(part)) + " ms", Align::right);
  }
  table.add_column("layer ms", Align::right).add_column("types");
  for (std::size_t layer = 0; layer < profile.layers.size(); ++layer) {
    std::vector<Cell> row = {Cell::count(layer)};
    double sum_ms = 0;
    std::string types;
    for (const StepPart part : kParts) {
      const ProfiledPart& own = profile.layers[layer][static_cast<std::size_t>(part)];
      row.push_back(Cell::number(own.ms, 3));
      sum_ms += own.ms;
      if (types.find(own.type) == std::string::npos)
        types += (types.empty() ? "" : ", ") + own.type;
    }
    row.push_back(Cell::number(sum_ms, 3));
    row.emplace_back(types);
    table.add_row(std::move(row));
  }
  return table.print(measure::TableFormat::table);
}

std::string peak_text(const std::optional<MeasuredPeak>& peak) {
  if (!peak) return "not known on this processor";
  return fixed(peak->gmac_per_s, 1) + " GMAC/s (" + peak->instructions + ")";
}

double avoided_share(const Profile& profile) {
  return 1 - static_cast<double>(profile.n_tokens) / static_cast<double>(profile.padded_tokens);
}

double pad_share(const Profile& profile) {
  return static_cast<double>(profile.pad_tokens) / static_cast<double>(profile.n_tokens);
}

double per_s(const Profile& profile, double count_of_pass) {
  return count_of_pass / static_cast<double>(profile.n_calls) / profile.whole_ms() * 1000;
}

std::string padding_text(const Profile& profile) {
  return percent(avoided_share(profile)) + " % of the tokens that a padded batch would have are " +
         "not computed; " + percent(pad_share(profile)) + " % of those computed are [PAD]";
}

std::string float_text(const Profile& profile) {
  if (profile.float_parts.empty()) return "no linear and no word table";
  constexpr std::size_t kMostNames = 4;  // of a reason; JSON has them all
  std::string text;
  for (std::size_t first = 0; first < profile.float_parts.size();) {
    const std::string& reason = profile.float_parts[first].reason;
    std::size_t end = first;
    text += (first == 0 ? "" : "; ") + reason + ":";
    for (; end < profile.float_parts.size() && profile.float_parts[end].reason == reason; ++end) {
      const FloatPart& part = profile.float_parts[end];
      if (end - first < kMostNames) {
        text += (end == first ? " " : ", ") + part.name + " " + part.type;
      }
    }
    if (end - first > kMostNames) text += ", ... (" + std::to_string(end - first) + ")";
    first = end;
  }
  return text;
}

std::string machine_text(const MachineState& machine) {
  std::string text = std::to_string(machine.processors) + " processors for this process";
  text += machine.quota_cpus ? ", quota " + fixed(*machine.quota_cpus, 2) : ", no quota";
  if (machine.load_before) text += ", load " + fixed(*machine.load_before, 2);
  if (machine.steal_share) text += ", " + percent(*machine.steal_share) + " % stolen";
  text += ", governor " + machine.governor.value_or("not shown");
  return text;
}

Json peak_json(const std::optional<MeasuredPeak>& peak) {
  if (!peak) return nullptr;
  return {{"instructions", peak->instructions}, {"gmac_per_s", peak->gmac_per_s}};
}

Json parts_json(const Profile& profile) {
  Json parts = Json::array();
  for (std::size_t layer = 0; layer < profile.layers.size(); ++layer) {
    for (std::size_t index = 0; index < kStepParts; ++index) {
      const auto part = static_cast<StepPart>(index);
      const bool of_no_layer = part == StepPart::embedding || part == StepPart::head;
      if (of_no_layer && layer > 0) continue;
      const ProfiledPart& own = profile.layers[layer][index];
      Json& row = parts.emplace_back(Json{{"part", name_of(part)}});
      row["layer"] = of_no_layer ? Json(nullptr) : Json(layer);
      row["type"] = own.type;
      row["ms"] = own.ms;
      row["percent_of_time"] = 100 * own.ms / profile.whole_ms();
      row["multiply_adds"] = own.multiply_adds;
      row["weight_bytes"] = own.weight_bytes;
      row["percent_of_peak"] = own.peak_share ? Json(100 * *own.peak_share) : Json(nullptr);
    }
  }
  return parts;
}

template <typename Value>
Json or_null(const std::optional<Value>& value) {
  return value ? Json(*value) : Json(nullptr);
}

Json machine_json(const Profile& profile) {
  const MachineState& machine = profile.machine;
  return {{"processors", machine.processors},
          {"threads", profile.n_threads},
          {"quota_cpus", or_null(machine.quota_cpus)},
          {"load_average", or_null(machine.load_before)},
          {"own_cpus", or_null(machine.own_cpus)},
          {"other_cpus", or_null(machine.other_cpus)},
          {"steal_percent", machine.steal_share ? Json(100 * *machine.steal_share) : Json(nullptr)},
          {"governor", or_null(machine.governor)},
          {"clock_limit_percent",
           machine.clock_limit ? Json(100 * *machine.clock_limit) : Json(nullptr)}};
}

}  // namespace

std::string profile_text(const ProfileRequest& request, const Profile& profile,
                         const std::vector<Cause>& causes) {
  std::string text = key_value_text(
      {{"model", base_name(request.model) + ", " + std::string(name_of(profile.info.precision)) +
                     ", " + megabytes(profile.info.file_bytes)},
       {"workload", profile.workload + ", " + std::to_string(profile.n_tokens) + " tokens"},
       {"kernels", profile.backend + " (" + profile.backend_path + "), instruction set " +
                       profile.machine.isa_used + " (detected " + profile.machine.isa_detected +
                       "), " + std::to_string(profile.n_threads) +
                       (profile.n_threads == 1 ? " thread" : " threads")},
       {"processor", profile.machine.cpu},
       {"machine", machine_text(profile.machine)},
       {"int8 peak", peak_text(profile.int8_peak)},
       {"fp32 peak", peak_text(profile.fp32_peak)},
       {"speed", fixed(profile.call.p50_ms, 3) + " ms a call (median), " +
                     fixed(per_s(profile, static_cast<double>(profile.n_texts)), 1) + " texts/s, " +
                     fixed(per_s(profile, static_cast<double>(profile.n_tokens)), 0) + " tokens/s" +
                     (profile.tokenizer_ms ? " with the tokenizer" : "")},
       {"padding", padding_text(profile)},
       {"tokenizer", profile.tokenizer_ms
                         ? percent(*profile.tokenizer_ms / profile.whole_ms()) + " % of the time"
                         : "not timed: that takes --texts"},
       {"floats", float_text(profile)},
       {"", kAlwaysFloat}});
  text += "\n" + parts_table(profile) + "\n" + layers_table(profile) + "\n";
  for (const Cause& cause : causes) {
    text += cause.name + ": " + cause.what + " (up to " + percent(cause.gain) + " %)\n";
  }
  return text + "next: " + action_for(profile, causes) + "\n";
}

nlohmann::ordered_json profile_json(const ProfileRequest& request, const Profile& profile,
                                    const std::vector<Cause>& causes) {
  Json floats = Json::array();
  for (const FloatPart& part : profile.float_parts) {
    floats.push_back({{"part", part.name}, {"type", part.type}, {"reason", part.reason}});
  }
  Json found = Json::array();
  for (const Cause& cause : causes) {
    found.push_back({{"cause", cause.name},
                     {"what", cause.what},
                     {"gain_percent_at_most", 100 * cause.gain},
                     {"action", cause.action}});
  }
  return {
      {"version", version()},
      {"model", base_name(request.model)},
      {"checksum", hex(profile.info.checksum)},
      {"precision", name_of(profile.info.precision)},
      {"cpu", profile.machine.cpu},
      {"isa_used", profile.machine.isa_used},
      {"isa_detected", profile.machine.isa_detected},
      {"backend", profile.backend},
      {"backend_path", profile.backend_path},
      {"machine", machine_json(profile)},
      {"workload",
       {{"description", profile.workload},
        {"calls", profile.n_calls},
        {"texts", profile.n_texts},
        {"tokens", profile.n_tokens}}},
      {"calls_timed", profile.call.n_runs},
      {"call_p50_ms", profile.call.p50_ms},
      {"call_mean_ms", profile.call.mean_ms},
      {"tokenizer_ms", or_null(profile.tokenizer_ms)},
      {"tokenizer_percent", profile.tokenizer_ms
                                ? Json(100 * *profile.tokenizer_ms / profile.whole_ms())
                                : Json(nullptr)},
      {"between_ms", between_ms(profile)},
      {"texts_per_s", per_s(profile, static_cast<double>(profile.n_texts))},
      {"tokens_per_s", per_s(profile, static_cast<double>(profile.n_tokens))},
      {"peak", {{"int8", peak_json(profile.int8_peak)}, {"fp32", peak_json(profile.fp32_peak)}}},
      {"parts", parts_json(profile)},
      {"padding",
       {{"padded_tokens", profile.padded_tokens},
        {"avoided_percent", 100 * avoided_share(profile)},
        {"pad_tokens", profile.pad_tokens},
        {"pad_percent", 100 * pad_share(profile)}}},
      {"float_parts", floats},
      {"always_float", kAlwaysFloat},
      {"causes", found},
      {"action", action_for(profile, causes)}};
}

}  // namespace espalier::tools
