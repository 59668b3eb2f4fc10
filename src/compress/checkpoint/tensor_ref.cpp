#include "compress/checkpoint/tensor_ref.hpp"

#include <cassert>

#include "base/printable.hpp"
#include "compress/checkpoint/convert_floats.hpp"
#include "espalier/error.hpp"

namespace espalier::checkpoint {

std::uint64_t TensorRef::count() const noexcept {
  return view_->bytes.size() / (bits_of(view_->type) / 8);
}

void TensorRef::read_f32(std::span<float> dst, std::uint64_t first) const {
  assert(first <= count() && dst.size() <= count() - first);
  const std::size_t value_bytes = bits_of(view_->type) / 8;
  const auto src = view_->bytes.subspan(first * value_bytes, dst.size() * value_bytes);
  const std::size_t bad = to_f32(src, view_->type, dst);
  if (bad == dst.size()) return;
  throw Error(ErrorCode::bad_input, printable(view_->file->filename().string()) + ": tensor " +
                                        printable(name()) + " is not finite at value " +
                                        std::to_string(first + bad) +
                                        "; was the training unstable or the file damaged?");
}

std::vector<float> TensorRef::read_f32() const {
  std::vector<float> values(count());
  read_f32(values);
  return values;
}

}  // namespace espalier::checkpoint
