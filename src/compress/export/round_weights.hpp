// How a row of weights becomes codes: which scale it gets, at eight bits and at four. And the door
// for methods that round a whole linear with more knowledge than its weights.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace espalier::compress {

/// How scales are chosen. absmax: the largest weight gets the largest code, nothing is clipped.
/// mse: the scales of a grid that come closest to the weights, in the sum of squares; a few large
/// weights may be clipped so that the others get finer codes.
enum class Rounding : std::uint8_t { absmax, mse };

/// "absmax", "mse".
[[nodiscard]] std::string_view name_of(Rounding rounding) noexcept;

/// Codes `row`, finite, with one scale and returns it: row[i] ≈ codes[i] * scale, codes in
/// [-127, 127] of the same size. 0 for a row that is (nearly) zero. absmax is
/// canonical::quantize_row; |error| <= scale / 2 and a rounding error there.
[[nodiscard]] float round_row(std::span<const float> row, Rounding rounding,
                              std::span<std::int8_t> codes) noexcept;

/// Chooses the steps of four-bit codes for `row`, finite, and returns the row's scale: group g of
/// `group` weights, the last maybe short, has the step multipliers[g] * scale. multipliers:
/// (n_groups), in [1, kMaxMultiplier]. Returns 0, with multipliers of 1, for a row that is (nearly)
/// zero. A method that rounds weights by itself begins here.
[[nodiscard]] float four_bit_steps(std::span<const float> row, std::uint32_t group,
                                   Rounding rounding, std::span<std::int8_t> multipliers);

/// The code in [-7, 7] that is nearest to `weight` at a step: half to even. step >= 0; 0 gives 0.
[[nodiscard]] std::int8_t four_bit_code(float weight, float step) noexcept;

/// four_bit_steps and then four_bit_code of every weight. |error| <= step / 2 and a rounding error
/// with absmax.
[[nodiscard]] float round_row_to_four_bits(std::span<const float> row, std::uint32_t group,
                                           Rounding rounding, std::span<std::int8_t> codes,
                                           std::span<std::int8_t> multipliers);

/// One linear whose codes are asked for.
struct LinearToRound {
  std::string_view name;               // as part_names() has it, "layer.0.ffn.up"
  std::uint32_t out = 0;               // > 0
  std::uint32_t in = 0;                // > 0
  std::uint32_t group = 0;             // of four-bit codes; 0: eight bits
  std::span<const float> weights;      // (out, in), row-major, what the codes stand for: divided by
                                       // input_scale already where there is one
  std::span<const float> input_scale;  // (in), or empty; what the linear multiplies is
                                       // x[k] * input_scale[k], and errors weigh as that does
};

/// weights[n][k] ≈ codes[n][k] * multipliers[n][k / group] * scales[n].
struct RoundedLinear {
  std::vector<std::int8_t> codes;        // (out, in), row-major; in [-127, 127], four bits: [-7, 7]
  std::vector<std::int8_t> multipliers;  // (out, n_groups) in [1, kMaxMultiplier]; eight bits: none
  std::vector<float> scales;             // (out), > 0
};

/// Rounds the linears of the encoder that are exported as codes, one at a time, in the order of
/// part_names(), each once. Implemented outside of the exporter by methods that know what linears
/// read, such as GPTQ; it need not keep to four_bit_steps().
class LinearRounder {
 public:
  virtual ~LinearRounder() = default;

  /// What a file's provenance calls it: "gptq".
  [[nodiscard]] virtual std::string_view name() const = 0;

  /// An answer of other sizes or ranges than asked for ends the export with Error(failed); an
  /// exception does, too. Called from the thread that exports.
  [[nodiscard]] virtual RoundedLinear round(const LinearToRound& linear) = 0;
};

/// How parts become codes. The first model that an export looks at is coded with the defaults, so
/// that input scales do not depend on it.
struct Coding {
  Rounding rounding = Rounding::absmax;  // of words, and of linears without a rounder
  LinearRounder* rounder = nullptr;      // of the encoder's linears; borrowed, may be null

  [[nodiscard]] friend bool operator==(const Coding&, const Coding&) = default;
};

}  // namespace espalier::compress
