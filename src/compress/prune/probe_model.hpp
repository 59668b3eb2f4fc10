// Models of random weights that show what a shape costs, and the clock that times them.
#pragma once

#include <cstddef>
#include <map>
#include <span>
#include <vector>

#include "compress/prune/latency_table.hpp"
#include "espalier/session.hpp"

namespace espalier::prune {

/// An .espl file of a model with the request's sizes and precision and these layers. The same
/// request and layers give the same bytes. Throws Error(usage) as validate() does.
[[nodiscard]] std::vector<std::byte> probe_model(const LatencyRequest& request,
                                                 std::span<const LayerShape> layers);

/// Runs such models. One thread at a time.
class ProbeTimer {
 public:
  explicit ProbeTimer(const LatencyRequest& request);

  /// Milliseconds of one call on the model with `layers`, which is made and warmed up when it is
  /// asked for the first time. Throws as Session does.
  [[nodiscard]] double time_ms(std::span<const LayerShape> layers);

  /// Name and code path of the back end that computes: "cpu avx2 widening".
  [[nodiscard]] std::string backend();

 private:
  [[nodiscard]] Session& session(std::span<const LayerShape> layers);

  LatencyRequest request_;
  TokenBatch batch_;
  std::vector<float> answers_;
  std::map<std::vector<std::pair<std::uint32_t, std::uint32_t>>, Session> sessions_;
};

}  // namespace espalier::prune
