// What calibration says of a small model: of its own tokens, in codes that the export stores.
#include "compress/quantize/calibrate.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <map>

#include "compress/model/surgery.hpp"
#include "compress/objective/padding.hpp"
#include "compress/quantize/taps.hpp"
#include "espalier/error.hpp"
#include "tests/compress/prune/small_model.hpp"

namespace espalier::quantize {
namespace {

using format::ActivationCodes;

// Sentences of 3 to 9 tokens of a vocabulary, made of nothing but their number.
TokenBatch sentences_of(std::uint32_t vocabulary, std::size_t n_sentences, std::size_t first = 0) {
  TokenBatch batch;
  batch.offsets.push_back(0);
  for (std::size_t sentence = first; sentence < first + n_sentences; ++sentence) {
    for (std::size_t token = 0; token < 3 + sentence % 7; ++token) {
      batch.ids.push_back(TokenId((sentence * 31 + token * 17) % vocabulary));
      batch.segments.push_back(0);
    }
    batch.offsets.push_back(static_cast<std::uint32_t>(batch.ids.size()));
  }
  return batch;
}

struct Small {
  model::Bert bert = prune::lively_bert(prune::small_config());
  TokenBatch sentences = sentences_of(bert.config.vocab, 40);
  CalibrateOptions options{.method = &range_method("minmax"),
                           .method_options = {},
                           .activations = Activations::all_static,
                           .smoothing = std::nullopt,
                           .first_token_answers = true};

