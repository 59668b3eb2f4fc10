// The two layouts of a torch file: since torch 1.6 a zip archive with a pickle and a member for
// each storage, before that pickles one after the other and then the storages.
#pragma once

#include <cstddef>
#include <map>
#include <span>
#include <string_view>
#include <vector>

#include "compress/checkpoint/torch_objects.hpp"

namespace espalier::checkpoint {

/// Borrows from the bytes of the file.
struct TorchContents {
  std::vector<TorchTensor> tensors;
  std::map<std::string_view, std::span<const std::byte>> storages;  // by key; of all `tensors`
  bool is_big_endian = false;
};

/// Whether a file begins as a zip archive does.
[[nodiscard]] bool is_zip(std::span<const std::byte> file) noexcept;

/// Both throw Error(bad_input) with the byte or the member, or Error(resource) past a limit. Sizes
/// of storages are left to the caller to compare with what the tensors expect.
[[nodiscard]] TorchContents read_torch_zip(std::span<const std::byte> file);
[[nodiscard]] TorchContents read_torch_legacy(std::span<const std::byte> file);

}  // namespace espalier::checkpoint
