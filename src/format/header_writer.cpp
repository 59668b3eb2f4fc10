#include <algorithm>
#include <string>

#include "espalier/error.hpp"
#include "format/container.hpp"
#include "format/header.hpp"
#include "model_generated.h"

namespace espalier::format {
namespace {

using flatbuffers::Offset;

/// Bytes that the strings and lists of a header take at least. FlatBufferBuilder asserts when a
/// buffer reaches 2 GiB, so a spec that is far too large is found before it is built.
std::size_t payload_bytes(const ModelSpec& spec) {
  std::size_t sum = 0;
  for (const std::string& label : spec.labels) sum += label.size();
  for (const AddedToken& token : spec.tokenizer.added) sum += token.content.size();
  for (const ProvenanceStage& stage : spec.provenance) {
    sum += stage.name.size() + stage.version.size();
    for (const auto* pairs : {&stage.options, &stage.inputs, &stage.metrics}) {
      for (const auto& [key, value] : *pairs) sum += key.size() + value.size();
    }
  }
  for (const SelfTestCase& test : spec.self_test.cases) {
    sum += test.ids.size() * sizeof(TokenId) + test.segments.size();
    sum += test.expected.size() * sizeof(float);
  }
  return sum;
}

void check_header_size(std::size_t n_bytes) {
  if (n_bytes <= kMaxHeaderBytes) return;
  throw Error(ErrorCode::resource,
              "the header would have " + std::to_string(n_bytes) +
                  " bytes, more than the limit of " + std::to_string(kMaxHeaderBytes) +
                  "; use fewer or shorter labels, provenance entries or self-test cases");
}

/// Builds children before parents, as FlatBuffers asks, and parts in the order of the segment.
class HeaderWriter {
 public:
  explicit HeaderWriter(const ModelSpec& spec) : spec_(spec) {}

  FilePlan write() {
    const auto embedding = write(spec_.embedding);
    std::vector<Offset<schema::Layer>> layers;
    for (const LayerSpec& layer : spec_.layers) layers.push_back(write(layer));
    const auto layer_list = fbb_.CreateVector(layers);
    const auto head = write(spec_.head);
    const auto tokenizer = write(spec_.tokenizer);
    const auto labels = spec_.labels.empty() ? 0 : fbb_.CreateVectorOfStrings(spec_.labels);
    std::vector<Offset<schema::Stage>> stages;
    for (const ProvenanceStage& stage : spec_.provenance) stages.push_back(write(stage));
    const auto provenance = list(stages);
    const auto self_test = write(spec_.self_test);
    const auto model = schema::CreateModel(
        fbb_, kFormatVersion, static_cast<schema::Task>(spec_.task),
        static_cast<schema::Precision>(spec_.precision), spec_.hidden, spec_.head_dim,
        spec_.layer_norm_eps, spec_.max_length, labels, plan_.data_bytes, embedding, layer_list,
        head, tokenizer, provenance, self_test);
    fbb_.FinishSizePrefixed(model, kFileId);
    check_header_size(fbb_.GetSize());
    const auto* begin = reinterpret_cast<const std::byte*>(fbb_.GetBufferPointer());
    plan_.header.assign(begin, begin + fbb_.GetSize());
    plan_.header.resize(padded(plan_.header.size()));
    return std::move(plan_);
  }

 private:
  /// Gives `bytes` the next place in the segment and returns its offset.
  std::uint64_t place(std::span<const std::byte> bytes) {
    const std::uint64_t offset = plan_.data_bytes;
    plan_.parts.push_back(bytes);
    plan_.data_bytes += padded(bytes.size());
    return offset;
  }

  Offset<schema::Tensor> write(const Tensor& tensor) {
    if (tensor.empty()) return 0;
    return schema::CreateTensor(fbb_, place(tensor.bytes), tensor.bytes.size(),
                                static_cast<schema::ElementType>(tensor.type), tensor.rows,
                                tensor.cols);
  }

  Offset<schema::Linear> write(const LinearSpec& linear) {
    const auto weight = write(linear.weight);
    const auto scale = write(linear.scale);
    const auto bias = write(linear.bias);
    const auto input_scale = write(linear.input_scale);
    const auto multiplier = write(linear.multiplier);
    return schema::CreateLinear(
        fbb_, linear.in, linear.out, static_cast<schema::Precision>(linear.precision),
        static_cast<schema::ActivationCodes>(linear.activations), weight, scale, bias, input_scale,
        linear.activation_scale, static_cast<std::uint8_t>(linear.activation_zero),
        static_cast<std::uint16_t>(linear.group), multiplier);
  }

  Offset<schema::HeadLinear> write(const std::optional<HeadLinear>& linear) {
    if (!linear) return 0;
    const auto weight = write(linear->weight);
    const auto bias = write(linear->bias);
    return schema::CreateHeadLinear(fbb_, linear->in, linear->out, weight, bias);
  }

