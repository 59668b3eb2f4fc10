// Weights and words of four bits: on every back end such a model gives the bits of the int8 model
// that it stands for, which this file multiplies out by itself. And mutants: a nibble, a sign or a
// multiplier that is out of place shows.
#include <gtest/gtest.h>

#include <algorithm>
#include <tuple>

#include "runtime/reference/reference.hpp"
#include "tests/conformance/backends.hpp"
#include "tests/conformance/shapes.hpp"
#include "tests/conformance/trace.hpp"
#include "tests/support/tiny_model.hpp"

namespace espalier::testing {
namespace {

using format::ElementType;
using format::Tensor;
using runtime::Backend;

/// What code (row, col) of a table of four bits stands for: formats/README.md, word by word.
int product_at(const Tensor& codes, const Tensor& multiplier, std::uint32_t group, std::size_t row,
               std::size_t col) {
  const std::size_t row_bytes = codes.cols / 2 + codes.cols % 2;
  const unsigned byte = codes.as<std::uint8_t>()[row * row_bytes + col / 2];
  const unsigned bits = col % 2 == 0 ? byte & 15U : byte >> 4U;
  const int code = static_cast<int>(bits) - (bits >= 8 ? 16 : 0);
  return code * multiplier.as<std::int8_t>()[row * multiplier.cols + col / group];
}

/// The same model with weights and words of eight bits.
class MultipliedOut {
 public:
  explicit MultipliedOut(const format::ModelSpec& four_bits) {
    format::ModelSpec& spec = model_.edit();
    spec = four_bits;
    format::EmbeddingSpec& embedding = spec.embedding;
    embedding.word = bytes_of(embedding.word, embedding.word_multiplier, embedding.word_group,
                              [&](std::uint32_t id, std::uint32_t col) {
                                return std::size_t{id} * embedding.word.cols + col;
                              });
    embedding.word_multiplier = {};
    embedding.word_group = 0;
    if (embedding.projection) widen(*embedding.projection);
    for (format::LayerSpec& layer : spec.layers) {
      for (auto* linear : {&layer.qkv, &layer.out, &layer.up, &layer.down}) widen(*linear);
    }
  }

  [[nodiscard]] const format::ModelSpec& spec() const { return model_.spec(); }

 private:
  template <typename Place>
  Tensor bytes_of(const Tensor& codes, const Tensor& multiplier, std::uint32_t group,
                  Place&& place) {
    const std::size_t padded_rows = (codes.rows + 63) / 64 * 64;
    const std::size_t padded_cols = (codes.cols + 63) / 64 * 64;
    const std::span<std::byte> bytes = model_.allocate(padded_rows * padded_cols);
    for (std::uint32_t row = 0; row < codes.rows; ++row) {
      for (std::uint32_t col = 0; col < codes.cols; ++col) {
        bytes[place(row, col)] =
            static_cast<std::byte>(product_at(codes, multiplier, group, row, col));
      }
    }
    return {ElementType::s8, codes.rows, codes.cols, bytes};
  }

  void widen(format::LinearSpec& linear) {
    if (linear.weight.empty()) return;
    const std::size_t depth = (linear.in + 63) / 64 * 64;
    linear.weight = bytes_of(linear.weight, linear.multiplier, linear.group,
                             [&](std::uint32_t n, std::uint32_t k) {
                               return n / 64 * depth * 64 + k / 4 * 256 + n % 64 * 4 + k % 4;
                             });
    linear.multiplier = {};
    linear.group = 0;
  }

