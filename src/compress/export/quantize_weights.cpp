// The codes are those of the canonical arithmetic, so that a file does not depend on the compiler.
#include "compress/export/quantize_weights.hpp"

#include <cassert>

#include "base/canonical.hpp"
#include "format/panels.hpp"

namespace espalier::compress {

LinearPacker::LinearPacker(TensorStore& store, std::uint32_t out, std::uint32_t in)
    : in_(in),
      weight_(store.padded(format::ElementType::s8, out, in, format::panel_bytes(out, in))),
      scale_(store.tensor(format::ElementType::f32, 1, out)) {}

void LinearPacker::add_channel(std::span<const float> weights) noexcept {
  assert(weights.size() == in_);
  const auto codes = weight_.as<std::int8_t>();
  const canonical::SymmetricScale s = canonical::symmetric_scale(canonical::max_magnitude(weights));
  scale_.as<float>()[n_channels_] = s.scale > 0 ? s.scale : kZeroChannelScale;
  for (std::uint32_t input = 0; input < in_; ++input) {
    codes[format::panel_index(n_channels_, input, in_)] =
        canonical::symmetric_code(weights[input], s.inverse);
  }
  ++n_channels_;
}

}  // namespace espalier::compress
