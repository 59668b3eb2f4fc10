// Reads a pickle as data. Opcodes outside a short list are refused, and so are the names of things
// to import outside a table of the caller's; nothing is imported, called or built, whatever the
// pickle asks for. Format: Python's pickletools, protocols 2 to 5.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "compress/checkpoint/pickle_graph.hpp"

namespace espalier::checkpoint {

/// A name that a pickle may import.
struct PickleGlobal {
  std::string_view module;
  std::string_view name;
  bool is_dict_type = false;  // calling it gives a dict: empty, or of the pairs of one list
};

/// The longest string, and the most values at work at a time.
constexpr std::size_t kMaxPickleString = 64 * 1024;
constexpr std::size_t kMaxPickleStack = 2'000'000;

/// One pickle that was read to its end.
struct Pickle {
  PickleGraph graph;
  NodeId root = {};
  std::size_t end = 0;  // index of the byte after it
};

/// Reads the pickle that begins at bytes[begin]; the graph borrows from `bytes`. Of the pickle's
/// objects only dicts may have a state, which is left out: torch keeps versions of modules there.
/// Throws Error(bad_input), or Error(resource) past a limit, with the index of the byte where the
/// offending opcode stands; an import that is not in `globals` is named. Memory is bounded by the
/// limits and by the bytes read. Thread-safe.
[[nodiscard]] Pickle read_pickle(std::span<const std::byte> bytes, std::size_t begin,
                                 std::span<const PickleGlobal> globals);

}  // namespace espalier::checkpoint
