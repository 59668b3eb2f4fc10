#include "compare_report.hpp"

#include <algorithm>

#include "base/printable.hpp"
#include "cli.hpp"
#include "compare_attribution.hpp"
#include "json_text.hpp"
#include "measure/report.hpp"
#include "model_sizes.hpp"
#include "report.hpp"
#include "row_slices.hpp"
#include "tensor_differences.hpp"

namespace espalier::tools {
namespace {

using Json = nlohmann::ordered_json;
using measure::Cell;

double ratio(std::uint64_t b, std::uint64_t a) {
  return static_cast<double>(b) / static_cast<double>(a);  // not finite: shown as n/a, null
}

const format::LayerSpec* layer_of(const ComparedModel& model, std::size_t index) {
  return index < model.spec->layers.size() ? &model.spec->layers[index] : nullptr;
}

// Layers that are not the same on both sides, by index.
std::vector<std::size_t> differing_layers(const Comparison& comparison) {
  std::vector<std::size_t> indices;
  const std::size_t n_layers =
      std::max(comparison.a.spec->layers.size(), comparison.b.spec->layers.size());
  for (std::size_t index = 0; index < n_layers; ++index) {
    const format::LayerSpec* a = layer_of(comparison.a, index);
    const format::LayerSpec* b = layer_of(comparison.b, index);
    const bool same = a != nullptr && b != nullptr && a->n_heads == b->n_heads &&
                      a->intermediate == b->intermediate &&
                      comparison.a.spec->head_dim == comparison.b.spec->head_dim;
    if (!same) indices.push_back(index);
  }
  return indices;
}

std::string_view kind_of(const ComparedModel& model) {
  return model.is_folder ? "checkpoint folder" : "model file";
}

Json model_json(const ComparedModel& model, std::uint32_t n_tokens) {
  const Sizes sizes(*model.spec);
  return {{"name", model.name},
          {"kind", kind_of(model)},
          {"task", name_of(model.spec->task)},
          {"precision", name_of(model.spec->precision)},
          {"bytes", model.stored_bytes},
          {"n_parameters", sizes.parameters()},
          {"parameters",
           {{"embeddings", sizes.embeddings.parameters},
            {"encoder", sizes.encoder.parameters},
            {"head", sizes.head.parameters}}},
          {"hidden", model.spec->hidden},
          {"n_layers", model.spec->layers.size()},
          {"vocabulary", model.spec->vocabulary_size()},
          {"embedding_rank",
           model.spec->embedding.projection ? Json(model.spec->word_width()) : Json()},
          {"multiply_adds_per_token", encoder_multiply_adds(*model.spec, n_tokens)}};
}

Json layer_json(const Comparison& comparison, std::size_t index) {
  Json heads = Json::array();
  Json intermediates = Json::array();
  for (const ComparedModel* model : {&comparison.a, &comparison.b}) {
    const format::LayerSpec* layer = layer_of(*model, index);
    heads.push_back(layer != nullptr ? Json(layer->n_heads) : Json());
    intermediates.push_back(layer != nullptr ? Json(layer->intermediate) : Json());
  }
  return {{"layer", index}, {"heads", heads}, {"intermediate", intermediates}};
}

Json latency_json(const Comparison& comparison) {
  const auto times = [](const measure::LatencySummary& summary) {
    return Json{{"p50_ms", summary.p50_ms}, {"p90_ms", summary.p90_ms}, {"sd_ms", summary.sd_ms}};
  };
  const TurnResult& a = comparison.times.models[0];
  const TurnResult& b = comparison.times.models[1];
  return {{"workload", comparison.workload.description},
          {"sentences", comparison.workload.n_sentences},
          {"tokens", {comparison.workload.n_tokens(0), comparison.workload.n_tokens(1)}},
          {"same_ids", comparison.workload.same_ids()},
          {"threads", comparison.n_threads},
          {"backend", comparison.backend},
          {"rounds", a.round.n_runs},
          {"a", times(a.round)},
          {"b", times(b.round)},
          {"speedup", b.speedup.times},
          {"speedup_p10", b.speedup.p10},
          {"speedup_p90", b.speedup.p90},
          {"control", control_json(comparison.times.control)}};
}

// A figure with the digits that mean something.
std::string figure(const Json& value) {
  if (value.is_number_integer()) return value.dump();
  if (!value.is_number()) return "n/a";
  char digits[32];
  std::snprintf(digits, sizeof digits, "%.4g", value.get<double>());
  return digits;
}

std::string signed_figure(double value) {
  return (value >= 0 ? "+" : "") + fixed(value, 3);
}

std::string millions(std::uint64_t count) {
  return fixed(static_cast<double>(count) / 1e6, 3) + " M";
}

std::string answer_text(const Json& answer) {
  return one_line(answer.is_string() ? answer.get<std::string>() : answer.dump(), 40);
}

// "line 7: positive -> negative (is positive): the text".
std::string flip_lines(const Json& flips) {
  std::string text = "answers that differ, A -> B:\n";
  for (const Json& flip : flips) {
    text += "  line " + flip["line"].dump() + ": ";
    if (flip.contains("word")) text += answer_text(flip["word"]) + " ";
    text += answer_text(flip["before"]) + " -> " + answer_text(flip["after"]);
    if (flip.contains("label")) text += " (is " + answer_text(flip["label"]) + ")";
    text += ": " + one_line(flip["text"].get<std::string>(), 120);
    if (flip.contains("pair")) text += " | " + one_line(flip["pair"].get<std::string>(), 120);
    text += "\n";
  }
  return text;
}

class ComparisonTable {
 public:
  explicit ComparisonTable(const Comparison& comparison) : comparison_(comparison) {
    table_.add_column("");
    table_.add_column("A: " + one_line(comparison.a.name, 40), measure::Align::right);
    table_.add_column("B: " + one_line(comparison.b.name, 40), measure::Align::right);
    table_.add_column("B to A", measure::Align::right);
  }

