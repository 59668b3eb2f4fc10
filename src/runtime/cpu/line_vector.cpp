#include "runtime/cpu/line_vector.hpp"

#include <utility>

namespace espalier::runtime::cpu {

void* Arena::allocate(std::size_t n_bytes) {
  const std::size_t n_taken = (n_bytes + kLineBytes - 1) / kLineBytes * kLineBytes;
  if (n_taken > n_left_) {
    MappedBytes chunk = map_huge_pages(n_taken);
    next_ = chunk.get();
    n_left_ = chunk.get_deleter().n_bytes;
    chunks_.push_back(std::move(chunk));
  }
  n_left_ -= n_taken;
  return std::exchange(next_, next_ + n_taken);
}

}  // namespace espalier::runtime::cpu
