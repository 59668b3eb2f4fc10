#include "tests/support/tiny_model.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <numeric>

#include "base/bfloat16.hpp"
#include "base/half.hpp"
#include "format/panels.hpp"

namespace espalier::testing {
namespace {

using format::ElementType;
using format::Tensor;

/// splitmix64 and a sum of uniforms: no library function whose last bit differs between machines.
class Noise {
 public:
  explicit Noise(std::uint64_t seed) : state_(seed * 0x9E3779B97F4A7C15U + 1) {}

  std::uint64_t next() {
    std::uint64_t z = state_ += 0x9E3779B97F4A7C15U;
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9U;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBU;
    return z ^ (z >> 31);
  }
  /// Mean 0, variance 1 (Irwin-Hall of 12), |value| <= 6.
  float normal() {
    std::int64_t sum = 0;
    for (int term = 0; term < 12; ++term) sum += static_cast<std::int64_t>(next() >> 44);
    return static_cast<float>(sum) * 0x1p-20F - 6.0F;
  }
  std::vector<float> normals(std::size_t n, float spread, float mean = 0) {
    std::vector<float> values(n);
    for (float& value : values) value = mean + spread * normal();
    return values;
  }

 private:
  std::uint64_t state_;
};

struct Quantized {
  std::vector<std::int8_t> codes;  // (rows, cols)
  std::vector<float> scales;       // (rows), > 0
};

Quantized quantize_rows(const std::vector<float>& values, std::uint32_t rows, std::uint32_t cols) {
  Quantized result{std::vector<std::int8_t>(values.size()), std::vector<float>(rows, 1.0F)};
  for (std::size_t row = 0; row < rows; ++row) {
    const float* src = values.data() + row * cols;
    float top = 0;
    for (std::uint32_t col = 0; col < cols; ++col) top = std::max(top, std::fabs(src[col]));
    if (top == 0) continue;
    const float scale = top / 127.0F;
    result.scales[row] = scale;
    for (std::uint32_t col = 0; col < cols; ++col) {
      result.codes[row * cols + col] =
          static_cast<std::int8_t>(std::lround(std::clamp(src[col] / scale, -127.0F, 127.0F)));
    }
  }
  return result;
}

struct FourBits {
  std::vector<std::uint8_t> codes;       // (rows, ceil(cols / 2))
  std::vector<std::int8_t> multipliers;  // (rows, groups)
  std::vector<float> scales;             // (rows), > 0
};

FourBits four_bit_rows(const std::vector<float>& values, std::uint32_t rows, std::uint32_t cols,
                       std::uint32_t group) {
  const std::size_t stride = (cols + 1) / 2;
  const std::size_t n_groups = (cols + group - 1) / group;
  FourBits result{std::vector<std::uint8_t>(rows * stride),
                  std::vector<std::int8_t>(rows * n_groups, 1), std::vector<float>(rows, 1.0F)};
  for (std::size_t row = 0; row < rows; ++row) {
    std::vector<float> tops(n_groups);
    for (std::size_t col = 0; col < cols; ++col) {
      tops[col / group] = std::max(tops[col / group], std::fabs(values[row * cols + col]));
    }
    const float top = *std::max_element(tops.begin(), tops.end());
    if (top == 0) continue;
    const float scale = result.scales[row] = top / 126.0F;
    for (std::size_t col = 0; col < cols; ++col) {
      const float multiplier = std::clamp(std::ceil(tops[col / group] / (7 * scale)), 1.0F, 18.0F);
      const float code = std::clamp(values[row * cols + col] / (multiplier * scale), -7.0F, 7.0F);
      result.multipliers[row * n_groups + col / group] = static_cast<std::int8_t>(multiplier);
      const auto bits = static_cast<unsigned>(std::lround(code)) & 15U;
      result.codes[row * stride + col / 2] |=
          static_cast<std::uint8_t>(col % 2 == 0 ? bits : bits << 4);
    }
  }
  return result;
}

/// Draws one part after the other, in a fixed order, into the memory of one OwnedModel.
class Maker {
 public:
  Maker(const TinyModel& tiny, OwnedModel& model) : tiny_(tiny), model_(model), noise_(tiny.seed) {}

