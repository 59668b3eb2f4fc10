// The order of work: small files first, so that what cannot be converted is refused at once; then
// tensor after tensor; last the self-test, which proves that the result runs.
#include "compress/export/export.hpp"

#include <algorithm>
#include <optional>
#include <utility>

#include "compress/checkpoint/checkpoint.hpp"
#include "compress/export/convert_tensors.hpp"
#include "compress/export/provenance.hpp"
#include "compress/export/self_test_sentences.hpp"
#include "compress/export/smoothing.hpp"
#include "compress/export/tokenizer_part.hpp"
#include "espalier/error.hpp"
#include "runtime/self_test.hpp"
#include "text/tokenizer.hpp"

namespace espalier::compress {
namespace {

using checkpoint::Architecture;
using checkpoint::Checkpoint;

constexpr std::uint32_t kMinLength = 3;  // [CLS], one piece, [SEP]

// Rough shares of the time that the stages take, alike for small and large models: reading and
// hashing, converting, the self-test.
constexpr double kConvertFrom = 0.15;
constexpr double kSelfTestFrom = 0.55;

class Progress {
 public:
  explicit Progress(const ExportOptions& options) : report_(options.on_progress) {}

  void set(double share, std::string_view stage) const {
    if (report_) report_(share, stage);
  }

