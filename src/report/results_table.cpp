// The table of a trade-off, for a terminal, a README or an issue.
#include <algorithm>
#include <nlohmann/json.hpp>

#include "report/html.hpp"
#include "report/results.hpp"

namespace espalier::report {
namespace {

using measure::Align;

std::string between(const Node& low, const Node& high, const Form& form) {
  if (!low.number() || !high.number()) return {};
  return " (" + plain_figure(low, form) + " to " + plain_figure(high, form) + ")";
}

std::string with_unit(const std::string& figure, const char* unit) {
  return figure == kAbsent ? figure : figure + unit;
}

std::vector<measure::Cell> row_of(const Node& model, const Form& score) {
  const Node& found = model["score"];
  const std::string source = model["energy"]["energy_source"].text();
  const std::string joules = plain_figure(model["energy"]["joules_per_1000_texts"], {.digits = 2});
  const std::string runtime = model["runtime"].text();
  return {
      model["name"].text(),
      runtime.empty() ? "espalier" : runtime,
      plain_figure(model["bytes"], {.decimals = 1, .scale = kPerMegabyte}),
      plain_figure(found["value"], score) + between(found["low"], found["high"], score),
      plain_figure(model["difference"]["flips"], {}),
      plain_figure(model["latency"]["p50_ms"], {.digits = 3}),
      with_unit(plain_figure(model["speed"]["times"], {.decimals = 2}), " x"),
      joules == kAbsent ? joules : joules + " " + source,
  };
}

// A note is one paragraph, whatever it holds.
std::string one_line(std::string text) {
  std::replace_if(
      text.begin(), text.end(), [](char byte) { return static_cast<unsigned char>(byte) < 0x20; },
      ' ');
  return text;
}

std::string below(const Node& results) {
  const Node machine = results["machine"];
  std::string text;
  const auto add = [&text](const std::string& name, const std::string& value) {
    if (!value.empty()) text += (text.empty() ? "" : "; ") + name + value;
  };
  add("", results["checkpoint"]["name"].text());
  add("scored on ", results["data"]["name"].text());
  add("", machine["cpu"].text());
  if (machine["threads"].number()) add("threads: ", plain_figure(machine["threads"], {}));
  add("timed: ", results["timing"]["workload"].text());
  if (!text.empty()) text = "\n" + text + ".\n";
  for (std::size_t index = 0; index < results["notes"].size(); ++index) {
    text += "\n" + one_line(results["notes"][index].text()) + "\n";
  }
  return text;
}

}  // namespace

std::string results_text(const nlohmann::ordered_json& json, measure::TableFormat format) {
  const Node results(json);
  const bool in_percent = results["metric"]["unit"].text() == "%";
  const std::string name = results["metric"]["name"].text();
  measure::Table table;
  table.add_column("model").add_column("runtime").add_column("MB", Align::right);
  table.add_column((name.empty() ? "score" : name) + std::string(in_percent ? " %" : ""),
                   Align::right);
  table.add_column("answers changed", Align::right).add_column("p50 ms", Align::right);
  table.add_column("faster", Align::right).add_column("J per 1,000 texts", Align::right);
  std::string failures;
  for (std::size_t index = 0; index < results["models"].size(); ++index) {
    const Node model = results["models"][index];
    table.add_row(row_of(model, {.decimals = in_percent ? 1 : 3}));
    if (model["status"].text() == "failed") {
      failures += "\n" +
                  one_line(model["name"].text() + " could not be made: " + model["reason"].text()) +
                  "\n";
    }
  }
  return table.print(format) + below(results) + failures;
}

}  // namespace espalier::report
