#include "compress/export/checkpoint_of.hpp"

#include <algorithm>
#include <numeric>
#include <span>
#include <string_view>
#include <utility>

#include "compress/checkpoint/bert_config_writer.hpp"
#include "compress/checkpoint/families.hpp"
#include "compress/checkpoint/safetensors_writer.hpp"
#include "compress/checkpoint/sentence_transformers_writer.hpp"
#include "compress/export/dequantize.hpp"
#include "espalier/error.hpp"
#include "text/tokenizer_files.hpp"

namespace espalier::compress {
namespace {

using checkpoint::Architecture;
using checkpoint::BertConfig;
using checkpoint::LayerWidths;
using checkpoint::ProblemType;

[[noreturn]] void refuse(const std::string& what) {
  throw Error(ErrorCode::usage, "the model cannot be a checkpoint: " + what);
}

/// The family whose checkpoints compute what the model does.
checkpoint::Family family_of(const format::ModelSpec& spec) {
  constexpr float kUsualEps = 1e-12F;  // of families that do not state it
  for (const checkpoint::FamilyRow& row : checkpoint::families()) {
    const bool same_segments = row.keys.token_types.empty() == (spec.n_segments() == 0);
    const bool same_eps = !row.keys.layer_norm_eps.empty() || spec.layer_norm_eps == kUsualEps;
    const bool same_activation =
        !spec.head.pooler || row.pooler_activation == spec.head.pooler_activation;
    if (same_segments && same_eps && same_activation) return row.family;
  }
  refuse("no family has its segments, LayerNorm epsilon and pooler together");
}

std::pair<Architecture, ProblemType> class_of(Task task) {
  switch (task) {
    case Task::classify:
      break;
    case Task::multi_label:
      return {Architecture::sequence_classification, ProblemType::multi_label};
    case Task::regress:
      return {Architecture::sequence_classification, ProblemType::regression};
    case Task::tag:
      return {Architecture::token_classification, ProblemType::single_label};
    case Task::embed:
      return {Architecture::model, ProblemType::single_label};
    case Task::fill_mask:
      return {Architecture::masked_lm, ProblemType::single_label};
  }
  return {Architecture::sequence_classification, ProblemType::single_label};
}

LayerWidths widths(std::uint32_t n_heads, std::uint32_t intermediate) {
  LayerWidths layer{.heads = std::vector<std::uint32_t>(n_heads), .intermediate = intermediate};
  std::iota(layer.heads.begin(), layer.heads.end(), 0U);
  return layer;
}

BertConfig config_of(const format::ModelSpec& spec, CheckpointShape shape) {
  if (spec.hidden % spec.head_dim != 0) {
    refuse("its heads are " + std::to_string(spec.head_dim) + " wide, which does not divide " +
           std::to_string(spec.hidden));
  }
  BertConfig config;
  config.family = family_of(spec);
  std::tie(config.architecture, config.problem_type) = class_of(spec.task);
  config.hidden = spec.hidden;
  config.n_layers = static_cast<std::uint32_t>(spec.layers.size());
  config.n_heads = spec.hidden / spec.head_dim;
  config.head_dim = spec.head_dim;
  config.intermediate = 1;
  for (const format::LayerSpec& layer : spec.layers) {
    config.intermediate = std::max(config.intermediate, layer.intermediate);
  }
  config.vocab = spec.vocabulary_size();
  if (spec.embedding.projection && shape == CheckpointShape::kept) {
    config.embedding_rank = spec.word_width();
  }
  config.positions = spec.n_positions();
  config.token_types = spec.n_segments();
  config.pad_id = spec.tokenizer.pad;
  config.layer_norm_eps = spec.layer_norm_eps;
  config.labels = spec.labels;
  for (std::size_t index = 0; index < spec.layers.size(); ++index) {
    const format::LayerSpec& layer = spec.layers[index];
    if (layer.n_heads > config.n_heads) {
      refuse("layer " + std::to_string(index) + " has " + std::to_string(layer.n_heads) +
             " heads, and " + std::to_string(config.n_heads) + " fit into its width");
    }
    config.layers.push_back(shape == CheckpointShape::kept
                                ? widths(layer.n_heads, layer.intermediate)
                                : widths(config.n_heads, config.intermediate));
  }
  return config;
}

struct Size {
  std::size_t rows = 0;
  std::size_t cols = 0;
};

/// Lays a (from.rows, from.cols) matrix into the upper left of a matrix of zeros.
std::vector<float> padded(std::span<const float> values, Size from, Size to) {
  std::vector<float> matrix(to.rows * to.cols);
  for (std::size_t row = 0; row < from.rows; ++row) {
    const std::span<const float> src = values.subspan(row * from.cols, from.cols);
    std::copy(src.begin(), src.end(), matrix.begin() + static_cast<std::ptrdiff_t>(row * to.cols));
  }
  return matrix;
}

/// The table of words that a factorised one stands for: (rows, hidden).
std::vector<float> multiplied_out(std::span<const float> table,
                                  const format::LinearSpec& projection) {
  const std::vector<float> weights = dequantized_weights(projection);  // (hidden, rank)
  const std::size_t rank = projection.in;
  const std::size_t n_rows = table.size() / rank;
  std::vector<float> words(n_rows * projection.out);
  for (std::size_t row = 0; row < n_rows; ++row) {
    for (std::size_t out = 0; out < projection.out; ++out) {
      double sum = 0;
      for (std::size_t in = 0; in < rank; ++in) {
        sum += double{table[row * rank + in]} * double{weights[out * rank + in]};
      }
      words[row * projection.out + out] = static_cast<float>(sum);
    }
  }
  return words;
}

/// Collects tensors by the names that the configuration's family has for them.
class TensorNamer {
 public:
  explicit TensorNamer(const BertConfig& config)
      : config_(config),
        names_(checkpoint::row_of(config.family).names),
        // A bare encoder's names have no prefix.
        encoder_(config.architecture == Architecture::model ? "" : names_.encoder) {}

