// Breadth-first construction: a node is a range of the sorted entries that share its bytes.
#include "text/trie.hpp"

#include <algorithm>

namespace espalier::text {
namespace {

constexpr std::size_t kMostSlotsPerChild =
    4;  // a table of 4-byte slots is at most a node's own size

struct Range {
  std::size_t begin;
  std::size_t end;
  std::size_t depth;  // bytes that all keys of the range share
};

}  // namespace

Trie::Trie(const std::vector<Entry>& entries) {
  std::vector<Range> ranges = {{0, entries.size(), 0}};  // (nodes)
  nodes_.emplace_back();
  labels_.push_back(0);
  for (std::size_t at = 0; at < nodes_.size(); ++at) {
    Range range = ranges[at];
    if (range.begin < range.end && entries[range.begin].key.size() == range.depth) {
      if (range.depth > 0) nodes_[at].value = entries[range.begin].value;
      ++range.begin;
    }
    const auto first_child = static_cast<std::uint32_t>(nodes_.size());
    while (range.begin < range.end) {
      const char label = entries[range.begin].key[range.depth];
      std::size_t end = range.begin + 1;
      while (end < range.end && entries[end].key[range.depth] == label) ++end;
      nodes_.emplace_back();
      labels_.push_back(static_cast<std::uint8_t>(label));
      ranges.push_back({range.begin, end, range.depth + 1});
      range.begin = end;
    }
    add_children(at, first_child);
  }
}

// The nodes from first_child to the end become the children of `parent`.
void Trie::add_children(std::size_t parent, std::uint32_t first_child) {
  const std::size_t n_children = nodes_.size() - first_child;
  Node& node = nodes_[parent];
  node.first_child = first_child;
  if (n_children == 0) return;
  node.lowest = labels_[first_child];
  node.highest = labels_.back();
  node.last_child = static_cast<std::uint8_t>(n_children - 1);
  const std::size_t n_labels = std::size_t{node.highest} - node.lowest + 1;
  if (n_labels == n_children) return;
  if (n_labels > kMostSlotsPerChild * n_children) {
    node.children = Children::search;
    return;
  }
  node.children = Children::table;
  node.table = static_cast<std::uint32_t>(tables_.size());
  tables_.resize(tables_.size() + n_labels, kNone);
  for (std::uint32_t next = first_child; next < nodes_.size(); ++next) {
    tables_[node.table + labels_[next] - node.lowest] = next;
  }
}

std::uint32_t Trie::child(const Node& node, std::uint8_t label) const noexcept {
  if (label < node.lowest || label > node.highest) return kNone;
  const std::uint32_t slot = std::uint32_t{label} - node.lowest;
  if (node.children == Children::adjacent) return node.first_child + slot;
  if (node.children == Children::table) return tables_[node.table + slot];
  return search(node, label);
}

std::uint32_t Trie::search(const Node& node, std::uint8_t label) const noexcept {
  const auto first = labels_.begin() + node.first_child;
  const auto found = std::lower_bound(first, first + node.last_child, label);
  return *found == label ? static_cast<std::uint32_t>(found - labels_.begin()) : kNone;
}

Trie::Start Trie::start_after(std::string_view prefix) const {
  Start start;
  start.child.fill(kNone);
  std::uint32_t node = nodes_.empty() ? kNone : 0;
  for (const char byte : prefix) {
    if (node == kNone) break;
    node = child(nodes_[node], static_cast<std::uint8_t>(byte));
  }
  if (node == kNone) return start;
  for (std::size_t label = 0; label < start.child.size(); ++label) {
    start.child[label] = child(nodes_[node], static_cast<std::uint8_t>(label));
  }
  return start;
}

Trie::Match Trie::longest(const Start& start, std::string_view text) const noexcept {
  Match match;
  if (text.empty()) return match;
  std::uint32_t node = start.child[static_cast<std::uint8_t>(text[0])];
  for (std::size_t depth = 1; node != kNone; ++depth) {
    const Node& here = nodes_[node];
    if (here.value != kNone) match = {here.value, static_cast<std::uint32_t>(depth)};
    if (depth == text.size()) break;
    node = child(here, static_cast<std::uint8_t>(text[depth]));
  }
  return match;
}

}  // namespace espalier::text
