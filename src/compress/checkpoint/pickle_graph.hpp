// The values of one pickle, as a graph of plain data. Values are numbered, not pointed to: sharing
// costs nothing, cycles are harmless, and taking the graph down recurses into nothing.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <string_view>
#include <vector>

namespace espalier::checkpoint {

enum class PickleKind : std::uint8_t {
  none,
  boolean,
  integer,
  long_integer,  // more than 64 bits
  real,
  text,
  tuple,
  list,
  dict,
  global,      // a name that the reader knows
  call,        // a global and the tuple of its arguments; nothing is called
  persistent,  // what stands for something outside the pickle: here, a storage
};

/// A value of a PickleGraph.
enum class NodeId : std::uint32_t {};

/// Limits on what one pickle may hold. They bound memory by a constant: a node takes 16 bytes, a
/// place in a container 8. A tensor takes about 16 nodes, the largest BERT has 4,200 tensors.
constexpr std::size_t kMaxPickleNodes = 2'000'000;
constexpr std::size_t kMaxPickleLinks = 4'000'000;

/// Values and which of them are held by which. Text is borrowed from the bytes of the pickle.
/// Accessors assert the kind. Const functions are thread-safe.
class PickleGraph {
 public:
  class Items;

  /// Each adds a value. Throws Error(resource) past kMaxPickleNodes.
  NodeId add(PickleKind kind);
  NodeId add_integer(std::int64_t value);
  NodeId add_global(std::size_t index);
  NodeId add_text(PickleKind kind, std::string_view text);  // text or long_integer

  /// Puts `item` at the end of `holder`, which may be held by others already. A dict takes keys and
  /// values in turn. Throws Error(resource) past kMaxPickleLinks.
  void append(NodeId holder, NodeId item);

  [[nodiscard]] PickleKind kind(NodeId node) const noexcept { return at(node).kind; }
  [[nodiscard]] std::int64_t integer(NodeId node) const noexcept;
  [[nodiscard]] std::size_t global(NodeId node) const noexcept;  // its row in the reader's table

  /// The characters of a text, or the little-endian bytes of a long_integer.
  [[nodiscard]] std::string_view text(NodeId node) const noexcept;

  /// What a tuple, list, dict (key, value, key, ...), call (global, arguments) or persistent (its
  /// id) holds, to be walked without a copy: a list may hold itself.
  [[nodiscard]] Items items(NodeId node) const noexcept;

  /// The same as a vector, if there are at most `most`; otherwise the first most + 1 of them.
  [[nodiscard]] std::vector<NodeId> few_items(NodeId node, std::size_t most) const;

  /// All values in the order in which they were made: 0, 1, ... size() - 1.
  [[nodiscard]] std::size_t size() const noexcept { return nodes_.size(); }

 private:
  static constexpr std::uint32_t kNoLink = UINT32_MAX;

  struct Node {
    PickleKind kind;
    std::uint32_t head;   // first link, or length of the text
    std::uint64_t value;  // last link, number, row, or address of the text
  };
  struct Link {
    NodeId item;
    std::uint32_t next;
  };

  [[nodiscard]] const Node& at(NodeId node) const noexcept {
    return nodes_[static_cast<std::size_t>(node)];
  }
  NodeId add(const Node& node);

  // Deques, not vectors: growing must not hold everything twice.
  std::deque<Node> nodes_;
  std::deque<Link> links_;
};

/// A walk over what a container holds: for (auto items = ...; !items.done(); items.advance()).
class PickleGraph::Items {
 public:
  Items(const PickleGraph& graph, std::uint32_t link) noexcept : graph_(&graph), link_(link) {}

  [[nodiscard]] bool done() const noexcept { return link_ == kNoLink; }
  [[nodiscard]] NodeId item() const noexcept { return graph_->links_[link_].item; }
  void advance() noexcept { link_ = graph_->links_[link_].next; }

 private:
  const PickleGraph* graph_;
  std::uint32_t link_;
};

}  // namespace espalier::checkpoint