  void add_all(const format::ModelSpec& spec) {
    place_ = encoder_;
    const format::EmbeddingSpec& embedding = spec.embedding;
    words(embedding);
    matrix("embeddings.position_embeddings.weight", embedding.position,
           widened(embedding.position));
    if (!embedding.segment.empty()) {
      matrix("embeddings.token_type_embeddings.weight", embedding.segment,
             widened(embedding.segment));
    }
    norm("embeddings.LayerNorm", embedding.norm);
    for (std::size_t layer = 0; layer < spec.layers.size(); ++layer) {
      place_ = encoder_ + std::string(names_.layer) + std::to_string(layer) + ".";
      add_layer(spec.layers[layer], config_.layers[layer]);
    }
    add_head(spec.head);
  }

  std::vector<CheckpointTensor> take() { return std::move(tensors_); }

 private:
  void add(std::string_view name, std::vector<std::uint64_t> shape, std::vector<float> values) {
    tensors_.push_back({place_ + std::string(name), std::move(shape), std::move(values)});
  }

  void matrix(std::string_view name, const format::Tensor& tensor, std::vector<float> values) {
    add(name, {tensor.rows, tensor.cols}, std::move(values));
  }

  void words(const format::EmbeddingSpec& embedding) {
    std::vector<float> table = dequantized_words(embedding);
    std::uint64_t width = embedding.word.cols;
    if (embedding.projection && config_.embedding_rank == 0) {
      table = multiplied_out(table, *embedding.projection);
      width = config_.hidden;
    }
    add("embeddings.word_embeddings.weight", {config_.vocab, width}, std::move(table));
    if (config_.embedding_rank > 0) {
      add("embeddings.word_projection.weight", {config_.hidden, config_.embedding_rank},
          dequantized_weights(*embedding.projection));
    }
  }

  void vector(std::string_view name, const format::Tensor& tensor) {
    add(name, {tensor.cols}, widened(tensor));
  }

  void norm(std::string_view name, const format::NormSpec& spec) {
    vector(std::string(name) + ".weight", spec.weight);
    vector(std::string(name) + ".bias", spec.bias);
  }

  void head_linear(std::string_view name, const format::HeadLinear& linear) {
    matrix(std::string(name) + ".weight", linear.weight, widened(linear.weight));
    vector(std::string(name) + ".bias", linear.bias);
  }

  /// A linear of `from` outputs and inputs as one of `to`, the rest zeros.
  void linear(std::string_view name, std::span<const float> weights, std::span<const float> bias,
              Size from, Size to) {
    add(std::string(name) + ".weight", {to.rows, to.cols}, padded(weights, from, to));
    add(std::string(name) + ".bias", {to.rows}, padded(bias, {1, from.rows}, {1, to.rows}));
  }

