#include "format/verify.hpp"

#include <algorithm>
#include <string>

#include "format/container.hpp"
#include "format/refuse.hpp"
#include "format/scan.hpp"
#include "format/verify_self_test.hpp"
#include "format/verify_tensor.hpp"

namespace espalier::format {
namespace {

/// Sizes that the other checks multiply with come first, so that no product below overflows.
void check_sizes(const ModelSpec& spec) {
  check_range("hidden", spec.hidden, kMinHidden, kMaxHidden);
  check_range("head_dim", spec.head_dim, 1, kMaxHeadDim);
  check_range("layers", spec.layers.size(), 1, kMaxLayers);
  check_range("embedding.word.rows", spec.vocabulary_size(), 1, kMaxVocabulary);
  check_range("embedding.position.rows", spec.n_positions(), kMinLength, kMaxPositions);
  check_range("embedding.segment.rows", spec.n_segments(), 0, kMaxSegments);
  check_range("max_length", spec.max_length, kMinLength, spec.n_positions());
  check_range("labels", spec.labels.size(), 0, kMaxLabels);
  const float eps = spec.layer_norm_eps;
  if (!(eps > 0 && eps < 1)) {
    refuse("layer_norm_eps", "expected a number between 0 and 1 got " + std::to_string(eps));
  }
}

void check_projection(const ModelSpec& spec, const LinearSpec& projection) {
  const std::string where = "embedding.projection";
  if (spec.task == Task::fill_mask) {
    refuse(where, "is present, but a fill_mask model decodes with its whole word table");
  }
  check_range(where + ".in", projection.in, 1, spec.hidden - 1);
  if (projection.precision != word_precision(spec.embedding)) {
    refuse(where, "is of " + std::string(name_of(projection.precision)) + ", the words are of " +
                      std::string(name_of(word_precision(spec.embedding))));
  }
  check_linear(where, projection, {projection.in, spec.hidden, LinearInput::word});
}

void check_embedding(const ModelSpec& spec) {
  const EmbeddingSpec& embedding = spec.embedding;
  if (embedding.projection) check_projection(spec, *embedding.projection);
  const Shape word{.rows = spec.vocabulary_size(), .cols = spec.word_width()};
  const FourBitPlaces places = {"embedding.word", "embedding.word_group",
                                "embedding.word_multiplier"};
  const FourBitParts four_bits = {embedding.word, embedding.word_group, embedding.word_multiplier};
  if (embedding.word.type != ElementType::s4) check_no_groups(places, four_bits);
  switch (embedding.word.type) {
    case ElementType::f32:
    case ElementType::f16:
      check_f32("embedding.word", embedding.word, word);
      break;
    case ElementType::s8:
      check_s8("embedding.word", embedding.word, word);
      check_scale("embedding.word_scale", embedding.word_scale, word.rows, ScaleRange::nonnegative);
      break;
    case ElementType::bf16:
      check_bf16("embedding.word", embedding.word, word);
      break;
    case ElementType::s4:
      check_s4(places, four_bits, word);
      check_scale("embedding.word_scale", embedding.word_scale, word.rows, ScaleRange::nonnegative);
      break;
  }
  if (word_precision(embedding) != Precision::int8) {
    check_absent("embedding.word_scale", embedding.word_scale,
                 "only word embeddings of codes have it");
  }
  check_f32_or_f16("embedding.position", embedding.position,
                   {.rows = spec.n_positions(), .cols = spec.hidden});
  if (spec.n_segments() > 0) {
    check_f32_or_f16("embedding.segment", embedding.segment,
                     {.rows = spec.n_segments(), .cols = spec.hidden});
  } else {
    check_absent("embedding.segment", embedding.segment, "it has no rows");
  }
  check_norm("embedding.norm", embedding.norm, spec.hidden);
}

void check_layer(const std::string& where, const ModelSpec& spec, const LayerSpec& layer) {
  check_range(where + ".n_heads", layer.n_heads, 0, kMaxAttention / spec.head_dim);
  check_range(where + ".intermediate", layer.intermediate, 0, kMaxIntermediate);
  const std::uint32_t attention = layer.n_heads * spec.head_dim;
  check_linear(where + ".qkv", layer.qkv, {spec.hidden, 3 * attention, LinearInput::scalable});
  check_linear(where + ".out", layer.out, {attention, spec.hidden, LinearInput::heads});
  check_norm(where + ".attention_norm", layer.attention_norm, spec.hidden);
  check_linear(where + ".up", layer.up, {spec.hidden, layer.intermediate, LinearInput::scalable});
  check_linear(where + ".down", layer.down,
               {layer.intermediate, spec.hidden, LinearInput::scalable});
  check_norm(where + ".output_norm", layer.output_norm, spec.hidden);
}

/// Which optional parts of the head a task has.
struct HeadParts {
  bool pooler = false;
  bool classifier = false;
  bool pooling = false;
  bool transform = false;
  std::size_t min_labels = 0;
  std::size_t max_labels = 0;
};

HeadParts parts_of(Task task) {
  switch (task) {
    case Task::classify:
      return {.pooler = true, .classifier = true, .min_labels = 2, .max_labels = kMaxLabels};
    case Task::multi_label:
      return {.pooler = true, .classifier = true, .min_labels = 1, .max_labels = kMaxLabels};
    case Task::regress:
      return {.pooler = true, .classifier = true, .min_labels = 1, .max_labels = 1};
    case Task::tag:
      return {.classifier = true, .min_labels = 1, .max_labels = kMaxLabels};
    case Task::embed:
      return {.pooling = true};
    case Task::fill_mask:
      return {.transform = true};
  }
  refuse("task", "is none that this version knows");
}

void check_presence(std::string_view where, bool present, bool needed) {
  if (present == needed) return;
  refuse(where,
         needed ? "is missing, the task needs it" : "is present, the task has no use for it");
}

void check_head(const ModelSpec& spec) {
  const HeadSpec& head = spec.head;
  const HeadParts parts = parts_of(spec.task);
  check_range("labels", spec.labels.size(), parts.min_labels, parts.max_labels);
  for (std::size_t label = 0; label < spec.labels.size(); ++label) {
    check_string(indexed("labels", label), spec.labels[label], kMaxStringBytes);
  }
  const auto n_labels = static_cast<std::uint32_t>(spec.labels.size());
  check_presence("head.pooler", head.pooler.has_value(), parts.pooler);
  if (head.pooler) check_head_linear("head.pooler", *head.pooler, spec.hidden, spec.hidden);
  check_range("head.pooler_activation", static_cast<unsigned>(head.pooler_activation), 0,
              parts.pooler ? static_cast<unsigned>(PoolerActivation::relu) : 0);
  check_presence("head.classifier", head.classifier.has_value(), parts.classifier);
  if (head.classifier) {
    check_head_linear("head.classifier", *head.classifier, spec.hidden, n_labels);
  }
  if (!parts.pooling) {
    check_presence("head.pooling", head.pooling != Pooling::mean, false);
    check_presence("head.normalize", head.normalize, false);
  }
  check_presence("head.transform", head.transform.has_value(), parts.transform);
  if (head.transform) {
    check_head_linear("head.transform", *head.transform, spec.hidden, spec.hidden);
    check_norm("head.transform_norm", head.transform_norm, spec.hidden);
    check_f32("head.decoder_bias", head.decoder_bias, {.rows = 1, .cols = spec.vocabulary_size()});
  } else {
    check_presence("head.transform_norm", !head.transform_norm.weight.empty(), false);
    check_presence("head.transform_norm", !head.transform_norm.bias.empty(), false);
    check_presence("head.decoder_bias", !head.decoder_bias.empty(), false);
  }
}

void check_tokenizer(const ModelSpec& spec) {
  const TokenizerSpec& tokenizer = spec.tokenizer;
  const std::string_view text = tokenizer.vocabulary;
  check_range("tokenizer.n_pieces", tokenizer.n_pieces, spec.vocabulary_size(),
              spec.vocabulary_size());
  const auto n_lines = static_cast<std::uint64_t>(std::count(text.begin(), text.end(), '\n'));
  if (n_lines != tokenizer.n_pieces || text.empty() || text.back() != '\n') {
    refuse("tokenizer.vocabulary", "expected " + std::to_string(tokenizer.n_pieces) +
                                       " pieces, each ended by a line feed, got " +
                                       std::to_string(n_lines) + " line feeds");
  }
  if (const BadIndex bad = find_invalid_utf8(text)) {
    refuse("tokenizer.vocabulary", "expected UTF-8, byte " + std::to_string(*bad) + " is not");
  }
  const std::uint32_t last_id = tokenizer.n_pieces - 1;
  check_range("tokenizer.unk", tokenizer.unk, 0, last_id);
  check_range("tokenizer.cls", tokenizer.cls, 0, last_id);
  check_range("tokenizer.sep", tokenizer.sep, 0, last_id);
  check_range("tokenizer.pad", tokenizer.pad, 0, last_id);
  check_range("tokenizer.mask", tokenizer.mask, 0, last_id);
  check_range("tokenizer.max_word_chars", tokenizer.max_word_chars, 1, kMaxWordChars);
  check_string("tokenizer.continuation", tokenizer.continuation, kMaxContinuationBytes);
  check_range("tokenizer.added", tokenizer.added.size(), 0, kMaxAddedTokens);
  for (std::size_t token = 0; token < tokenizer.added.size(); ++token) {
    const std::string where = indexed("tokenizer.added", token);
    check_range(where + ".id", tokenizer.added[token].id, 0, last_id);
    check_range(where + ".content", tokenizer.added[token].content.size(), 1, kMaxStringBytes);
    check_string(where + ".content", tokenizer.added[token].content, kMaxStringBytes);
  }
}

using Pairs = std::vector<std::pair<std::string, std::string>>;

void check_pairs(const std::string& where, const Pairs& pairs) {
  check_range(where, pairs.size(), 0, kMaxPairs);
  for (std::size_t pair = 0; pair < pairs.size(); ++pair) {
    check_string(indexed(where, pair) + ".key", pairs[pair].first, kMaxStringBytes);
    check_string(indexed(where, pair) + ".value", pairs[pair].second, kMaxStringBytes);
  }
}

void check_provenance(const ModelSpec& spec) {
  check_range("provenance", spec.provenance.size(), 0, kMaxStages);
  for (std::size_t index = 0; index < spec.provenance.size(); ++index) {
    const ProvenanceStage& stage = spec.provenance[index];
    const std::string where = indexed("provenance", index);
    check_string(where + ".name", stage.name, kMaxStringBytes);
    check_string(where + ".version", stage.version, kMaxStringBytes);
    check_pairs(where + ".options", stage.options);
    check_pairs(where + ".inputs", stage.inputs);
    check_pairs(where + ".metrics", stage.metrics);
  }
}

}  // namespace

void check_spec(const ModelSpec& spec) {
  check_sizes(spec);
  check_tokenizer(spec);
  check_embedding(spec);
  for (std::size_t layer = 0; layer < spec.layers.size(); ++layer) {
    check_layer(indexed("layers", layer), spec, spec.layers[layer]);
  }
  check_head(spec);
  check_provenance(spec);
  check_self_test(spec);
}

}  // namespace espalier::format
