// What the benchmarks share: medians of rounds, how a shape of batch is named, and batches of
// seeded random tokens.
#pragma once

#include <algorithm>
#include <cstdint>
#include <random>
#include <string>
#include <vector>

#include "espalier/types.hpp"
#include "measure/latency.hpp"

namespace espalier::benchmarks {

/// The median of at least one value.
[[nodiscard]] inline double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return measure::percentile(values, 50);
}

/// Tokens of each sentence of one call.
struct Shape {
  std::string name;
  std::vector<std::uint32_t> lengths;
};

/// The shapes that peers/ times too. mix32: lengths as sentences of a review have them.
[[nodiscard]] inline std::vector<Shape> encoder_shapes() {
  return {{"1x16", {16}},
          {"1x128", {128}},
          {"1x384", {384}},
          {"8x128", std::vector<std::uint32_t>(8, 128)},
          {"mix32", {5,  9,  12, 14, 16, 17, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28,
                     29, 30, 31, 32, 33, 34, 36, 38, 40, 42, 45, 47, 50, 54, 58, 64}}};
}

/// Sentences of random tokens, the same in every run. Lengths are cut to max_length.
[[nodiscard]] inline TokenBatch random_batch(const Shape& shape, std::uint32_t vocabulary_size,
                                             std::uint32_t max_length) {
  std::mt19937 random(1);
  TokenBatch batch;
  batch.offsets.push_back(0);
  for (const std::uint32_t length : shape.lengths) {
    for (std::uint32_t token = 0; token < std::min(length, max_length); ++token) {
      batch.ids.push_back(TokenId{static_cast<std::int32_t>(random() % vocabulary_size)});
    }
    batch.offsets.push_back(static_cast<std::uint32_t>(batch.ids.size()));
  }
  batch.segments.assign(batch.ids.size(), 0);
  return batch;
}

}  // namespace espalier::benchmarks
