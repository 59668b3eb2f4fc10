// See convert_tensors.hpp. Small matrices of int8 models (positions, heads) stay exact: F16 where
// the checkpoint's values are F16 numbers, F32 elsewhere.
#include "compress/export/convert_tensors.hpp"

#include <algorithm>
#include <cmath>
#include <string>

#include "base/bfloat16.hpp"
#include "base/canonical.hpp"
#include "base/half.hpp"
#include "base/printable.hpp"
#include "compress/checkpoint/convert_floats.hpp"
#include "compress/export/quantize_weights.hpp"
#include "compress/export/smoothing.hpp"
#include "espalier/error.hpp"
#include "format/four_bits.hpp"

namespace espalier::compress {
namespace {

using checkpoint::LinearParameters;
using checkpoint::TensorRef;
using format::ElementType;

// 128 KB of floats: a part of a core's L2, and long enough to amortise a call.
constexpr std::size_t kChunkValues = std::size_t{1} << 15;

// Sizes of a checkpoint's tensors are checked when it is opened: rows and columns fit 32 bits.
std::uint32_t rows_of(const TensorRef& source) {
  return static_cast<std::uint32_t>(source.shape().front());
}
std::uint32_t cols_of(const TensorRef& source) {
  return static_cast<std::uint32_t>(source.shape().back());
}

TensorConverter::Weights weights_of(TensorConverter::Parts parts) {
  TensorConverter::Weights weights;
  for (const LinearParameters* part : parts) weights.push_back(&part->weight);
  return weights;
}

}  // namespace

void TensorConverter::fill_f32(const TensorRef& source, std::span<float> dst) {
  source.read_f32(dst);
  on_values_(dst.size());
}

format::Tensor TensorConverter::f32_matrix(const TensorRef& source) {
  const auto fresh = store_.tensor(ElementType::f32, rows_of(source), cols_of(source));
  fill_f32(source, fresh.as<float>());
  return fresh.tensor;
}

format::Tensor TensorConverter::vector(const TensorRef& source) {
  const auto fresh = store_.tensor(ElementType::f32, 1, rows_of(source));
  fill_f32(source, fresh.as<float>());
  return fresh.tensor;
}

format::NormSpec TensorConverter::norm(const checkpoint::NormParameters& parameters) {
  return {.weight = vector(parameters.weight), .bias = vector(parameters.bias)};
}

void TensorConverter::for_each_row(const TensorRef& source, const RowVisitor& visit) {
  const std::size_t cols = cols_of(source);
  const std::uint32_t rows = rows_of(source);
  // Rows of nothing count, too: a linear whose inputs were pruned away keeps its outputs.
  const auto step = static_cast<std::uint32_t>(
      std::max<std::size_t>(1, kChunkValues / std::max<std::size_t>(cols, 1)));
  rows_.resize(std::size_t{std::min(step, rows)} * cols);
  for (std::uint32_t begin = 0; begin < rows; begin += step) {
    const std::uint32_t n_rows = std::min(step, rows - begin);
    const std::span<float> chunk = std::span(rows_).first(n_rows * cols);
    source.read_f32(chunk, begin * cols);
    for (std::uint32_t row = 0; row < n_rows; ++row) {
      visit(begin + row, chunk.subspan(row * cols, cols));
    }
    on_values_(chunk.size());
  }
}

void TensorConverter::fill_bf16(const TensorRef& source, std::span<std::uint16_t> dst) {
  for_each_row(source, [&](std::uint32_t row, std::span<const float> values) {
    const auto rounded = dst.subspan(row * values.size(), values.size());
    std::transform(values.begin(), values.end(), rounded.begin(), float_to_bfloat16);
    if (std::all_of(rounded.begin(), rounded.end(),
                    [](std::uint16_t brain) { return std::isfinite(bfloat16_to_float(brain)); })) {
      return;
    }
    throw Error(ErrorCode::bad_input, "tensor " + printable(source.name(), 80) + ", row " +
                                          std::to_string(row) +
                                          ", has a value too large for bfloat16; convert to fp32");
  });
}

bool TensorConverter::fits_f16(const TensorRef& source) {
  if (source.stored_as() == checkpoint::ElementType::f16) return true;
  std::vector<float> values(std::min<std::uint64_t>(kChunkValues, source.count()));
  for (std::uint64_t first = 0; first < source.count(); first += values.size()) {
    const auto chunk = std::span(values).first(
        static_cast<std::size_t>(std::min<std::uint64_t>(values.size(), source.count() - first)));
    source.read_f32(chunk, first);
    if (!checkpoint::fits_f16(chunk)) return false;
  }
  return true;
}

format::Tensor TensorConverter::compact_matrix(const TensorRef& source) {
  if (precision_ != Precision::int8 || !fits_f16(source)) return f32_matrix(source);
  const auto fresh = store_.tensor(ElementType::f16, rows_of(source), cols_of(source));
  const auto halves = fresh.as<std::uint16_t>();
  for_each_row(source, [&](std::uint32_t row, std::span<const float> values) {
    const auto dst = halves.subspan(row * values.size(), values.size());
    std::transform(values.begin(), values.end(), dst.begin(), float_to_half);
  });
  return fresh.tensor;
}

void TensorConverter::word_codes(const TensorRef& source, std::uint32_t group,
                                 format::EmbeddingSpec& embedding) {
  const ElementType type = group == 0 ? ElementType::s8 : ElementType::s4;
  const auto codes = store_.tensor(type, rows_of(source), cols_of(source));
  const auto scales = store_.tensor(ElementType::f32, 1, rows_of(source));
  const std::uint32_t n_groups = group == 0 ? 0 : format::n_groups(cols_of(source), group);
  const auto multipliers = store_.tensor(ElementType::s8, rows_of(source), n_groups);
  const std::size_t stride = format::row_bytes(type, cols_of(source));
  std::vector<std::int8_t> four_bits(cols_of(source));
  for_each_row(source, [&](std::uint32_t row, std::span<const float> values) {
    float& scale = scales.as<float>()[row];  // of a row of zeros, as padding often is, 0
    if (group == 0) {
      scale = round_row(values, coding_.rounding,
                        codes.as<std::int8_t>().subspan(row * stride, stride));
      return;
    }
    scale = round_row_to_four_bits(
        values, group, coding_.rounding, four_bits,
        multipliers.as<std::int8_t>().subspan(std::size_t{row} * n_groups, n_groups));
    format::pack_four_bits(four_bits, codes.as<std::uint8_t>().subspan(row * stride, stride));
  });
  embedding.word = codes.tensor;
  embedding.word_scale = scales.tensor;
  embedding.word_group = group;
  embedding.word_multiplier = multipliers.tensor;
}

void TensorConverter::fill_words(const TensorRef& word, PartType words,
                                 format::EmbeddingSpec& embedding) {
  switch (words.precision) {
    case Precision::fp32:
      embedding.word = f32_matrix(word);
      break;
    case Precision::int8:
      word_codes(word, words.group, embedding);
      break;
    case Precision::bf16: {
      const auto fresh = store_.tensor(ElementType::bf16, rows_of(word), cols_of(word));
      fill_bf16(word, fresh.as<std::uint16_t>());
      embedding.word = fresh.tensor;
      break;
    }
  }
}

void TensorConverter::recode_words(const checkpoint::BertParameters& parameters, PartType words,
                                   format::EmbeddingSpec& embedding) {
  store_.release(embedding.word);
  store_.release(embedding.word_scale);
  store_.release(embedding.word_multiplier);
  embedding.word_group = 0;
  fill_words(parameters.word_embeddings, words, embedding);
  if (!parameters.word_projection) return;
  if (embedding.projection) release(*embedding.projection);
  const TensorRef& weight = *parameters.word_projection;
  embedding.projection.emplace();
  embedding.projection->precision = words.precision;
  embedding.projection->in = cols_of(weight);
  embedding.projection->out = rows_of(weight);
  fill_weight({&weight}, {{}, words.precision}, *embedding.projection);
}

void TensorConverter::release(format::LinearSpec& linear) {
  for (format::Tensor* tensor :
       {&linear.weight, &linear.scale, &linear.bias, &linear.input_scale, &linear.multiplier}) {
    store_.release(*tensor);
  }
}

format::EmbeddingSpec TensorConverter::embedding(const checkpoint::BertParameters& parameters,
                                                 PartType words) {
  format::EmbeddingSpec embedding;
  recode_words(parameters, words, embedding);
  embedding.position = compact_matrix(parameters.position_embeddings);
  if (parameters.token_type_embeddings) {
    embedding.segment = compact_matrix(*parameters.token_type_embeddings);
  }
  embedding.norm = norm(parameters.embeddings_norm);
  return embedding;
}

std::vector<float> TensorConverter::largest_weights(const Weights& weights, std::uint32_t in) {
  std::vector<float> largest(in);
  for (const TensorRef* part : weights) {
    for_each_row(*part, [&](std::uint32_t, std::span<const float> row) {
      for (std::size_t i = 0; i < row.size(); ++i) {
        largest[i] = std::max(largest[i], std::fabs(row[i]));
      }
    });
  }
  return largest;
}

void TensorConverter::code_weights(const Weights& weights, const Wanted& wanted,
                                   std::span<const float> input_scale, format::LinearSpec& linear) {
  LinearPacker packer(store_, linear.out, linear.in,
                      {.group = wanted.type.group, .rounding = coding_.rounding});
  // The projection of words is no linear of the encoder, and has no name.
  LinearRounder* const rounder = wanted.name.empty() ? nullptr : coding_.rounder;
  const bool whole = rounder != nullptr && linear.in > 0 && linear.out > 0;
  std::vector<float> matrix;  // (out, in), for a rounder only
  if (whole) matrix.reserve(std::size_t{linear.out} * linear.in);
  std::vector<float> divided(input_scale.size());
  for (const TensorRef* part : weights) {
    for_each_row(*part, [&](std::uint32_t, std::span<const float> row) {
      for (std::size_t i = 0; i < divided.size(); ++i) divided[i] = row[i] / input_scale[i];
      const std::span<const float> coded = divided.empty() ? row : std::span<const float>(divided);
      if (whole) {
        matrix.insert(matrix.end(), coded.begin(), coded.end());
      } else {
        packer.add_channel(coded);
      }
    });
  }
  if (whole) {
    packer.add_all(*rounder, {.name = wanted.name,
                              .out = linear.out,
                              .in = linear.in,
                              .group = wanted.type.group,
                              .weights = matrix,
                              .input_scale = input_scale});
  }
  packer.store_in(linear);
}

void TensorConverter::recode(Parts parts, const Wanted& wanted, format::LinearSpec& linear) {
  release(linear);
  linear = this->linear(parts, wanted);
}

void TensorConverter::recode_smoothed(Parts parts, const Wanted& wanted,
                                      std::span<const float> activation_max,
                                      format::LinearSpec& linear) {
  release(linear);
  linear = shape_and_bias(parts, Precision::int8);
  const Weights weights = weights_of(parts);
  code_smoothed(weights, wanted, input_scale(activation_max, largest_weights(weights, linear.in)),
                linear);
}

void TensorConverter::code_smoothed(const Weights& weights, const Wanted& wanted,
                                    std::span<const float> values, format::LinearSpec& linear) {
  const auto scale = store_.tensor(ElementType::f32, 1, linear.in);
  std::copy(values.begin(), values.end(), scale.as<float>().begin());
  linear.input_scale = scale.tensor;
  code_weights(weights, wanted, values, linear);
}

format::LinearSpec TensorConverter::shape_and_bias(Parts parts, Precision precision) {
  format::LinearSpec linear;
  linear.precision = precision;
  linear.in = cols_of((*parts.begin())->weight);
  for (const LinearParameters* part : parts) linear.out += rows_of(part->weight);
  const auto bias = store_.tensor(ElementType::f32, 1, linear.out);
  std::size_t channel = 0;
  for (const LinearParameters* part : parts) {
    const std::size_t n_channels = rows_of(part->weight);
    fill_f32(part->bias, bias.as<float>().subspan(channel, n_channels));
    channel += n_channels;
  }
  linear.bias = bias.tensor;
  // Ranges of inputs lie to one side of 0, GELU's most of all, which leaves symmetric codes unused.
  if (precision == Precision::int8 && linear.in > 0 && linear.out > 0) {
    linear.activations = format::ActivationCodes::per_token_asymmetric;
  }
  return linear;
}

format::LinearSpec TensorConverter::linear(Parts parts, const Wanted& wanted,
                                           const InputCodes* inputs) {
  format::LinearSpec linear = shape_and_bias(parts, wanted.type.precision);
  const bool codes_input =
      wanted.type.precision == Precision::int8 && linear.in > 0 && linear.out > 0;
  if (inputs == nullptr || !codes_input) {
    fill_weight(weights_of(parts), wanted, linear);
    return linear;
  }
  linear.activations = inputs->activations;
  linear.activation_scale = inputs->scale;
  linear.activation_zero = inputs->zero;
  if (inputs->input_scale.empty()) {
    code_weights(weights_of(parts), wanted, {}, linear);
  } else {
    code_smoothed(weights_of(parts), wanted, inputs->input_scale, linear);
  }
  return linear;
}

void TensorConverter::fill_weight(const Weights& weights, const Wanted& wanted,
                                  format::LinearSpec& linear) {
  if (linear.precision == Precision::int8) return code_weights(weights, wanted, {}, linear);
  const bool bf16 = linear.precision == Precision::bf16;
  const auto weight =
      store_.tensor(bf16 ? ElementType::bf16 : ElementType::f32, linear.out, linear.in);
  std::size_t value = 0;
  for (const TensorRef* part : weights) {
    const auto n_values = static_cast<std::size_t>(part->count());
    if (bf16) {
      fill_bf16(*part, weight.as<std::uint16_t>().subspan(value, n_values));
    } else {
      fill_f32(*part, weight.as<float>().subspan(value, n_values));
    }
    value += n_values;
  }
  linear.weight = weight.tensor;
}

format::HeadLinear TensorConverter::head_linear(const LinearParameters& parameters) {
  return {.in = cols_of(parameters.weight),
          .out = rows_of(parameters.weight),
          .weight = compact_matrix(parameters.weight),
          .bias = vector(parameters.bias)};
}

}  // namespace espalier::compress
