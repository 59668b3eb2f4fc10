// The models side by side: what is best in a sentence, all of them in a table, and three charts of
// what each gain costs.
#include <nlohmann/json.hpp>

#include "measure/scatter_chart.hpp"
#include "report/html.hpp"
#include "report/page.hpp"

namespace espalier::report {
namespace {

constexpr Form kMegabytes = {.decimals = 1, .scale = kPerMegabyte};
constexpr Form kMilliseconds = {.digits = 3};
constexpr Form kJoules = {.digits = 2};
constexpr Form kTimes = {.decimals = 2};

bool in_percent(const Node& results) {
  return results["metric"]["unit"].text() == "%";
}

Form score_form(const Node& results) {
  return {.decimals = in_percent(results) ? 1 : 3};
}

std::string metric_name(const Node& results) {
  const std::string name = results["metric"]["name"].text();
  return name.empty() ? "score" : name;
}

// A model by its name; not there for an empty one.
Node model_named(const Node& results, const std::string& name) {
  for (std::size_t index = 0; !name.empty() && index < results["models"].size(); ++index) {
    if (results["models"][index]["name"].text() == name) return results["models"][index];
  }
  return results["models"][results["models"].size()];
}

std::string pick(const Node& results, const char* key, std::string_view heading,
                 std::string (*facts)(const Node& model)) {
  const Node model = model_named(results, results["picks"][key].text());
  if (!model.there()) return {};
  const Form form = score_form(results);
  std::string text = "<li><span class=\"what\">" + html(heading) + "</span><b>" +
                     html(model["name"].text()) + "</b>" + facts(model);
  text += "<br>" + html(metric_name(results)) + " " + figure(model["score"]["value"], form) +
          (in_percent(results) ? " %" : "");
  const Node change = model["difference"];
  if (change["points"].number() && results["reference"].text() != model["name"].text()) {
    text += ", " + figure(change["points"], {.decimals = form.decimals, .sign = true}) +
            (in_percent(results) ? " points" : "") + " against " +
            html(results["reference"].text());
  }
  return text + "</li>\n";
}

std::string size_facts(const Node& model) {
  const std::string times =
      model["smaller_times"].number()
          ? ", " + figure(model["smaller_times"], {.decimals = 1}) + " × smaller"
          : std::string();
  return figure(model["bytes"], kMegabytes) + " MB" + times;
}

std::string time_facts(const Node& model) {
  const std::string times = model["speed"]["times"].number()
                                ? ", " + figure(model["speed"]["times"], kTimes) + " × as fast"
                                : std::string();
  return figure(model["latency"]["p50_ms"], kMilliseconds) + " ms a call" + times;
}

std::string energy_facts(const Node& model) {
  return figure(model["energy"]["joules_per_1000_texts"], kJoules) + " J per 1,000 texts" +
         source_mark(model["energy"]["energy_source"].text());
}

std::string name_cell(const Node& results, const Node& model) {
  const std::string runtime = model["runtime"].text();
  std::string sub = html(model["precision"].text());
  if (!runtime.empty() && runtime != "espalier")
    sub = html(runtime) + (sub.empty() ? "" : ", ") + sub;
  if (results["reference"].text() == model["name"].text()) {
    sub += std::string(sub.empty() ? "" : ", ") + "the reference";
  }
  return "<th scope=\"row\">" + html(model["name"].text()) + "<span class=\"sub\">" + sub +
         "</span></th>";
}

std::string cell(const std::string& inside) {
  return "<td>" + inside + "</td>";
}

std::string with_sub(const std::string& main, const std::string& sub) {
  return sub.empty() ? main : main + "<span class=\"sub\">" + sub + "</span>";
}

std::string energy_cell(const Node& model) {
  const Node energy = model["energy"];
  const std::string source = energy["energy_source"].text();
  return cell(with_sub(figure(energy["joules_per_1000_texts"], kJoules), html(source)));
}

std::string payback_cell(const Node& model) {
  const Node payback = model["payback"];
  if (!payback.there()) return cell(plain_figure(payback, {}));
  if (!payback["texts"].number())
    return cell("<span class=\"sub\">" + html(payback["reason"].text()) + "</span>");
  return cell(with_sub(figure(payback["texts"], {.digits = 2, .scale = 1e-3}),
                       html(payback["energy_source"].text())));
}

std::string model_row(const Node& results, const Node& model) {
  const bool is_reference = results["reference"].text() == model["name"].text();
  std::string row = is_reference ? "<tr class=\"reference\">" : "<tr>";
  row += name_cell(results, model);
  if (model["status"].text() == "failed") {
    return row + "<td class=\"wide bad\" colspan=\"8\">could not be made: " +
           html(model["reason"].text()) + "</td></tr>\n";
  }
  const Form form = score_form(results);
  const Form change{.decimals = form.decimals, .sign = true};
  const Node score = model["score"];
  const Node difference = model["difference"];
  const Node speed = model["speed"];
  const std::string smaller = model["smaller_times"].number() && !is_reference
                                  ? figure(model["smaller_times"], {.decimals = 1}) + " × smaller"
                                  : std::string();
  row += cell(with_sub(figure(model["bytes"], kMegabytes), smaller));
  row += cell(figure(score["value"], form) + interval(score["low"], score["high"], form));
  row += cell(figure(difference["points"], change) +
              interval(difference["low"], difference["high"], change));
  row += cell(figure(difference["flips"], {}));
  row += cell(figure(model["latency"]["p50_ms"], kMilliseconds));
  row += cell(figure(speed["times"], kTimes) + interval(speed["p10"], speed["p90"], kTimes));
  return row + energy_cell(model) + payback_cell(model) + "</tr>\n";
}

struct Axis {
  const char* id;
  const char* label;
  const char* question;
  double scale;
  Node (*of)(const Node& model);
};

constexpr Axis kAxes[] = {
    {"size", "size of the file, MB", "Size", kPerMegabyte,
     [](const Node& model) { return model["bytes"]; }},
    {"latency", "time of a call, ms", "Time", 1,
     [](const Node& model) { return model["latency"]["p50_ms"]; }},
    {"energy", "energy, J per 1,000 texts", "Energy", 1,
     [](const Node& model) { return model["energy"]["joules_per_1000_texts"]; }},
};

std::size_t kind_of(std::vector<std::string>& kinds, const std::string& runtime) {
  for (std::size_t kind = 0; kind < kinds.size(); ++kind) {
    if (kinds[kind] == runtime) return kind;
  }
  kinds.push_back(runtime);
  return kinds.size() - 1;
}

// Values that are far apart need a logarithmic axis: on a linear one the small ones, between which
// one chooses, lie on top of each other.
measure::Scale scale_for(const std::vector<measure::ScatterPoint>& points) {
  constexpr double kFar = 4;
  double least = points.front().x;
  double greatest = least;
  for (const measure::ScatterPoint& point : points) {
    least = std::min(least, point.x);
    greatest = std::max(greatest, point.x);
  }
  return least > 0 && greatest > kFar * least ? measure::Scale::log : measure::Scale::linear;
}

std::string front_chart(const Node& results, const Axis& axis) {
  measure::ScatterChart picture;
  std::string sources;  // of energy: "measured", "estimated", or both
  for (std::size_t index = 0; index < results["models"].size(); ++index) {
    const Node model = results["models"][index];
    const Node score = model["score"];
    const Node x = axis.of(model);
    if (!x.number() || !score["value"].number()) continue;
    measure::ScatterPoint point{.name = model["name"].text(),
                                .x = *x.number() * axis.scale,
                                .y = *score["value"].number(),
                                .x_key = x.pointer(),
                                .y_key = score["value"].pointer()};
    if (score["low"].number() && score["high"].number()) {
      point.y_range = measure::ScatterRange{*score["low"].number(), *score["high"].number()};
    }
    const std::string source = model[axis.id]["energy_source"].text();
    if (sources.find(source) == std::string::npos) {
      sources += (sources.empty() ? "" : " and ") + source;
    }
    const std::string runtime = model["runtime"].text();
    point.kind = kind_of(picture.kinds, runtime.empty() ? "espalier" : runtime);
    picture.points.push_back(std::move(point));
  }
  if (picture.points.empty()) return {};
  picture.x_scale = scale_for(picture.points);
  picture.x_label = axis.label;
  if (!sources.empty()) picture.x_label += ", " + sources;
  if (picture.x_scale == measure::Scale::log) picture.x_label += " (logarithmic)";
  picture.y_label = metric_name(results) + (in_percent(results) ? ", %" : "");
  picture.title = std::string(axis.question) + " against " + metric_name(results);
  return chart(measure::scatter_chart_svg(picture), {});
}

// What a million texts take from the wall and put into the air.
std::string climate_table(const Node& results) {
  std::string rows;
  for (std::size_t index = 0; index < results["models"].size(); ++index) {
    const Node model = results["models"][index];
    const Node energy = model["energy"];
    if (!energy["kwh_per_million_texts"].number()) continue;
    rows += "<tr><th scope=\"row\">" + html(model["name"].text()) + "</th>" +
            cell(figure(energy["kwh_per_million_texts"], kJoules)) +
            cell(figure(energy["grams_co2e_per_million_texts"], kJoules)) +
            cell(html(energy["energy_source"].text())) + "</tr>\n";
  }
  if (rows.empty()) return {};
  return scrolling_table(
      "energy of a million texts",
      "<thead><tr><th scope=\"col\">A million texts</th><th scope=\"col\">kWh</th>"
      "<th scope=\"col\">g CO2e</th><th scope=\"col\">Energy is</th></tr></thead>\n"
      "<tbody>\n" +
          rows + "</tbody>\n");
}

}  // namespace

std::string summary_section(const Node& results) {
  const std::string picks = pick(results, "smallest", "Smallest file", size_facts) +
                            pick(results, "fastest", "Fastest", time_facts) +
                            pick(results, "least_energy", "Least energy", energy_facts);
  if (picks.empty()) return {};
  return "<p>Among the models that lose at most " +
         figure(results["picks"]["max_drop_points"], {.decimals = 0}) + " point of " +
         html(metric_name(results)) + " to " + html(results["reference"].text()) +
         " on these rows:</p>\n<ul class=\"picks\">\n" + picks + "</ul>\n";
}

std::string models_section(const Node& results) {
  if (results["models"].size() == 0) return {};
  std::string rows = "<thead><tr><th scope=\"col\">Model</th>";
  std::string score = html(metric_name(results)) + (in_percent(results) ? ", %" : "");
  if (score[0] >= 'a' && score[0] <= 'z') score[0] = static_cast<char>(score[0] - 'a' + 'A');
  for (const std::string& name :
       {std::string("Size, MB"), score, std::string("Difference"),
        std::string("Answers<br>changed"), std::string("Call, ms<br>(median)"),
        std::string("Times<br>as fast"), std::string("J per<br>1,000 texts"),
        std::string("Paid back after,<br>thousand texts")}) {
    rows += "<th scope=\"col\">" + name + "</th>";
  }
  rows += "</tr></thead>\n<tbody>\n";
  for (std::size_t index = 0; index < results["models"].size(); ++index) {
    rows += model_row(results, results["models"][index]);
  }
  return scrolling_table("models", rows + "</tbody>\n") +
         "<p class=\"note\">Below a score or a difference: its interval of 95 %. Where the "
         "interval "
         "of a difference holds 0, these rows cannot tell the two models apart. Below a speed: "
         "10th "
         "to 90th percentile of the rounds. Paid back: the energy that making the model took is "
         "saved again after so many texts.</p>\n";
}

std::string fronts_section(const Node& results) {
  std::string charts;
  for (const Axis& axis : kAxes) charts += front_chart(results, axis);
  charts += climate_table(results);
  if (charts.empty()) return {};
  return "<p>Better is up and to the left. Filled marks lie on the front, the dotted line: no "
         "other "
         "model is at least as good in both. Hollow marks are beaten by one. Whiskers are "
         "intervals "
         "of 95 %.</p>\n" +
         charts;
}

}  // namespace espalier::report
