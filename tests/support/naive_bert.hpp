// BERT straight from its paper (Devlin et al. 2019, Vaswani et al. 2017), in double precision, one
// sentence at a time, on dequantized weights. Shares no arithmetic with the runtime: an oracle for
// its reference back end, whose int8 and bf16 modes may differ by what
// coding and rounding activations costs.
#pragma once

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "base/bfloat16.hpp"
#include "base/half.hpp"
#include "espalier/types.hpp"
#include "format/spec.hpp"

namespace espalier::testing {

using Vector = std::vector<double>;
using Matrix = std::vector<Vector>;  // rows

class NaiveBert {
 public:
  explicit NaiveBert(const format::ModelSpec& spec) : spec_(spec) {}

  /// The answer to one sentence, laid out as Executor::run() does.
  [[nodiscard]] Vector answer(std::span<const TokenId> ids,
                              std::span<const std::uint8_t> segments) const {
    Matrix x = embed(ids, segments);
    for (const format::LayerSpec& layer : spec_.layers) encode(layer, x);
    return head(ids, x);
  }

 private:
  static double value(const format::Tensor& tensor, std::size_t row, std::size_t col) {
    const std::size_t index = row * tensor.cols + col;
    switch (tensor.type) {
      case format::ElementType::f32:
        return double{tensor.as<float>()[index]};
      case format::ElementType::f16:
        return double{half_to_float(tensor.as<std::uint16_t>()[index])};
      case format::ElementType::s8:
        return static_cast<double>(tensor.as<std::int8_t>()[index]);
      case format::ElementType::bf16:
        return double{bfloat16_to_float(tensor.as<std::uint16_t>()[index])};
      case format::ElementType::s4: {
        const int byte = tensor.as<std::uint8_t>()[row * ((tensor.cols + 1) / 2) + col / 2];
        const int bits = col % 2 == 0 ? byte % 16 : byte / 16;
        return bits > 7 ? bits - 16 : bits;
      }
    }
    return 0;
  }

  [[nodiscard]] double stored_word(std::size_t id, std::size_t col) const {
    const format::EmbeddingSpec& embedding = spec_.embedding;
    double scale = embedding.word_scale.empty() ? 1.0 : value(embedding.word_scale, 0, id);
    if (embedding.word_group != 0) {
      scale *= value(embedding.word_multiplier, id, col / embedding.word_group);
    }
    return scale * value(embedding.word, id, col);
  }

  [[nodiscard]] double word(std::size_t id, std::uint32_t unit) const {
    if (!spec_.embedding.projection) return stored_word(id, unit);
    double sum = 0;
    for (std::uint32_t col = 0; col < spec_.embedding.projection->in; ++col) {
      sum += stored_word(id, col) * weight(*spec_.embedding.projection, unit, col);
    }
    return sum;
  }

  // What x[in] is multiplied with: an input scale counts as part of the weight that undoes it.
  static double weight(const format::LinearSpec& linear, std::uint32_t out, std::uint32_t in) {
    if (linear.precision != Precision::int8) return value(linear.weight, out, in);
    const double input_scale = linear.input_scale.empty() ? 1.0 : value(linear.input_scale, 0, in);
    const double scale = input_scale * value(linear.scale, 0, out);
    if (linear.group != 0) {
      return scale * value(linear.weight, out, in) *
             value(linear.multiplier, out, in / linear.group);
    }
    const std::size_t index = format::panel_index(out, in, linear.in);
    return scale * static_cast<double>(linear.weight.as<std::int8_t>()[index]);
  }

  static Vector apply(const format::LinearSpec& linear, const Vector& x) {
    Vector y(linear.out);
    for (std::uint32_t out = 0; out < linear.out; ++out) {
      y[out] = value(linear.bias, 0, out);
      for (std::uint32_t in = 0; in < linear.in; ++in) y[out] += weight(linear, out, in) * x[in];
    }
    return y;
  }

  static Vector apply(const format::HeadLinear& linear, const Vector& x) {
    Vector y(linear.out);
    for (std::uint32_t out = 0; out < linear.out; ++out) {
      y[out] = value(linear.bias, 0, out);
      for (std::uint32_t in = 0; in < linear.in; ++in)
        y[out] += value(linear.weight, out, in) * x[in];
    }
    return y;
  }

  void norm(const format::NormSpec& part, Vector& x) const {
    double mean = 0;
    double variance = 0;
    for (const double entry : x) mean += entry / static_cast<double>(x.size());
    for (const double entry : x) {
      variance += (entry - mean) * (entry - mean) / static_cast<double>(x.size());
    }
    for (std::size_t unit = 0; unit < x.size(); ++unit) {
      x[unit] = (x[unit] - mean) / std::sqrt(variance + double{spec_.layer_norm_eps}) *
                    value(part.weight, 0, unit) +
                value(part.bias, 0, unit);
    }
  }

  static double gelu(double x) { return x * 0.5 * (1.0 + std::erf(x / std::sqrt(2.0))); }

