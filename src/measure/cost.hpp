// What answering texts costs: joules per thousand, kilowatt-hours and grams of CO2e per million,
// and after how many texts the energy that went into compressing a model is earned back. Sums with
// given figures: what was measured comes from energy.hpp, and its tag goes along. Not for what
// making the hardware cost (embodied carbon), which no program can see.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "measure/energy.hpp"

namespace espalier::measure {

/// What the electricity of a region costs the climate: its generation over the life cycle of the
/// plants, the mean of a year.
struct GridRow {
  std::string_view region;  ///< ISO 3166-1 alpha-2, or "WORLD"
  double grams_per_kwh = 0;
  int year = 0;
  std::string_view source;
};

/// The regions known by their code, WORLD first, the others in the order of the alphabet.
[[nodiscard]] std::span<const GridRow> grid_rows() noexcept;

/// One factor with its pedigree.
struct Grid {
  std::string region;  ///< a code of grid_rows(), or "given" for a number
  double grams_per_kwh = 0;
  std::string source;
};

/// The grid that `text` names: a code, in upper or lower case, or a number of grams of CO2e per
/// kilowatt-hour from 0 to 10,000. Throws Error(usage), listing the codes, for anything else.
[[nodiscard]] Grid grid_from_text(std::string_view text);

/// Where the texts are answered.
struct CostOptions {
  Grid grid = grid_from_text("WORLD");
  /// Power usage effectiveness: what the building takes for each unit that the machine takes. 1 for
  /// a machine of one's own; data centres state theirs, 1.1 to 1.6. At least 1, finite.
  double pue = 1.0;
};

/// What `n_texts` answers cost, scaled. Figures are there exactly where the tag is not
/// `unavailable`.
struct TextCost {
  EnergyTag tag = EnergyTag::unavailable;
  std::optional<double> joules_per_1000_texts;         ///< at the machine: without the PUE
  std::optional<double> kwh_per_million_texts;         ///< times the PUE
  std::optional<double> grams_co2e_per_million_texts;  ///< times the PUE and the grid's factor
  std::string source;                                  ///< as the energy's
  std::string reason;                                  ///< as the energy's
};

/// The cost of `n_texts` texts that took the energy `spent`. Its tag is that of the energy.
/// Throws Error(usage) where there are no texts or the PUE is no finite number from 1 on.
/// Thread-safe.
[[nodiscard]] TextCost cost_of_texts(const EnergyFigure& spent, std::size_t n_texts,
                                     const CostOptions& options);

/// A machine doing nothing.
struct IdlePower {
  EnergyFigure energy;
  double seconds = 0;  ///< how long it was watched
};

/// `spent` during `seconds` less what the machine takes idle in that time, with the worse tag of
/// the two; the source says that idle is subtracted. An estimate from CPU time holds no idle share
/// and is handed back as it is, saying so. Unavailable, with the reason, where either is, where one
/// is estimated and the other not, or where nothing is left.
/// Throws Error(usage) unless both times are finite and above 0.
[[nodiscard]] EnergyFigure without_idle(const EnergyFigure& spent, double seconds,
                                        const IdlePower& idle);

/// After how many texts a compressed model has saved what compressing it took.
struct Payback {
  EnergyTag tag = EnergyTag::unavailable;  ///< the worst of what it is made of
  std::optional<double> n_texts;  ///< a whole number, at least 0; nothing: the reason says why
  std::string reason;             ///< why it never pays back, or what is not known; or empty
};

/// Compares the two costs of a text, both at the machine: the PUE stands on both sides. A model
/// that costs no less never pays back: then there is no number, the tag says how far to trust that,
/// and the reason says so.
[[nodiscard]] Payback payback(const EnergyFigure& compressing, const TextCost& original,
                              const TextCost& compressed);

/// `value` with two significant digits and no exponent where one can be done without: "4.5", "320",
/// "0.017", "1300000"; "n/a" where it is not finite. The same in every locale.
[[nodiscard]] std::string two_digit_text(double value);

}  // namespace espalier::measure
