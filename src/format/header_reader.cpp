#include <algorithm>
#include <bit>
#include <string>
#include <utility>

#include "format/container.hpp"
#include "format/data_cursor.hpp"
#include "format/header.hpp"
#include "format/refuse.hpp"
#include "model_generated.h"

static_assert(std::endian::native == std::endian::little,
              "tensors are used where they lie, and the file is little endian");

namespace espalier::format {
namespace {

/// Turns an enum of the schema into ours: same names, same numbers.
template <typename Ours, typename Theirs>
Ours checked_enum(std::string_view where, Theirs value) {
  static_assert(sizeof(Ours) == sizeof(Theirs));
  const auto number = static_cast<unsigned>(value);
  const auto last = static_cast<unsigned>(Theirs::MAX);
  if (number > last) {
    refuse(where, "expected 0 to " + std::to_string(last) + " got " + std::to_string(number));
  }
  return static_cast<Ours>(value);
}

static_assert(static_cast<int>(schema::ElementType::MAX) == static_cast<int>(ElementType::s4));
static_assert(static_cast<int>(schema::Task::MAX) == static_cast<int>(Task::fill_mask));
static_assert(static_cast<int>(schema::Precision::MAX) == static_cast<int>(Precision::bf16));
static_assert(static_cast<int>(schema::ActivationCodes::MAX) ==
              static_cast<int>(ActivationCodes::per_tensor_asymmetric));
static_assert(static_cast<int>(schema::Pooling::MAX) == static_cast<int>(Pooling::cls));
static_assert(static_cast<int>(schema::PoolerActivation::MAX) ==
              static_cast<int>(PoolerActivation::relu));

/// Copies tables to plain values. Lists are bounded before they are copied, and what strings and
/// numbers take in memory is charged against the header's own size: tables that share one long
/// string must not multiply it.
class HeaderReader {
 public:
  HeaderReader(const schema::Model& model, std::size_t header_bytes, DataCursor& data)
      : model_(model), budget_(header_bytes), data_(data) {}

  ModelSpec read() {
    ModelSpec spec;
    spec.task = checked_enum<Task>("task", model_.task());
    spec.precision = checked_enum<Precision>("precision", model_.precision());
    spec.hidden = model_.hidden();
    spec.head_dim = model_.head_dim();
    spec.layer_norm_eps = model_.layer_norm_eps();
    spec.max_length = model_.max_length();
    for (std::uint32_t label = 0; label < size("labels", model_.labels(), kMaxLabels); ++label) {
      spec.labels.push_back(text(*model_.labels()->Get(label)));
    }
    spec.embedding = embedding(*model_.embedding());
    for (std::uint32_t layer = 0; layer < size("layers", model_.layers(), kMaxLayers); ++layer) {
      spec.layers.push_back(read_layer(indexed("layers", layer), *model_.layers()->Get(layer)));
    }
    spec.head = head(*model_.head());
    spec.tokenizer = tokenizer(*model_.tokenizer());
    const std::uint32_t n_stages = size("provenance", model_.provenance(), kMaxStages);
    for (std::uint32_t stage = 0; stage < n_stages; ++stage) {
      spec.provenance.push_back(
          read_stage(indexed("provenance", stage), *model_.provenance()->Get(stage)));
    }
    if (model_.self_test() != nullptr) spec.self_test = self_test(*model_.self_test());
    return spec;
  }

 private:
  void charge(std::size_t n_bytes) {
    if (n_bytes > budget_) {
      refuse("header", "strings or lists are shared, so that it unpacks to more than its own size");
    }
    budget_ -= n_bytes;
  }

  /// Number of entries of a list that may be absent.
  template <typename T>
  static std::uint32_t size(std::string_view where, const flatbuffers::Vector<T>* list,
                            std::size_t limit) {
    if (list == nullptr) return 0;
    if (list->size() > limit) {
      refuse(where, "expected at most " + std::to_string(limit) + " entries got " +
                        std::to_string(list->size()));
    }
    return list->size();
  }

  std::string text(const flatbuffers::String& string) {
    charge(string.size());
    return string.str();
  }

  Tensor tensor(const std::string& where, const schema::Tensor* stored) {
    if (stored == nullptr) return {};
    Tensor result;
    result.type = checked_enum<ElementType>(where + ".type", stored->type());
    result.rows = stored->rows();
    result.cols = stored->cols();
    result.bytes = data_.take(where, stored->offset(), stored->bytes());
    return result;
  }