  std::string print() {
    const format::ModelSpec& a = *comparison_.a.spec;
    const format::ModelSpec& b = *comparison_.b.spec;
    row("kind", kind_of(comparison_.a), kind_of(comparison_.b));
    row("task", name_of(a.task), name_of(b.task));
    row("precision", name_of(a.precision), name_of(b.precision));
    sizes(Sizes(a), Sizes(b));
    row("layers", std::to_string(a.layers.size()), std::to_string(b.layers.size()),
        times(b.layers.size(), a.layers.size()));
    for (const std::size_t index : differing_layers(comparison_)) layer(index);
    row("hidden width", std::to_string(a.hidden), std::to_string(b.hidden),
        times(b.hidden, a.hidden));
    row("vocabulary", std::to_string(a.vocabulary_size()), std::to_string(b.vocabulary_size()),
        times(b.vocabulary_size(), a.vocabulary_size()));
    if (a.embedding.projection || b.embedding.projection) {
      row("embedding rank", rank(a), rank(b), times(b.word_width(), a.word_width()));
    }
    const std::uint64_t adds_a = encoder_multiply_adds(a, comparison_.n_tokens);
    const std::uint64_t adds_b = encoder_multiply_adds(b, comparison_.n_tokens);
    row("multiply-adds a token, length " + std::to_string(comparison_.n_tokens), millions(adds_a),
        millions(adds_b), times(adds_b, adds_a));
    latency();
    scores();
    return table_.print(measure::TableFormat::table);
  }

 private:
  void row(std::string name, std::string_view a, std::string_view b, std::string_view to = "") {
    table_.add_row({std::move(name), a, b, to});
  }

  static std::string times(std::uint64_t b, std::uint64_t a) {
    return a == 0 ? "n/a" : fixed(ratio(b, a), 3) + " x";
  }

  static std::string rank(const format::ModelSpec& spec) {
    return spec.embedding.projection ? std::to_string(spec.word_width()) : "whole";
  }

  void part(const char* name, const PartSize& a, const PartSize& b) {
    row(name, millions(a.parameters), millions(b.parameters), times(b.parameters, a.parameters));
  }

