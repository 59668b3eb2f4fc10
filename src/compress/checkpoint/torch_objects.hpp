// Finds the tensors in the pickle of a torch file: their names, types, shapes, strides and the
// storages they look into. Knows neither of the two layouts a file may have.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "compress/checkpoint/element_type.hpp"
#include "compress/checkpoint/pickle.hpp"

namespace espalier::checkpoint {

/// Elements of one type that a file holds once, and tensors look into. Keys borrow from the file.
struct TorchStorage {
  std::string_view key;
  ElementType type = ElementType::f32;
  std::uint64_t n_elements = 0;
  // The part that the tensor sees; all of it except in very old files.
  std::uint64_t first = 0;
  std::uint64_t n_seen = 0;
};

/// A tensor: element (i, j, ...) is number offset + i * strides[0] + j * strides[1] + ... of what
/// its storage shows. Nothing has been compared with the storage yet.
struct TorchTensor {
  std::string name;
  TorchStorage storage;
  std::uint64_t offset = 0;
  std::vector<std::uint64_t> shape;
  std::vector<std::uint64_t> strides;
};

/// How deep dicts and lists may be nested, and how many axes a tensor may have (torch's own limit).
constexpr std::size_t kMaxTorchDepth = 64;
constexpr std::size_t kMaxTorchAxes = 64;
/// Characters of all names together.
constexpr std::size_t kMaxNameBytes = 16 * 1024 * 1024;

/// Reads the pickle at bytes[begin] with the names that tensors need: collections.OrderedDict,
/// torch._utils._rebuild_tensor_v2 and _rebuild_parameter, and torch's storages of floats, integers
/// and truth values. Throws like read_pickle.
[[nodiscard]] Pickle read_torch_pickle(std::span<const std::byte> bytes, std::size_t begin);

/// The tensors below the root in the order of the pickle. A tensor in a dict in a dict is called
/// "outer.inner", one in a list "list.0", and "" if it is the root itself; whatever is no tensor is
/// passed over. Throws Error(bad_input) naming the tensor that is not as torch writes it, and when
/// there is none; Error(resource) past a limit.
[[nodiscard]] std::vector<TorchTensor> find_tensors(const Pickle& pickle);

/// All storages that the pickle speaks of by their keys, also those that no tensor uses; which part
/// is seen means nothing here. Throws Error(bad_input) for one that is not as torch writes it, or
/// is described in two ways; Error(resource) for more than kMaxTensors.
[[nodiscard]] std::map<std::string_view, TorchStorage> find_storages(const Pickle& pickle);

}  // namespace espalier::checkpoint
