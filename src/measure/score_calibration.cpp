#include "measure/score_calibration.hpp"

#include <algorithm>
#include <cmath>

#include "measure/check.hpp"

namespace espalier::measure {
namespace {

// A sum of rounded probabilities may pass 1 by a few ulps.
constexpr float kRounding = 1e-6F;

double probability(float score) {
  if (!(score >= -kRounding && score <= 1.0F + kRounding)) {
    throw Error(ErrorCode::bad_input,
                "a score of " + std::to_string(score) + " is no probability; are these logits?");
  }
  return std::clamp(static_cast<double>(score), 0.0, 1.0);
}

class Bins {
 public:
  explicit Bins(std::size_t n_bins) : bins_(n_bins) {
    if (n_bins == 0) throw Error(ErrorCode::bad_input, "a reliability diagram needs a bin");
    for (std::size_t bin = 0; bin < n_bins; ++bin) {
      bins_[bin].low = static_cast<double>(bin) / static_cast<double>(n_bins);
      bins_[bin].high = static_cast<double>(bin + 1) / static_cast<double>(n_bins);
    }
  }

  void add(double score, bool is_right) {
    const double place = std::ceil(score * static_cast<double>(bins_.size())) - 1.0;
    ReliabilityBin& bin = bins_[static_cast<std::size_t>(std::max(place, 0.0))];
    ++bin.n;
    bin.mean_score += score;
    bin.share += is_right ? 1.0 : 0.0;
  }

  /// brier_sum: of all items.
  [[nodiscard]] ScoreCalibration finish(double brier_sum) {
    ScoreCalibration calibration;
    std::size_t n_items = 0;
    for (ReliabilityBin& bin : bins_) {
      n_items += bin.n;
      calibration.ece_percent += std::abs(bin.share - bin.mean_score);  // both still sums
      const double n = static_cast<double>(std::max<std::size_t>(bin.n, 1));
      bin.mean_score /= n;
      bin.share /= n;
    }
    calibration.ece_percent *= 100.0 / static_cast<double>(n_items);
    calibration.brier = brier_sum / static_cast<double>(n_items);
    calibration.bins = std::move(bins_);
    return calibration;
  }

 private:
  std::vector<ReliabilityBin> bins_;
};

double square(double number) {
  return number * number;
}

}  // namespace

ScoreCalibration class_calibration(std::span<const float> scores, std::span<const std::size_t> gold,
                                   std::size_t n_labels, std::size_t n_bins) {
  check_rows(scores.size(), n_labels);
  check_pairs(scores.size() / n_labels, gold.size(), "rows of scores", "gold labels");
  Bins bins(n_bins);
  double brier_sum = 0.0;
  for (std::size_t row = 0; row < gold.size(); ++row) {
    if (gold[row] >= n_labels) {
      throw Error(ErrorCode::bad_input, "gold label " + std::to_string(gold[row]) + " in row " +
                                            std::to_string(row) + ", but there are " +
                                            std::to_string(n_labels) + " labels");
    }
    const std::span<const float> of_row = scores.subspan(row * n_labels, n_labels);
    for (std::size_t label = 0; label < n_labels; ++label) {
      brier_sum += square(probability(of_row[label]) - (label == gold[row] ? 1.0 : 0.0));
    }
    const auto best = std::max_element(of_row.begin(), of_row.end());
    bins.add(probability(*best), static_cast<std::size_t>(best - of_row.begin()) == gold[row]);
  }
  return bins.finish(brier_sum);
}

ScoreCalibration cell_calibration(std::span<const float> scores, std::span<const std::uint8_t> gold,
                                  std::size_t n_bins) {
  check_pairs(scores.size(), gold.size(), "scores", "gold cells");
  Bins bins(n_bins);
  double brier_sum = 0.0;
  for (std::size_t cell = 0; cell < gold.size(); ++cell) {
    const double score = probability(scores[cell]);
    const bool is_true = gold[cell] != 0;
    brier_sum += square(score - (is_true ? 1.0 : 0.0));
    bins.add(score, is_true);
  }
  return bins.finish(brier_sum);
}

}  // namespace espalier::measure
