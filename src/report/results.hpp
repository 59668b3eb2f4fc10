// The results of a trade-off as one JSON document, which the page, the Markdown table and merging
// all read. The one place that says what stands in it; a key that is null or missing was not
// measured, and every other key may be missing too.
//
//   schema_version 1, kind "trade_off", version, command, seed, quick
//   checkpoint     {name, bytes}            what the candidates were made of
//   task, labels [name], metric {key, name, unit}    unit "%" or ""
//   data           {name, rows, xxh3}       the rows that scored; train likewise
//   machine        {cpu, instruction_set, processors, threads}
//   timing         {workload, sentences, tokens, rounds, warm_up_rounds, order, backend,
//                  control {runs, p50_ms, p90_ms, spread_percent, drift_percent, steady, verdict}}
//   energy         {energy_source, source, reason, grid {region, grams_per_kwh, source}, pue}
//   reference      name of the model that the others are held against
//   notes          [text]
//   models [{
//     name, runtime, status "done"|"failed", reason, file, bytes, checksum, precision,
//     n_parameters, multiply_adds_per_token, commands [text],
//     build      {seconds, joules, energy_source}
//     structure  {hidden, head_dim, vocabulary, embedding_rank,
//                 layers [{heads, intermediate, weights {qkv, out, up, down}}]}
//     score      {value, low, high}         of metric, with its interval of 95 %
//     scores     {name: number}             all that evaluate says
//     difference {points, low, high, flips, flips_percent, kl, mcnemar_p}   to the reference
//     score_calibration {ece_percent, brier, bins [{n, mean_score, share}]}
//     slices     [{group, value, n, score, score_95 [low, high], before, difference,
//                 difference_95 [low, high]}]   the worst drop first
//     confusion  [[rows]]                   (labels, labels): true, then answered
//     entities   {type: {precision, recall, f1, gold, predicted}}
//     flips      [{line, text, label, before, after, became}]   became "right"|"wrong"|"other"
//     attribution {n_texts, n_skipped, mean_spearman, mean_top5_overlap,
//                 texts [{line, label, same_answer, spearman, top5_overlap,
//                         words [{text, a, b}], words_left_out}]}   what a word adds to the
//                 reference's answer: a with the reference, b with this model; worst texts first
//     latency    {p50_ms, p90_ms, p99_ms, mean_ms, sd_ms, texts_per_s, tokens_per_s}
//     speed      {times, p10, p90}          how many times as fast as the reference
//     energy     {joules_per_1000_texts, kwh_per_million_texts, grams_co2e_per_million_texts,
//                 energy_source, source, reason}
//     payback    {texts, energy_source, reason}
//     smaller_times, front {size, latency, energy}          made by derive()
//   }]
//   picks          {max_drop_points, smallest, fastest, least_energy}   names; made by derive()
//   sensitivity    [what espalier sensitivity --format json printed]
//   activations    [what espalier quantize --calib --format json said of its calibration]
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <span>
#include <string>

#include "measure/report.hpp"

namespace espalier::report {

/// A document with the name that errors call it by.
struct NamedDocument {
  std::string name;
  const nlohmann::ordered_json* json = nullptr;
};

/// One document of several. The first trade-off is the base; models and notes of the others are
/// appended, models of its name and runtime replaced; reports of sensitivity, of quantize --calib
/// and of compare --attribute go where the schema has them. Ends with derive(). Throws
/// Error(bad_input), naming the document, for what is none of these, another schema, reasons of a
/// model that is none of these, or more than 500 models.
[[nodiscard]] nlohmann::ordered_json merge_results(std::span<const NamedDocument> documents);

/// What compare --attribute says, cut to what a page shows: the worst texts, their first words. The
/// means are of all texts.
[[nodiscard]] nlohmann::ordered_json attribution_to_show(const nlohmann::ordered_json& comparison);

/// Computes what follows from the rest: smaller_times, front, picks.
void derive(nlohmann::ordered_json& results);

/// Removes the sentences that users wrote; the labels beside them stay.
void leave_out_texts(nlohmann::ordered_json& results);

/// The models as a table, with what was measured on which machine below it.
[[nodiscard]] std::string results_text(const nlohmann::ordered_json& results,
                                       measure::TableFormat format);

/// Stands for a figure that is not there.
inline constexpr const char* kAbsent = "–";

}  // namespace espalier::report
