#include "runtime/cpu/attention.hpp"

#include <initializer_list>

namespace espalier::runtime::cpu {

KeysAndValues make_keys_and_values(const AttentionSizes& sizes) {
  KeysAndValues made;
  const std::size_t width = std::size_t{sizes.max_heads} * sizes.head_dim;
  for (CodedRows* rows : {&made.keys, &made.values}) {
    if (!sizes.codes) break;
    rows->codes.resize(sizes.max_rows * width);
    rows->scale.resize(sizes.max_heads * sizes.row_stride());
  }
  if (sizes.floats) {
    made.float_keys.resize(sizes.max_rows * width);
    made.float_values.resize(sizes.max_rows * width);
  }
  return made;
}

}  // namespace espalier::runtime::cpu
