#include "compress/export/smoothing.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <string_view>

#include "base/thread_team.hpp"
#include "runtime/reference/reference.hpp"

namespace espalier::compress {
namespace {

// Plain prose, names, numbers and marks, and a script that many vocabularies cut into single
// pieces.
constexpr std::array<std::string_view, 6> kSentences = {
    "A gardener tied the young branches to the wires before the first frost of November.",
    "Why would anyone plant pears on a wall that faces north?",
    "The second harvest was poor: 14 baskets, against 31 the year before.",
    "She wrote to Dr. Lindqvist in Uppsala, who had never seen so dull a book.",
    "\"Prune it hard\", he said, \"and it will thank you - or die trying!\"",
    "老梨树 贴着 南墙 生长",
};

/// Raises `range` to the magnitudes of x (rows, hidden).
void widen(std::span<const float> x, std::vector<float>& range) {
  for (std::size_t i = 0; i < x.size(); ++i) {
    float& largest = range[i % range.size()];
    largest = std::max(largest, std::fabs(x[i]));
  }
}

}  // namespace

TokenBatch smoothing_sentences(const text::Tokenizer& tokenizer, std::uint32_t max_length) {
  std::vector<Text> texts;
  for (const std::string_view sentence : kSentences) texts.push_back({sentence, std::nullopt});
  return tokenizer.encode(texts, max_length);
}

std::vector<NormRanges> observe_norms(const format::ModelSpec& spec, const TokenBatch& sentences) {
  const runtime::TokenBlock block{sentences.ids, sentences.segments, sentences.offsets};
  const runtime::Backend& backend = runtime::reference_backend();
  const auto model = backend.prepare(spec);
  ThreadTeam team(1);
  const auto workspaces = backend.new_workspaces(*model, {block.n_rows(), spec.max_length}, team);
  runtime::Workspace& workspace = *workspaces.front();
  std::vector<float> x(std::size_t{block.n_rows()} * spec.hidden);

  const std::vector<float> none(spec.hidden);
  std::vector<NormRanges> ranges(spec.layers.size(), {none, none});
  backend.embed(workspace, block, {0, block.n_rows()});
  for (std::uint32_t layer = 0; layer < spec.layers.size(); ++layer) {
    backend.read(workspace, runtime::Tap::hidden, x);
    widen(x, ranges[layer].qkv);
    backend.attend(workspace, layer, runtime::Rows::all);
    backend.project_add_norm(workspace, layer, runtime::Rows::all);
    backend.read(workspace, runtime::Tap::hidden, x);
    widen(x, ranges[layer].up);
    backend.feed_forward_add_norm(workspace, layer, runtime::Rows::all);
  }
  return ranges;
}

std::vector<float> input_scale(std::span<const float> activation_max,
                               std::span<const float> weight_max, double alpha) {
  constexpr double kMost = 64;
  const std::size_t in = activation_max.size();
  std::vector<double> logarithm(in);  // of what the weights are multiplied with
  double mean = 0;
  for (std::size_t i = 0; i < in; ++i) {
    if (activation_max[i] > 0 && weight_max[i] > 0) {
      logarithm[i] = alpha * std::log(double{activation_max[i]}) -
                     (1 - alpha) * std::log(double{weight_max[i]});
    }
    mean += logarithm[i] / static_cast<double>(in);
  }
  std::vector<float> scale(in, 1.0F);
  for (std::size_t i = 0; i < in; ++i) {
    if (activation_max[i] > 0 && weight_max[i] > 0) {
      scale[i] = static_cast<float>(std::clamp(std::exp(mean - logarithm[i]), 1 / kMost, kMost));
    }
  }
  return scale;
}

}  // namespace espalier::compress