  void sizes(const Sizes& a, const Sizes& b) {
    row("parameters", millions(a.parameters()), millions(b.parameters()),
        times(b.parameters(), a.parameters()));
    part("  embeddings", a.embeddings, b.embeddings);
    part("  encoder", a.encoder, b.encoder);
    part("  head", a.head, b.head);
    row("size", megabytes(comparison_.a.stored_bytes), megabytes(comparison_.b.stored_bytes),
        times(comparison_.b.stored_bytes, comparison_.a.stored_bytes));
  }

  void layer(std::size_t index) {
    const auto widths = [](const format::LayerSpec* layer) {
      return layer == nullptr ? std::string("none")
                              : "heads " + std::to_string(layer->n_heads) + ", FFN " +
                                    std::to_string(layer->intermediate);
    };
    const auto adds = [&](const ComparedModel& model) -> std::uint64_t {
      const format::LayerSpec* layer = layer_of(model, index);
      return layer == nullptr ? 0 : multiply_adds(*model.spec, *layer, comparison_.n_tokens);
    };
    row("  layer " + std::to_string(index), widths(layer_of(comparison_.a, index)),
        widths(layer_of(comparison_.b, index)), times(adds(comparison_.b), adds(comparison_.a)));
  }

  void latency() {
    const std::vector<TurnResult>& models = comparison_.times.models;
    const Speedup& speedup = models[1].speedup;
    row("time of a round", fixed(models[0].round.p50_ms, 3) + " ms",
        fixed(models[1].round.p50_ms, 3) + " ms",
        fixed(speedup.times, 2) + " x faster (" + fixed(speedup.p10, 2) + " to " +
            fixed(speedup.p90, 2) + ")");
  }

  void scores() {
    for (const auto& [name, value] : comparison_.scores_a.items()) {
      const Json b = comparison_.scores_b.value(name, Json());
      const bool both = value.is_number() && b.is_number();
      row(one_line(name, 40), figure(value), figure(b),
          both ? signed_figure(b.get<double>() - value.get<double>()) : "");
    }
    for (const auto& [name, value] : comparison_.scores_b.items()) {
      if (!comparison_.scores_a.contains(name)) row(one_line(name, 40), "n/a", figure(value));
    }
    for (const auto& [name, value] : comparison_.distances.items()) {
      row(one_line(name, 40), "", "",
          value.is_array() ? signed_figure(value[0].get<double>()) + " to " +
                                 signed_figure(value[1].get<double>())
                           : figure(value));
    }
  }

  const Comparison& comparison_;
  measure::Table table_;
};

}  // namespace

Json comparison_json(const Comparison& comparison) {
  Json report = {{"version", version()},
                 {"a", model_json(comparison.a, comparison.n_tokens)},
                 {"b", model_json(comparison.b, comparison.n_tokens)},
                 {"tokens", comparison.n_tokens}};
  Json& ratios = report["b_over_a"];
  for (const char* key :
       {"bytes", "n_parameters", "n_layers", "vocabulary", "multiply_adds_per_token"}) {
    ratios[key] =
        ratio(report["b"][key].get<std::uint64_t>(), report["a"][key].get<std::uint64_t>());
  }
  report["layers"] = Json::array();
  for (const std::size_t index : differing_layers(comparison)) {
    report["layers"].push_back(layer_json(comparison, index));
  }
  report["tensors"] = comparison.tensors;
  report["latency"] = latency_json(comparison);
  if (!comparison.data.empty()) {
    report["data"] = comparison.data;
    report["scores"] = {{"a", comparison.scores_a}, {"b", comparison.scores_b}};
    report["scores"].update(comparison.distances);
    report.update(comparison.slices);
    if (!comparison.reliability.empty()) report["reliability"] = comparison.reliability;
    report["flip_texts"] = comparison.flips;
    if (!comparison.attribution.is_null()) report["attribution"] = comparison.attribution;
  }
  report["notes"] = comparison.notes;
  return report;
}

std::string comparison_table(const Comparison& comparison) {
  std::string text = ComparisonTable(comparison).print() + "\n" + tensor_table(comparison.tensors);
  if (!comparison.slices.empty()) text += "\n" + slice_table(comparison.slices);
  if (!comparison.flips.empty()) text += "\n" + flip_lines(comparison.flips);
  if (!comparison.attribution.is_null()) text += "\n" + attribution_text(comparison.attribution);
  return text;
}

}  // namespace espalier::tools
