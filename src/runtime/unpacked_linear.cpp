#include "runtime/unpacked_linear.hpp"

#include <cstring>
#include <span>

#include "format/four_bits.hpp"
#include "format/panels.hpp"

namespace espalier::runtime {
namespace {

using format::ElementType;

/// Four inputs of a channel lie together in a panel. dst: panel_bytes, zeros.
void fill_panels(const format::LinearSpec& spec, std::int8_t* dst) {
  constexpr std::size_t kQuad = 4;
  std::vector<std::int8_t> row(format::round_up(spec.in, kQuad));
  for (std::uint32_t channel = 0; channel < spec.out; ++channel) {
    format::multiply_out(format::four_bit_row(spec.weight, spec.multiplier, spec.group, channel),
                         std::span(row).first(spec.in));
    std::int8_t* quads = dst + format::panel_index(channel, 0, spec.in);
    for (std::size_t input = 0; input < row.size(); input += kQuad) {
      std::memcpy(quads + input * format::kPanelColumns, row.data() + input, kQuad);
    }
  }
}

}  // namespace

UnpackedLinear::UnpackedLinear(const format::LinearSpec& spec) : spec_(spec) {
  if (spec.weight.empty() || spec.weight.type != ElementType::s4) return;
  const std::size_t n_bytes = format::panel_bytes(spec.out, spec.in);  // a multiple of 4,096
  panels_.resize(n_bytes / sizeof(Line));
  std::byte* bytes = panels_.front().bytes;
  fill_panels(spec, reinterpret_cast<std::int8_t*>(bytes));
  spec_.weight.type = ElementType::s8;
  spec_.weight.bytes = {bytes, n_bytes};
  spec_.group = 0;
  spec_.multiplier = {};
}

}  // namespace espalier::runtime
