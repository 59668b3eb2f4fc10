// What the opcodes of a pickle work on: a stack with marks, a memo, and the graph of values that
// comes of it. Knows nothing of how opcodes are written; pickle.cpp reads those.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <string_view>
#include <vector>

#include "compress/checkpoint/pickle.hpp"
#include "compress/checkpoint/pickle_graph.hpp"

namespace espalier::checkpoint {

/// Every function that takes a value checks that it is there and of the right kind, and throws
/// Error(bad_input) otherwise, Error(resource) past a limit. Values above the last mark belong to
/// whoever takes that mark.
class PickleMachine {
 public:
  explicit PickleMachine(std::span<const PickleGlobal> globals) : globals_(globals) {}

  [[nodiscard]] PickleGraph& graph() noexcept { return graph_; }

  void push(NodeId node);
  void mark();

  /// Makes a tuple of the last values, or of those above the last mark.
  void make_tuple(std::size_t n_values);
  void make_tuple_to_mark();

  /// Moves the last n values (one for a list, a key and its value for a dict), or those above the
  /// last mark, into the container below them.
  void add_last_to(PickleKind container);
  void add_to_mark_to(PickleKind container);

  /// Takes a state; below it must be a dict, which stays as it is.
  void drop_state();

  /// Gives the last value a number, or the next free one.
  void put(std::uint64_t slot, std::size_t n_bytes_read);
  void put_next() { put_at(n_put_); }
  void get(std::uint64_t slot);

  void push_global(std::string_view module, std::string_view name);
  void push_global_of_names();  // the names are the last two values
  void call();                  // a global with a tuple; gives a call, or a dict
  void make_persistent();

  /// Ends the work. Exactly one value must be left.
  [[nodiscard]] Pickle finish(std::size_t end) &&;

 private:
  static constexpr NodeId kNotPut{std::numeric_limits<std::uint32_t>::max()};

  [[nodiscard]] std::size_t floor() const noexcept { return marks_.empty() ? 0 : marks_.back(); }
  void need(std::size_t n_values) const;
  NodeId pop();
  std::size_t pop_mark();
  void move_into(NodeId holder, std::size_t from);
  void add_to_container(std::size_t from, PickleKind container);
  void put_at(std::size_t slot);
  NodeId dict_of(NodeId arguments);

  std::span<const PickleGlobal> globals_;
  PickleGraph graph_;
  std::vector<NodeId> stack_;
  std::vector<std::uint32_t> marks_;  // sizes of the stack
  std::vector<NodeId> memo_;
  std::size_t n_put_ = 0;  // slots of the memo that hold a value
};

}  // namespace espalier::checkpoint
