// How far one model's answers are from another's: a compressed one's from its source's.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

namespace espalier::measure {

/// Logits of two models on the same inputs, both (rows, width), row-major.
struct LogitPair {
  std::span<const float> reference;
  std::span<const float> candidate;
  std::size_t width = 0;
};

/// Mean over rows of KL(p || q) in nats, p the softmax of the reference's row and q the
/// candidate's. Computed in double from log-softmax, so large logits do no harm. Throws
/// Error(bad_input) if the shapes differ, are empty, or a logit is not finite.
[[nodiscard]] double mean_kl(const LogitPair& logits);

/// Largest absolute difference of any two logits. Throws as mean_kl().
[[nodiscard]] double max_abs_difference(const LogitPair& logits);

/// Rows whose largest logit is at another place. Throws as mean_kl().
[[nodiscard]] std::size_t count_flips(const LogitPair& logits);

/// Mean cosine of rows, for embeddings, in [-1, 1].
/// Throws as mean_kl(), and Error(bad_input) for a row of zeros, which has no direction.
[[nodiscard]] double mean_cosine(const LogitPair& vectors);

/// Cosine of two vectors (n). Throws as mean_cosine().
[[nodiscard]] double cosine(std::span<const float> first, std::span<const float> second);

/// ‖candidate - reference‖ / ‖reference‖, both (n): of weights after dequantizing, say. 0 where
/// both are the same, infinite where the reference is all zeros and the candidate is not. Throws
/// Error(bad_input) if they differ in length, are empty or hold a value that is not finite.
[[nodiscard]] double relative_error(std::span<const float> reference,
                                    std::span<const float> candidate);

/// The same as a ratio of signal to noise: 10 log10(Σ reference² / Σ (candidate - reference)²).
[[nodiscard]] double sqnr_db(double relative_error);

/// The place of the largest logit of each row, (rows); of several equal ones the first.
/// Throws Error(bad_input) if `logits` holds no whole rows.
[[nodiscard]] std::vector<std::size_t> argmax_rows(std::span<const float> logits,
                                                   std::size_t width);

}  // namespace espalier::measure
