#include "compress/checkpoint/bert_parameters.hpp"

#include <algorithm>
#include <cstring>
#include <set>
#include <string_view>

#include "base/printable.hpp"
#include "compress/checkpoint/convert_floats.hpp"
#include "espalier/error.hpp"

namespace espalier::checkpoint {
namespace {

using Shape = std::vector<std::uint64_t>;

[[noreturn]] void fail(const std::filesystem::path& file, const std::string& what) {
  throw Error(ErrorCode::bad_input, printable(file.filename().string()) + ": " + what);
}

std::string shown(const Shape& shape) {
  constexpr std::size_t kShown = 8;
  std::string text = "[";
  for (std::size_t axis = 0; axis < std::min(shape.size(), kShown); ++axis) {
    text += (axis == 0 ? "" : ", ") + std::to_string(shape[axis]);
  }
  return text + (shape.size() > kShown ? ", ...]" : "]");
}

// Looks tensors up by their names in the file, checks them, and remembers which were asked for.
class Finder {
 public:
  Finder(const WeightFiles& weights, std::uint64_t hidden) : weights_(weights), hidden_(hidden) {}

  [[nodiscard]] bool has(const std::string& name) const { return weights_.find(name) != nullptr; }

  TensorRef tensor(const std::string& name, const Shape& shape) {
    const TensorView* view = weights_.find(name);
    if (view == nullptr) {
      fail(weights_.main_file(), "tensor " + printable(name) +
                                     " is missing, config.json asks for " + "one of shape " +
                                     shown(shape));
    }
    if (view->shape != shape) {
      fail(*view->file, "tensor " + printable(name) + " has shape " + shown(view->shape) +
                            ", config.json asks for " + shown(shape));
    }
    if (!is_float(view->type)) {
      fail(*view->file, "tensor " + printable(name) + " is " + std::string(name_of(view->type)) +
                            "; weights must be F32, F16, BF16 or F64");
    }
    used_.insert(view->name);
    return TensorRef(*view);
  }

  /// `name` is without ".weight" and ".bias", here and in norm().
  LinearParameters linear(const std::string& name, std::uint64_t out, std::uint64_t in) {
    return {.weight = tensor(name + ".weight", {out, in}), .bias = tensor(name + ".bias", {out})};
  }

  NormParameters norm(const std::string& name) {
    return {.weight = tensor(either(name + ".weight", name + ".gamma"), {hidden_}),
            .bias = tensor(either(name + ".bias", name + ".beta"), {hidden_})};
  }

  /// The one of two names that is there; the first when neither is.
  [[nodiscard]] std::string either(const std::string& name, const std::string& other) const {
    if (!has(other)) return name;
    if (has(name)) {
      fail(weights_.main_file(), "tensors " + printable(name) + " and " + printable(other) +
                                     " are the same parameter; keep one");
    }
    return other;
  }

  [[nodiscard]] bool was_used(const std::string& name) const { return used_.count(name) > 0; }

