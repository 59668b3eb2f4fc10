#include "runtime/batcher.hpp"

#include <algorithm>
#include <functional>

namespace espalier::runtime {

void Batcher::sort_longest_first(std::span<const std::uint32_t> lengths) {
  order_.resize(lengths.size());
  for (std::uint32_t sentence = 0; sentence < lengths.size(); ++sentence) {
    order_[sentence] = sentence;
  }
  std::sort(order_.begin(), order_.end(), [&](std::uint32_t a, std::uint32_t b) {
    return lengths[a] != lengths[b] ? lengths[a] > lengths[b] : a < b;
  });
}

void Batcher::plan(std::span<const std::uint32_t> lengths, const BatchLimits& limits) {
  sort_longest_first(lengths);
  // At most one block a sentence.
  begins_.reserve(lengths.size() + 1);
  loads_.reserve(lengths.size());
  begins_.assign(1, 0);
  n_split_ = 0;

  std::uint64_t n_tokens = 0;
  for (const std::uint32_t length : lengths) n_tokens += length;

  // A split sentence leaves the others to be shared; what is left decides about the next one. An
  // eighth over its share is not too long: splitting costs about as much.
  std::uint64_t left = n_tokens;
  while (limits.threads > 1 && n_split_ < order_.size()) {
    const std::uint64_t length = lengths[order_[n_split_]];
    const bool too_long_for_one = length * limits.threads * 8 > left * 9;
    if (!too_long_for_one || length < std::uint64_t{kMinRowsOfSplit} * limits.threads) break;
    left -= length;
    begins_.push_back(++n_split_);
  }
  deal(lengths, limits);
}

void Batcher::deal(std::span<const std::uint32_t> lengths, const BatchLimits& limits) {
  const std::size_t n_sentences = order_.size() - n_split_;
  block_of_.resize(n_sentences);
  if (n_sentences == 0) return;
  // As few blocks as hold the rows, but the same number for every thread.
  std::size_t needed = 0;
  std::size_t rows = 0;
  for (std::size_t place = n_split_; place < order_.size(); ++place) {
    const std::uint32_t length = lengths[order_[place]];
    if (length > limits.block_rows) {
      ++needed;
    } else {
      rows += length;
    }
  }
  needed += (rows + limits.block_rows - 1) / limits.block_rows;
  const std::size_t wanted = (needed + limits.threads - 1) / limits.threads * limits.threads;
  loads_.clear();
  for (std::uint32_t block = 0; block < std::min(wanted, n_sentences); ++block) {
    loads_.emplace_back(0, block);
  }
  for (std::size_t place = 0; place < n_sentences; ++place) {
    const std::uint32_t length = lengths[order_[n_split_ + place]];
    std::pop_heap(loads_.begin(), loads_.end(), std::greater<>());
    Load& lightest = loads_.back();
    if (lightest.first == 0 || lightest.first + length <= limits.block_rows) {
      block_of_[place] = lightest.second;
      lightest.first += length;
    } else {  // it fits in no block: the others are fuller
      std::push_heap(loads_.begin(), loads_.end(), std::greater<>());
      block_of_[place] = static_cast<std::uint32_t>(loads_.size());
      loads_.emplace_back(length, block_of_[place]);
    }
    std::push_heap(loads_.begin(), loads_.end(), std::greater<>());
  }
  group_by_block();
}

void Batcher::group_by_block() {
  // A counting sort: sizes, then begins, then each sentence to its place.
  const std::uint32_t n_blocks = static_cast<std::uint32_t>(loads_.size());
  begins_.resize(n_split_ + 1 + n_blocks, 0);
  std::uint32_t* const sizes = begins_.data() + n_split_ + 1;
  for (const std::uint32_t block : block_of_) ++sizes[block];
  std::uint32_t next = n_split_;
  for (std::uint32_t block = 0; block < n_blocks; ++block) {
    const std::uint32_t size = sizes[block];
    sizes[block] = next;  // where the block's next sentence goes; its end after the loop below
    next += size;
  }
  grouped_.resize(order_.size());
  std::copy_n(order_.begin(), n_split_, grouped_.begin());
  for (std::uint32_t place = 0; place < block_of_.size(); ++place) {
    grouped_[sizes[block_of_[place]]++] = order_[n_split_ + place];
  }
  order_.swap(grouped_);
}

}  // namespace espalier::runtime