  void fill() {
    format::ModelSpec& spec = model_.edit();
    spec.task = tiny_.task;
    spec.precision = tiny_.precision;
    spec.hidden = tiny_.hidden;
    spec.head_dim = tiny_.head_dim;
    spec.layer_norm_eps = 1e-12F;
    spec.max_length = tiny_.max_length == 0 ? tiny_.positions : tiny_.max_length;
    spec.labels = labels();
    fill_tokenizer(spec.tokenizer);
    fill_embedding(spec.embedding, spec.tokenizer.n_pieces);
    for (std::size_t layer = 0; layer < tiny_.n_heads.size(); ++layer) {
      spec.layers.push_back(make_layer(layer));
    }
    set_codes(spec, tiny_.codes, tiny_.reach);
    fill_head(spec);
    spec.provenance.push_back({.name = "test",
                               .version = "0",
                               .options = {{"seed", std::to_string(tiny_.seed)}},
                               .inputs = {{"noise", "0123456789abcdef"}},
                               .metrics = {}});
    if (tiny_.self_test) fill_self_test(spec);
  }

 private:
  template <typename T>
  Tensor store(ElementType type, std::uint32_t rows, std::uint32_t cols,
               const std::vector<T>& values) {
    if (values.empty()) return {};
    const std::span<std::byte> bytes = model_.allocate(values.size() * sizeof(T));
    std::memcpy(bytes.data(), values.data(), bytes.size());
    return {type, rows, cols, bytes};
  }

  Tensor vector(std::uint32_t cols, float spread, float mean = 0) {
    return store(ElementType::f32, 1, cols, noise_.normals(cols, spread, mean));
  }

  Tensor matrix(ElementType type, std::uint32_t rows, std::uint32_t cols, float spread) {
    const std::vector<float> values = noise_.normals(std::size_t{rows} * cols, spread);
    if (type == ElementType::f32) return store(type, rows, cols, values);
    std::vector<std::uint16_t> halves(values.size());
    std::transform(values.begin(), values.end(), halves.begin(),
                   type == ElementType::bf16 ? float_to_bfloat16 : float_to_half);
    return store(type, rows, cols, halves);
  }

  static ElementType float_type(Precision precision) {
    return precision == Precision::bf16 ? ElementType::bf16 : ElementType::f32;
  }

  format::NormSpec norm() {
    format::NormSpec spec;
    spec.weight = vector(tiny_.hidden, 0.1F, 1.0F);
    spec.bias = vector(tiny_.hidden, 0.1F);
    return spec;
  }

  format::LinearSpec linear(std::uint32_t in, std::uint32_t out, Precision precision) {
    format::LinearSpec spec;
    spec.in = in;
    spec.out = out;
    spec.precision = precision;
    const float spread = 0.9F / std::sqrt(static_cast<float>(std::max(in, 1U)));
    if (precision != Precision::int8) {
      spec.weight = matrix(float_type(precision), out, in, spread);
    } else {
      const std::vector<float> weight = noise_.normals(std::size_t{out} * in, spread);
      if (tiny_.four_bit_group != 0 && !weight.empty()) {
        const FourBits rows = four_bit_rows(weight, out, in, tiny_.four_bit_group);
        spec.weight = store(ElementType::s4, out, in, rows.codes);
        spec.group = tiny_.four_bit_group;
        spec.multiplier = multipliers(rows.multipliers, out);
        spec.scale = store(ElementType::f32, 1, out, rows.scales);
      } else {
        const Quantized rows = quantize_rows(weight, out, in);
        spec.weight = store(ElementType::s8, out, in, format::pack_panels(rows.codes, out, in));
        spec.scale = store(ElementType::f32, 1, out, rows.scales);
      }
    }
    spec.bias = vector(out, 0.05F);
    return spec;
  }

