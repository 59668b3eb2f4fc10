#include "runtime/cpu/head.hpp"

#include <algorithm>
#include <cmath>

#include "base/canonical.hpp"
#include "format/four_bits.hpp"
#include "runtime/cpu/embedding.hpp"

namespace espalier::runtime::cpu {
namespace {

/// dst = src Wᵀ + bias, one row.
void head_linear(const RowKernels& kernels, const PreparedHeadLinear& linear, const float* src,
                 float* dst) {
  kernels.dot_rows(src, linear.weight.data(), linear.out, linear.in, dst);
  for (std::uint32_t channel = 0; channel < linear.out; ++channel) {
    dst[channel] += linear.bias[channel];
  }
}

void activate(const RowKernels& kernels, format::PoolerActivation activation,
              std::span<float> x) noexcept {
  switch (activation) {
    case format::PoolerActivation::tanh:
      kernels.tanh(x.data(), static_cast<std::uint32_t>(x.size()));
      return;
    case format::PoolerActivation::relu:
      for (float& value : x) value = value < 0 ? 0.0F : value;  // lets what is no number through
      return;
  }
}

/// Logits of the vocabulary: the word embeddings are the decoder's weights.
void decode(CpuWorkspace& ws, const float* src, float* scratch, std::span<float> dst) {
  const format::ModelSpec& spec = ws.model.spec;
  const RowKernels& kernels = ws.model.rows;
  const std::span<const float> bias = spec.head.decoder_bias.as<float>();
  for (std::size_t id = 0; id < dst.size(); ++id) {
    if (format::word_precision(spec.embedding) == Precision::int8) {
      const auto codes = format::word_codes(spec.embedding, id, ws.word_row);
      std::copy(codes.begin(), codes.end(), scratch);
      const float scale = spec.embedding.word_scale.as<float>()[id];
      kernels.dot_rows(src, scratch, 1, spec.hidden, &dst[id]);
      dst[id] = std::fma(dst[id], scale, bias[id]);
    } else {
      kernels.dot_rows(src, float_word(spec.embedding.word, id, scratch), 1, spec.hidden, &dst[id]);
      dst[id] += bias[id];
    }
  }
}

}  // namespace

void run_head(CpuWorkspace& ws, std::span<const std::uint32_t> rows, std::span<float> dst) {
  const CpuModel& model = ws.model;
  const std::uint32_t hidden = model.spec.hidden;
  const std::size_t width = rows.empty() ? 0 : dst.size() / rows.size();
  float* first = ws.head_rows.data();
  float* second = first + float_stride(hidden);
  for (std::size_t index = 0; index < rows.size(); ++index) {
    const float* src = ws.x.data() + std::size_t{rows[index]} * float_stride(hidden);
    const std::span<float> answer = dst.subspan(index * width, width);
    switch (model.spec.task) {
      case Task::classify:
      case Task::multi_label:
      case Task::regress:
      case Task::tag:
        if (model.pooler.out > 0) {
          head_linear(model.rows, model.pooler, src, first);
          activate(model.rows, model.spec.head.pooler_activation, std::span(first, hidden));
          src = first;
        }
        head_linear(model.rows, model.classifier, src, answer.data());
        break;
      case Task::embed:
        std::copy(src, src + hidden, answer.begin());
        break;
      case Task::fill_mask:
        head_linear(model.rows, model.transform, src, first);
        for (std::uint32_t i = 0; i < hidden; ++i) first[i] = canonical::gelu(first[i]);
        model.rows.layer_norm(first, 1, hidden, model.transform_norm.weight.data(),
                              model.transform_norm.bias.data(), model.spec.layer_norm_eps);
        decode(ws, first, second, answer);
        break;
    }
  }
}

}  // namespace espalier::runtime::cpu