  void whole_linear(std::string_view name, const format::LinearSpec& spec, Size to) {
    linear(name, dequantized_weights(spec), spec.bias.as<float>(), {spec.out, spec.in}, to);
  }

  void add_layer(const format::LayerSpec& layer, const LayerWidths& widths) {
    const std::size_t hidden = config_.hidden;
    const std::size_t attention = layer.out.in;
    const std::size_t wide_attention = widths.heads.size() * config_.head_dim;
    const std::vector<float> qkv = dequantized_weights(layer.qkv);
    const std::span<const float> qkv_bias = layer.qkv.bias.as<float>();
    std::size_t part = 0;
    for (const std::string_view name : {names_.query, names_.key, names_.value}) {
      linear(name, std::span(qkv).subspan(part * attention * hidden, attention * hidden),
             qkv_bias.subspan(part * attention, attention), {attention, hidden},
             {wide_attention, hidden});
      ++part;
    }
    whole_linear(names_.attention_output, layer.out, {hidden, wide_attention});
    norm(names_.attention_norm, layer.attention_norm);
    whole_linear(names_.up, layer.up, {widths.intermediate, hidden});
    whole_linear(names_.down, layer.down, {hidden, widths.intermediate});
    norm(names_.output_norm, layer.output_norm);
  }

  void add_head(const format::HeadSpec& head) {
    place_ = names_.pooler_in_encoder ? encoder_ : "";
    if (head.pooler) head_linear(names_.pooler, *head.pooler);
    place_.clear();
    if (head.classifier) head_linear("classifier", *head.classifier);
    if (head.transform) {
      vector(names_.decoder_bias, head.decoder_bias);
      head_linear(names_.transform, *head.transform);
      norm(names_.transform_norm, head.transform_norm);
    }
  }

  const BertConfig& config_;
  const checkpoint::TensorNames& names_;
  std::string encoder_;  // what stands before the encoder's names
  std::string place_;    // what stands before the names that are added now
  std::vector<CheckpointTensor> tensors_;
};

}  // namespace

CheckpointParts checkpoint_of(const format::ModelSpec& spec, CheckpointShape shape) {
  CheckpointParts parts{.config = config_of(spec, shape), .tensors = {}, .embedding = {}};
  TensorNamer namer(parts.config);
  namer.add_all(spec);
  parts.tensors = namer.take();
  if (spec.task == Task::embed) {
    parts.embedding = {.pooling = spec.head.pooling == format::Pooling::cls
                                      ? checkpoint::Pooling::cls
                                      : checkpoint::Pooling::mean,
                       .normalize = spec.head.normalize,
                       .lower_case = false,  // the tokenizer says so itself
                       .max_length = spec.max_length};
  }
  return parts;
}

text::TokenizerSpec tokenizer_of(const format::ModelSpec& spec, text::TokenizerSpec stored) {
  if (spec.tokenizer.mask == spec.tokenizer.unk) stored.mask.clear();
  stored.max_length = spec.max_length;
  return stored;
}

void write_checkpoint(const CheckpointParts& parts, const text::TokenizerSpec& tokenizer,
                      const std::filesystem::path& folder, Overwrite overwrite) {
  // First, while nothing has changed yet: a full disk is met by the largest file.
  AtomicFile weights(folder / "model.safetensors", overwrite);
  std::vector<checkpoint::TensorBytes> tensors;
  for (const CheckpointTensor& tensor : parts.tensors) {
    tensors.push_back({.name = tensor.name,
                       .type = checkpoint::ElementType::f32,
                       .shape = tensor.shape,
                       .bytes = std::as_bytes(std::span(tensor.values))});
  }
  checkpoint::write_safetensors(weights, std::move(tensors), {{"format", "pt"}});
  text::check_expressible(tokenizer);
  weights.remove_old();
  text::write_tokenizer(folder, tokenizer, overwrite);
  if (parts.embedding) {
    checkpoint::write_embedding_layout(folder, *parts.embedding, parts.config.hidden, overwrite);
  } else if (overwrite == Overwrite::replace) {
    checkpoint::remove_embedding_layout(folder);
  }
  AtomicFile config(folder / "config.json", overwrite);
  config.write(checkpoint::write_bert_config(parts.config));
  config.commit();
  weights.commit();
}

}  // namespace espalier::compress
