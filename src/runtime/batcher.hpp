// Cuts a batch into blocks of whole sentences that keep every thread equally busy. Only speed hangs
// on the cut: results are the same bits for any.
#pragma once

#include <cstdint>
#include <span>
#include <utility>
#include <vector>

namespace espalier::runtime {

struct BatchLimits {
  std::uint32_t block_rows = 256;  ///< rows of a block; a longer sentence is a block of its own
  unsigned threads = 1;
};

/// A sentence split by rows gives each thread at least this many: with four, our int8 kernel runs
/// at its full rate, and what the meetings cost (one a layer) is far less than the other threads
/// bring.
inline constexpr std::uint32_t kMinRowsOfSplit = 4;

/// Makes plans, one at a time, in memory that it keeps. Belongs to one thread.
class Batcher {
 public:
  /// Plans sentences with these `lengths` (tokens, each > 0). A sentence longer than tokens ÷
  /// threads that is worth it is split by rows; the others are dealt longest first, each to the
  /// block with the fewest rows so far. Deterministic; allocates only when a batch has more
  /// sentences than any before.
  void plan(std::span<const std::uint32_t> lengths, const BatchLimits& limits);

  /// Sentences in the order of their blocks.
  [[nodiscard]] std::span<const std::uint32_t> order() const noexcept { return order_; }
  [[nodiscard]] std::uint32_t n_blocks() const noexcept {
    return static_cast<std::uint32_t>(begins_.size() - 1);
  }
  /// The first n_split() blocks hold one sentence each, to be split by rows among the whole team.
  [[nodiscard]] std::uint32_t n_split() const noexcept { return n_split_; }
  /// Block b holds the sentences order()[begin(b) .. begin(b + 1)).
  [[nodiscard]] std::uint32_t begin(std::uint32_t block) const noexcept { return begins_[block]; }

 private:
  void sort_longest_first(std::span<const std::uint32_t> lengths);
  void deal(std::span<const std::uint32_t> lengths, const BatchLimits& limits);
  void group_by_block();

  using Load = std::pair<std::uint32_t, std::uint32_t>;  // rows so far, block

  std::vector<std::uint32_t> order_;
  std::vector<std::uint32_t> begins_ = {0};
  std::vector<std::uint32_t> block_of_;  // (sentences), by place in the longest-first order
  std::vector<std::uint32_t> grouped_;
  std::vector<Load> loads_;  // heap, lightest first
  std::uint32_t n_split_ = 0;
};

}  // namespace espalier::runtime
