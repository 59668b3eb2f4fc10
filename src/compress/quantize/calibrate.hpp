// Start here: runs a model over sample sentences twice and decides how the int8 file codes the
// inputs of its linears: with a scale found now or one a token, and with which channels smoothed.
// Sources: Jacob et al. 2018, §3; Xiao et al. 2022 (SmoothQuant), §4.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "compress/export/calibration.hpp"
#include "compress/model/bert.hpp"
#include "compress/quantize/range_methods.hpp"
#include "espalier/types.hpp"

namespace espalier::quantize {

/// Which inputs get their scale now.
enum class Activations {
  dynamic,     ///< none: every token finds its own at run time
  mixed,       ///< the heads' and the neurons' outputs, whose ranges differ little between tokens
  all_static,  ///< every one
};

struct CalibrateOptions {
  const RangeMethod* method = nullptr;  // not null
  MethodOptions method_options;
  Activations activations = Activations::mixed;

  /// Share of outliers that goes over to the weights of qkv and up, 0 to 1; then a static down
  /// has the scales of outlier_scale(), too. None: no input scales. Exact: they live in what codes
  /// the outputs of a LayerNorm and of GELU, the residual keeps its own.
  std::optional<double> smoothing;

  /// Whether only first tokens of the last layer reach the head: the others are not computed then.
  bool first_token_answers = false;

  /// Called now and then with the share of the work done. An exception thrown by it ends the work.
  std::function<void(double share)> on_progress = {};
};

/// What became of one linear's input.
struct InputReport {
  std::string name;  // of the linear
  bool is_static = false;
  Range seen;               // smallest and largest value, smoothed where it is smoothed
  Range range;              // that the codes cover; is_static only
  Fidelity fidelity;        // likewise; of an input with a scale a token nothing is clipped
  double per_token_db = 0;  // the same ratio with a range for every token
};

struct Calibrated {
  std::vector<compress::LayerInputs> layers;
  std::vector<InputReport>
      inputs;  // in the order of the model; linears that were pruned away: none
  std::size_t n_sentences = 0;
  std::size_t n_tokens = 0;
};

/// Sentences are padded in batches and their padding is left out. The same model, sentences,
/// options and number of LibTorch's threads give the same result, bit for bit. One thread at a
/// time. Throws Error(bad_input), naming the linear, for inputs that are not finite, Error(usage)
/// without sentences.
[[nodiscard]] Calibrated calibrate(const model::Bert& bert, const TokenBatch& sentences,
                                   const CalibrateOptions& options);

}  // namespace espalier::quantize