  [[nodiscard]] Matrix embed(std::span<const TokenId> ids,
                             std::span<const std::uint8_t> segments) const {
    Matrix x(ids.size(), Vector(spec_.hidden));
    for (std::size_t token = 0; token < ids.size(); ++token) {
      for (std::uint32_t unit = 0; unit < spec_.hidden; ++unit) {
        x[token][unit] = word(static_cast<std::size_t>(to_int(ids[token])), unit) +
                         value(spec_.embedding.position, token, unit);
        if (spec_.embedding.segment.empty()) continue;
        x[token][unit] += value(spec_.embedding.segment, segments[token], unit);
      }
      norm(spec_.embedding.norm, x[token]);
    }
    return x;
  }

  [[nodiscard]] Matrix attention(const format::LayerSpec& layer, const Matrix& x) const {
    const std::size_t width = std::size_t{layer.n_heads} * spec_.head_dim;
    Matrix qkv;
    for (const Vector& row : x) qkv.push_back(apply(layer.qkv, row));
    Matrix context(x.size(), Vector(width));
    for (std::size_t token = 0; token < x.size(); ++token) {
      for (std::size_t head = 0; head < layer.n_heads; ++head) {
        const std::size_t first = head * spec_.head_dim;
        Vector weights(x.size());
        double total = 0;
        for (std::size_t key = 0; key < x.size(); ++key) {
          double score = 0;
          for (std::size_t unit = first; unit < first + spec_.head_dim; ++unit) {
            score += qkv[token][unit] * qkv[key][width + unit];
          }
          weights[key] = std::exp(score / std::sqrt(static_cast<double>(spec_.head_dim)));
          total += weights[key];
        }
        for (std::size_t key = 0; key < x.size(); ++key) {
          for (std::size_t unit = first; unit < first + spec_.head_dim; ++unit) {
            context[token][unit] += weights[key] / total * qkv[key][2 * width + unit];
          }
        }
      }
    }
    return context;
  }

  void add_norm(const format::LinearSpec& linear, const format::NormSpec& part, const Vector& input,
                Vector& x) const {
    const Vector y = apply(linear, input);
    for (std::size_t unit = 0; unit < x.size(); ++unit) x[unit] += y[unit];
    norm(part, x);
  }

  void encode(const format::LayerSpec& layer, Matrix& x) const {
    const Matrix context = attention(layer, x);
    for (std::size_t token = 0; token < x.size(); ++token) {
      add_norm(layer.out, layer.attention_norm, context[token], x[token]);
      Vector wide = apply(layer.up, x[token]);
      for (double& entry : wide) entry = gelu(entry);
      add_norm(layer.down, layer.output_norm, wide, x[token]);
    }
  }

  [[nodiscard]] Vector classify(Vector x) const {
    if (spec_.head.pooler) {
      x = apply(*spec_.head.pooler, x);
      const bool is_tanh = spec_.head.pooler_activation == format::PoolerActivation::tanh;
      for (double& entry : x) entry = is_tanh ? std::tanh(entry) : std::fmax(entry, 0.0);
    }
    return apply(*spec_.head.classifier, x);
  }

  [[nodiscard]] Vector decode(const Vector& hidden) const {
    Vector x = apply(*spec_.head.transform, hidden);
    for (double& entry : x) entry = gelu(entry);
    norm(spec_.head.transform_norm, x);
    Vector logits(spec_.vocabulary_size());
    for (std::size_t id = 0; id < logits.size(); ++id) {
      logits[id] = value(spec_.head.decoder_bias, 0, id);
      for (std::uint32_t unit = 0; unit < spec_.hidden; ++unit) {
        logits[id] += word(id, unit) * x[unit];
      }
    }
    return logits;
  }

  [[nodiscard]] Vector pool(const Matrix& x) const {
    Vector pooled = x[0];
    if (spec_.head.pooling == format::Pooling::mean) {
      for (std::size_t unit = 0; unit < pooled.size(); ++unit) {
        pooled[unit] = 0;
        for (const Vector& row : x) pooled[unit] += row[unit] / static_cast<double>(x.size());
      }
    }
    if (!spec_.head.normalize) return pooled;
    double squares = 0;
    for (const double entry : pooled) squares += entry * entry;
    for (double& entry : pooled) entry /= std::sqrt(squares);
    return pooled;
  }

  [[nodiscard]] Vector head(std::span<const TokenId> ids, const Matrix& x) const {
    Vector answer;
    const auto append = [&](const Vector& part) {
      answer.insert(answer.end(), part.begin(), part.end());
    };
    switch (spec_.task) {
      case Task::classify:
      case Task::multi_label:
      case Task::regress:
        append(classify(x[0]));
        break;
      case Task::tag:
        for (const Vector& row : x) append(classify(row));
        break;
      case Task::embed:
        append(pool(x));
        break;
      case Task::fill_mask:
        for (std::size_t token = 0; token < x.size(); ++token) {
          const auto id = static_cast<std::uint32_t>(to_int(ids[token]));
          if (id == spec_.tokenizer.mask) append(decode(x[token]));
        }
        break;
    }
    return answer;
  }

  const format::ModelSpec& spec_;
};

}  // namespace espalier::testing