  Tensor multipliers(const std::vector<std::int8_t>& values, std::uint32_t rows) {
    const auto cols = static_cast<std::uint32_t>(values.size() / rows);
    return store(ElementType::s8, rows, cols, values);
  }

  format::HeadLinear head_linear(std::uint32_t in, std::uint32_t out, float spread) {
    format::HeadLinear spec;
    spec.in = in;
    spec.out = out;
    spec.weight = matrix(tiny_.small_type, out, in, spread);
    spec.bias = vector(out, 0.05F);
    return spec;
  }

  std::vector<std::string> labels() const {
    if (!tiny_.labels.empty()) return tiny_.labels;
    switch (tiny_.task) {
      case Task::classify:
        return {"negative", "positive"};
      case Task::multi_label:
        return {"red", "green", "blue"};
      case Task::regress:
        return {"score"};
      case Task::tag:
        return {"O", "B-PER", "I-PER"};
      case Task::embed:
      case Task::fill_mask:
        return {};
    }
    return {};
  }

  void fill_tokenizer(format::TokenizerSpec& spec) {
    std::string text;
    for (const std::string& piece : tiny_model_pieces()) {
      text += piece + "\n";
      ++spec.n_pieces;
    }
    const std::span<std::byte> bytes = model_.allocate(text.size());
    std::memcpy(bytes.data(), text.data(), text.size());
    spec.vocabulary = {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
    spec.lowercase = true;
    spec.strip_accents = true;
    spec.pad = 0;
    spec.unk = 1;
    spec.cls = 2;
    spec.sep = 3;
    spec.mask = 4;
    for (std::uint32_t id = 0; id < 5; ++id) {
      spec.added.push_back({.content = tiny_model_pieces()[id], .id = id});
    }
  }

  void fill_embedding(format::EmbeddingSpec& spec, std::uint32_t vocabulary_size) {
    const std::uint32_t width = tiny_.embedding_rank == 0 ? tiny_.hidden : tiny_.embedding_rank;
    if (tiny_.precision != Precision::int8) {
      spec.word = matrix(float_type(tiny_.precision), vocabulary_size, width, 0.5F);
    } else {
      const std::vector<float> word = noise_.normals(std::size_t{vocabulary_size} * width, 0.5F);
      if (tiny_.four_bit_group != 0) {
        const FourBits rows = four_bit_rows(word, vocabulary_size, width, tiny_.four_bit_group);
        spec.word = store(ElementType::s4, vocabulary_size, width, rows.codes);
        spec.word_group = tiny_.four_bit_group;
        spec.word_multiplier = multipliers(rows.multipliers, vocabulary_size);
        spec.word_scale = store(ElementType::f32, 1, vocabulary_size, rows.scales);
      } else {
        const Quantized rows = quantize_rows(word, vocabulary_size, width);
        spec.word = store(ElementType::s8, vocabulary_size, width, rows.codes);
        spec.word_scale = store(ElementType::f32, 1, vocabulary_size, rows.scales);
      }
    }
    spec.position = matrix(tiny_.small_type, tiny_.positions, tiny_.hidden, 0.2F);
    spec.segment = matrix(tiny_.small_type, tiny_.segments, tiny_.hidden, 0.2F);
    spec.norm = norm();
    if (tiny_.embedding_rank > 0) {
      spec.projection = linear(tiny_.embedding_rank, tiny_.hidden, tiny_.precision);
      spec.projection->bias = {};
    }
  }

  format::LayerSpec make_layer(std::size_t layer) {
    const Precision precision =
        tiny_.layer_precision.empty() ? tiny_.precision : tiny_.layer_precision[layer];
    format::LayerSpec spec;
    spec.n_heads = tiny_.n_heads[layer];
    spec.intermediate = tiny_.intermediate[layer];
    const std::uint32_t attention = spec.n_heads * tiny_.head_dim;
    spec.qkv = linear(tiny_.hidden, 3 * attention, precision);
    spec.out = linear(attention, tiny_.hidden, precision);
    spec.attention_norm = norm();
    spec.up = linear(tiny_.hidden, spec.intermediate, precision);
    spec.down = linear(spec.intermediate, tiny_.hidden, precision);
    spec.output_norm = norm();
    if (tiny_.input_scales && precision == Precision::int8) {
      for (format::LinearSpec* linear : {&spec.qkv, &spec.up}) {
        if (linear->out > 0) linear->input_scale = vector(tiny_.hidden, 0.2F, 1.0F);
      }
      if (spec.down.in > 0) spec.down.input_scale = vector(spec.intermediate, 0.2F, 1.0F);
    }
    return spec;
  }

  void fill_head(format::ModelSpec& spec) {
    const auto n_labels = static_cast<std::uint32_t>(spec.labels.size());
    format::HeadSpec& head = spec.head;
    switch (tiny_.task) {
      case Task::classify:
      case Task::multi_label:
      case Task::regress:
        head.pooler = head_linear(tiny_.hidden, tiny_.hidden, 0.2F);
        head.pooler_activation = tiny_.pooler_activation;
        head.classifier = head_linear(tiny_.hidden, n_labels, 0.3F);
        break;
      case Task::tag:
        head.classifier = head_linear(tiny_.hidden, n_labels, 0.3F);
        break;
      case Task::embed:
        head.pooling = tiny_.pooling;
        head.normalize = tiny_.normalize;
        break;
      case Task::fill_mask:
        head.transform = head_linear(tiny_.hidden, tiny_.hidden, 0.2F);
        head.transform_norm = norm();
        head.decoder_bias = vector(spec.vocabulary_size(), 0.1F);
        break;
    }
  }

  void fill_self_test(format::ModelSpec& spec) {
    const bool all_int8 = std::all_of(
        spec.layers.begin(), spec.layers.end(),
        [](const format::LayerSpec& layer) { return layer.qkv.precision == Precision::int8; });
    spec.self_test.tolerance = all_int8 ? 0.0F : 1e-3F;
    for (std::uint32_t n_tokens : {4U, 7U}) {
      format::SelfTestCase test;
      test.ids.assign(n_tokens, TokenId{});
      for (std::uint32_t token = 0; token < n_tokens; ++token) {
        test.ids[token] = TokenId(static_cast<std::int32_t>(5 + noise_.next() % 59));
        test.segments.push_back(token > 4 ? 1 : 0);
      }
      test.ids.front() = TokenId{2};
      test.ids[1] = TokenId{4};
      test.ids.back() = TokenId{3};
      std::size_t n_outputs = spec.labels.size();
      if (tiny_.task == Task::tag) n_outputs *= n_tokens;
      if (tiny_.task == Task::embed) n_outputs = tiny_.hidden;
      if (tiny_.task == Task::fill_mask) n_outputs = 16;
      test.expected = noise_.normals(n_outputs, 1.0F);
      spec.self_test.cases.push_back(std::move(test));
    }
  }

  const TinyModel& tiny_;
  OwnedModel& model_;
  Noise noise_;
};

}  // namespace

std::span<std::byte> OwnedModel::allocate(std::size_t n_bytes) {
  blocks_.push_back(std::make_unique<Line[]>(n_bytes / sizeof(Line) + 1));
  return {blocks_.back()[0].bytes, n_bytes};
}

OwnedModel make_tiny_model(const TinyModel& tiny) {
  OwnedModel model;
  Maker(tiny, model).fill();
  return model;
}

std::vector<std::string> tiny_model_pieces() {
  std::vector<std::string> pieces = {"[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"};
  for (char letter = 'a'; letter <= 'z'; ++letter) pieces.emplace_back(1, letter);
  for (char letter = 'a'; letter <= 'z'; ++letter) pieces.push_back(std::string("##") + letter);
  for (const char* piece : {".", ",", "the", "good", "bad", "天", "很"}) pieces.emplace_back(piece);
  return pieces;
}

}  // namespace espalier::testing
