#include "workload.hpp"

#include <random>

namespace espalier::tools {

TokenBatch random_batch(const Model& model, std::span<const std::uint32_t> lengths,
                        std::uint32_t n_pieces) {
  const Text nothing{.first = ""};
  const Text mask{.first = "[MASK]"};
  const TokenBatch frame = model.tokenizer().encode({&nothing, 1});
  const bool needs_mask = model.info().task == Task::fill_mask;
  std::mt19937 random(kWorkloadSeed);
  TokenBatch batch;
  batch.offsets.push_back(0);
  for (const std::uint32_t length : lengths) {
    for (std::uint32_t token = 0; token < length; ++token) {
      // Not a standard distribution: those differ from library to library.
      batch.ids.push_back(TokenId{static_cast<std::int32_t>(random() % n_pieces)});
    }
    batch.ids[batch.offsets.back()] = frame.ids.front();
    if (length > 1) batch.ids.back() = frame.ids.back();
    if (needs_mask && length > 2) {
      batch.ids[batch.offsets.back() + 1] = model.tokenizer().encode({&mask, 1}).ids[1];
    }
    batch.offsets.push_back(static_cast<std::uint32_t>(batch.ids.size()));
  }
  batch.segments.assign(batch.ids.size(), 0);
  return batch;
}

}  // namespace espalier::tools