 private:
  const std::function<void(double, std::string_view)>& report_;
};

std::uint32_t max_length_of(const Checkpoint& source, const text::TokenizerSpec& tokenizer,
                            std::uint32_t wanted) {
  const std::uint32_t positions = source.config().positions;
  if (wanted != 0) {
    if (wanted < kMinLength || wanted > positions) {
      throw Error(ErrorCode::usage, "a sentence can have " + std::to_string(kMinLength) + " to " +
                                        std::to_string(positions) +
                                        " tokens in this model, asked for were " +
                                        std::to_string(wanted));
    }
    return wanted;
  }
  std::uint32_t stated = tokenizer.max_length;
  if (source.embedding() && source.embedding()->max_length != 0) {
    stated = source.embedding()->max_length;
  }
  return stated == 0 ? positions : std::min(stated, positions);
}

void check_tokenizer(const Checkpoint& source, const text::TokenizerSpec& tokenizer) {
  if (tokenizer.pieces.size() != source.config().vocab) {
    throw Error(ErrorCode::bad_input,
                "the vocabulary has " + std::to_string(tokenizer.pieces.size()) +
                    " pieces, the word embeddings " + std::to_string(source.config().vocab) +
                    " rows; is the tokenizer from another model, or the table padded?");
  }
  if (source.embedding() && source.embedding()->lower_case && !tokenizer.lowercase) {
    throw Error(ErrorCode::bad_input,
                "sentence_bert_config.json sets do_lower_case, but the tokenizer keeps upper case; "
                "set do_lower_case in tokenizer_config.json too, or drop it in both");
  }
}

format::HeadSpec head_of(const Checkpoint& source, Task task, TensorConverter& convert,
                         std::vector<std::string>& notes) {
  const checkpoint::BertParameters& parameters = source.parameters();
  format::HeadSpec head;
  if (task == Task::embed) {
    if (!source.embedding()) {
      notes.emplace_back(
          "the checkpoint does not say how to pool; sentence vectors are the mean over all tokens, "
          "not normalized");
      return head;
    }
    head.pooling = source.embedding()->pooling == checkpoint::Pooling::cls ? format::Pooling::cls
                                                                           : format::Pooling::mean;
    head.normalize = source.embedding()->normalize;
    return head;
  }
  if (parameters.masked_lm) {
    head.transform = convert.head_linear(parameters.masked_lm->transform);
    head.transform_norm = convert.norm(parameters.masked_lm->transform_norm);
    head.decoder_bias = convert.vector(parameters.masked_lm->bias);
    return head;
  }
  if (task != Task::tag) {
    head.pooler = convert.head_linear(parameters.pooler.value());
    head.pooler_activation = checkpoint::row_of(source.config().family).pooler_activation;
  }
  head.classifier = convert.head_linear(parameters.classifier.value());
  return head;
}

format::LayerSpec layer_of(const checkpoint::LayerParameters& layer,
                           const checkpoint::LayerWidths& widths, const LayerPrecisions& precisions,
                           std::span<const std::string> names, const LayerInputs* inputs,
                           TensorConverter& convert) {
  const auto codes = [inputs](InputCodes LayerInputs::*linear) {
    return inputs == nullptr ? nullptr : &(inputs->*linear);
  };
  format::LayerSpec spec;
  spec.n_heads = static_cast<std::uint32_t>(widths.heads.size());
  spec.intermediate = widths.intermediate;
  spec.qkv = convert.linear({&layer.query, &layer.key, &layer.value}, {names[0], precisions.qkv},
                            codes(&LayerInputs::qkv));
  spec.out = convert.linear({&layer.attention_output}, {names[1], precisions.out},
                            codes(&LayerInputs::out));
  spec.attention_norm = convert.norm(layer.attention_norm);
  spec.up =
      convert.linear({&layer.intermediate}, {names[2], precisions.up}, codes(&LayerInputs::up));
  spec.down =
      convert.linear({&layer.output}, {names[3], precisions.down}, codes(&LayerInputs::down));
  spec.output_norm = convert.norm(layer.output_norm);
  return spec;
}

std::uint64_t count_values(const checkpoint::BertParameters& parameters) {
  std::uint64_t n_values =
      parameters.word_embeddings.count() + parameters.position_embeddings.count();
  if (parameters.word_projection) n_values += parameters.word_projection->count();
  if (parameters.token_type_embeddings) n_values += parameters.token_type_embeddings->count();
  for (const checkpoint::LayerParameters& layer : parameters.layers) {
    for (const checkpoint::LinearParameters* linear :
         {&layer.query, &layer.key, &layer.value, &layer.attention_output, &layer.intermediate,
          &layer.output}) {
      n_values += linear->weight.count();
    }
  }
  return n_values;
}

bool smooths_something(const PartPrecisions& precisions) {
  return std::any_of(
      precisions.layers.begin(), precisions.layers.end(), [](const LayerPrecisions& layer) {
        return layer.qkv.precision == Precision::int8 || layer.up.precision == Precision::int8;
      });
}

/// The names of the linears of layer number `layer`, in the order of the model.
std::span<const std::string> names_of_layer(const std::vector<std::string>& names,
                                            std::size_t layer) {
  constexpr std::size_t kLinears = 4;
  return std::span(names).subspan(1 + layer * kLinears, kLinears);
}

PartPrecisions all_int8(std::size_t n_layers) {
  return precisions_by_rules(n_layers, Precision::int8, {});
}

/// Codes the linears that read a LayerNorm anew, with input scales against outlier channels: which
/// channels those are, only the finished model shows. And turns an all-int8 spec into `wanted`,
/// coded as `coding` says. In this order, so that the codes of a linear do not depend on the
/// precision of the others.
void smooth_inputs(const Checkpoint& source, const TokenBatch& sentences,
                   const PartPrecisions& wanted, const Coding& coding, TensorConverter& convert,
                   format::ModelSpec& spec) {
  format::ModelSpec observed = spec;
  observed.precision = Precision::int8;
  const std::vector<NormRanges> ranges = observe_norms(observed, sentences);
  convert.set_coding(coding);
  const std::vector<std::string> names = part_names(spec.layers.size());
  const auto finish = [&](format::LinearSpec& linear, TensorConverter::Parts parts,
                          const TensorConverter::Wanted& part,
                          const std::vector<float>* activation_max) {
    const bool smooth = part.type.precision == Precision::int8 && activation_max != nullptr;
    if (smooth && linear.out > 0) {  // 0: pruned away
      convert.recode_smoothed(parts, part, *activation_max, linear);
    } else if (part.type != Precision::int8 || coding != Coding{}) {
      convert.recode(parts, part, linear);
    }
  };
  for (std::size_t layer = 0; layer < spec.layers.size(); ++layer) {
    const checkpoint::LayerParameters& from = source.parameters().layers[layer];
    const LayerPrecisions& precisions = wanted.layers[layer];
    format::LayerSpec& to = spec.layers[layer];
    const auto name = names_of_layer(names, layer);
    finish(to.qkv, {&from.query, &from.key, &from.value}, {name[0], precisions.qkv},
           &ranges[layer].qkv);
    finish(to.out, {&from.attention_output}, {name[1], precisions.out}, nullptr);
    finish(to.up, {&from.intermediate}, {name[2], precisions.up}, &ranges[layer].up);
    finish(to.down, {&from.output}, {name[3], precisions.down}, nullptr);
  }
  if (wanted.word != Precision::int8 || coding.rounding != Rounding::absmax) {
    convert.recode_words(source.parameters(), wanted.word, spec.embedding);
  }
}

void convert_weights(const Checkpoint& source, const TokenBatch& sentences,
                     const PartPrecisions& wanted, const Coding& coding,
                     const Calibration* calibration, const Progress& progress,
                     ExportedModel::Parts& parts) {
  // Biases, norms and heads are left out of the total: a share past it counts as the whole.
  const auto n_total = static_cast<double>(count_values(source.parameters()));
  std::uint64_t n_done = 0;
  format::ModelSpec& spec = parts.spec;
  TensorConverter convert(parts.store, spec.precision, [&](std::uint64_t n_values) {
    n_done += n_values;
    const double share = std::min(1.0, static_cast<double>(n_done) / n_total);
    progress.set(kConvertFrom + (kSelfTestFrom - kConvertFrom) * share, "convert weights");
  });
  const std::size_t n_layers = source.parameters().layers.size();
  const bool smooth = calibration == nullptr && smooths_something(wanted);
  const PartPrecisions first = smooth ? all_int8(n_layers) : wanted;
  if (!smooth) convert.set_coding(coding);
  const std::vector<std::string> names = part_names(n_layers);
  spec.embedding = convert.embedding(source.parameters(), first.word);
  for (std::size_t layer = 0; layer < n_layers; ++layer) {
    spec.layers.push_back(layer_of(source.parameters().layers[layer], source.config().layers[layer],
                                   first.layers[layer], names_of_layer(names, layer),
                                   calibration == nullptr ? nullptr : &calibration->layers[layer],
                                   convert));
  }
  spec.head = head_of(source, spec.task, convert, parts.notes);
  if (smooth) smooth_inputs(source, sentences, wanted, coding, convert, spec);
}

std::vector<std::pair<std::string, std::string>> stage_options(const ExportOptions& options,
                                                               std::uint32_t max_length) {
  std::vector<std::pair<std::string, std::string>> stated = {
      {"precision", std::string(name_of(options.precision))},
      {"max_length", std::to_string(max_length)}};
  for (std::size_t rule = 0; rule < options.rules.size(); ++rule) {
    stated.emplace_back(
        "rule." + std::to_string(rule),
        options.rules[rule].pattern + "=" + type_text(options.rules[rule].precision));
  }
  if (options.coding.rounder != nullptr) {
    stated.emplace_back("rounding", options.coding.rounder->name());
  } else if (options.coding.rounding != Rounding::absmax) {
    stated.emplace_back("rounding", name_of(options.coding.rounding));
  }
  if (options.calibration != nullptr) {
    stated.insert(stated.end(), options.calibration->options.begin(),
                  options.calibration->options.end());
  }
  return stated;
}

std::vector<std::filesystem::path> input_files(const Checkpoint& source,
                                               const Calibration* calibration) {
  const std::filesystem::path& folder = source.model_folder();
  std::vector<std::filesystem::path> files = {folder / "config.json"};
  for (const std::filesystem::path& weights : source.weight_paths()) files.push_back(weights);
  for (const char* name : {"tokenizer.json", "vocab.txt", "tokenizer_config.json",
                           "special_tokens_map.json", "added_tokens.json"}) {
    if (std::filesystem::is_regular_file(folder / name)) files.push_back(folder / name);
  }
  if (calibration != nullptr) {
    files.insert(files.end(), calibration->inputs.begin(), calibration->inputs.end());
  }
  return files;
}

}  // namespace

Task task_of(const checkpoint::BertConfig& config) {
  switch (config.architecture) {
    case Architecture::model:
      return Task::embed;
    case Architecture::token_classification:
      return Task::tag;
    case Architecture::masked_lm:
      return Task::fill_mask;
    case Architecture::sequence_classification:
      break;
  }
  switch (config.problem_type) {
    case checkpoint::ProblemType::single_label:
      break;
    case checkpoint::ProblemType::multi_label:
      return Task::multi_label;
    case checkpoint::ProblemType::regression:
      return Task::regress;
  }
  return Task::classify;
}

ExportedModel export_checkpoint(const std::filesystem::path& folder, const ExportOptions& options) {
  const Progress progress(options);
  progress.set(0, "read checkpoint");
  const Checkpoint source = Checkpoint::open(folder);
  const checkpoint::BertConfig& config = source.config();
  const PartPrecisions precisions =
      precisions_by_rules(config.layers.size(), options.precision, options.rules);
  if (options.calibration != nullptr &&
      options.calibration->layers.size() != precisions.layers.size()) {
    throw Error(ErrorCode::usage,
                "the calibration is of " + std::to_string(options.calibration->layers.size()) +
                    " layers, the model has " + std::to_string(precisions.layers.size()) +
                    "; calibrate this model");
  }
  text::TokenizerSpec tokenizer = text::load_tokenizer_spec(source.model_folder());
  check_tokenizer(source, tokenizer);

  auto parts = std::make_unique<ExportedModel::Parts>();
  parts->notes = source.notes();
  for (const std::filesystem::path& weights : source.weight_paths()) {
    parts->source_bytes += std::filesystem::file_size(weights);
  }
  format::ModelSpec& spec = parts->spec;
  spec.task = task_of(config);
  spec.precision = options.precision;
  spec.hidden = config.hidden;
  spec.head_dim = config.head_dim;
  spec.layer_norm_eps = config.layer_norm_eps;
  spec.max_length = max_length_of(source, tokenizer, options.max_length);
  spec.labels = config.labels;
  spec.tokenizer = tokenizer_part(tokenizer, parts->vocabulary);
  std::vector<format::SelfTestCase> sentences;
  TokenBatch for_smoothing;
  {  // The tokenizer's tables are some megabytes, which the weights need next.
    const text::Tokenizer encoder(std::move(tokenizer));
    sentences = self_test_sentences(spec.task, encoder, spec.max_length, config.token_types);
    for_smoothing = smoothing_sentences(encoder, spec.max_length);
  }
  spec.provenance.push_back(make_stage(
      options.precision == Precision::int8 ? "quantize" : "convert",
      stage_options(options, spec.max_length), input_files(source, options.calibration)));

  convert_weights(source, for_smoothing, precisions, options.coding, options.calibration, progress,
                  *parts);
  progress.set(kSelfTestFrom, "self-test");
  runtime::record_self_test(spec, std::move(sentences), options.n_threads);
  progress.set(1, "done");
  return ExportedModel(std::move(parts));
}

}  // namespace espalier::compress
