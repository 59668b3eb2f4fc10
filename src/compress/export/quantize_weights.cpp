// The codes are those of the canonical arithmetic, so that a file does not depend on the compiler.
#include "compress/export/quantize_weights.hpp"

#include <algorithm>
#include <cassert>
#include <cmath>
#include <string>

#include "espalier/error.hpp"
#include "format/four_bits.hpp"
#include "format/panels.hpp"

namespace espalier::compress {
namespace {

using format::ElementType;

TensorStore::Fresh weight_tensor(TensorStore& store, std::uint32_t out, std::uint32_t in,
                                 std::uint32_t group) {
  if (group != 0) return store.tensor(ElementType::s4, out, in);
  return store.padded(ElementType::s8, out, in, format::panel_bytes(out, in));
}

TensorStore::Fresh multiplier_tensor(TensorStore& store, std::uint32_t out, std::uint32_t in,
                                     std::uint32_t group) {
  if (group == 0) return {};
  return store.tensor(ElementType::s8, out, format::n_groups(in, group));
}

bool all_within(std::span<const std::int8_t> values, int low, int high) noexcept {
  return std::all_of(values.begin(), values.end(),
                     [&](int value) { return value >= low && value <= high; });
}

void check(const LinearToRound& asked, const RoundedLinear& given, const LinearRounder& rounder) {
  const auto fail = [&](const std::string& what) {
    throw Error(ErrorCode::failed, "rounding '" + std::string(rounder.name()) + "' of " +
                                       std::string(asked.name) + " gave " + what);
  };
  const std::size_t n_multipliers =
      asked.group == 0 ? 0 : std::size_t{asked.out} * format::n_groups(asked.in, asked.group);
  const int top = asked.group == 0 ? 127 : format::kMaxFourBitCode;
  if (given.codes.size() != std::size_t{asked.out} * asked.in || given.scales.size() != asked.out ||
      given.multipliers.size() != n_multipliers) {
    fail(std::to_string(given.codes.size()) + " codes, " + std::to_string(given.scales.size()) +
         " scales and " + std::to_string(given.multipliers.size()) + " multipliers, expected " +
         std::to_string(std::size_t{asked.out} * asked.in) + ", " + std::to_string(asked.out) +
         " and " + std::to_string(n_multipliers));
  }
  if (!all_within(given.codes, -top, top)) {
    fail("codes beyond " + std::to_string(-top) + " to " + std::to_string(top));
  }
  if (!all_within(given.multipliers, 1, format::kMaxMultiplier)) {
    fail("multipliers beyond 1 to " + std::to_string(format::kMaxMultiplier));
  }
  if (!std::all_of(given.scales.begin(), given.scales.end(),
                   [](float scale) { return scale > 0 && std::isfinite(scale); })) {
    fail("a scale that is not above 0");
  }
}

}  // namespace

LinearPacker::LinearPacker(TensorStore& store, std::uint32_t out, std::uint32_t in,
                           const CodeKind& kind)
    : in_(in),
      kind_(kind),
      weight_(weight_tensor(store, out, in, kind.group)),
      scale_(store.tensor(ElementType::f32, 1, out)),
      multiplier_(multiplier_tensor(store, out, in, kind.group)),
      codes_(in) {}

std::span<std::int8_t> LinearPacker::next_multipliers() noexcept {
  const std::size_t n_groups = multiplier_.tensor.cols;
  return multiplier_.as<std::int8_t>().subspan(n_channels_ * n_groups, n_groups);
}

void LinearPacker::add_channel(std::span<const float> weights) {
  assert(weights.size() == in_);
  const float scale = kind_.group == 0
                          ? round_row(weights, kind_.rounding, codes_)
                          : round_row_to_four_bits(weights, kind_.group, kind_.rounding, codes_,
                                                   next_multipliers());
  store_channel(codes_, scale > 0 ? scale : kZeroChannelScale);
}

void LinearPacker::add_all(LinearRounder& rounder, const LinearToRound& asked) {
  assert(asked.in == in_ && asked.group == kind_.group && n_channels_ == 0);
  const RoundedLinear rounded = rounder.round(asked);
  check(asked, rounded, rounder);
  const std::span<const std::int8_t> codes(rounded.codes);
  for (std::size_t channel = 0; channel < asked.out; ++channel) {
    const std::span<std::int8_t> dst = next_multipliers();
    std::copy_n(rounded.multipliers.begin() + static_cast<std::ptrdiff_t>(channel * dst.size()),
                dst.size(), dst.begin());
    store_channel(codes.subspan(channel * in_, in_), rounded.scales[channel]);
  }
}

void LinearPacker::store_channel(std::span<const std::int8_t> codes, float scale) noexcept {
  scale_.as<float>()[n_channels_] = scale;
  if (kind_.group == 0) {
    const auto panels = weight_.as<std::int8_t>();
    for (std::uint32_t input = 0; input < in_; ++input) {
      panels[format::panel_index(n_channels_, input, in_)] = codes[input];
    }
  } else {
    const std::size_t stride = format::row_bytes(ElementType::s4, in_);
    format::pack_four_bits(codes, weight_.as<std::uint8_t>().subspan(n_channels_ * stride, stride));
  }
  ++n_channels_;
}

void LinearPacker::store_in(format::LinearSpec& linear) const noexcept {
  linear.weight = weight_.tensor;
  linear.scale = scale_.tensor;
  if (weight_.tensor.empty()) return;  // no inputs: nothing to group
  linear.group = kind_.group;
  linear.multiplier = multiplier_.tensor;
}

}  // namespace espalier::compress
