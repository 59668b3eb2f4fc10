#include "runtime/cpu/attention.hpp"

namespace espalier::runtime::cpu {

KeysAndValues::KeysAndValues(const AttentionSizes& sizes, Arena& arena)
    : keys(arena), values(arena), float_keys(arena), float_values(arena) {
  const std::size_t width = std::size_t{sizes.max_heads} * sizes.head_dim;
  if (sizes.codes) {
    for (CodedRows* rows : {&keys, &values}) {
      rows->codes.resize(sizes.max_rows * width);
      rows->scale.resize(sizes.max_heads * sizes.row_stride());
    }
  }
  if (sizes.floats) {
    float_keys.resize(sizes.max_rows * width);
    float_values.resize(sizes.max_rows * width);
  }
}

}  // namespace espalier::runtime::cpu
