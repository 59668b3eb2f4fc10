#include "compress/export/dequantize.hpp"

#include <cassert>
#include <cstring>

#include "format/four_bits.hpp"
#include "runtime/reference/linear.hpp"
#include "runtime/unpacked_linear.hpp"

namespace espalier::compress {
namespace {

using format::ElementType;

std::vector<float> decoded_panels(const format::LinearSpec& stored) {
  const runtime::UnpackedLinear unpacked(stored);
  const format::LinearSpec& linear = unpacked.spec();
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
  if (format::word_precision(embedding) != Precision::int8) return widened(embedding.word);
  const auto scales = embedding.word_scale.as<float>();
  std::vector<float> words;
  words.reserve(std::size_t{embedding.word.rows} * embedding.word.cols);
  std::vector<std::int8_t> scratch(embedding.word.cols);
  for (std::size_t id = 0; id < embedding.word.rows; ++id) {
    for (const std::int8_t code : format::word_codes(embedding, id, scratch)) {
      words.push_back(static_cast<float>(code) * scales[id]);
    }
  }
  return words;
}

std::vector<float> widened(const format::Tensor& tensor) {
  assert(tensor.type != ElementType::s8 && tensor.type != ElementType::s4);
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
