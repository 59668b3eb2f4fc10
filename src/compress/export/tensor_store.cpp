// One aligned block a tensor; a model has a few hundred, so no arena is needed.
#include "compress/export/tensor_store.hpp"

#include <cstdlib>
#include <cstring>
#include <string>

#include "espalier/error.hpp"

namespace espalier::compress {
namespace {

constexpr std::size_t kAlignment = 64;

}  // namespace

void TensorStore::Free::operator()(std::byte* bytes) const noexcept {
  std::free(bytes);
}

TensorStore::Fresh TensorStore::tensor(format::ElementType type, std::uint32_t rows,
                                       std::uint32_t cols) {
  return padded(type, rows, cols, rows * format::row_bytes(type, cols));
}

TensorStore::Fresh TensorStore::padded(format::ElementType type, std::uint32_t rows,
                                       std::uint32_t cols, std::size_t n_bytes) {
  Fresh fresh;
  fresh.tensor = {.type = type, .rows = rows, .cols = cols, .bytes = {}};
  if (n_bytes == 0) return fresh;
  const std::size_t rounded = (n_bytes + kAlignment - 1) / kAlignment * kAlignment;
  auto* bytes = static_cast<std::byte*>(std::aligned_alloc(kAlignment, rounded));
  if (bytes == nullptr) {
    throw Error(ErrorCode::resource, "no memory for a tensor of " + std::to_string(n_bytes) +
                                         " bytes; free some or convert a smaller model");
  }
  blocks_.emplace_back(bytes);
  std::memset(bytes, 0, rounded);
  fresh.bytes = {bytes, n_bytes};
  fresh.tensor.bytes = fresh.bytes;
  return fresh;
}

void TensorStore::release(format::Tensor& tensor) noexcept {
  std::erase_if(blocks_, [&](const auto& block) { return block.get() == tensor.bytes.data(); });
  tensor = {};
}

}  // namespace espalier::compress
