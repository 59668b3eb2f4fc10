#include "compress/export/dequantize.hpp"

#include <cassert>
#include <cstring>

#include "runtime/reference/linear.hpp"

namespace espalier::compress {
namespace {

using format::ElementType;

std::vector<float> decoded_panels(const format::LinearSpec& linear) {
  const auto codes = linear.weight.as<std::int8_t>();
  const auto scales = linear.scale.as<float>();
  const auto input_scales = linear.input_scale.as<float>();
  std::vector<float> weights(std::size_t{linear.out} * linear.in);
  for (std::uint32_t out = 0; out < linear.out; ++out) {
    for (std::uint32_t in = 0; in < linear.in; ++in) {
      const double code = codes[format::panel_index(out, in, linear.in)];
      const double input_scale = input_scales.empty() ? 1.0 : double{input_scales[in]};
      weights[std::size_t{out} * linear.in + in] =
          static_cast<float>(code * double{scales[out]} * input_scale);
    }
  }
  return weights;
}

}  // namespace

std::vector<float> dequantized_weights(const format::LinearSpec& linear) {
  return linear.precision == Precision::int8 ? decoded_panels(linear) : widened(linear.weight);
}

std::vector<float> dequantized_words(const format::EmbeddingSpec& embedding) {
  if (embedding.word.type != ElementType::s8) return widened(embedding.word);
  const auto codes = embedding.word.as<std::int8_t>();
  const auto scales = embedding.word_scale.as<float>();
  std::vector<float> words(codes.size());
  for (std::size_t at = 0; at < words.size(); ++at) {
    words[at] = static_cast<float>(codes[at]) * scales[at / embedding.word.cols];
  }
  return words;
}

std::vector<float> widened(const format::Tensor& tensor) {
  assert(tensor.type != ElementType::s8);
  std::vector<float> values(std::size_t{tensor.rows} * tensor.cols);
  if (tensor.type == ElementType::f32) {
    // Bit for bit, even where a number has several patterns.
    if (!values.empty()) std::memcpy(values.data(), tensor.bytes.data(), tensor.bytes.size());
    return values;
  }
  for (std::size_t at = 0; at < values.size(); ++at) {
    values[at] = runtime::reference::element(tensor, at);
  }
  return values;
}

}  // namespace espalier::compress
