#include "measure/classification.hpp"

#include <algorithm>
#include <cmath>

#include "measure/check.hpp"

namespace espalier::measure {
namespace {

std::size_t n_correct(const ClassCounts& counts) {
  std::size_t sum = 0;
  for (const std::size_t correct : counts.correct) sum += correct;
  return sum;
}

}  // namespace

ClassCounts count_classes(std::span<const std::size_t> predicted, std::span<const std::size_t> gold,
                          std::size_t n_classes) {
  check_pairs(predicted.size(), gold.size(), "predictions", "labels");
  ClassCounts counts{gold.size(), std::vector<std::size_t>(n_classes),
                     std::vector<std::size_t>(n_classes), std::vector<std::size_t>(n_classes)};
  for (std::size_t row = 0; row < gold.size(); ++row) {
    if (gold[row] >= n_classes || predicted[row] >= n_classes) {
      throw Error(ErrorCode::bad_input, "row " + std::to_string(row) + " holds class " +
                                            std::to_string(std::max(gold[row], predicted[row])) +
                                            ", but there are only " + std::to_string(n_classes));
    }
    ++counts.gold[gold[row]];
    ++counts.predicted[predicted[row]];
    if (gold[row] == predicted[row]) ++counts.correct[gold[row]];
  }
  return counts;
}

double accuracy(const ClassCounts& counts) {
  return percent(n_correct(counts), counts.n_rows);
}

double class_f1(const ClassCounts& counts, std::size_t label) {
  return percent(2 * counts.correct[label], counts.gold[label] + counts.predicted[label]);
}

double macro_f1(const ClassCounts& counts) {
  double sum = 0.0;
  std::size_t n_present = 0;
  for (std::size_t label = 0; label < counts.gold.size(); ++label) {
    if (counts.gold[label] + counts.predicted[label] == 0) continue;
    sum += class_f1(counts, label);
    ++n_present;
  }
  return n_present == 0 ? 0.0 : sum / static_cast<double>(n_present);
}

double usual_f1(const ClassCounts& counts) {
  return counts.gold.size() == 2 ? class_f1(counts, 1) : macro_f1(counts);
}

double mcc(const ClassCounts& counts) {
  // Double holds these products exactly up to 2^53, that is for 9e7 rows; beyond, to 16 digits.
  const auto n_rows = static_cast<double>(counts.n_rows);
  double both = 0.0;
  double gold_squares = 0.0;
  double predicted_squares = 0.0;
  for (std::size_t label = 0; label < counts.gold.size(); ++label) {
    const auto gold = static_cast<double>(counts.gold[label]);
    const auto predicted = static_cast<double>(counts.predicted[label]);
    both += gold * predicted;
    gold_squares += gold * gold;
    predicted_squares += predicted * predicted;
  }
  const double gold_spread = n_rows * n_rows - gold_squares;
  const double predicted_spread = n_rows * n_rows - predicted_squares;
  if (gold_spread == 0.0 || predicted_spread == 0.0) return 0.0;
  const double covariance = static_cast<double>(n_correct(counts)) * n_rows - both;
  return covariance / (std::sqrt(gold_spread) * std::sqrt(predicted_spread));
}

MultiLabelScores multi_label_scores(std::span<const std::uint8_t> predicted,
                                    std::span<const std::uint8_t> gold, std::size_t n_labels) {
  check_pairs(predicted.size(), gold.size(), "predictions", "labels");
  check_rows(gold.size(), n_labels);
  std::size_t n_both = 0;
  std::size_t n_either = 0;
  std::size_t n_exact = 0;
  for (std::size_t begin = 0; begin < gold.size(); begin += n_labels) {
    bool exact = true;
    for (std::size_t cell = begin; cell < begin + n_labels; ++cell) {
      const bool is_gold = gold[cell] != 0;
      const bool is_predicted = predicted[cell] != 0;
      n_both += is_gold && is_predicted ? 1 : 0;
      n_either += (is_gold ? 1u : 0u) + (is_predicted ? 1u : 0u);
      exact = exact && is_gold == is_predicted;
    }
    n_exact += exact ? 1 : 0;
  }
  return {percent(2 * n_both, n_either), percent(n_exact, gold.size() / n_labels)};
}

}  // namespace espalier::measure
