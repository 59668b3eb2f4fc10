// Batches of made-up sentences for tests of the runtime: any ids will do, as long as they repeat.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "espalier/types.hpp"

namespace espalier::testing {

/// A sentence of `n_tokens` from the vocabulary of tiny models: [CLS] ... [SEP], the second half in
/// segment 1, every fifth token a [MASK]. The same seed and length give the same sentence.
struct Sentence {
  std::vector<TokenId> ids;
  std::vector<std::uint8_t> segments;
};

[[nodiscard]] inline Sentence make_sentence(std::uint32_t n_tokens, std::uint32_t seed) {
  Sentence sentence;
  for (std::uint32_t token = 0; token < n_tokens; ++token) {
    const std::uint32_t noise = (seed * 2654435761U + token * 40503U) ^ (token * seed);
    std::int32_t id = static_cast<std::int32_t>(5 + (noise >> 3) % 59);
    if (token % 5 == 2) id = 4;
    if (token + 1 == n_tokens) id = 3;
    if (token == 0) id = 2;
    sentence.ids.push_back(TokenId{id});
    sentence.segments.push_back(token > n_tokens / 2 ? 1 : 0);
  }
  return sentence;
}

/// The sentences laid end to end.
[[nodiscard]] inline TokenBatch make_batch(std::span<const Sentence> sentences) {
  TokenBatch batch;
  batch.offsets = {0};
  for (const Sentence& sentence : sentences) {
    batch.ids.insert(batch.ids.end(), sentence.ids.begin(), sentence.ids.end());
    batch.segments.insert(batch.segments.end(), sentence.segments.begin(), sentence.segments.end());
    batch.offsets.push_back(static_cast<std::uint32_t>(batch.ids.size()));
  }
  return batch;
}

/// Sentences of these lengths, each with its own seed.
[[nodiscard]] inline std::vector<Sentence> make_sentences(std::span<const std::uint32_t> lengths) {
  std::vector<Sentence> sentences;
  for (const std::uint32_t length : lengths) {
    sentences.push_back(make_sentence(length, static_cast<std::uint32_t>(sentences.size()) + 1));
  }
  return sentences;
}

}  // namespace espalier::testing