  LinearSpec linear(const std::string& where, const schema::Linear& stored) {
    LinearSpec result;
    result.in = stored.in();
    result.out = stored.out();
    result.precision = checked_enum<Precision>(where + ".precision", stored.precision());
    result.activations =
        checked_enum<ActivationCodes>(where + ".activations", stored.activations());
    result.activation_scale = stored.activation_scale();
    result.activation_zero = stored.activation_zero();
    result.weight = tensor(where + ".weight", stored.weight());
    result.scale = tensor(where + ".scale", stored.scale());
    result.bias = tensor(where + ".bias", stored.bias());
    result.input_scale = tensor(where + ".input_scale", stored.input_scale());
    result.group = stored.group();
    result.multiplier = tensor(where + ".multiplier", stored.multiplier());
    return result;
  }

  std::optional<HeadLinear> head_linear(const std::string& where,
                                        const schema::HeadLinear* stored) {
    if (stored == nullptr) return std::nullopt;
    HeadLinear result;
    result.in = stored->in();
    result.out = stored->out();
    result.weight = tensor(where + ".weight", stored->weight());
    result.bias = tensor(where + ".bias", stored->bias());
    return result;
  }

  NormSpec norm(const std::string& where, const schema::Norm* stored) {
    if (stored == nullptr) return {};
    NormSpec result;
    result.weight = tensor(where + ".weight", stored->weight());
    result.bias = tensor(where + ".bias", stored->bias());
    return result;
  }

  EmbeddingSpec embedding(const schema::Embedding& stored) {
    EmbeddingSpec result;
    result.word = tensor("embedding.word", stored.word());
    result.word_scale = tensor("embedding.word_scale", stored.word_scale());
    result.position = tensor("embedding.position", stored.position());
    result.segment = tensor("embedding.segment", stored.segment());
    result.norm = norm("embedding.norm", stored.norm());
    if (stored.projection() != nullptr) {
      result.projection = linear("embedding.projection", *stored.projection());
    }
    result.word_group = stored.word_group();
    result.word_multiplier = tensor("embedding.word_multiplier", stored.word_multiplier());
    return result;
  }

  LayerSpec read_layer(const std::string& where, const schema::Layer& stored) {
    LayerSpec result;
    result.n_heads = stored.n_heads();
    result.intermediate = stored.intermediate();
    result.qkv = linear(where + ".qkv", *stored.qkv());
    result.out = linear(where + ".out", *stored.out());
    result.attention_norm = norm(where + ".attention_norm", stored.attention_norm());
    result.up = linear(where + ".up", *stored.up());
    result.down = linear(where + ".down", *stored.down());
    result.output_norm = norm(where + ".output_norm", stored.output_norm());
    return result;
  }

  HeadSpec head(const schema::Head& stored) {
    HeadSpec result;
    result.pooler = head_linear("head.pooler", stored.pooler());
    result.classifier = head_linear("head.classifier", stored.classifier());
    result.pooling = checked_enum<Pooling>("head.pooling", stored.pooling());
    result.normalize = stored.normalize();
    result.transform = head_linear("head.transform", stored.transform());
    result.transform_norm = norm("head.transform_norm", stored.transform_norm());
    result.decoder_bias = tensor("head.decoder_bias", stored.decoder_bias());
    result.pooler_activation =
        checked_enum<PoolerActivation>("head.pooler_activation", stored.pooler_activation());
    return result;
  }

