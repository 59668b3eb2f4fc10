// Every weight of a checkpoint must arrive where the file keeps it. The expected values come from
// the list the checkpoint was written from, not from the reader.
#include "compress/export/convert_tensors.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>
#include <map>

#include "base/bfloat16.hpp"
#include "base/half.hpp"
#include "compress/export/export.hpp"
#include "espalier/error.hpp"
#include "format/panels.hpp"
#include "tests/support/temporary_folder.hpp"
#include "tests/support/tiny_checkpoint.hpp"

namespace espalier::compress {
namespace {

using testing::StoredAs;
using testing::TemporaryFolder;
using testing::TinyArchitecture;
using testing::TinyCheckpoint;
using testing::TinyTensor;

using Values = std::map<std::string, std::vector<float>>;

Values values_of(const TinyCheckpoint& tiny) {
  Values values;
  for (const TinyTensor& tensor : testing::tiny_tensors(tiny)) {
    values[tensor.name] = tensor.values;
  }
  return values;
}

ExportedModel export_tiny(const TinyCheckpoint& tiny, Precision precision) {
  const TemporaryFolder folder;
  return export_checkpoint(testing::write_tiny_checkpoint(folder.path(), tiny),
                           {.precision = precision});
}

std::vector<float> floats(const format::Tensor& tensor) {
  const auto values = tensor.as<float>();
  return {values.begin(), values.end()};
}

std::vector<float> joined(const Values& values, const std::vector<std::string>& names) {
  std::vector<float> all;
  for (const std::string& name : names) {
    all.insert(all.end(), values.at(name).begin(), values.at(name).end());
  }
  return all;
}

TEST(ConvertTensors, Fp32KeepsEveryWeightOfTheEncoder) {
  TinyCheckpoint tiny;
  tiny.uneven = {{{1, 3}, 24}, {{0}, 64}};
  const Values values = values_of(tiny);

  const ExportedModel model = export_tiny(tiny, Precision::fp32);

  const format::ModelSpec& spec = model.spec();
  EXPECT_EQ(floats(spec.embedding.word), values.at("bert.embeddings.word_embeddings.weight"));
  EXPECT_EQ(floats(spec.embedding.position),
            values.at("bert.embeddings.position_embeddings.weight"));
  EXPECT_EQ(floats(spec.embedding.segment),
            values.at("bert.embeddings.token_type_embeddings.weight"));
  EXPECT_EQ(floats(spec.embedding.norm.weight), values.at("bert.embeddings.LayerNorm.weight"));
  for (std::size_t i = 0; i < spec.layers.size(); ++i) {
    const std::string name = "bert.encoder.layer." + std::to_string(i) + ".";
    const std::string self = name + "attention.self.";
    const format::LayerSpec& layer = spec.layers[i];
    EXPECT_EQ(layer.n_heads, tiny.uneven[i].heads.size());
    EXPECT_EQ(layer.intermediate, tiny.uneven[i].intermediate);
    EXPECT_EQ(floats(layer.qkv.weight),
              joined(values, {self + "query.weight", self + "key.weight", self + "value.weight"}));
    EXPECT_EQ(floats(layer.qkv.bias),
              joined(values, {self + "query.bias", self + "key.bias", self + "value.bias"}));
    EXPECT_EQ(floats(layer.out.weight), values.at(name + "attention.output.dense.weight"));
    EXPECT_EQ(floats(layer.up.weight), values.at(name + "intermediate.dense.weight"));
    EXPECT_EQ(floats(layer.up.bias), values.at(name + "intermediate.dense.bias"));
    EXPECT_EQ(floats(layer.down.weight), values.at(name + "output.dense.weight"));
    EXPECT_EQ(floats(layer.attention_norm.weight),
              values.at(name + "attention.output.LayerNorm.weight"));
    EXPECT_EQ(floats(layer.output_norm.bias), values.at(name + "output.LayerNorm.bias"));
  }
}

TEST(ConvertTensors, Fp32KeepsEveryWeightOfTheHeads) {
  const TinyCheckpoint classifier;
  const TinyCheckpoint masked = {.architecture = TinyArchitecture::masked_lm};
  const Values values = values_of(classifier);
  const Values masked_values = values_of(masked);

  const ExportedModel model = export_tiny(classifier, Precision::fp32);
  const ExportedModel masked_model = export_tiny(masked, Precision::fp32);

  const format::HeadSpec& head = model.spec().head;
  EXPECT_EQ(floats(head.pooler.value().weight), values.at("bert.pooler.dense.weight"));
  EXPECT_EQ(floats(head.classifier.value().weight), values.at("classifier.weight"));
  EXPECT_EQ(floats(head.classifier.value().bias), values.at("classifier.bias"));
  const format::HeadSpec& masked_head = masked_model.spec().head;
  EXPECT_EQ(floats(masked_head.transform.value().weight),
            masked_values.at("cls.predictions.transform.dense.weight"));
  EXPECT_EQ(floats(masked_head.transform_norm.weight),
            masked_values.at("cls.predictions.transform.LayerNorm.weight"));
  EXPECT_EQ(floats(masked_head.decoder_bias), masked_values.at("cls.predictions.bias"));
}

TEST(ConvertTensors, Bf16RoundsLinearsAndWordsAndKeepsTheRest) {
  const TinyCheckpoint tiny;
  const Values values = values_of(tiny);
  const auto rounded = [&](const std::vector<std::string>& names) {
    std::vector<std::uint16_t> all;
    for (const float value : joined(values, names)) all.push_back(float_to_bfloat16(value));
    return all;
  };
  const auto stored = [](const format::Tensor& tensor) {
    EXPECT_EQ(tensor.type, format::ElementType::bf16);
    const auto patterns = tensor.as<std::uint16_t>();
    return std::vector<std::uint16_t>(patterns.begin(), patterns.end());
  };

  const ExportedModel model = export_tiny(tiny, Precision::bf16);

  const format::ModelSpec& spec = model.spec();
  const format::LayerSpec& layer = spec.layers[1];
  const std::string name = "bert.encoder.layer.1.";
  const std::string self = name + "attention.self.";
  EXPECT_EQ(stored(spec.embedding.word), rounded({"bert.embeddings.word_embeddings.weight"}));
  EXPECT_EQ(stored(layer.qkv.weight),
            rounded({self + "query.weight", self + "key.weight", self + "value.weight"}));
  EXPECT_EQ(stored(layer.down.weight), rounded({name + "output.dense.weight"}));
  EXPECT_EQ(floats(layer.down.bias), values.at(name + "output.dense.bias"));
  EXPECT_EQ(floats(spec.embedding.position),
            values.at("bert.embeddings.position_embeddings.weight"));
  EXPECT_EQ(floats(spec.head.pooler.value().weight), values.at("bert.pooler.dense.weight"));
}

TEST(ConvertTensors, Bf16RefusesAWeightThatItCannotHold) {
  TinyCheckpoint tiny;
  tiny.edit_tensors = [](std::vector<TinyTensor>& tensors) {
    tensors[0].values[5] = std::numeric_limits<float>::max();
  };

  EXPECT_NO_THROW((void)export_tiny(tiny, Precision::fp32));
  try {
    (void)export_tiny(tiny, Precision::bf16);
    FAIL() << "not refused";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::bad_input);
    EXPECT_THAT(error.what(), ::testing::HasSubstr("word_embeddings.weight', row 0"));
  }
}

TEST(ConvertTensors, Int8WeightsAndWordEmbeddingsComeBackWithinHalfAScale) {
  const TinyCheckpoint tiny;
  const Values values = values_of(tiny);

  const ExportedModel model = export_tiny(tiny, Precision::int8);

  const format::EmbeddingSpec& embedding = model.spec().embedding;
  const auto& words = values.at("bert.embeddings.word_embeddings.weight");
  for (std::size_t i = 0; i < words.size(); ++i) {
    const float scale = embedding.word_scale.as<float>()[i / tiny.hidden];
    // The two roundings of the scale and its inverse cost 127 * 2^-23 of a step.
    ASSERT_LE(std::abs(embedding.word.as<std::int8_t>()[i] * scale - words[i]),
              scale * (0.5F + 127 * 0x1p-22F));
  }
  const format::LinearSpec& up = model.spec().layers[1].up;
  const auto codes = format::unpack_panels(up.weight.as<std::int8_t>(), up.out, up.in);
  const auto& weights = values.at("bert.encoder.layer.1.intermediate.dense.weight");
  ASSERT_EQ(up.input_scale.cols, up.in);
  for (std::size_t i = 0; i < weights.size(); ++i) {
    const float scale = up.scale.as<float>()[i / up.in];
    const float weight = weights[i] / up.input_scale.as<float>()[i % up.in];
    ASSERT_LE(std::abs(codes[i] * scale - weight), scale * (0.5F + 127 * 0x1p-22F));
  }
}

TEST(ConvertTensors, OnlyInt8LinearsThatReadANormScaleTheirInput) {
  const ExportedModel int8 = export_tiny({}, Precision::int8);
  const ExportedModel fp32 = export_tiny({}, Precision::fp32);

  for (const format::LayerSpec& layer : int8.spec().layers) {
    EXPECT_EQ(layer.qkv.input_scale.cols, layer.qkv.in);
    EXPECT_EQ(layer.up.input_scale.cols, layer.up.in);
    EXPECT_TRUE(layer.out.input_scale.empty());
    EXPECT_TRUE(layer.down.input_scale.empty());
  }
  EXPECT_TRUE(fp32.spec().layers[0].qkv.input_scale.empty());
}

TEST(ConvertTensors, Int8LinearsCodeTheirInputsAsymmetrically) {
  const ExportedModel int8 = export_tiny({}, Precision::int8);
  const ExportedModel bf16 = export_tiny({}, Precision::bf16);

  for (const format::LayerSpec& layer : int8.spec().layers) {
    for (const format::LinearSpec* linear : {&layer.qkv, &layer.out, &layer.up, &layer.down}) {
      EXPECT_EQ(linear->activations, format::ActivationCodes::per_token_asymmetric);
    }
  }
  EXPECT_EQ(bf16.spec().layers[0].down.activations, format::ActivationCodes::per_token_symmetric);
}

TEST(ConvertTensors, AWordOfZerosHasTheScaleZero) {
  TinyCheckpoint tiny;
  tiny.edit_tensors = [&](std::vector<TinyTensor>& tensors) {
    std::fill_n(tensors[0].values.begin(), tiny.hidden, 0.0F);
  };

  const ExportedModel model = export_tiny(tiny, Precision::int8);

  const format::EmbeddingSpec& embedding = model.spec().embedding;
  EXPECT_EQ(embedding.word_scale.as<float>()[0], 0.0F);
  EXPECT_GT(embedding.word_scale.as<float>()[1], 0.0F);
  for (std::size_t i = 0; i < tiny.hidden; ++i) EXPECT_EQ(embedding.word.as<std::int8_t>()[i], 0);
}

TEST(ConvertTensors, ALinearWithoutInputsKeepsItsBiasAndOneWithoutOutputsNothing) {
  TinyCheckpoint tiny;
  tiny.uneven = {{{}, 8}, {{1}, 0}};
  const Values values = values_of(tiny);

  for (const Precision precision : {Precision::fp32, Precision::int8, Precision::bf16}) {
    const ExportedModel model = export_tiny(tiny, precision);

    const format::LayerSpec& no_heads = model.spec().layers[0];
    EXPECT_EQ(no_heads.n_heads, 0U);
    EXPECT_EQ(no_heads.qkv.out, 0U);
    EXPECT_TRUE(no_heads.qkv.bias.empty());
    EXPECT_TRUE(no_heads.qkv.input_scale.empty());
    EXPECT_TRUE(no_heads.out.weight.empty());
    EXPECT_EQ(floats(no_heads.out.bias),
              values.at("bert.encoder.layer.0.attention.output.dense.bias"));
    const format::LayerSpec& no_neurons = model.spec().layers[1];
    EXPECT_TRUE(no_neurons.up.input_scale.empty());
    EXPECT_EQ(no_neurons.down.in, 0U);
    EXPECT_EQ(floats(no_neurons.down.bias), values.at("bert.encoder.layer.1.output.dense.bias"));
  }
}

TEST(ConvertTensors, FactorsOfTheWordTableAreCodedByRowAndByChannel) {
  const TinyCheckpoint tiny = {.embedding_rank = 7};
  const Values values = values_of(tiny);
  const auto& words = values.at("bert.embeddings.word_embeddings.weight");
  const auto& weights = values.at("bert.embeddings.word_projection.weight");

  const ExportedModel model = export_tiny(tiny, Precision::int8);

  const format::EmbeddingSpec& embedding = model.spec().embedding;
  const format::LinearSpec& projection = embedding.projection.value();
  EXPECT_EQ(embedding.word.cols, 7U);
  EXPECT_EQ(projection.in, 7U);
  EXPECT_EQ(projection.out, tiny.hidden);
  EXPECT_TRUE(projection.bias.empty());
  for (std::size_t i = 0; i < words.size(); ++i) {
    const float scale = embedding.word_scale.as<float>()[i / 7];
    ASSERT_LE(std::abs(embedding.word.as<std::int8_t>()[i] * scale - words[i]), scale * 0.501F);
  }
  for (std::uint32_t i = 0; i < weights.size(); ++i) {
    const float scale = projection.scale.as<float>()[i / 7];
    const std::int8_t code =
        projection.weight.as<std::int8_t>()[format::panel_index(i / 7, i % 7, 7)];
    ASSERT_LE(std::abs(code * scale - weights[i]), scale * 0.501F);
  }
}

TEST(ConvertTensors, FactorsOfTheWordTableKeepTheirValuesInFp32) {
  const TinyCheckpoint tiny = {.embedding_rank = 7};
  const Values values = values_of(tiny);

  const ExportedModel model = export_tiny(tiny, Precision::fp32);

  const format::EmbeddingSpec& embedding = model.spec().embedding;
  EXPECT_EQ(floats(embedding.word), values.at("bert.embeddings.word_embeddings.weight"));
  EXPECT_EQ(floats(embedding.projection.value().weight),
            values.at("bert.embeddings.word_projection.weight"));
  EXPECT_FALSE(export_tiny({}, Precision::fp32).spec().embedding.projection.has_value());
}

TEST(ConvertTensors, SmallMatricesOfAHalfPrecisionCheckpointStayHalf) {
  const TinyCheckpoint tiny = {.stored_as = StoredAs::f16};
  const Values values = values_of(tiny);

  const ExportedModel model = export_tiny(tiny, Precision::int8);

  const format::Tensor& position = model.spec().embedding.position;
  ASSERT_EQ(position.type, format::ElementType::f16);
  EXPECT_EQ(model.spec().head.pooler.value().weight.type, format::ElementType::f16);
  EXPECT_EQ(model.spec().head.pooler.value().bias.type, format::ElementType::f32);
  const auto& expected = values.at("bert.embeddings.position_embeddings.weight");
  for (std::size_t i = 0; i < expected.size(); ++i) {
    EXPECT_EQ(position.as<std::uint16_t>()[i], float_to_half(expected[i]));
  }
}

TEST(ConvertTensors, SmallMatricesThatHalfCannotHoldStayFloat) {
  const TinyCheckpoint tiny;  // 24 significant bits

  const ExportedModel model = export_tiny(tiny, Precision::int8);

  EXPECT_EQ(model.spec().embedding.position.type, format::ElementType::f32);
  EXPECT_EQ(floats(model.spec().embedding.position),
            values_of(tiny).at("bert.embeddings.position_embeddings.weight"));
}

TEST(ConvertTensors, OldNamesAndMissingPrefixesGiveTheSameTensors) {
  const TinyCheckpoint usual = {.architecture = TinyArchitecture::model};
  const TinyCheckpoint old = {
      .architecture = TinyArchitecture::model, .bert_prefix = false, .gamma_beta = true};

  const ExportedModel a = export_tiny(usual, Precision::int8);
  const ExportedModel b = export_tiny(old, Precision::int8);

  const auto same = [](const format::Tensor& x, const format::Tensor& y) {
    return std::equal(x.bytes.begin(), x.bytes.end(), y.bytes.begin(), y.bytes.end());
  };
  EXPECT_TRUE(same(a.spec().embedding.word, b.spec().embedding.word));
  EXPECT_TRUE(same(a.spec().embedding.norm.weight, b.spec().embedding.norm.weight));
  EXPECT_TRUE(same(a.spec().layers[1].qkv.weight, b.spec().layers[1].qkv.weight));
  EXPECT_TRUE(same(a.spec().layers[1].output_norm.bias, b.spec().layers[1].output_norm.bias));
}

}  // namespace
}  // namespace espalier::compress
