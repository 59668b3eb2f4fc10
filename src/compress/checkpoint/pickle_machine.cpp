#include "compress/checkpoint/pickle_machine.hpp"

#include <algorithm>
#include <string>
#include <utility>

#include "base/printable.hpp"
#include "espalier/error.hpp"

namespace espalier::checkpoint {
namespace {

[[noreturn]] void fail(const std::string& what) {
  throw Error(ErrorCode::bad_input, what);
}

void check_room(std::size_t n_values) {
  if (n_values < kMaxPickleStack) return;
  throw Error(ErrorCode::resource, "more than " + std::to_string(kMaxPickleStack) +
                                       " values, marks or numbers of values at a time");
}

}  // namespace

void PickleMachine::need(std::size_t n_values) const {
  if (stack_.size() - floor() < n_values) fail("takes a value that is not there");
}

void PickleMachine::push(NodeId node) {
  check_room(stack_.size());
  stack_.push_back(node);
}

NodeId PickleMachine::pop() {
  need(1);
  const NodeId node = stack_.back();
  stack_.pop_back();
  return node;
}

void PickleMachine::mark() {
  check_room(marks_.size());
  marks_.push_back(static_cast<std::uint32_t>(stack_.size()));
}

// Where the values above the last mark begin.
std::size_t PickleMachine::pop_mark() {
  if (marks_.empty()) fail("takes a mark that is not there");
  const std::size_t from = marks_.back();
  marks_.pop_back();
  return from;
}

// Moves the values from stack_[from] on.
void PickleMachine::move_into(NodeId holder, std::size_t from) {
  for (std::size_t value = from; value < stack_.size(); ++value) {
    graph_.append(holder, stack_[value]);
  }
  stack_.resize(from);
}

void PickleMachine::make_tuple(std::size_t n_values) {
  need(n_values);
  const NodeId tuple = graph_.add(PickleKind::tuple);
  move_into(tuple, stack_.size() - n_values);
  push(tuple);
}

void PickleMachine::make_tuple_to_mark() {
  const std::size_t from = pop_mark();
  make_tuple(stack_.size() - from);
}

void PickleMachine::add_to_container(std::size_t from, PickleKind container) {
  if (from <= floor() || graph_.kind(stack_[from - 1]) != container) {
    fail(container == PickleKind::list ? "appends to what is no list" : "sets a key of no dict");
  }
  if (container == PickleKind::dict && (stack_.size() - from) % 2 != 0) {
    fail("sets a key without a value");
  }
  move_into(stack_[from - 1], from);
}

void PickleMachine::add_last_to(PickleKind container) {
  const std::size_t n_values = container == PickleKind::list ? 1 : 2;
  need(n_values + 1);
  add_to_container(stack_.size() - n_values, container);
}

void PickleMachine::add_to_mark_to(PickleKind container) {
  add_to_container(pop_mark(), container);
}

void PickleMachine::drop_state() {
  (void)pop();
  need(1);
  if (graph_.kind(stack_.back()) != PickleKind::dict) fail("gives a state to what is no dict");
}

void PickleMachine::put_at(std::size_t slot) {
  need(1);
  check_room(slot);
  if (slot >= memo_.size()) memo_.resize(slot + 1, kNotPut);
  if (memo_[slot] == kNotPut) ++n_put_;
  memo_[slot] = stack_.back();
}

void PickleMachine::put(std::uint64_t slot, std::size_t n_bytes_read) {
  // Picklers count their values, and each takes at least two bytes: none gets further than this.
  if (slot > n_bytes_read / 2 + 1) {
    fail("numbers a value " + std::to_string(slot) + ", which is out of turn");
  }
  put_at(slot);
}

void PickleMachine::get(std::uint64_t slot) {
  if (slot >= memo_.size() || memo_[slot] == kNotPut) {
    fail("asks for the value numbered " + std::to_string(slot) + ", which is not there");
  }
  push(memo_[slot]);
}

void PickleMachine::push_global(std::string_view module, std::string_view name) {
  const auto row = std::find_if(globals_.begin(), globals_.end(), [&](const PickleGlobal& global) {
    return global.module == module && global.name == name;
  });
  if (row == globals_.end()) {
    fail("asks for " + printable(std::string(module) + "." + std::string(name)) +
         ", which no state dict needs; nothing in the file was run");
  }
  push(graph_.add_global(static_cast<std::size_t>(row - globals_.begin())));
}

void PickleMachine::push_global_of_names() {
  const NodeId name = pop();
  const NodeId module = pop();
  if (graph_.kind(module) != PickleKind::text || graph_.kind(name) != PickleKind::text) {
    fail("asks for something by a name that is no text");
  }
  push_global(graph_.text(module), graph_.text(name));
}

void PickleMachine::call() {
  const NodeId arguments = pop();
  const NodeId callee = pop();
  if (graph_.kind(callee) != PickleKind::global) fail("calls what is no name");
  if (graph_.kind(arguments) != PickleKind::tuple) fail("calls with what is no tuple");
  if (globals_[graph_.global(callee)].is_dict_type) {
    push(dict_of(arguments));
    return;
  }
  const NodeId call = graph_.add(PickleKind::call);
  graph_.append(call, callee);
  graph_.append(call, arguments);
  push(call);
}

// Python 2 writes OrderedDict([[key, value], ...]).
NodeId PickleMachine::dict_of(NodeId arguments) {
  const auto is_sequence = [this](NodeId node) {
    return graph_.kind(node) == PickleKind::list || graph_.kind(node) == PickleKind::tuple;
  };
  const NodeId dict = graph_.add(PickleKind::dict);
  const std::vector<NodeId> lists = graph_.few_items(arguments, 1);
  if (lists.empty()) return dict;
  if (lists.size() != 1 || !is_sequence(lists[0])) fail("makes a dict of what is no list");
  for (auto pairs = graph_.items(lists[0]); !pairs.done(); pairs.advance()) {
    if (!is_sequence(pairs.item())) fail("makes a dict of what is no pair");
    const std::vector<NodeId> pair = graph_.few_items(pairs.item(), 2);
    if (pair.size() != 2) fail("makes a dict of what is no pair");
    for (const NodeId value : pair) graph_.append(dict, value);
  }
  return dict;
}

void PickleMachine::make_persistent() {
  const NodeId id = pop();
  const NodeId persistent = graph_.add(PickleKind::persistent);
  graph_.append(persistent, id);
  push(persistent);
}

Pickle PickleMachine::finish(std::size_t end) && {
  if (stack_.size() != 1 || !marks_.empty()) {
    fail("ends with " + std::to_string(stack_.size()) + " values at hand, expected one");
  }
  return {.graph = std::move(graph_), .root = stack_[0], .end = end};
}

}  // namespace espalier::checkpoint