  Small() { at::set_num_threads(1); }
  [[nodiscard]] Calibrated run() const { return calibrate(bert, sentences, options); }
};

const compress::InputCodes& codes_of(const Calibrated& found, std::size_t layer, Input input) {
  const compress::LayerInputs& inputs = found.layers[layer];
  switch (input) {
    case Input::qkv:
      return inputs.qkv;
    case Input::out:
      return inputs.out;
    case Input::up:
      return inputs.up;
    case Input::down:
      break;
  }
  return inputs.down;
}

TEST(Taps, ABatchWithPaddingIsItsSentencesAlone) {
  const Small small;
  const std::vector<std::size_t> together = {0, 3, 5, 11};
  struct Sum {
    double values = 0;
    std::size_t n_values = 0;
  };
  std::map<std::pair<std::size_t, Input>, Sum> padded, alone;
  const auto into = [](auto& sums) {
    return [&sums](std::size_t layer, Input input, std::span<const float> rows, std::size_t) {
      for (const float value : rows) sums[{layer, input}].values += std::fabs(value);
      sums[{layer, input}].n_values += rows.size();
    };
  };

  visit_inputs(small.bert, objective::pad(small.sentences, together, 0), true, into(padded));
  for (const std::size_t sentence : together) {
    visit_inputs(small.bert, objective::pad(small.sentences, std::span(&sentence, 1), 0), true,
                 into(alone));
  }

  ASSERT_EQ(padded.size(), 8U);
  for (const auto& [key, sum] : padded) {
    EXPECT_EQ(sum.n_values, alone[key].n_values);
    EXPECT_NEAR(sum.values, alone[key].values, 1e-4 * sum.values);
  }
}

TEST(Taps, OfTheLastLayerOnlyFirstTokensCountWhereTheyAnswer) {
  const Small small;
  const std::vector<std::size_t> two = {2, 4};
  std::map<std::pair<std::size_t, Input>, std::size_t> n_rows;
  const auto count = [&](std::size_t layer, Input input, std::span<const float> rows,
                         std::size_t n_channels) {
    n_rows[{layer, input}] = rows.size() / n_channels;
  };

  visit_inputs(small.bert, objective::pad(small.sentences, two, 0), true, count);
  const auto first_only = n_rows;
  visit_inputs(small.bert, objective::pad(small.sentences, two, 0), false, count);

  EXPECT_EQ(first_only.at({0, Input::down}), 12U);
  EXPECT_EQ(first_only.at({1, Input::qkv}), 12U);
  for (const Input input : {Input::out, Input::up, Input::down}) {
    EXPECT_EQ(first_only.at({1, input}), 2U);
    EXPECT_EQ(n_rows.at({1, input}), 12U);
  }
}

TEST(Calibrate, StaticCodesCoverTheRangesThatWereSeen) {
  const Small small;
  std::map<std::string, Range> seen;
  for (std::size_t sentence = 0; sentence < small.sentences.n_sentences(); ++sentence) {
    visit_inputs(small.bert, objective::pad(small.sentences, std::span(&sentence, 1), 0), true,
                 [&](std::size_t layer, Input input, std::span<const float> rows, std::size_t) {
                   Range& range = seen[part_name(layer, input)];
                   for (const float value : rows) {
                     range = {std::min(range.low, value), std::max(range.high, value)};
                   }
                 });
  }

  const Calibrated found = small.run();

  ASSERT_EQ(found.inputs.size(), 8U);
  EXPECT_EQ(found.n_sentences, 40U);
  EXPECT_EQ(found.n_tokens, small.sentences.n_tokens());
  for (std::size_t layer = 0; layer < 2; ++layer) {
    for (const Input input : {Input::qkv, Input::out, Input::up, Input::down}) {
      const Range range = seen[part_name(layer, input)];
      const compress::InputCodes& codes = codes_of(found, layer, input);
      const float width = range.high - range.low;
      EXPECT_EQ(codes.activations, ActivationCodes::per_tensor_asymmetric);
      EXPECT_NEAR(codes.scale, width / 255, width * 1e-6F) << part_name(layer, input);
      EXPECT_NEAR(codes.zero, -range.low / codes.scale, 0.51) << part_name(layer, input);
    }
  }
  for (const InputReport& input : found.inputs) {
    EXPECT_TRUE(input.is_static);
    EXPECT_EQ(input.fidelity.clipped_share, 0) << input.name;
    EXPECT_GT(input.fidelity.sqnr_db, 25) << input.name;
  }
}

TEST(Calibrate, MixedFixesTheOutputsOfHeadsAndNeuronsOnly) {
  Small small;
  small.options.activations = Activations::mixed;
  const Calibrated mixed = small.run();
  small.options.activations = Activations::dynamic;
  const Calibrated dynamic = small.run();

  for (const compress::LayerInputs& layer : mixed.layers) {
    EXPECT_EQ(layer.qkv.activations, ActivationCodes::per_token_asymmetric);
    EXPECT_EQ(layer.out.activations, ActivationCodes::per_tensor_asymmetric);
    EXPECT_EQ(layer.up.activations, ActivationCodes::per_token_asymmetric);
    EXPECT_EQ(layer.down.activations, ActivationCodes::per_tensor_asymmetric);
  }
  for (const InputReport& input : dynamic.inputs) EXPECT_FALSE(input.is_static) << input.name;
}

TEST(Calibrate, ScalesWhatNeuronsPutOutOnlyWhereAllTokensShareARange) {
  Small small;
  small.options.smoothing = 0.7;
  small.options.activations = Activations::mixed;
  const Calibrated mixed = small.run();
  small.options.activations = Activations::dynamic;
  const Calibrated dynamic = small.run();

  EXPECT_FALSE(mixed.layers[0].down.input_scale.empty());
  EXPECT_TRUE(dynamic.layers[0].down.input_scale.empty());
  EXPECT_EQ(mixed.layers[0].up.input_scale, dynamic.layers[0].up.input_scale);
}

TEST(Calibrate, SmoothingEvensOutAChannelThatSticksOut) {
  Small small;
  small.bert.layers[0].attention_norm.weight[5] = 40.0F;
  const Calibrated plain = small.run();
  small.options.smoothing = 0.7;

  const Calibrated smoothed = small.run();

  const std::vector<float>& scale = smoothed.layers[0].up.input_scale;
  ASSERT_EQ(scale.size(), small.bert.config.hidden);
  EXPECT_EQ(std::min_element(scale.begin(), scale.end()) - scale.begin(), 5);
  EXPECT_FALSE(smoothed.layers[1].qkv.input_scale.empty());
  EXPECT_TRUE(smoothed.layers[0].out.input_scale.empty());
  EXPECT_EQ(smoothed.layers[0].down.input_scale.size(), 64U);
  EXPECT_TRUE(plain.layers[0].up.input_scale.empty());
  const auto db = [](const Calibrated& found) { return found.inputs[2].fidelity.sqnr_db; };
  ASSERT_EQ(smoothed.inputs[2].name, "layer.0.ffn.up");
  EXPECT_LT(smoothed.inputs[2].range.high, plain.inputs[2].range.high / 3);
  EXPECT_GT(db(smoothed), db(plain) + 3);
}

TEST(Calibrate, GivesTheSameCodesTwice) {
  Small small;
  small.options.method = &range_method("mse");
  small.options.smoothing = 0.5;

  const Calibrated first = small.run();
  const Calibrated second = small.run();

  for (std::size_t layer = 0; layer < 2; ++layer) {
    for (const Input input : {Input::qkv, Input::out, Input::up, Input::down}) {
      EXPECT_EQ(codes_of(first, layer, input).scale, codes_of(second, layer, input).scale);
      EXPECT_EQ(codes_of(first, layer, input).zero, codes_of(second, layer, input).zero);
      EXPECT_EQ(codes_of(first, layer, input).input_scale,
                codes_of(second, layer, input).input_scale);
    }
  }
}

TEST(Calibrate, PassesOverWhatWasPrunedAway) {
  Small small;
  std::vector<model::Kept> units = model::all_units(small.bert);
  units[0].heads.clear();
  units[1].neurons.clear();
  small.bert = model::cut(small.bert, units);

  const Calibrated found = small.run();

  std::vector<std::string> names;
  for (const InputReport& input : found.inputs) names.push_back(input.name);
  EXPECT_EQ(names, (std::vector<std::string>{"layer.0.ffn.up", "layer.0.ffn.down",
                                             "layer.1.attention.qkv", "layer.1.attention.out"}));
}

TEST(Calibrate, RefusesAModelWhoseActivationsAreNotFinite) {
  Small small;
  small.bert.layers[1].up.bias[3] = INFINITY;
  try {
    (void)small.run();
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::bad_input);
    EXPECT_NE(std::string(error.what()).find("layer.1.ffn.down is not finite in channel 3"),
              std::string::npos)
        << error.what();
  }
}

TEST(Calibrate, RefusesToGoWithoutSentences) {
  Small small;
  small.sentences = sentences_of(10, 0);

  EXPECT_THROW((void)small.run(), Error);
}

}  // namespace
}  // namespace espalier::quantize
