#include "compress/checkpoint/pickle_graph.hpp"

#include <bit>
#include <cassert>
#include <string>

#include "espalier/error.hpp"

namespace espalier::checkpoint {
namespace {

[[maybe_unused]] bool holds_others(PickleKind kind) {
  return kind == PickleKind::tuple || kind == PickleKind::list || kind == PickleKind::dict ||
         kind == PickleKind::call || kind == PickleKind::persistent;
}

[[maybe_unused]] bool is_text(PickleKind kind) {
  return kind == PickleKind::text || kind == PickleKind::long_integer;
}

}  // namespace

NodeId PickleGraph::add(const Node& node) {
  if (nodes_.size() == kMaxPickleNodes) {
    throw Error(ErrorCode::resource, "more than " + std::to_string(kMaxPickleNodes) +
                                         " values in one pickle; it is no checkpoint of a model "
                                         "that fits here");
  }
  nodes_.push_back(node);
  return static_cast<NodeId>(nodes_.size() - 1);
}

NodeId PickleGraph::add(PickleKind kind) {
  return add({.kind = kind, .head = kNoLink, .value = 0});
}

NodeId PickleGraph::add_integer(std::int64_t value) {
  return add({.kind = PickleKind::integer, .head = 0, .value = static_cast<std::uint64_t>(value)});
}

NodeId PickleGraph::add_global(std::size_t index) {
  return add({.kind = PickleKind::global, .head = 0, .value = index});
}

NodeId PickleGraph::add_text(PickleKind kind, std::string_view text) {
  assert(is_text(kind));
  return add({.kind = kind,
              .head = static_cast<std::uint32_t>(text.size()),
              .value = reinterpret_cast<std::uintptr_t>(text.data())});
}

void PickleGraph::append(NodeId holder, NodeId item) {
  assert(holds_others(kind(holder)));
  if (links_.size() == kMaxPickleLinks) {
    throw Error(ErrorCode::resource, "containers of one pickle hold more than " +
                                         std::to_string(kMaxPickleLinks) + " values");
  }
  const auto link = static_cast<std::uint32_t>(links_.size());
  links_.push_back({.item = item, .next = kNoLink});
  Node& node = nodes_[static_cast<std::size_t>(holder)];
  if (node.head == kNoLink) {
    node.head = link;
  } else {
    links_[node.value].next = link;
  }
  node.value = link;
}

std::int64_t PickleGraph::integer(NodeId node) const noexcept {
  assert(kind(node) == PickleKind::integer);
  return std::bit_cast<std::int64_t>(at(node).value);
}

std::size_t PickleGraph::global(NodeId node) const noexcept {
  assert(kind(node) == PickleKind::global);
  return at(node).value;
}

std::string_view PickleGraph::text(NodeId node) const noexcept {
  assert(is_text(kind(node)));
  return {reinterpret_cast<const char*>(static_cast<std::uintptr_t>(at(node).value)),
          at(node).head};
}

PickleGraph::Items PickleGraph::items(NodeId node) const noexcept {
  assert(holds_others(kind(node)));
  return {*this, at(node).head};
}

std::vector<NodeId> PickleGraph::few_items(NodeId node, std::size_t most) const {
  std::vector<NodeId> few;
  for (Items all = items(node); !all.done() && few.size() <= most; all.advance()) {
    few.push_back(all.item());
  }
  return few;
}

}  // namespace espalier::checkpoint