  OwnedModel model_;
};

using Case = std::tuple<const Backend*, Shape>;

class FourBits : public ::testing::TestWithParam<Case> {};

TEST_P(FourBits, GiveTheBitsOfTheInt8ModelThatTheyStandFor) {
  const auto& [backend, shape] = GetParam();
  for (const std::uint32_t group : {32U, 64U, 128U}) {
    TinyModel tiny = shape.model;
    tiny.four_bit_group = group;
    const OwnedModel model = make_tiny_model(tiny);
    const MultipliedOut int8(model.spec());
    const TokenBatch batch = make_batch(make_sentences(shape.lengths));

    const auto expected = trace(runtime::reference_backend(), int8.spec(), batch);
    const auto actual = trace(*backend, model.spec(), batch);

    ASSERT_EQ(expected.size(), actual.size());
    for (std::size_t step = 0; step < expected.size(); ++step) {
      EXPECT_EQ(expected[step].values, actual[step].values)
          << "group " << group << ", " << expected[step].step;
    }
  }
}

INSTANTIATE_TEST_SUITE_P(EveryBackend, FourBits,
                         ::testing::Combine(::testing::ValuesIn(all_backends()),
                                            ::testing::ValuesIn(all_shapes())),
                         [](const ::testing::TestParamInfo<Case>& given) {
                           return test_name(*std::get<0>(given.param)) +
                                  std::get<1>(given.param).name;
                         });

const TinyModel kTiny = {.task = Task::tag,
                         .hidden = 72,
                         .head_dim = 8,
                         .n_heads = {3},
                         .intermediate = {75},
                         .four_bit_group = 32};

/// The first step that differs, on any back end, when `spoil` has been at a model of four bits.
std::string first_step_that_differs(void (*spoil)(format::ModelSpec&)) {
  OwnedModel model = make_tiny_model(kTiny);
  const TokenBatch batch = make_batch(make_sentences(std::vector<std::uint32_t>{7, 12, 3}));
  const auto expected = trace(runtime::reference_backend(), model.spec(), batch);
  spoil(model.edit());
  const auto actual = trace(runtime::reference_backend(), model.spec(), batch);
  for (std::size_t step = 0; step < expected.size(); ++step) {
    if (expected[step].values != actual[step].values) return expected[step].step;
  }
  return "none";
}

TEST(FourBitsMutant, SwappedHalvesOfBytesShow) {
  EXPECT_EQ(first_step_that_differs([](format::ModelSpec& spec) {
              for (std::uint8_t& byte : OwnedModel::edit<std::uint8_t>(spec.layers[0].qkv.weight)) {
                byte = static_cast<std::uint8_t>(byte << 4 | byte >> 4);
              }
            }),
            "layer 0 context");
  EXPECT_EQ(first_step_that_differs([](format::ModelSpec& spec) {
              for (std::uint8_t& byte : OwnedModel::edit<std::uint8_t>(spec.embedding.word)) {
                byte = static_cast<std::uint8_t>(byte << 4 | byte >> 4);
              }
            }),
            "embed");
}

TEST(FourBitsMutant, MultipliersOfTheNextGroupShow) {
  EXPECT_EQ(first_step_that_differs([](format::ModelSpec& spec) {
              const auto multipliers =
                  OwnedModel::edit<std::int8_t>(spec.layers[0].down.multiplier);
              std::rotate(multipliers.begin(), multipliers.begin() + 1, multipliers.end());
            }),
            "layer 0 feed_forward_add_norm");
  EXPECT_EQ(first_step_that_differs([](format::ModelSpec& spec) {
              const auto multipliers =
                  OwnedModel::edit<std::int8_t>(spec.embedding.word_multiplier);
              std::rotate(multipliers.begin(), multipliers.begin() + 1, multipliers.end());
            }),
            "embed");
}

TEST(FourBitsMutant, ACodeOfTheShortLastGroupThatChangesItsSignShows) {
  EXPECT_EQ(first_step_that_differs([](format::ModelSpec& spec) {
              // Input 74 of 75: the third group has 11 inputs, and the row ends with half a byte.
              format::LinearSpec& down = spec.layers[0].down;
              const auto bytes = OwnedModel::edit<std::uint8_t>(down.weight);
              for (std::size_t row = 0; row < down.out; ++row) {
                std::uint8_t& byte = bytes[row * 38 + 37];
                byte = static_cast<std::uint8_t>((16U - byte) & 15U);
              }
            }),
            "layer 0 feed_forward_add_norm");
}

}  // namespace
}  // namespace espalier::testing
