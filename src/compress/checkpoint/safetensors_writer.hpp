// Writes a safetensors file, whole or not at all.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "base/atomic_file.hpp"
#include "compress/checkpoint/element_type.hpp"

namespace espalier::checkpoint {

/// A tensor to be stored; the bytes stay the caller's.
struct TensorBytes {
  std::string name;
  ElementType type = ElementType::f32;
  std::vector<std::uint64_t> shape;
  std::span<const std::byte> bytes;  // little-endian, row-major, as many as type and shape take
};

/// Tensors are laid out by falling element size, then by name, so the same tensors in any order
/// give the same bytes and every tensor is aligned to its elements. Throws Error(usage) when a name
/// is there twice or bytes do not fit the shape, Error(output) as AtomicFile does.
void write_safetensors(const std::filesystem::path& file, std::vector<TensorBytes> tensors,
                       const std::map<std::string, std::string>& metadata, Overwrite overwrite);

/// The same into a file that the caller commits.
void write_safetensors(AtomicFile& file, std::vector<TensorBytes> tensors,
                       const std::map<std::string, std::string>& metadata);

}  // namespace espalier::checkpoint
