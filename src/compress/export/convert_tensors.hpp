// Moves one parameter after the other from the checkpoint into the store, in the form that its
// precision asks for.
#pragma once

#include <cstdint>
#include <functional>
#include <initializer_list>
#include <span>
#include <string>
#include <vector>

#include "compress/checkpoint/bert_parameters.hpp"
#include "compress/export/calibration.hpp"
#include "compress/export/precision_rules.hpp"
#include "compress/export/round_weights.hpp"
#include "compress/export/tensor_store.hpp"
#include "espalier/types.hpp"
#include "format/spec.hpp"

namespace espalier::compress {

/// Converts tensors of one model; each linear may have a precision of its own. Every function
/// throws Error(bad_input) when a value is not finite, or would not be as bfloat16.
class TensorConverter {
 public:
  /// precision: the model's; int8 stores small matrices as F16 where that loses nothing.
  /// on_values: called with the number of values done since the last call; may throw.
  TensorConverter(TensorStore& store, Precision precision,
                  std::function<void(std::uint64_t n_values)> on_values)
      : store_(store), precision_(precision), on_values_(std::move(on_values)) {}

  /// How codes are made from now on.
  void set_coding(const Coding& coding) { coding_ = coding; }

  /// words: type of the word table, and of its projection where it is factorised. The projection of
  /// int4 words is int8: it is small, and every word passes through it.
  [[nodiscard]] format::EmbeddingSpec embedding(const checkpoint::BertParameters& parameters,
                                                PartType words);

  /// The same word table and projection in another type; the rest of `embedding` stays.
  void recode_words(const checkpoint::BertParameters& parameters, PartType words,
                    format::EmbeddingSpec& embedding);

  using Parts = std::initializer_list<const checkpoint::LinearParameters*>;
  using Weights = std::vector<const checkpoint::TensorRef*>;  // of one linear, from its top down

  /// A linear that is asked for: `name` is its part's, which a rounder gets to see.
  struct Wanted {
    std::string name;
    PartType type;
  };

  /// One linear from the rows of several, one after the other: Q, K and V become one matmul.
  /// In int8 and int4 its inputs are coded as `inputs` says, or per token where that is null.
  [[nodiscard]] format::LinearSpec linear(Parts parts, const Wanted& wanted,
                                          const InputCodes* inputs = nullptr);

  /// The same linear anew in another type, in the place of `linear`.
  void recode(Parts parts, const Wanted& wanted, format::LinearSpec& linear);

  /// The same, of int8 or int4, with an input scale that smooths inputs of these magnitudes; (in).
  void recode_smoothed(Parts parts, const Wanted& wanted, std::span<const float> activation_max,
                       format::LinearSpec& linear);

  [[nodiscard]] format::HeadLinear head_linear(const checkpoint::LinearParameters& parameters);
  [[nodiscard]] format::NormSpec norm(const checkpoint::NormParameters& parameters);

  /// A vector, as (1, n) f32.
  [[nodiscard]] format::Tensor vector(const checkpoint::TensorRef& source);

 private:
  using RowVisitor = std::function<void(std::uint32_t row, std::span<const float> values)>;

  [[nodiscard]] format::Tensor f32_matrix(const checkpoint::TensorRef& source);
  /// Rounds every value to bfloat16, half to even.
  void fill_bf16(const checkpoint::TensorRef& source, std::span<std::uint16_t> dst);
  /// F16 in int8 models when that loses nothing, else F32.
  [[nodiscard]] format::Tensor compact_matrix(const checkpoint::TensorRef& source);
  [[nodiscard]] bool fits_f16(const checkpoint::TensorRef& source);
  [[nodiscard]] format::LinearSpec shape_and_bias(Parts parts, Precision precision);
  [[nodiscard]] std::vector<float> largest_weights(const Weights& weights, std::uint32_t in);
  /// The weights, and scales where the linear's precision has them.
  void fill_weight(const Weights& weights, const Wanted& wanted, format::LinearSpec& linear);
  /// Stores `values` as the linear's input scale and codes its weights divided by them.
  void code_smoothed(const Weights& weights, const Wanted& wanted, std::span<const float> values,
                     format::LinearSpec& linear);
  /// Codes and scales of weights divided by `input_scale`, which may be empty.
  void code_weights(const Weights& weights, const Wanted& wanted,
                    std::span<const float> input_scale, format::LinearSpec& linear);
  void fill_words(const checkpoint::TensorRef& source, PartType words,
                  format::EmbeddingSpec& embedding);
  void release(format::LinearSpec& linear);
  void word_codes(const checkpoint::TensorRef& source, std::uint32_t group,
                  format::EmbeddingSpec& embedding);
  void fill_f32(const checkpoint::TensorRef& source, std::span<float> dst);

  /// Reads a matrix a few rows at a time, so that a vocabulary never lies in memory as f32.
  void for_each_row(const checkpoint::TensorRef& source, const RowVisitor& visit);

  TensorStore& store_;
  Precision precision_;
  std::function<void(std::uint64_t)> on_values_;
  Coding coding_;
  std::vector<float> rows_;  // scratch of for_each_row
};

}  // namespace espalier::compress