  TokenizerSpec tokenizer(const schema::Tokenizer& stored) {
    TokenizerSpec result;
    const std::span<const std::byte> bytes =
        data_.take("tokenizer.vocabulary", stored.vocabulary_offset(), stored.vocabulary_bytes());
    result.vocabulary = {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
    result.n_pieces = stored.n_pieces();
    result.lowercase = stored.lowercase();
    result.strip_accents = stored.strip_accents();
    result.split_cjk = stored.split_cjk();
    result.clean_text = stored.clean_text();
    result.unk = stored.unk();
    result.cls = stored.cls();
    result.sep = stored.sep();
    result.pad = stored.pad();
    result.mask = stored.mask();
    result.max_word_chars = stored.max_word_chars();
    result.continuation = text(*stored.continuation());
    const std::uint32_t n_added = size("tokenizer.added", stored.added(), kMaxAddedTokens);
    for (std::uint32_t token = 0; token < n_added; ++token) {
      const schema::AddedToken& added = *stored.added()->Get(token);
      result.added.push_back({.content = text(*added.content()),
                              .id = added.id(),
                              .single_word = added.single_word(),
                              .lstrip = added.lstrip(),
                              .rstrip = added.rstrip(),
                              .normalized = added.normalized()});
    }
    return result;
  }

  std::vector<std::pair<std::string, std::string>> pairs(
      const std::string& where,
      const flatbuffers::Vector<flatbuffers::Offset<schema::Pair>>* list) {
    std::vector<std::pair<std::string, std::string>> result;
    for (std::uint32_t pair = 0; pair < size(where, list, kMaxPairs); ++pair) {
      std::string key = text(*list->Get(pair)->key());
      result.emplace_back(std::move(key), text(*list->Get(pair)->value()));
    }
    return result;
  }

  ProvenanceStage read_stage(const std::string& where, const schema::Stage& stored) {
    ProvenanceStage result;
    result.name = text(*stored.name());
    result.version = text(*stored.version());
    result.options = pairs(where + ".options", stored.options());
    result.inputs = pairs(where + ".inputs", stored.inputs());
    result.metrics = pairs(where + ".metrics", stored.metrics());
    return result;
  }

  SelfTest self_test(const schema::SelfTest& stored) {
    SelfTest result;
    result.tolerance = stored.tolerance();
    const std::uint32_t n_cases = size("self_test.cases", stored.cases(), kMaxCases);
    for (std::uint32_t index = 0; index < n_cases; ++index) {
      const schema::SelfTestCase& entry = *stored.cases()->Get(index);
      charge(entry.ids()->size() * sizeof(TokenId) + entry.segments()->size());
      charge(entry.expected()->size() * sizeof(float));
      SelfTestCase test;
      for (const std::int32_t id : *entry.ids()) test.ids.push_back(TokenId{id});
      test.segments.assign(entry.segments()->begin(), entry.segments()->end());
      test.expected.assign(entry.expected()->begin(), entry.expected()->end());
      result.cases.push_back(std::move(test));
    }
    return result;
  }

  const schema::Model& model_;
  std::size_t budget_;
  DataCursor& data_;
};

/// A table that every version begins with, so that a version we do not know is named as such even
/// when nothing else of its header can be read.
void check_version(std::span<const std::byte> header) {
  const auto* bytes = reinterpret_cast<const std::uint8_t*>(header.data());
  flatbuffers::Verifier verifier(bytes, header.size(), 2, 1);
  if (!verifier.VerifySizePrefixedBuffer<schema::Preamble>(kFileId)) {
    refuse("header", "is no well-formed FlatBuffer; export the model again");
  }
  const auto version = flatbuffers::GetSizePrefixedRoot<schema::Preamble>(bytes)->version();
  if (version == kFormatVersion) return;
  refuse("version", "the file has format version " + std::to_string(version) +
                        ", this library reads version " + std::to_string(kFormatVersion) +
                        "; use a library that reads it or export the model again with this one");
}

}  // namespace

ModelSpec read_header(std::span<const std::byte> header, std::span<const std::byte> data) {
  // The verifier's constructor only asserts that a buffer is below 2 GiB.
  if (header.size() > kMaxHeaderBytes) refuse("header", "is larger than the limit");
  check_version(header);
  const auto* bytes = reinterpret_cast<const std::uint8_t*>(header.data());
  const auto max_tables =
      static_cast<flatbuffers::uoffset_t>(std::min(kMaxTables, 8 * header.size()));
  flatbuffers::Verifier verifier(bytes, header.size(), kMaxDepth, max_tables);
  if (!verifier.VerifySizePrefixedBuffer<schema::Model>(kFileId)) {
    refuse("header", "is no well-formed FlatBuffer of this schema; export the model again");
  }
  const auto& model = *flatbuffers::GetSizePrefixedRoot<schema::Model>(bytes);
  if (model.data_bytes() != data.size()) {
    refuse("data_bytes", "expected " + std::to_string(data.size()) + " as the file has got " +
                             std::to_string(model.data_bytes()));
  }
  DataCursor cursor(data);
  ModelSpec spec = HeaderReader(model, header.size(), cursor).read();
  cursor.finish();
  return spec;
}

}  // namespace espalier::format
