// What the models are made of, layer by layer, and what each part costs.
#include <algorithm>
#include <limits>
#include <nlohmann/json.hpp>
#include <set>

#include "measure/bar_chart.hpp"
#include "report/html.hpp"
#include "report/page.hpp"

namespace espalier::report {
namespace {

constexpr Form kMillions = {.decimals = 2, .scale = 1e-6};
constexpr const char* kLinears[] = {"qkv", "out", "up", "down"};

Node structure_of(const Node& results, std::size_t model) {
  return results["models"][model]["structure"];
}

bool has_layers(const Node& results, std::size_t model) {
  return structure_of(results, model)["layers"].size() > 0;
}

// What the linears of a layer are stored in: one name, or each where they differ.
std::string precision_of(const Node& layer) {
  std::set<std::string> types;
  std::string each;
  for (const char* linear : kLinears) {
    const std::string type = layer["weights"][linear].text();
    if (type.empty()) return {};
    types.insert(type);
    each += (each.empty() ? "" : ", ") + std::string(linear) + " " + type;
  }
  return types.size() == 1 ? *types.begin() : each;
}

// A bar as wide as the share of the widest layer of all.
std::string share_bar(double value, double widest) {
  const double share = widest > 0 ? 100 * value / widest : 0;
  char width[32];
  std::snprintf(width, sizeof width, "%d", static_cast<int>(share + 0.5));
  return "<span class=\"widths\" aria-hidden=\"true\"><i style=\"width:" + std::string(width) +
         "%\"></i></span>";
}

struct Widest {
  double heads = 0;
  double intermediate = 0;
  std::size_t n_layers = 0;
};

Widest widest_of(const Node& results) {
  Widest widest;
  for (std::size_t model = 0; model < results["models"].size(); ++model) {
    const Node layers = structure_of(results, model)["layers"];
    widest.n_layers = std::max(widest.n_layers, layers.size());
    for (std::size_t layer = 0; layer < layers.size(); ++layer) {
      widest.heads = std::max(widest.heads, layers[layer]["heads"].number().value_or(0));
      widest.intermediate =
          std::max(widest.intermediate, layers[layer]["intermediate"].number().value_or(0));
    }
  }
  return widest;
}

std::string layer_cell(const Node& layer, const Widest& widest) {
  if (!layer.there()) return "<td><span class=\"sub\">no layer</span></td>";
  return "<td>" + figure(layer["heads"], {}) + " heads" +
         share_bar(layer["heads"].number().value_or(0), widest.heads) +
         figure(layer["intermediate"], {}) + " neurons" +
         share_bar(layer["intermediate"].number().value_or(0), widest.intermediate) +
         "<span class=\"sub\">" + html(precision_of(layer)) + "</span></td>";
}

std::string fact_row(const Node& results, std::string_view name,
                     std::string (*fact)(const Node& model)) {
  std::string row = "<tr><th scope=\"row\">" + html(name) + "</th>";
  for (std::size_t model = 0; model < results["models"].size(); ++model) {
    if (has_layers(results, model)) {
      row += "<td>" + fact(results["models"][model]) + "</td>";
    }
  }
  return row + "</tr>\n";
}

std::string fact_rows(const Node& results) {
  return fact_row(results, "Stored as",
                  [](const Node& model) { return html(model["precision"].text()); }) +
         fact_row(results, "Parameters, million",
                  [](const Node& model) { return figure(model["n_parameters"], kMillions); }) +
         fact_row(results, "Multiply-adds a token, million",
                  [](const Node& model) {
                    return figure(model["multiply_adds_per_token"], kMillions);
                  }) +
         fact_row(results, "Hidden width",
                  [](const Node& model) { return figure(model["structure"]["hidden"], {}); }) +
         fact_row(results, "Word pieces",
                  [](const Node& model) { return figure(model["structure"]["vocabulary"], {}); }) +
         fact_row(results, "Rank of the word table", [](const Node& model) {
           const Node rank = model["structure"]["embedding_rank"];
           return rank.number() ? figure(rank, {}) : std::string("whole");
         });
}

// What a distance is called depends on the task; it is the only figure beside the flips.
Node distance_of(const Node& side) {
  for (const std::string& key : side.keys()) {
    if (key != "flips" && side[key].number()) return side[key];
  }
  return side[""];
}

double number_or_none(const Node& node) {
  return node.number().value_or(std::numeric_limits<double>::quiet_NaN());
}

std::string sensitivity_chart(const Node& report) {
  const Node parts = report["parts"];
  const Node all_int8 = distance_of(report["all_int8"]);
  measure::BarChart picture{.title = report["model"].text() + " on " + report["data"].text(),
                            .x_label = "distance of the answers to the fp32 model's",
                            .series = {"alone in int8", "all but it in int8"},
                            .groups = {},
                            .mark = measure::BarMark{"all in int8", number_or_none(all_int8)}};
  for (std::size_t index = 0; index < parts.size(); ++index) {
    const Node part = parts[index];
    const Node alone = distance_of(part["alone_int8"]);
    const Node rest = distance_of(part["alone_fp32"]);
    picture.groups.push_back({part["name"].text(),
                              {number_or_none(alone), number_or_none(rest)},
                              {alone.pointer(), rest.pointer()}});
  }
  return chart(measure::bar_chart_svg(picture), {});
}

std::string sensitivity_row(std::string_view name, const Node& saved_bytes, const Node& alone,
                            const Node& rest) {
  constexpr Form kDistance = {.digits = 3};
  std::string row = "<tr><th scope=\"row\">" + html(name) + "</th>";
  for (const std::string& cell :
       {figure(saved_bytes, {.decimals = 3, .scale = kPerMegabyte}),
        figure(distance_of(alone), kDistance), figure(alone["flips"], {}),
        figure(distance_of(rest), kDistance), figure(rest["flips"], {})}) {
    row += "<td>" + cell + "</td>";
  }
  return row + "</tr>\n";
}

std::string sensitivity_table(const Node& report) {
  std::string rows = "<thead><tr>";
  for (const char* name : {"Part", "MB saved", "Alone in int8", "Answers changed",
                           "All but it in int8", "Answers changed"}) {
    rows += "<th scope=\"col\">" + html(name) + "</th>";
  }
  rows += "</tr></thead>\n<tbody>\n";
  const Node parts = report["parts"];
  for (std::size_t index = 0; index < parts.size(); ++index) {
    const Node part = parts[index];
    rows += sensitivity_row(part["name"].text(), part["saved_bytes"], part["alone_int8"],
                            part["alone_fp32"]);
  }
  rows += sensitivity_row("all of them", report["saved_bytes"], report["all_int8"], report[""]);
  return scrolling_table("what int8 costs part by part", rows + "</tbody>\n");
}

std::string activations_table(const Node& report) {
  const Node inputs = report["inputs"];
  std::string rows = "<thead><tr>";
  for (const char* name :
       {"Input of", "Codes", "Seen from", "to", "Coded from", "to", "SQNR, dB", "Clipped, %"}) {
    rows += "<th scope=\"col\">" + html(name) + "</th>";
  }
  rows += "</tr></thead>\n<tbody>\n";
  constexpr Form kValue = {.decimals = 3};
  for (std::size_t index = 0; index < inputs.size(); ++index) {
    const Node input = inputs[index];
    rows += "<tr><th scope=\"row\">" + html(input["name"].text()) + "</th><td>" +
            html(input["codes"].text()) + "</td>";
    for (const Node& value :
         {input["seen"][0], input["seen"][1], input["range"][0], input["range"][1]}) {
      rows += "<td>" + figure(value, kValue) + "</td>";
    }
    rows += "<td>" + figure(input["sqnr_db"], {.decimals = 1}) + "</td><td>" +
            figure(input["clipped_share"], {.decimals = 4, .scale = 100}) + "</td></tr>\n";
  }
  return scrolling_table("ranges of activations", rows + "</tbody>\n");
}

std::string activations_chart(const Node& report) {
  const Node inputs = report["inputs"];
  measure::BarChart picture{.title = "Signal to coding noise of each input",
                            .x_label = "dB, more is better",
                            .series = {"as coded", "with codes per token"},
                            .groups = {},
                            .mark = {}};
  for (std::size_t index = 0; index < inputs.size(); ++index) {
    const Node input = inputs[index];
    const Node coded = input["sqnr_db"];
    const Node per_token = input["per_token_sqnr_db"];
    picture.groups.push_back({input["name"].text(),
                              {number_or_none(coded), number_or_none(per_token)},
                              {coded.pointer(), per_token.pointer()}});
  }
  return chart(measure::bar_chart_svg(picture), {});
}

}  // namespace

std::string structure_section(const Node& results) {
  const Widest widest = widest_of(results);
  if (widest.n_layers == 0) return {};
  std::string rows = "<thead><tr><th scope=\"col\">Layer</th>";
  for (std::size_t model = 0; model < results["models"].size(); ++model) {
    if (!has_layers(results, model)) continue;
    rows += "<th scope=\"col\">" + html(results["models"][model]["name"].text()) + "</th>";
  }
  rows += "</tr></thead>\n<tbody>\n" + fact_rows(results);
  for (std::size_t layer = 0; layer < widest.n_layers; ++layer) {
    rows += "<tr><th scope=\"row\">Layer " + std::to_string(layer) + "</th>";
    for (std::size_t model = 0; model < results["models"].size(); ++model) {
      const Node structure = structure_of(results, model);
      if (has_layers(results, model)) rows += layer_cell(structure["layers"][layer], widest);
    }
    rows += "</tr>\n";
  }
  return "<p>Bars are shares of the widest layer of all models here.</p>\n" +
         scrolling_table("layers of the models", rows + "</tbody>\n");
}

std::string sensitivity_section(const Node& results) {
  const Node reports = results["sensitivity"];
  std::string charts;
  for (std::size_t index = 0; index < reports.size(); ++index) {
    const Node report = reports[index];
    charts += sensitivity_chart(report) + "<p class=\"note\">" + figure(report["n"], {}) +
              " rows. All in int8: " + figure(distance_of(report["all_int8"]), {.digits = 3}) +
              ".</p>\n<details><summary>Every part</summary>\n" + sensitivity_table(report) +
              "</details>\n";
  }
  if (charts.empty()) return {};
  return "<p>How far the answers move when one part alone is stored in int8, and when all parts "
         "but "
         "that one are.</p>\n" +
         charts;
}

std::string activations_section(const Node& results) {
  const Node reports = results["activations"];
  std::string all;
  for (std::size_t index = 0; index < reports.size(); ++index) {
    const Node report = reports[index];
    all += "<p>Seen on <bdi>" + html(report["file"].text()) + "</bdi>, " +
           figure(report["sentences"], {}) + " sentences, method " + html(report["method"].text()) +
           ".</p>\n" + activations_chart(report) + "<details><summary>Every input</summary>\n" +
           activations_table(report) + "</details>\n";
  }
  return all;
}

}  // namespace espalier::report