 private:
  const WeightFiles& weights_;
  std::uint64_t hidden_;
  std::set<std::string_view> used_;
};

bool same_values(const TensorRef& a, const TensorRef& b) {
  if (a.stored_as() == b.stored_as() && !a.stored_bytes().empty() &&
      std::memcmp(a.stored_bytes().data(), b.stored_bytes().data(), a.stored_bytes().size()) == 0) {
    return true;
  }
  constexpr std::uint64_t kBlock = 65536;  // values; keeps the copies out of the peak memory
  std::vector<float> left, right;
  for (std::uint64_t first = 0; first < a.count(); first += kBlock) {
    left.resize(std::min(kBlock, a.count() - first));
    right.resize(left.size());
    a.read_f32(left, first);
    b.read_f32(right, first);
    if (left != right) return false;
  }
  return true;
}

// What stands before the names of the encoder in this checkpoint, if anything.
std::string find_prefix(const WeightFiles& weights, const TensorNames& names) {
  const std::string table = "embeddings.word_embeddings.weight";
  const std::string prefix(names.encoder);
  const bool with = weights.find(prefix + table) != nullptr;
  if (with && weights.find(table) != nullptr) {
    fail(weights.main_file(), "tensors " + printable(table) + " and " + printable(prefix + table) +
                                  " are the same parameter; keep one");
  }
  return with ? prefix : "";
}

LayerParameters find_layer(Finder& find, const BertConfig& bert, std::size_t layer,
                           const std::string& prefix) {
  const TensorNames& names = row_of(bert.family).names;
  const std::string place = prefix + std::string(names.layer) + std::to_string(layer) + ".";
  const auto at = [&place](std::string_view name) { return place + std::string(name); };
  const std::uint64_t hidden = bert.hidden;
  const std::uint64_t attention = bert.layers[layer].heads.size() * bert.head_dim;
  const std::uint64_t intermediate = bert.layers[layer].intermediate;
  return {.query = find.linear(at(names.query), attention, hidden),
          .key = find.linear(at(names.key), attention, hidden),
          .value = find.linear(at(names.value), attention, hidden),
          .attention_output = find.linear(at(names.attention_output), hidden, attention),
          .attention_norm = find.norm(at(names.attention_norm)),
          .intermediate = find.linear(at(names.up), intermediate, hidden),
          .output = find.linear(at(names.down), hidden, intermediate),
          .output_norm = find.norm(at(names.output_norm))};
}

void check_decoder(Finder& find, const WeightFiles& weights, const ParsedConfig& parsed,
                   const TensorRef& word_embeddings) {
  const std::string name = std::string(row_of(parsed.config.family).names.decoder) + ".weight";
  if (!find.has(name) && parsed.tied_embeddings) return;
  const TensorRef decoder = find.tensor(name, {parsed.config.vocab, parsed.config.hidden});
  if (!same_values(decoder, word_embeddings)) {
    fail(weights.main_file(), "tensor " + printable(name) + " differs from " +
                                  printable(word_embeddings.name()) +
                                  "; only a decoder tied to the word embeddings is computed here");
  }
}

MaskedLmParameters find_masked_lm(Finder& find, const WeightFiles& weights,
                                  const ParsedConfig& parsed, const TensorRef& word_embeddings) {
  const BertConfig& bert = parsed.config;
  const TensorNames& names = row_of(bert.family).names;
  check_decoder(find, weights, parsed, word_embeddings);
  const std::string bias(names.decoder_bias);
  const std::string decoder_bias = std::string(names.decoder) + ".bias";
  const bool only_decoder = !find.has(bias) && find.has(decoder_bias);
  MaskedLmParameters head{
      .transform = find.linear(std::string(names.transform), bert.hidden, bert.hidden),
      .transform_norm = find.norm(std::string(names.transform_norm)),
      .bias = find.tensor(only_decoder ? decoder_bias : bias, {bert.vocab})};
  if (!only_decoder && find.has(decoder_bias) &&
      !same_values(head.bias, find.tensor(decoder_bias, {bert.vocab}))) {
    fail(weights.main_file(), "tensors " + printable(bias) + " and " + printable(decoder_bias) +
                                  " are the same parameter but differ");
  }
  return head;
}

// The pooler of old tagging and MLM checkpoints and the next-sentence head take no part in an
// answer; the two tables of indices are 0, 1, 2, ... and 0, 0, 0, ...
bool is_harmless(std::string_view name, const TensorNames& names) {
  return name == "embeddings.position_ids" || name == "embeddings.token_type_ids" ||
         name.starts_with(std::string(names.pooler) + ".") ||
         name.starts_with("cls.seq_relationship.");
}

// Something more in the encoder means that the original computes something more.
bool is_of_the_encoder(std::string_view name, const TensorNames& names) {
  const std::string_view stack = names.layer.substr(0, names.layer.find('.') + 1);
  return name.starts_with(stack) || name.starts_with("embeddings.");
}

// One note for a file, however many tensors it holds that are not used.
void judge_unused(const WeightFile& file, const Finder& find, const TensorNames& names,
                  std::vector<std::string>& notes) {
  constexpr std::size_t kShown = 8;
  std::size_t n_unused = 0;
  std::string list;
  for (const TensorView& tensor : file.tensors()) {
    if (find.was_used(tensor.name)) continue;
    std::string_view name = tensor.name;
    if (name.starts_with(names.encoder)) name.remove_prefix(names.encoder.size());
    if (is_harmless(name, names)) continue;
    if (is_of_the_encoder(name, names)) {
      fail(file.path(), "tensor " + printable(tensor.name) +
                            " is no part of the model that config.json describes");
    }
    if (++n_unused <= kShown) list += (n_unused == 1 ? "" : ", ") + printable(tensor.name);
  }
  if (n_unused == 0) return;
  notes.push_back(printable(file.path().filename().string()) + ": " + std::to_string(n_unused) +
                  " tensor(s) not used: " + list + (n_unused > kShown ? ", ..." : ""));
}

}  // namespace

BertParameters find_parameters(const WeightFiles& weights, const ParsedConfig& parsed,
                               std::vector<std::string>& notes) {
  const BertConfig& bert = parsed.config;
  const TensorNames& names = row_of(bert.family).names;
  const std::string prefix = find_prefix(weights, names);
  const std::string table = prefix + "embeddings.";
  Finder find(weights, bert.hidden);
  BertParameters all{.word_embeddings = find.tensor(
                         table + "word_embeddings.weight",
                         {bert.vocab, bert.embedding_rank > 0 ? bert.embedding_rank : bert.hidden}),
                     .word_projection = std::nullopt,
                     .position_embeddings = find.tensor(table + "position_embeddings.weight",
                                                        {bert.positions, bert.hidden}),
                     .token_type_embeddings = std::nullopt,
                     .embeddings_norm = find.norm(table + "LayerNorm"),
                     .layers = {},
                     .pooler = std::nullopt,
                     .classifier = std::nullopt,
                     .masked_lm = std::nullopt};
  if (bert.embedding_rank > 0) {
    all.word_projection =
        find.tensor(table + "word_projection.weight", {bert.hidden, bert.embedding_rank});
  }
  if (bert.token_types > 0) {
    all.token_type_embeddings =
        find.tensor(table + "token_type_embeddings.weight", {bert.token_types, bert.hidden});
  }
  for (std::size_t layer = 0; layer < bert.n_layers; ++layer) {
    all.layers.push_back(find_layer(find, bert, layer, prefix));
  }
  const std::string pooler = (names.pooler_in_encoder ? prefix : "") + std::string(names.pooler);
  switch (bert.architecture) {
    case Architecture::model:
      if (names.pooler_in_encoder && (find.has(pooler + ".weight") || find.has(pooler + ".bias"))) {
        all.pooler = find.linear(pooler, bert.hidden, bert.hidden);
      }
      break;
    case Architecture::sequence_classification:
      all.pooler = find.linear(pooler, bert.hidden, bert.hidden);
      all.classifier = find.linear("classifier", bert.labels.size(), bert.hidden);
      break;
    case Architecture::token_classification:
      all.classifier = find.linear("classifier", bert.labels.size(), bert.hidden);
      break;
    case Architecture::masked_lm:
      all.masked_lm = find_masked_lm(find, weights, parsed, all.word_embeddings);
      break;
  }
  for (const WeightFile& file : weights.files()) judge_unused(file, find, names, notes);
  return all;
}

bool holds_a_head(const WeightFiles& weights) {
  for (const WeightFile& file : weights.files()) {
    for (const TensorView& tensor : file.tensors()) {
      for (const char* head : {"classifier.", "cls.", "qa_outputs.", "pre_classifier.", "vocab_"}) {
        if (tensor.name.starts_with(head)) return true;
      }
    }
  }
  return false;
}

}  // namespace espalier::checkpoint
