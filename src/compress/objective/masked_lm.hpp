// The masked-LM objective of BERT (Devlin et al. 2019, section 3.1) with masks drawn anew each time
// a sequence is seen (Liu et al. 2019): guess the pieces that were hidden.
#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "compress/objective/corpus.hpp"
#include "compress/objective/objective.hpp"

namespace espalier::objective {

struct MaskingOptions {
  double share = 0.15;       ///< of a sequence's pieces that are hidden; over 0, at most 1
  bool whole_words = false;  ///< hide all pieces of a word or none; a Chinese character is a word
};

/// Batches of sequences with hidden pieces: 80 % of them are [MASK], 10 % any piece, 10 % as
/// they were. Special tokens and [UNK] are never hidden and never stand in for a piece.
/// The number of hidden pieces is share times the sequence's pieces, rounded up or down so that it
/// is right on average, and at least one; with whole words as near to it as words allow.
/// Batch::targets is (sentences, tokens) int64: the piece that was hidden, kIgnored elsewhere.
/// A sequence's masks depend on the draw and the sequence, not on its batch.
class MaskedLm final : public Objective {
 public:
  /// The corpus outlives it. Throws Error(usage) for a share out of range.
  MaskedLm(const Corpus& corpus, const MaskingOptions& options);

  [[nodiscard]] std::size_t size() const override { return corpus_.tokens.n_sentences(); }
  [[nodiscard]] std::uint32_t length(std::size_t example) const override {
    return corpus_.tokens.offsets[example + 1] - corpus_.tokens.offsets[example];
  }
  [[nodiscard]] Batch batch(std::span<const std::size_t> examples,
                            std::uint64_t draw) const override;

  /// Mean cross entropy of the hidden pieces; `bert` has a masked-LM head.
  [[nodiscard]] at::Tensor loss(const model::Bert& bert, const Batch& batch,
                                const model::Dropout& dropout) const override;
  [[nodiscard]] std::string place(std::size_t example) const override {
    return corpus_.place(example);
  }

 private:
  const Corpus& corpus_;
  MaskingOptions options_;
};

/// Scores on held-out text with masks that stay the same: "masked_lm_accuracy" (percent of hidden
/// pieces guessed right), "masked_lm_loss" and "perplexity" (e to the loss).
class MaskedLmJudge final : public Judge {
 public:
  /// The corpus outlives it. Throws as MaskedLm does.
  MaskedLmJudge(const Corpus& corpus, const MaskingOptions& options, std::uint64_t seed)
      : corpus_(corpus), masked_(corpus, options), seed_(seed) {}

  [[nodiscard]] Scores judge(const model::Bert& bert) const override;

 private:
  const Corpus& corpus_;
  MaskedLm masked_;
  std::uint64_t seed_;
};

}  // namespace espalier::objective
