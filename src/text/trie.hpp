// A byte trie for longest matches. Siblings are neighbours, and a node finds its child by
// subtraction, through a small table where labels leave gaps, or by binary search where a table
// would be mostly gaps. Built from sorted strings in time and memory linear in their bytes, for any
// strings: a hash table or a double array can be made quadratic by a hostile vocabulary.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <utility>
#include <vector>

namespace espalier::text {

class Trie {
 public:
  static constexpr std::uint32_t kNone = UINT32_MAX;

  struct Entry {
    std::string_view key;
    std::uint32_t value;  // not kNone
  };

  struct Match {
    std::uint32_t value = kNone;
    std::uint32_t n_bytes = 0;
  };

  /// A node to match from, with its children spread out by byte.
  struct Start {
    std::array<std::uint32_t, 256> child;  // node, or kNone
  };

  Trie() = default;

  /// entries: sorted by key, keys unique; the empty key is left out. The keys are not kept.
  explicit Trie(const std::vector<Entry>& entries);

  /// Matches from here find keys that begin with `prefix`, without it.
  [[nodiscard]] Start start_after(std::string_view prefix) const;

  /// The longest key that `text` begins with; kNone where there is none.
  [[nodiscard]] Match longest(const Start& start, std::string_view text) const noexcept;

 private:
  enum class Children : std::uint8_t { adjacent, table, search };

  struct Node {
    std::uint32_t first_child = 0;
    std::uint32_t value = kNone;
    std::uint32_t table = 0;  // where its part of tables_ begins
    std::uint8_t lowest = 1;  // labels of its children; lowest > highest: it has none
    std::uint8_t highest = 0;
    std::uint8_t last_child = 0;  // number of children less one
    Children children = Children::adjacent;
  };

  void add_children(std::size_t parent, std::uint32_t first_child);
  [[nodiscard]] std::uint32_t child(const Node& node, std::uint8_t label) const noexcept;
  [[nodiscard]] std::uint32_t search(const Node& node, std::uint8_t label) const noexcept;

  std::vector<Node> nodes_;            // breadth first
  std::vector<std::uint8_t> labels_;   // (nodes), byte on the edge into the node
  std::vector<std::uint32_t> tables_;  // by label from Node::lowest: child, or kNone
};

}  // namespace espalier::text
