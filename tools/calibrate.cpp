// espalier quantize --calib: how activations are coded is found on sample text, then the same
// export as without it writes the file.
#include "compress/quantize/calibrate.hpp"

#include <charconv>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <optional>

#include "base/atomic_file.hpp"
#include "calibrate_report.hpp"
#include "compress/checkpoint/checkpoint.hpp"
#include "compress/model/checkpoint_io.hpp"
#include "compress/objective/sentences.hpp"
#include "compress/quantize/gptq.hpp"
#include "compress/train/device.hpp"
#include "espalier/error.hpp"
#include "interrupt.hpp"
#include "json_text.hpp"
#include "output.hpp"
#include "quantize_command.hpp"
#include "quantize_request.hpp"
#include "report.hpp"
#include "task_data.hpp"

namespace espalier::tools {
namespace {

using Json = nlohmann::ordered_json;
using checkpoint::Architecture;

std::optional<double> smoothing_of(const std::string& given) {
  if (given == "off") return std::nullopt;
  double alpha = -1;
  const char* end = given.data() + given.size();
  const std::from_chars_result result = std::from_chars(given.data(), end, alpha);
  if (result.ec != std::errc() || result.ptr != end || !(alpha >= 0 && alpha <= 1)) {
    throw Error(ErrorCode::usage, "--smoothing takes a number from 0 to 1, or off, not '" +
                                      one_line(given, 40) + "'");
  }
  return alpha;
}

// The choices of --activations are these names.
quantize::Activations activations_of(std::string_view name) {
  if (name == "dynamic") return quantize::Activations::dynamic;
  return name == "static" ? quantize::Activations::all_static : quantize::Activations::mixed;
}

// Tokens of a sentence: as asked for, else as the checkpoint states.
std::uint32_t length_limit(const checkpoint::Checkpoint& source, const text::TokenizerSpec& spec,
                           std::uint32_t wanted) {
  std::uint32_t stated = wanted != 0 ? wanted : spec.max_length;
  if (wanted == 0 && source.embedding() && source.embedding()->max_length != 0) {
    stated = source.embedding()->max_length;
  }
  const std::uint32_t positions = source.config().positions;
  return stated == 0 ? positions : std::min(stated, positions);
}

// So many of `rows`, from the whole of the file: it may be sorted.
objective::LabelledRows spread(objective::LabelledRows rows, std::size_t n_samples) {
  const std::size_t n_rows = rows.rows.size();
  if (n_samples >= n_rows) return rows;
  objective::LabelledRows chosen{.file = std::move(rows.file), .rows = {}};
  for (std::size_t sample = 0; sample < n_samples; ++sample) {
    chosen.rows.push_back(std::move(rows.rows[sample * n_rows / n_samples]));
  }
  return chosen;
}

TokenBatch read_samples(const QuantizeRequest& request, const checkpoint::Checkpoint& source) {
  const checkpoint::BertConfig& config = source.config();
  const bool tags = config.architecture == Architecture::token_classification;
  const DataRequest data{.train = {}, .eval = {}, .columns = request.calibration.columns};
  objective::LabelledRows rows =
      spread(read_unlabelled(data, objective::task_kind(tags ? "tag" : "classify"),
                             request.calibration.file),
             request.calibration.samples);
  if (config.architecture == Architecture::model) {  // vectors are of one text each
    for (std::size_t row = 0, n_rows = rows.rows.size(); row < n_rows; ++row) {
      if (!rows.rows[row].pair) continue;
      data::Row second = rows.rows[row];
      second.text = *second.pair;
      second.pair.reset();
      rows.rows[row].pair.reset();
      rows.rows.push_back(std::move(second));
    }
  }
  const text::TokenizerSpec spec = tokenizer_of(source);
  const text::Tokenizer tokenizer(spec);
  const std::uint32_t max_length = length_limit(source, spec, request.request.max_length);
  return objective::read_sentences(rows, {tokenizer, max_length}).tokens;
}

bool first_token_answers(const checkpoint::Checkpoint& source) {
  return source.config().architecture == Architecture::sequence_classification ||
         (source.config().architecture == Architecture::model && source.embedding() &&
          source.embedding()->pooling == checkpoint::Pooling::cls);
}

// What the text says: how activations are coded and, where weights are rounded by it, what the
// linears read.
struct Seen {
  quantize::Calibrated activations;
  std::optional<quantize::Gptq> rounder;
};

Seen look_at_text(const QuantizeRequest& request) {
  const CalibrationRequest& asked = request.calibration;
  const bool rounds = request.request.types.rounding == "gptq";
  const double first_share = rounds ? 0.7 : 1;
  Progress progress("% of the calibration", 100);
  quantize::CalibrateOptions options;
  options.method = &quantize::range_method(asked.method);
  if (asked.percentile) options.method_options.percentile = *asked.percentile;
  options.activations = activations_of(asked.activations);
  options.smoothing = smoothing_of(asked.smoothing);
  const auto show = [&progress](double share) {
    throw_if_interrupted();
    progress.show(static_cast<std::size_t>(share * 100));
  };
  options.on_progress = [&](double share) { show(first_share * share); };
  const auto source = checkpoint::Checkpoint::open(request.request.folder);
  const TokenBatch sentences = read_samples(request, source);
  options.first_token_answers = first_token_answers(source);
  const model::Bert bert = model::load_bert(source);
  Seen seen{.activations = quantize::calibrate(bert, sentences, options), .rounder = {}};
  if (rounds) {
    seen.rounder.emplace(quantize::input_moments(
        bert, sentences, options.first_token_answers,
        [&](double share) { show(first_share + (1 - first_share) * share); }));
  }
  return seen;
}

compress::Calibration for_export(const QuantizeRequest& request,
                                 const quantize::Calibrated& calibrated) {
  const CalibrationRequest& asked = request.calibration;
  compress::Calibration calibration{.layers = calibrated.layers, .inputs = {asked.file}};
  calibration.options = {{"samples", std::to_string(calibrated.n_sentences)},
                         {"activations", asked.activations},
                         {"smoothing", asked.smoothing}};
  if (asked.activations != "dynamic") {
    calibration.options.emplace_back("method", asked.method);
    if (asked.method == "percentile") {
      calibration.options.emplace_back(
          "percentile",
          shortest_text(asked.percentile.value_or(quantize::MethodOptions{}.percentile)));
    }
  }
  return calibration;
}

void check_report(const QuantizeRequest& request) {
  const std::string& report = request.calibration.report;
  if (report.empty()) return;
  check_output_file(report, request.request.force);
}

// An option that would do nothing is a mistake.
QuantizeRequest with_method(QuantizeRequest request) {
  CalibrationRequest& asked = request.calibration;
  if (asked.activations == "dynamic" && (!asked.method.empty() || asked.percentile)) {
    throw Error(
        ErrorCode::usage,
        "--method and --percentile choose static ranges; add --activations mixed or static");
  }
  if (asked.method.empty()) asked.method = "percentile";
  if (asked.percentile && asked.method != "percentile") {
    throw Error(ErrorCode::usage, "--percentile belongs to --method percentile");
  }
  return request;
}

void run(const QuantizeRequest& given) {
  const QuantizeRequest request = with_method(given);
  if (request.request.quiet) silence_notes();
  check_output_file(request.request.output, request.request.force);
  check_report(request);
  train::use_threads(request.request.threads);
  Seen seen = look_at_text(request);
  const quantize::Calibrated& result = seen.activations;
  const compress::Calibration calibration = for_export(request, result);
  const Json report = calibration_json(request.calibration, result);
  export_model(request.request, {&calibration, &report, seen.rounder ? &*seen.rounder : nullptr});
  if (!request.calibration.report.empty()) {
    AtomicFile file(request.calibration.report,
                    request.request.force ? Overwrite::replace : Overwrite::refuse);
    file.write(report.dump(2) + "\n");
    file.commit();
  }
  if (request.request.format != "json") write_out(calibration_table(result));
}

}  // namespace

Command calibrated_quantize_command() {
  return make_command<QuantizeRequest>(
      {.name = "quantize",
       .summary = "turn a BERT checkpoint folder into an int8 model file, calibrated on text",
       .examples = "espalier quantize ./my-model -o my-model.espl --calib train.tsv\n"
                   "espalier quantize ./my-model -o my-model.espl --calib train.tsv --activations "
                   "static\n"
                   "espalier evaluate my-model.espl --data dev.tsv --compare my-model.fp32.espl",
       .details =
           "--calib is text like that which the model will read, never the text it is judged on.\n"
           "dynamic: each token finds its scale at run time. mixed: those of attention.out and\n"
           "ffn.down are found now; static: all are. Smoothing moves outlier channels of qkv and\n"
           "ffn.up, and of a static ffn.down, into the weights.\n"
           "--tensor-type and --keep match names such as layer.0.attention.qkv and\n"
           "layer.0.ffn.down anywhere; of several --tensor-type that match, the last holds."},
      run);
}

}  // namespace espalier::tools
