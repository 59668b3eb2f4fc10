// Models whose parts differ in precision: every mixture of linears, words and what lies between
// them runs on every back end and agrees with `reference`; bit for bit where only the words are
// apart.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "format/verify_self_test.hpp"
#include "runtime/reference/reference.hpp"
#include "tests/conformance/backends.hpp"
#include "tests/conformance/shapes.hpp"
#include "tests/conformance/trace.hpp"

namespace espalier::testing {
namespace {

using runtime::Backend;

constexpr std::array<Precision, 3> kPrecisions = {Precision::fp32, Precision::int8,
                                                  Precision::bf16};

/// The precision of part `part` in mixture number `mixture`: neighbours differ, and over three
/// mixtures every part has each precision once.
Precision mixed_precision(std::size_t part, std::size_t mixture) {
  return kPrecisions[(part + part / kPrecisions.size() + mixture) % kPrecisions.size()];
}

/// One model in each precision, from the same noise; mixtures view their tensors.
class MixedModels {
 public:
  explicit MixedModels(TinyModel tiny) {
    for (std::size_t index = 0; index < kPrecisions.size(); ++index) {
      tiny.precision = kPrecisions[index];
      models_[index] = make_tiny_model(tiny);
    }
  }

  [[nodiscard]] const format::ModelSpec& spec(Precision precision) const {
    const auto* found = std::find(kPrecisions.begin(), kPrecisions.end(), precision);
    return models_[static_cast<std::size_t>(found - kPrecisions.begin())].spec();
  }

  /// A model of precision `between` whose words are of precision `words`.
  [[nodiscard]] format::ModelSpec with_words(Precision between, Precision words) const {
    format::ModelSpec mixed = spec(between);
    const format::EmbeddingSpec& from = spec(words).embedding;
    mixed.embedding.word = from.word;
    mixed.embedding.word_scale = from.word_scale;
    mixed.embedding.projection = from.projection;
    mixed.embedding.word_group = from.word_group;
    mixed.embedding.word_multiplier = from.word_multiplier;
    return mixed;
  }

  [[nodiscard]] format::ModelSpec mixture(Precision between, std::size_t number) const {
    format::ModelSpec mixed = with_words(between, mixed_precision(0, number));
    std::size_t part = 1;
    for (std::size_t layer = 0; layer < mixed.layers.size(); ++layer) {
      for (auto linear : {&format::LayerSpec::qkv, &format::LayerSpec::out, &format::LayerSpec::up,
                          &format::LayerSpec::down}) {
        mixed.layers[layer].*linear = spec(mixed_precision(part++, number)).layers[layer].*linear;
      }
    }
    return mixed;
  }

 private:
  std::array<OwnedModel, 3> models_;
};

/// Largest distance where codes are made of what floats computed. A code on the other side of a tie
/// is off by a step: about 3 / 127 of a value of order 1, 6 times the 2^-7 / 2 of bf16; the rest is
/// as in bf16_tolerance().
float mixed_tolerance(std::size_t steps, std::uint32_t depth) {
  return 6 * bf16_tolerance(steps + 1, depth);
}

/// The largest distance of two traces, as a part of what is allowed.
float worst_share(const std::vector<Observation>& expected, const std::vector<Observation>& actual,
                  const format::ModelSpec& spec) {
  float worst = 0;
  for (std::size_t step = 0; step < expected.size(); ++step) {
    const float tolerance = mixed_tolerance(step + 1, widest_sum(spec));
    for (std::size_t i = 0; i < expected[step].values.size(); ++i) {
      const float a = expected[step].values[i];
      const float apart = std::fabs(a - actual[step].values[i]) / std::max(1.0F, std::fabs(a));
      if (!(apart <= worst * tolerance)) worst = apart / tolerance;
    }
  }
  return worst;
}

using Case = std::tuple<const Backend*, Shape>;

class Mixed : public ::testing::TestWithParam<Case> {
 protected:
  const Backend& backend() const { return *std::get<0>(GetParam()); }
  const Shape& shape() const { return std::get<1>(GetParam()); }
};

std::string name_of_case(const ::testing::TestParamInfo<Case>& info) {
  return test_name(*std::get<0>(info.param)) + std::get<1>(info.param).name;
}

TEST_P(Mixed, AgreesWithTheReference) {
  const MixedModels models(shape().model);
  const TokenBatch batch = make_batch(make_sentences(shape().lengths));

  for (const Precision between : kPrecisions) {
    for (std::size_t number = 0; number < kPrecisions.size(); ++number) {
      const format::ModelSpec spec = models.mixture(between, number);
      const auto expected = trace(runtime::reference_backend(), spec, batch);
      const auto actual = trace(backend(), spec, batch);

      EXPECT_LE(worst_share(expected, actual, spec), 1)
          << "mixture " << number << " between parts of " << espalier::name_of(between);
    }
  }
}

TEST_P(Mixed, Int8WithWordsOfFloatsGivesTheBitsOfTheReference) {
  const MixedModels models(shape().model);
  const TokenBatch batch = make_batch(make_sentences(shape().lengths));

  for (const Precision words : {Precision::fp32, Precision::bf16}) {
    const format::ModelSpec spec = models.with_words(Precision::int8, words);
    // The projection of a factorised table goes with its words: a linear of floats.
    ASSERT_EQ(format::answers_bit_equal(spec), shape().model.embedding_rank == 0);
    if (shape().model.embedding_rank > 0) continue;
    const auto expected = trace(runtime::reference_backend(), spec, batch);
    const auto actual = trace(backend(), spec, batch);

    for (std::size_t step = 0; step < expected.size(); ++step) {
      EXPECT_EQ(expected[step].values, actual[step].values) << expected[step].step;
    }
  }
}

GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(Mixed);
INSTANTIATE_TEST_SUITE_P(EveryBackend, Mixed,
                         ::testing::Combine(::testing::ValuesIn(other_backends()),
                                            ::testing::ValuesIn(all_shapes())),
                         name_of_case);

// Mutants: a linear that is computed from another one's weights shows in every precision.
TEST(MixedMutant, ALinearOfAnotherLayerShows) {
  const MixedModels models({});
  const TokenBatch batch = make_batch(make_sentences(std::vector<std::uint32_t>{7, 12, 3}));

  for (std::size_t number = 0; number < kPrecisions.size(); ++number) {
    for (auto linear : {&format::LayerSpec::qkv, &format::LayerSpec::out, &format::LayerSpec::up,
                        &format::LayerSpec::down}) {
      const format::ModelSpec spec = models.mixture(Precision::int8, number);
      format::ModelSpec spoilt = spec;
      spoilt.layers[0].*linear = models.spec(Precision::fp32).layers[1].*linear;

      EXPECT_GT(worst_share(trace(runtime::reference_backend(), spec, batch),
                            trace(runtime::reference_backend(), spoilt, batch), spec),
                3);
    }
  }
}

}  // namespace
}  // namespace espalier::testing
