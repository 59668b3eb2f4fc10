// What changed in the answers: how far scores can be trusted, label by label, slice by slice, and
// the texts that are answered differently.
#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "measure/svg.hpp"
#include "report/html.hpp"
#include "report/page.hpp"
#include "report/results.hpp"

namespace espalier::report {
namespace {

constexpr std::size_t kMaxLabels = 30;  // of a confusion matrix: more are no picture
constexpr Form kPercent = {.decimals = 1};

std::string head(const std::vector<std::string_view>& names) {
  std::string row = "<thead><tr>";
  for (const std::string_view name : names) {
    const bool is_text = name == "Word" || name == "Text";
    row += std::string("<th scope=\"col\"") + (is_text ? " class=\"left\">" : ">") + html(name) +
           "</th>";
  }
  return row + "</tr></thead>\n";
}

std::string heading(const Node& model) {
  return "<h3>" + html(model["name"].text()) + "</h3>\n";
}

std::string cell(const std::string& inside) {
  return "<td>" + inside + "</td>";
}

// Score against how often it is right: on the diagonal the scores mean what they say, below it they
// promise too much. A mark's area grows with its rows; empty bins have none.
std::string reliability_chart(const Node& model) {
  constexpr double kSize = 200;
  constexpr double kLeft = 44;
  constexpr double kTop = 34;
  const Node bins = model["score_calibration"]["bins"];
  double most = 0;
  for (std::size_t index = 0; index < bins.size(); ++index) {
    most = std::max(most, bins[index]["n"].number().value_or(0));
  }
  if (most <= 0) return {};
  const std::string name = model["name"].text();
  std::string svg = measure::svg_begin("reliability of the scores of " + name, kLeft + kSize + 22,
                                       kTop + kSize + 48);
  svg += measure::svg_text(measure::cut_to_columns(name, 30),
                           {kLeft + kSize / 2, 20, "text-anchor=\"middle\" class=\"title\""});
  for (const int percent : {0, 50, 100}) {
    const double along = kSize * percent / 100;
    svg +=
        measure::svg_line("class=\"grid\"", {kLeft + along, kTop}, {kLeft + along, kTop + kSize});
    svg +=
        measure::svg_line("class=\"grid\"", {kLeft, kTop + along}, {kLeft + kSize, kTop + along});
    svg += measure::svg_text(std::to_string(percent),
                             {kLeft + along, kTop + kSize + 18, "text-anchor=\"middle\""});
    svg += measure::svg_text(std::to_string(percent),
                             {kLeft - 8, kTop + kSize - along + 4.5, "text-anchor=\"end\""});
  }
  svg += measure::svg_line("class=\"axis\" stroke-dasharray=\"2 4\"", {kLeft, kTop + kSize},
                           {kLeft + kSize, kTop});
  svg += measure::svg_text("score, %",
                           {kLeft + kSize / 2, kTop + kSize + 38, "text-anchor=\"middle\""});
  for (std::size_t index = 0; index < bins.size(); ++index) {
    const Node bin = bins[index];
    const double n_rows = bin["n"].number().value_or(0);
    const std::optional<double> score = bin["mean_score"].number();
    const std::optional<double> share = bin["share"].number();
    if (n_rows <= 0 || !score || !share) continue;
    const double radius = 2.5 + 6.5 * std::sqrt(n_rows / most);
    svg += "<circle cx=\"" + measure::svg_number(kLeft + kSize * std::clamp(*score, 0.0, 1.0)) +
           "\" cy=\"" + measure::svg_number(kTop + kSize * (1 - std::clamp(*share, 0.0, 1.0))) +
           "\" r=\"" + measure::svg_number(radius) + "\" fill=\"" +
           std::string(measure::kChartColours[0]) + "\" fill-opacity=\"0.75\" data-x-key=\"" +
           html(bin["mean_score"].pointer()) + "\" data-y-key=\"" + html(bin["share"].pointer()) +
           "\"><title>score " + plain_figure(bin["mean_score"], {.decimals = 1, .scale = 100}) +
           " %, right " + plain_figure(bin["share"], {.decimals = 1, .scale = 100}) + " %, " +
           plain_figure(bin["n"], {}) + " rows</title></circle>\n";
  }
  return chart(svg + "</svg>\n", {});
}

std::string confusion_table(const Node& results, const Node& model) {
  const Node confusion = model["confusion"];
  const Node labels = results["labels"];
  std::string rows = "<thead><tr><th scope=\"col\">true, then answered</th>";
  for (std::size_t label = 0; label < confusion.size(); ++label) {
    rows += "<th scope=\"col\" class=\"label\"><bdi>" + html(labels[label].text()) + "</bdi></th>";
  }
  rows += "</tr></thead>\n<tbody>\n";
  for (std::size_t gold = 0; gold < confusion.size(); ++gold) {
    rows += "<tr><th scope=\"row\"><bdi>" + html(labels[gold].text()) + "</bdi></th>";
    for (std::size_t answered = 0; answered < confusion.size(); ++answered) {
      rows += std::string("<td") + (gold == answered ? " class=\"right\">" : ">") +
              figure(confusion[gold][answered], {}) + "</td>";
    }
    rows += "</tr>\n";
  }
  return "<div>" + heading(model) + "<div class=\"confusion\">" +
         scrolling_table("confusion matrix of " + model["name"].text(), rows + "</tbody>\n") +
         "</div></div>\n";
}

std::string entity_table(const Node& model) {
  const Node entities = model["entities"];
  std::string rows = head({"Entity", "F1", "Precision", "Recall", "True", "Found"}) + "<tbody>\n";
  for (const std::string& type : entities.keys()) {
    const Node entity = entities[type];
    rows += "<tr><th scope=\"row\"><bdi>" + html(type) + "</bdi></th>" +
            cell(figure(entity["f1"], kPercent)) + cell(figure(entity["precision"], kPercent)) +
            cell(figure(entity["recall"], kPercent)) + cell(figure(entity["gold"], {})) +
            cell(figure(entity["predicted"], {})) + "</tr>\n";
  }
  return "<div>" + heading(model) +
         scrolling_table("entities of " + model["name"].text(), rows + "</tbody>\n") + "</div>\n";
}

std::string slice_table(const Node& model) {
  const Node slices = model["slices"];
  std::string rows =
      head({"Slice", "Rows", "Score", "Before", "Change, worst first"}) + "<tbody>\n";
  for (std::size_t index = 0; index < slices.size(); ++index) {
    const Node slice = slices[index];
    const Node range = slice["difference_95"];
    rows += "<tr><th scope=\"row\"><bdi>" + html(slice["value"].text()) +
            "</bdi><span class=\"sub\">" + html(slice["group"].text()) + "</span></th>" +
            cell(figure(slice["n"], {})) +
            cell(figure(slice["score"], kPercent) +
                 interval(slice["score_95"][0], slice["score_95"][1], kPercent)) +
            cell(figure(slice["before"], kPercent)) +
            cell(figure(slice["difference"], {.decimals = 1, .sign = true}) +
                 interval(range[0], range[1], {.decimals = 1, .sign = true})) +
            "</tr>\n";
  }
  const Node worst = slices[0];
  const Form change{.decimals = 1, .sign = true};
  const std::string told = worst["difference"].number()
                               ? ", worst: <bdi>" + html(worst["value"].text()) + "</bdi> " +
                                     figure(worst["difference"], change)
                               : std::string();
  return "<details><summary>" + html(model["name"].text()) + "<span class=\"sub\">" + told +
         "</span></summary>\n" +
         scrolling_table("slices of " + model["name"].text(), rows + "</tbody>\n") + "</details>\n";
}

std::string flip_row(const Node& flip) {
  const std::string became = flip["became"].text();
  const std::string text = flip["text"].text();
  const std::string word = flip["word"].text();
  return "<tr>" + cell(figure(flip["line"], {})) +
         (word.empty() ? std::string() : "<td class=\"left\"><bdi>" + html(word) + "</bdi></td>") +
         (text.empty() ? std::string()
                       : "<td class=\"wide\" dir=\"auto\"><bdi>" + html(text) + "</bdi></td>") +
         cell("<bdi>" + html(flip["label"].text()) + "</bdi>") +
         cell("<bdi>" + html(flip["before"].text()) + "</bdi>") +
         cell("<bdi>" + html(flip["after"].text()) + "</bdi>") +
         cell(became.empty() ? std::string() : "became " + html(became)) + "</tr>\n";
}

std::string flip_list(const Node& model) {
  const Node flips = model["flips"];
  bool has_texts = false;
  bool has_words = false;  // of tags: which word of the sentence
  std::string rows;
  for (std::size_t index = 0; index < flips.size(); ++index) {
    has_texts = has_texts || !flips[index]["text"].text().empty();
    has_words = has_words || !flips[index]["word"].text().empty();
    rows += flip_row(flips[index]);
  }
  std::vector<std::string_view> columns = {"Line"};
  if (has_words) columns.emplace_back("Word");
  if (has_texts) columns.emplace_back("Text");
  columns.insert(columns.end(), {"True", "Before", "Now", ""});
  const Node all = model["difference"]["flips"];
  const bool is_cut = all.number() && *all.number() > static_cast<double>(flips.size());
  return "<details><summary>" + html(model["name"].text()) + "<span class=\"sub\">, " +
         figure(all, {}) + " changed" + (is_cut ? ", the first of them here" : "") +
         "</span></summary>\n" +
         scrolling_table("changed answers of " + model["name"].text(),
                         head(columns) + "<tbody>\n" + rows + "</tbody>\n") +
         "</details>\n";
}

// What `make` says of each model, one after the other.
std::string for_models(const Node& results, std::string (*make)(const Node& model)) {
  std::string all;
  for (std::size_t index = 0; index < results["models"].size(); ++index) {
    all += make(results["models"][index]);
  }
  return all;
}

std::string calibration_row(const Node& model) {
  const Node found = model["score_calibration"];
  if (!found["ece_percent"].number()) return {};
  return "<tr><th scope=\"row\">" + html(model["name"].text()) + "</th>" +
         cell(figure(found["ece_percent"], {.decimals = 2})) +
         cell(figure(found["brier"], {.decimals = 4})) + "</tr>\n";
}

}  // namespace

std::string calibration_section(const Node& results) {
  const std::string rows = for_models(results, calibration_row);
  if (rows.empty()) return {};
  const std::string charts = for_models(results, reliability_chart);
  return "<p>A product that acts on a threshold needs scores that mean what they say: of the "
         "answers "
         "with a score of 90 %, nine of ten should be right. Both figures are errors; less is "
         "better.</p>\n" +
         scrolling_table("calibration of scores",
                         head({"Model", "Expected calibration error, points", "Brier score"}) +
                             "<tbody>\n" + rows + "</tbody>\n") +
         (charts.empty() ? ""
                         : "<p class=\"note\">How often answers of a score are right, in %. On the "
                           "dotted line scores mean what they say; below it they promise too much. "
                           "Larger marks stand for more rows.</p>\n<div class=\"tiles\">\n" +
                               charts + "</div>\n");
}

std::string labels_section(const Node& results) {
  std::string tables;
  for (std::size_t index = 0; index < results["models"].size(); ++index) {
    const Node model = results["models"][index];
    const std::size_t n_labels = model["confusion"].size();
    if (n_labels > 0 && n_labels <= kMaxLabels) tables += confusion_table(results, model);
    if (model["entities"].size() > 0) tables += entity_table(model);
  }
  return tables.empty() ? tables : "<div class=\"small\">\n" + tables + "</div>\n";
}

std::string slices_section(const Node& results) {
  const std::string tables = for_models(results, [](const Node& model) {
    return model["slices"].size() == 0 ? std::string() : slice_table(model);
  });
  if (tables.empty()) return {};
  return "<p>An average can hide that one group of rows lost. Few rows make a wide "
         "interval.</p>\n" +
         tables;
}

std::string flips_section(const Node& results) {
  const std::string lists = for_models(results, [](const Node& model) {
    return model["flips"].size() == 0 ? std::string() : flip_list(model);
  });
  if (lists.empty()) return {};
  return "<p>Rows that a model answers differently than " + html(results["reference"].text()) +
         " does.</p>\n" + lists;
}

}  // namespace espalier::report
