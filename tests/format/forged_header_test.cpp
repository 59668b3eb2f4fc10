// Headers with a right checksum that break the structure: offsets, enums, versions, lists, tables.
#include <gtest/gtest.h>

#include <cstring>
#include <limits>
#include <ostream>

#include "format/container.hpp"
#include "format/writer.hpp"
#include "tests/format/forge.hpp"

namespace espalier::testing {
namespace {

namespace schema = format::schema;

struct Forgery {
  const char* name;
  std::function<void(schema::ModelT&)> edit;
  const char* where;
};

void PrintTo(const Forgery& forgery, std::ostream* out) {
  *out << forgery.name;
}

constexpr std::uint64_t kHuge = std::numeric_limits<std::uint64_t>::max();

std::vector<Forgery> forgeries() {
  return {
      {"VersionOne", [](schema::ModelT& m) { m.version = 1; }, "version"},
      {"VersionHuge", [](schema::ModelT& m) { m.version = 0xFFFFFFFF; }, "version"},
      {"DataBytesShort", [](schema::ModelT& m) { m.data_bytes -= 64; }, "data_bytes"},
      {"DataBytesLong", [](schema::ModelT& m) { m.data_bytes += 64; }, "data_bytes"},
      {"DataBytesHuge", [](schema::ModelT& m) { m.data_bytes = kHuge; }, "data_bytes"},
      {"TaskUnknown", [](schema::ModelT& m) { m.task = schema::Task(6); }, "task"},
      {"PrecisionUnknown", [](schema::ModelT& m) { m.precision = schema::Precision(3); },
       "precision"},
      {"PoolingUnknown", [](schema::ModelT& m) { m.head->pooling = schema::Pooling(255); },
       "head.pooling"},
      {"PoolerActivationUnknown",
       [](schema::ModelT& m) { m.head->pooler_activation = schema::PoolerActivation(2); },
       "head.pooler_activation"},
      {"ElementTypeUnknown",
       [](schema::ModelT& m) { m.embedding->position->type = schema::ElementType(5); },
       "embedding.position.type"},
      {"LinearPrecisionUnknown",
       [](schema::ModelT& m) { m.layers[0]->up->precision = schema::Precision(7); },
       "layers[0].up.precision"},
      {"ActivationsUnknown",
       [](schema::ModelT& m) { m.layers[0]->up->activations = schema::ActivationCodes(3); },
       "layers[0].up.activations"},
      {"FirstPartNotAtZero", [](schema::ModelT& m) { m.embedding->word->offset = 64; },
       "embedding.word"},
      {"Overlap",
       [](schema::ModelT& m) {
         m.layers[0]->up->weight->offset = m.layers[0]->qkv->weight->offset;
       },
       "layers[0].up.weight"},
      {"Hole", [](schema::ModelT& m) { m.layers[0]->up->weight->offset += 64; },
       "layers[0].up.weight"},
      {"NotAligned", [](schema::ModelT& m) { m.layers[0]->up->weight->offset += 4; },
       "layers[0].up.weight"},
      {"OffsetHuge", [](schema::ModelT& m) { m.layers[0]->up->weight->offset = kHuge - 63; },
       "layers[0].up.weight"},
      {"BytesHuge", [](schema::ModelT& m) { m.layers[0]->up->weight->bytes = kHuge; },
       "layers[0].up.weight"},
      {"BytesThatWrapWithTheOffset",
       [](schema::ModelT& m) {
         m.layers[0]->up->weight->bytes = 0 - m.layers[0]->up->weight->offset;
       },
       "layers[0].up.weight"},
      {"BytesPastTheEnd", [](schema::ModelT& m) { m.head->classifier->bias->bytes = 1U << 20; },
       "head.classifier.bias"},
      {"BytesZero", [](schema::ModelT& m) { m.head->classifier->bias->bytes = 0; },
       "head.classifier.bias"},
      {"VocabularyPastTheEnd",
       [](schema::ModelT& m) { m.tokenizer->vocabulary_bytes = m.data_bytes; },
       "tokenizer.vocabulary"},
      {"VocabularyElsewhere", [](schema::ModelT& m) { m.tokenizer->vocabulary_offset = 0; },
       "tokenizer.vocabulary"},
      {"VocabularyMissing",
       [](schema::ModelT& m) {
         m.tokenizer->vocabulary_bytes = m.tokenizer->vocabulary_offset = 0;
       },
       "tokenizer.vocabulary"},
      {"PartOfTheSegmentUnused", [](schema::ModelT& m) { m.tokenizer->vocabulary_bytes = 64; },
       "data segment"},
      {"PartDropped", [](schema::ModelT& m) { m.head->classifier->bias.reset(); },
       "tokenizer.vocabulary"},
      {"LayerDropped", [](schema::ModelT& m) { m.layers.pop_back(); }, "head.pooler.weight"},
      {"LayersSwapped", [](schema::ModelT& m) { std::swap(m.layers[0], m.layers[1]); },
       "layers[0].qkv.weight"},
      {"LayersMany",
       [](schema::ModelT& m) {
         for (int extra = 0; extra < 256; ++extra) {
           m.layers.push_back(std::make_unique<schema::LayerT>(*m.layers[0]));
         }
       },
       "layers"},
      {"CasesMany",
       [](schema::ModelT& m) {
         for (int extra = 0; extra < 64; ++extra) {
           m.self_test->cases.push_back(
               std::make_unique<schema::SelfTestCaseT>(*m.self_test->cases[0]));
         }
       },
       "self_test.cases"},
  };
}

class ForgedHeader : public ::testing::TestWithParam<Forgery> {};

TEST_P(ForgedHeader, IsRefused) {
  const Bytes file = format::to_bytes(make_tiny_model({.self_test = true}).spec());

  const Verdict verdict = read(edit_header(file, GetParam().edit));

  ASSERT_FALSE(verdict.accepted);
  EXPECT_EQ(verdict.code, ErrorCode::verification);
  const std::string start = std::string(GetParam().where) + ": ";
  EXPECT_EQ(verdict.message.substr(0, start.size()), start) << verdict.message;
}

INSTANTIATE_TEST_SUITE_P(Structure, ForgedHeader, ::testing::ValuesIn(forgeries()),
                         [](const auto& test) { return std::string(test.param.name); });

TEST(Version, IsRefusedNamingBothVersionsAndTheRemedy) {
  const Bytes file = format::to_bytes(make_tiny_model().spec());

  const Verdict verdict = read(edit_header(file, [](schema::ModelT& m) { m.version = 3; }));

  for (const char* part : {"format version 3", "reads version 0", "export the model again"}) {
    EXPECT_NE(verdict.message.find(part), std::string::npos) << verdict.message;
  }
}

TEST(Version, OfANewerFileIsNamedThoughNothingElseOfItIsKnown) {
  flatbuffers::FlatBufferBuilder fbb;
  fbb.FinishSizePrefixed(schema::CreatePreamble(fbb, 12), format::kFileId);
  const Bytes file = format::to_bytes(make_tiny_model().spec());

  const Verdict verdict = read(replace_header(
      file, std::as_bytes(std::span<const std::uint8_t>(fbb.GetBufferPointer(), fbb.GetSize()))));

  EXPECT_NE(verdict.message.find("format version 12"), std::string::npos) << verdict.message;
}

/// Takes a field out of a table, as a file of a careless writer would lack it.
void drop_field(flatbuffers::Table* table, flatbuffers::voffset_t field) {
  const auto* vtable = table->GetVTable();
  const flatbuffers::voffset_t none = 0;
  std::memcpy(const_cast<std::uint8_t*>(vtable) + field, &none, sizeof none);
}

TEST(RequiredParts, AreRefusedWhenMissing) {
  const Bytes file = format::to_bytes(make_tiny_model().spec());
  for (const auto field : {schema::Model::VT_EMBEDDING, schema::Model::VT_LAYERS,
                           schema::Model::VT_HEAD, schema::Model::VT_TOKENIZER}) {
    Bytes forged = file;
    auto* model = flatbuffers::GetMutableRoot<flatbuffers::Table>(forged.data() + 4);
    drop_field(model, field);
    reseal(forged);

    const Verdict verdict = read(forged);

    EXPECT_FALSE(verdict.accepted) << field;
    EXPECT_EQ(verdict.code, ErrorCode::verification) << field;
  }
}

TEST(Header, MayNotShareAStringToUnpackToMoreThanItsSize) {
  // 1,000 labels that are one string of 1,000 bytes: 5 kB in the file, 1 MB in memory.
  flatbuffers::FlatBufferBuilder fbb;
  const OwnedModel model = make_tiny_model({.labels = std::vector<std::string>(1000, "x")});
  const Bytes file = format::to_bytes(model.spec());
  const auto* root = flatbuffers::GetSizePrefixedRoot<schema::Model>(file.data());
  const std::unique_ptr<schema::ModelT> fields(root->UnPack());
  const auto shared = fbb.CreateString(std::string(1000, 'x'));
  const auto labels =
      fbb.CreateVector(std::vector<flatbuffers::Offset<flatbuffers::String>>(1000, shared));
  const auto embedding = schema::CreateEmbedding(fbb, fields->embedding.get());
  std::vector<flatbuffers::Offset<schema::Layer>> layers;
  for (const auto& layer : fields->layers) layers.push_back(CreateLayer(fbb, layer.get()));
  const auto layer_list = fbb.CreateVector(layers);
  const auto head = schema::CreateHead(fbb, fields->head.get());
  const auto tokenizer = schema::CreateTokenizer(fbb, fields->tokenizer.get());
  fbb.FinishSizePrefixed(
      schema::CreateModel(fbb, 0, fields->task, fields->precision, fields->hidden, fields->head_dim,
                          fields->layer_norm_eps, fields->max_length, labels, fields->data_bytes,
                          embedding, layer_list, head, tokenizer),
      format::kFileId);

  const Verdict verdict = read(replace_header(
      file, std::as_bytes(std::span<const std::uint8_t>(fbb.GetBufferPointer(), fbb.GetSize()))));

  EXPECT_FALSE(verdict.accepted);
  EXPECT_NE(verdict.message.find("shared"), std::string::npos) << verdict.message;
}

TEST(Header, SizeIsCheckedAgainstTheFileAndTheLimit) {
  const Bytes file = format::to_bytes(make_tiny_model(smallest_model()).spec());
  for (const std::uint32_t size :
       {0U, 7U, static_cast<std::uint32_t>(file.size()), 0x7FFFFFFFU, 0x80000000U, 0xFFFFFFFFU}) {
    Bytes forged = file;
    std::memcpy(forged.data(), &size, sizeof size);
    reseal(forged);

    const Verdict verdict = read(forged);

    EXPECT_EQ(verdict.message.substr(0, 11), "header size") << verdict.message;
  }
}

}  // namespace
}  // namespace espalier::testing
