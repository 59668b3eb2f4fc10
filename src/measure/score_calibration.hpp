// How far a model's probabilities can be taken at their word: expected calibration error, the bins
// of a reliability diagram, Brier score. Whoever acts on a threshold depends on this, and it can
// change where no answer does.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace espalier::measure {

/// As many bins as the paper that made the measure known for networks uses.
inline constexpr std::size_t kReliabilityBins = 15;

/// The probabilities in (low, high]; 0 itself is in the first bin.
struct ReliabilityBin {
  double low = 0.0;
  double high = 0.0;
  std::size_t n = 0;
  double mean_score = 0.0;  ///< of the probabilities; 0 in an empty bin
  double share = 0.0;       ///< of answers that are right (of cells that are true); 0 if empty
};

struct ScoreCalibration {
  double ece_percent = 0.0;  ///< mean of |share - mean_score| over all n, in points of percent
  double brier = 0.0;        ///< mean squared error; 0 to 2 for classes, 0 to 1 for cells
  std::vector<ReliabilityBin> bins;  // (n_bins), of equal width
};

/// One label out of many. scores: (rows, labels) probabilities, row-major; gold: (rows), indexes.
/// A row's probability is its largest score (the first of equal ones), and it is right if that is
/// the gold label's. Brier: the squares of all labels of a row are added up.
/// Throws Error(bad_input) if the shapes do not fit, there are no rows, an index is too large, or a
/// score is no probability. Sources: Guo et al. 2017, ICML, equation 5; Brier 1950, Monthly Weather
/// Review 78:1-3.
[[nodiscard]] ScoreCalibration class_calibration(std::span<const float> scores,
                                                 std::span<const std::size_t> gold,
                                                 std::size_t n_labels,
                                                 std::size_t n_bins = kReliabilityBins);

/// Yes or no, a cell each: binary or multi-label. scores: (cells) probabilities of yes; gold:
/// (cells), 0 or 1. Bins hold the probability of yes and the share of yes. Throws as above.
/// Sources: Naeini et al. 2015, AAAI, for the binary measure; Brier as above, in its halved form.
[[nodiscard]] ScoreCalibration cell_calibration(std::span<const float> scores,
                                                std::span<const std::uint8_t> gold,
                                                std::size_t n_bins = kReliabilityBins);

}  // namespace espalier::measure
