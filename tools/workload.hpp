// What is given to models whose speed is measured: token ids drawn with a fixed seed.
#pragma once

#include <array>
#include <cstdint>
#include <span>

#include "espalier/espalier.hpp"

namespace espalier::tools {

inline constexpr std::uint32_t kWorkloadSeed = 1;

/// Lengths of a batch of sentences as they come, in tokens: 971 in all, 30 at the mean.
inline constexpr std::array<std::uint32_t, 32> kMixedLengths = {
    5,  9,  12, 14, 16, 17, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28,
    29, 30, 31, 32, 33, 34, 36, 38, 40, 42, 45, 47, 50, 54, 58, 64};

/// Sentences of random pieces between [CLS] and [SEP], as many as `lengths` has; with a [MASK] for
/// a model that fills it in. n_pieces: ids are drawn below it, at most the model's vocabulary; two
/// models get the same pieces where it is the same.
[[nodiscard]] TokenBatch random_batch(const Model& model, std::span<const std::uint32_t> lengths,
                                      std::uint32_t n_pieces);

}  // namespace espalier::tools
