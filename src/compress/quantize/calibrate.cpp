#include "compress/quantize/calibrate.hpp"

#include <ATen/TensorOperators.h>
#include <ATen/core/grad_mode.h>

#include <algorithm>
#include <array>
#include <memory>

#include "compress/export/smoothing.hpp"
#include "compress/objective/padding.hpp"
#include "compress/quantize/outlier_scale.hpp"
#include "compress/quantize/taps.hpp"
#include "espalier/error.hpp"

namespace espalier::quantize {
namespace {

// Padded tokens of a batch: keeps every activation of one within some tens of megabytes.
constexpr std::size_t kBatchTokens = 2048;

constexpr std::array kInputs = {Input::qkv, Input::out, Input::up, Input::down};

// What is known of one linear's input, pass by pass.
struct Observed {
  std::unique_ptr<ChannelStatistics> channels;
  std::vector<float> input_scale;
  std::unique_ptr<Histogram> histogram;
  SignalAndNoise per_token;
  std::vector<float> scaled;  // scratch
};

bool reads_norm(Input input) {
  return input == Input::qkv || input == Input::up;
}

bool is_static(Activations activations, Input input) {
  switch (activations) {
    case Activations::dynamic:
      return false;
    case Activations::mixed:
      return !reads_norm(input);
    case Activations::all_static:
      return true;
  }
  return false;
}

// Largest magnitude of each column, over all of the linear's matrices.
std::vector<float> largest_weights(const model::Layer& layer, Input input) {
  const at::NoGradGuard no_grad;
  at::Tensor largest = input == Input::up
                           ? layer.up.weight.abs().amax(0)
                           : at::maximum(at::maximum(layer.query.weight.abs().amax(0),
                                                     layer.key.weight.abs().amax(0)),
                                         layer.value.weight.abs().amax(0));
  largest = largest.contiguous();
  const std::span<const float> values = values_of(largest);
  return {values.begin(), values.end()};
}

class Calibrating {
 public:
  Calibrating(const model::Bert& bert, const TokenBatch& sentences, const CalibrateOptions& options)
      : bert_(bert),
        sentences_(sentences),
        options_(options),
        batches_(objective::inference_batches(sentences, kBatchTokens)),
        observed_(bert.layers.size()) {}

  Calibrated run() {
    walk([this](std::size_t layer, Input input, std::span<const float> rows, std::size_t n) {
      Observed& seen = slot(layer, input);
      if (!seen.channels) {
        seen.channels = std::make_unique<ChannelStatistics>(part_name(layer, input), n);
      }
      seen.channels->add(rows);
    });
    choose_scales();
    walk([this](std::size_t layer, Input input, std::span<const float> rows, std::size_t n) {
      Observed& seen = slot(layer, input);
      const std::span<const float> values = scaled(seen, rows);
      seen.histogram->add(values);
      seen.per_token.add_per_token(values, n);
    });
    return result();
  }

 private:
  Observed& slot(std::size_t layer, Input input) {
    return observed_[layer][static_cast<std::size_t>(input)];
  }

  void walk(const InputVisitor& visit) {
    for (const std::vector<std::size_t>& batch : batches_) {
      if (options_.on_progress) {
        options_.on_progress(static_cast<double>(n_done_) /
                             (2 * static_cast<double>(batches_.size())));
      }
      visit_inputs(bert_, objective::pad(sentences_, batch, bert_.config.pad_id),
                   options_.first_token_answers, visit);
      ++n_done_;
    }
  }

  // Between the passes: the ranges of smoothed values follow from those of the channels.
  void choose_scales() {
    for (std::size_t layer = 0; layer < observed_.size(); ++layer) {
      for (const Input input : kInputs) {
        Observed& seen = slot(layer, input);
        if (!seen.channels) continue;
        if (options_.smoothing) seen.input_scale = smoothing(layer, input, *seen.channels);
        seen.histogram = std::make_unique<Histogram>(seen.channels->over_all(seen.input_scale));
      }
    }
  }

  std::vector<float> smoothing(std::size_t layer, Input input,
                               const ChannelStatistics& channels) const {
    const model::Layer& part = bert_.layers[layer];
    switch (input) {
      case Input::qkv:
      case Input::up:
        return compress::input_scale(channels.magnitudes(), largest_weights(part, input),
                                     *options_.smoothing);
      case Input::down: {
        // A token's own scale keeps its outliers away from all other tokens, and the weights whole.
        if (!is_static(options_.activations, input)) return {};
        const at::Tensor weight = part.down.weight.contiguous();
        return outlier_scale({channels, values_of(weight)});
      }
      case Input::out:
        break;  // has no outliers, and no scale in the format
    }
    return {};
  }

  static std::span<const float> scaled(Observed& seen, std::span<const float> rows) {
    if (seen.input_scale.empty()) return rows;
    seen.scaled.resize(rows.size());
    const std::size_t n_channels = seen.input_scale.size();
    for (std::size_t begin = 0; begin < rows.size(); begin += n_channels) {
      canonical::scale_row(rows.subspan(begin, n_channels), seen.input_scale,
                           std::span(seen.scaled).subspan(begin, n_channels));
    }
    return seen.scaled;
  }

  compress::InputCodes codes_of(std::size_t layer, Input input, std::vector<InputReport>& reports) {
    compress::InputCodes codes;
    Observed& seen = slot(layer, input);
    if (!seen.channels) return codes;  // pruned away
    InputReport& report = reports.emplace_back();
    report.name = part_name(layer, input);
    report.is_static = is_static(options_.activations, input);
    report.seen = seen.channels->over_all(seen.input_scale);
    report.per_token_db = seen.per_token.db();
    codes.input_scale = std::move(seen.input_scale);
    if (!report.is_static) return codes;
    report.range = options_.method->choose(*seen.histogram, options_.method_options);
    const canonical::RowCode row = static_codes(report.range);
    report.fidelity = fidelity(*seen.histogram, row);
    codes.activations = format::ActivationCodes::per_tensor_asymmetric;
    codes.scale = row.scale;
    codes.zero = static_cast<std::uint32_t>(row.zero);
    return codes;
  }

  Calibrated result() {
    Calibrated all;
    for (std::size_t layer = 0; layer < observed_.size(); ++layer) {
      const auto codes = [&](Input input) { return codes_of(layer, input, all.inputs); };
      compress::LayerInputs& inputs = all.layers.emplace_back();
      inputs.qkv = codes(Input::qkv);
      inputs.out = codes(Input::out);
      inputs.up = codes(Input::up);
      inputs.down = codes(Input::down);
    }
    all.n_sentences = sentences_.n_sentences();
    all.n_tokens = sentences_.n_tokens();
    return all;
  }

  const model::Bert& bert_;
  const TokenBatch& sentences_;
  const CalibrateOptions& options_;
  const std::vector<std::vector<std::size_t>> batches_;
  std::vector<std::array<Observed, kInputs.size()>> observed_;
  std::size_t n_done_ = 0;
};

}  // namespace

Calibrated calibrate(const model::Bert& bert, const TokenBatch& sentences,
                     const CalibrateOptions& options) {
  if (sentences.n_sentences() == 0) {
    throw Error(ErrorCode::usage, "calibration needs at least one sentence");
  }
  return Calibrating(bert, sentences, options).run();
}

}  // namespace espalier::quantize
