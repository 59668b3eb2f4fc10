#include "tests/conformance/trace.hpp"

#include <algorithm>
#include <cmath>
#include <memory>

#include "format/verify_self_test.hpp"
#include "runtime/heads.hpp"

namespace espalier::testing {

using runtime::Backend;
using runtime::Rows;
using runtime::Tap;

namespace {

class Tracer {
 public:
  Tracer(const Backend& backend, const format::ModelSpec& spec, const TokenBatch& batch)
      : backend_(backend),
        spec_(spec),
        model_(backend.prepare(spec)),
        block_{batch.ids, batch.segments, batch.offsets},
        workspaces_(backend.new_workspaces(*model_, {block_.n_rows(), block_.n_rows()}, team_)) {}

  std::vector<Observation> run() {
    const runtime::HeadPlan head = runtime::head_plan(spec_);
    n_rows_ = block_.n_rows();
    backend_.embed(workspace(), block_, {0, block_.n_rows()});
    observe_hidden("embed");
    const auto n_layers = static_cast<std::uint32_t>(spec_.layers.size());
    for (std::uint32_t layer = 0; layer < n_layers; ++layer) {
      const std::string name = "layer " + std::to_string(layer) + " ";
      const Rows rows = layer + 1 == n_layers ? head.last_layer : Rows::all;
      backend_.attend(workspace(), layer, rows);
      if (rows == Rows::first_of_each) n_rows_ = block_.n_sentences();
      observe(name + "context", Tap::context, spec_.layers[layer].n_heads * spec_.head_dim);
      backend_.project_add_norm(workspace(), layer, rows);
      observe_hidden(name + "project_add_norm");
      backend_.feed_forward_add_norm(workspace(), layer, rows);
      observe_hidden(name + "feed_forward_add_norm");
    }
    std::vector<std::uint32_t> rows(n_rows_);
    for (std::uint32_t row = 0; row < n_rows_; ++row) rows[row] = n_rows_ - 1 - row;
    seen_.push_back({"head", std::vector<float>(std::size_t{n_rows_} * head.width)});
    backend_.head(workspace(), rows, seen_.back().values);
    return std::move(seen_);
  }

 private:
  runtime::Workspace& workspace() { return *workspaces_[0]; }

  void observe(const std::string& step, Tap tap, std::uint32_t width) {
    seen_.push_back({step, std::vector<float>(std::size_t{n_rows_} * width)});
    backend_.read(workspace(), tap, seen_.back().values);
  }

  void observe_hidden(const std::string& step) {
    observe(step, Tap::hidden, spec_.hidden);
    if (format::answers_bit_equal(spec_)) {
      observe(step + " codes", Tap::hidden_codes, spec_.hidden);
    }
  }

  const Backend& backend_;
  const format::ModelSpec& spec_;
  std::unique_ptr<runtime::PreparedModel> model_;
  runtime::TokenBlock block_;
  ThreadTeam team_{1};
  std::vector<std::unique_ptr<runtime::Workspace>> workspaces_;
  std::vector<Observation> seen_;
  std::uint32_t n_rows_ = 0;
};

}  // namespace

std::vector<Observation> trace(const Backend& backend, const format::ModelSpec& spec,
                               const TokenBatch& batch) {
  return Tracer(backend, spec, batch).run();
}

float fp32_tolerance(std::size_t steps, std::uint32_t depth) noexcept {
  const auto k = static_cast<float>(depth);
  return static_cast<float>(steps) * 3 * k * 0x1p-24F * 0.6F * std::sqrt(k);
}

float bf16_tolerance(std::size_t steps, std::uint32_t depth) noexcept {
  // Nothing is rounded before the first step, the embedding, has been compared.
  const auto n_linears = static_cast<float>(2 * (steps - 1));
  return fp32_tolerance(steps, depth) + 0.0092F * std::sqrt(n_linears);
}

std::uint32_t widest_sum(const format::ModelSpec& spec) noexcept {
  std::uint32_t widest = spec.hidden;
  for (const format::LayerSpec& layer : spec.layers) {
    widest = std::max({widest, layer.n_heads * spec.head_dim, layer.intermediate});
  }
  return widest;
}

}  // namespace espalier::testing