  Offset<schema::Norm> write(const NormSpec& norm) {
    if (norm.weight.empty()) return 0;
    const auto weight = write(norm.weight);
    const auto bias = write(norm.bias);
    return schema::CreateNorm(fbb_, weight, bias);
  }

  Offset<schema::Embedding> write(const EmbeddingSpec& embedding) {
    const auto word = write(embedding.word);
    const auto word_scale = write(embedding.word_scale);
    const auto position = write(embedding.position);
    const auto segment = write(embedding.segment);
    const auto norm = write(embedding.norm);
    const auto projection = embedding.projection ? write(*embedding.projection) : 0;
    const auto word_multiplier = write(embedding.word_multiplier);
    return schema::CreateEmbedding(fbb_, word, word_scale, position, segment, norm, projection,
                                   static_cast<std::uint16_t>(embedding.word_group),
                                   word_multiplier);
  }

  Offset<schema::Layer> write(const LayerSpec& layer) {
    const auto qkv = write(layer.qkv);
    const auto out = write(layer.out);
    const auto attention_norm = write(layer.attention_norm);
    const auto up = write(layer.up);
    const auto down = write(layer.down);
    const auto output_norm = write(layer.output_norm);
    return schema::CreateLayer(fbb_, layer.n_heads, layer.intermediate, qkv, out, attention_norm,
                               up, down, output_norm);
  }

  Offset<schema::Head> write(const HeadSpec& head) {
    const auto pooler = write(head.pooler);
    const auto classifier = write(head.classifier);
    const auto transform = write(head.transform);
    const auto transform_norm = write(head.transform_norm);
    const auto decoder_bias = write(head.decoder_bias);
    return schema::CreateHead(fbb_, pooler, classifier, static_cast<schema::Pooling>(head.pooling),
                              head.normalize, transform, transform_norm, decoder_bias,
                              static_cast<schema::PoolerActivation>(head.pooler_activation));
  }

  Offset<schema::Tokenizer> write(const TokenizerSpec& spec) {
    const std::uint64_t offset =
        place(std::as_bytes(std::span<const char>(spec.vocabulary.data(), spec.vocabulary.size())));
    const auto continuation = fbb_.CreateString(spec.continuation);
    std::vector<Offset<schema::AddedToken>> tokens;
    for (const AddedToken& token : spec.added) {
      const auto content = fbb_.CreateString(token.content);
      tokens.push_back(schema::CreateAddedToken(fbb_, content, token.id, token.single_word,
                                                token.lstrip, token.rstrip, token.normalized));
    }
    const auto added = list(tokens);
    return schema::CreateTokenizer(fbb_, offset, spec.vocabulary.size(), spec.n_pieces,
                                   spec.lowercase, spec.strip_accents, spec.split_cjk,
                                   spec.clean_text, spec.unk, spec.cls, spec.sep, spec.pad,
                                   spec.mask, spec.max_word_chars, continuation, added);
  }

  auto write(const std::vector<std::pair<std::string, std::string>>& pairs) {
    std::vector<Offset<schema::Pair>> entries;
    for (const auto& pair : pairs) {
      const auto key = fbb_.CreateString(pair.first);
      const auto value = fbb_.CreateString(pair.second);
      entries.push_back(schema::CreatePair(fbb_, key, value));
    }
    return list(entries);
  }

  Offset<schema::Stage> write(const ProvenanceStage& stage) {
    const auto name = fbb_.CreateString(stage.name);
    const auto version = fbb_.CreateString(stage.version);
    const auto options = write(stage.options);
    const auto inputs = write(stage.inputs);
    const auto metrics = write(stage.metrics);
    return schema::CreateStage(fbb_, name, version, options, inputs, metrics);
  }

  Offset<schema::SelfTest> write(const SelfTest& test) {
    if (test.cases.empty() && test.tolerance == 0) return 0;
    std::vector<Offset<schema::SelfTestCase>> cases;
    for (const SelfTestCase& entry : test.cases) {
      std::vector<std::int32_t> plain;
      for (const TokenId id : entry.ids) plain.push_back(to_int(id));
      const auto ids = fbb_.CreateVector(plain);
      const auto segments = fbb_.CreateVector(entry.segments);
      const auto expected = fbb_.CreateVector(entry.expected);
      cases.push_back(schema::CreateSelfTestCase(fbb_, ids, segments, expected));
    }
    const auto case_list = list(cases);
    return schema::CreateSelfTest(fbb_, test.tolerance, case_list);
  }

  /// An empty list is an absent one, so that a spec has one form only.
  template <typename T>
  Offset<flatbuffers::Vector<Offset<T>>> list(const std::vector<Offset<T>>& entries) {
    if (entries.empty()) return 0;
    return fbb_.CreateVector(entries);
  }

  const ModelSpec& spec_;
  flatbuffers::FlatBufferBuilder fbb_;
  FilePlan plan_;
};

}  // namespace

FilePlan plan_file(const ModelSpec& spec) {
  check_header_size(payload_bytes(spec));
  return HeaderWriter(spec).write();
}

}  // namespace espalier::format
