#include "report/page.hpp"

#include <nlohmann/json.hpp>

#include "report/html.hpp"
#include "report/results.hpp"
#include "report/style.hpp"

namespace espalier::report {
namespace {

struct Part {
  std::string_view id;
  std::string_view heading;
  std::string (*make)(const Node& results);
};

std::string method_section(const Node& results);

constexpr Part kParts[] = {
    {"short", "In short", summary_section},
    {"models", "Every model", models_section},
    {"fronts", "What each gain costs", fronts_section},
    {"calibration", "Can the scores be trusted?", calibration_section},
    {"labels", "Label by label", labels_section},
    {"slices", "Who pays for it", slices_section},
    {"flips", "Answers that changed", flips_section},
    {"reasons", "Do the reasons stay the same?", reasons_section},
    {"structure", "What is inside", structure_section},
    {"sensitivity", "What int8 costs, part by part", sensitivity_section},
    {"activations", "Ranges of activations", activations_section},
    {"method", "How this was measured", method_section},
};

std::string term(std::string_view name, const std::string& html_value) {
  if (html_value.empty()) return {};
  return "<dt>" + html(name) + "</dt><dd>" + html_value + "</dd>\n";
}

std::string count(const Node& node, std::string_view unit) {
  return node.number() ? figure(node, {}) + " " + std::string(unit) : std::string();
}

std::string joined(std::initializer_list<std::string> parts) {
  std::string all;
  for (const std::string& part : parts) {
    if (!part.empty()) all += (all.empty() ? "" : ", ") + part;
  }
  return all;
}

std::string data_terms(const Node& results) {
  std::string terms;
  for (const auto& [key, name] :
       {std::pair("data", "Scored on"), std::pair("train", "Trained on")}) {
    const Node data = results[key];
    const std::string hash = data["xxh3"].text();
    terms += term(name, joined({html(data["name"].text()), count(data["rows"], "rows"),
                                hash.empty() ? "" : "XXH3 " + html(hash)}));
  }
  return terms;
}

std::string energy_terms(const Node& results) {
  const Node energy = results["energy"];
  const Node grid = energy["grid"];
  std::string terms =
      term("Energy", joined({html(energy["energy_source"].text()), html(energy["source"].text())}));
  terms += term("", html(energy["reason"].text()));
  if (grid["grams_per_kwh"].number()) {
    const std::string pue =
        energy["pue"].number() ? "PUE " + figure(energy["pue"], {.decimals = 2}) : std::string();
    terms += term("Electricity", joined({html(grid["region"].text()),
                                         figure(grid["grams_per_kwh"], {}) + " g CO2e per kWh", pue,
                                         html(grid["source"].text())}));
  }
  return terms;
}

std::string commands_of(const Node& results) {
  std::string lines = html(results["command"].text());
  for (std::size_t index = 0; index < results["models"].size(); ++index) {
    const Node model = results["models"][index];
    const Node commands = model["commands"];
    if (commands.size() == 0) continue;
    lines += (lines.empty() ? "# " : "\n\n# ") + html(model["name"].text());
    for (std::size_t line = 0; line < commands.size(); ++line) {
      lines += "\n" + html(commands[line].text());
    }
  }
  return lines.empty() ? lines : "<h3>Commands</h3>\n<pre tabindex=\"0\">" + lines + "</pre>\n";
}

// Without a word of what the machine did, differences of a few percent say nothing.
std::string control_term(const Node& control) {
  if (!control["p50_ms"].number()) return {};
  constexpr Form kPercent = {.decimals = 1, .sign = true};
  return figure(control["p50_ms"], {.decimals = 3}) + " ms, 90th percentile " +
         figure(control["spread_percent"], kPercent) + " %, drift " +
         figure(control["drift_percent"], kPercent) + " %: " + html(control["verdict"].text());
}

std::string method_section(const Node& results) {
  const Node machine = results["machine"];
  const Node timing = results["timing"];
  std::string terms =
      term("Machine", joined({html(machine["cpu"].text()), html(machine["instruction_set"].text()),
                              count(machine["processors"], "processors")}));
  terms += term("Threads", machine["threads"].number() ? figure(machine["threads"], {}) : "");
  terms += term("Timed",
                joined({html(timing["workload"].text()), count(timing["tokens"], "tokens a round"),
                        count(timing["rounds"], "rounds"), html(timing["order"].text())}));
  terms += term("Control loop", control_term(timing["control"]));
  terms += energy_terms(results) + data_terms(results);
  terms += term("Seed", results["seed"].number() ? figure(results["seed"], {}) : "");
  terms += term("espalier", html(results["version"].text()));
  std::string notes;
  for (std::size_t index = 0; index < results["notes"].size(); ++index) {
    notes += "<p class=\"note\">" + html(results["notes"][index].text()) + "</p>\n";
  }
  if (terms.empty() && notes.empty()) return {};
  return "<dl>\n" + terms + "</dl>\n" + notes + commands_of(results);
}

std::string title_of(const Node& results) {
  const std::string name = results["checkpoint"]["name"].text();
  if (!name.empty()) return name;
  return results["models"].size() == 1 ? results["models"][0]["name"].text() : "Models compared";
}

std::string lead_of(const Node& results) {
  const std::string task = results["task"].text();
  const std::string scored = results["data"]["name"].text();
  std::string text = figure(results["checkpoint"]["bytes"], {.decimals = 1, .scale = kPerMegabyte});
  text = text == kAbsent ? "" : "A checkpoint of " + text + " MB";
  if (!task.empty()) text += (text.empty() ? "Task " : ", task ") + html(task);
  if (!scored.empty()) text += (text.empty() ? "Scored on " : ", scored on ") + html(scored);
  return text.empty() ? text : "<p class=\"lead\">" + text + ".</p>\n";
}

}  // namespace

std::string results_page(const nlohmann::ordered_json& json) {
  const Node results(json);
  const std::string title = html(title_of(results));
  std::string links;
  std::string body;
  for (const Part& part : kParts) {
    const std::string made = section(part.id, part.heading, part.make(results));
    if (made.empty()) continue;
    links += "<li><a href=\"#" + std::string(part.id) + "\">" + html(part.heading) + "</a></li>\n";
    body += made;
  }
  return "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
         "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
         "<meta name=\"color-scheme\" content=\"light dark\">\n<title>" +
         title + ": size, time, accuracy, energy</title>\n<style>" + std::string(kStyle) +
         "</style>\n</head>\n<body>\n<header>\n<p class=\"kicker\">espalier trade-off</p>\n<h1>" +
         title + "</h1>\n" + lead_of(results) + "<nav aria-label=\"sections\">\n<ul>\n" + links +
         "</ul>\n</nav>\n</header>\n<main>\n" + body +
         "</main>\n<footer>\nEach figure names its place in the results: its <code>data-key</code> "
         "is a JSON Pointer. This page loads nothing and runs nothing.\n</footer>\n</body>\n"
         "</html>\n";
}

}  // namespace espalier::report
