// Accuracy, F1 and MCC of predicted classes, and the scores of multi-label predictions.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace espalier::measure {

/// What every score of single-label classification is made of. No confusion matrix: with many
/// classes it would be the largest thing in memory, and no score here needs it.
struct ClassCounts {
  std::size_t n_rows = 0;
  std::vector<std::size_t> gold;       // (classes), rows of each class
  std::vector<std::size_t> predicted;  // (classes), rows predicted as each class
  std::vector<std::size_t> correct;    // (classes), rows of each class predicted as it
};

/// Counts `predicted` against `gold`, both (rows), class indexes below `n_classes`.
/// Throws Error(bad_input) if they differ in length, are empty or hold a larger index.
[[nodiscard]] ClassCounts count_classes(std::span<const std::size_t> predicted,
                                        std::span<const std::size_t> gold, std::size_t n_classes);

/// Rows predicted right, in percent.
[[nodiscard]] double accuracy(const ClassCounts& counts);

/// 2 * correct / (gold + predicted) of one class, in percent; 0 if the class occurs in neither.
[[nodiscard]] double class_f1(const ClassCounts& counts, std::size_t label);

/// Unweighted mean of class_f1() over the classes that occur in gold or predictions, in percent.
[[nodiscard]] double macro_f1(const ClassCounts& counts);

/// The F1 usually reported: of class 1 if there are two classes (as GLUE does for MRPC and QQP),
/// else macro_f1(). In percent.
[[nodiscard]] double usual_f1(const ClassCounts& counts);

/// Matthews correlation coefficient in [-1, 1], for any number of classes; 0 if gold or predictions
/// hold one class only. Source: Gorodkin 2004, R_K.
[[nodiscard]] double mcc(const ClassCounts& counts);

/// Scores of predictions that may hold any number of labels.
struct MultiLabelScores {
  double micro_f1 = 0.0;     ///< over all (row, label) cells, in percent; 0 without any positive
  double exact_match = 0.0;  ///< rows with every label right, in percent
};

/// Compares `predicted` with `gold`, both (rows, labels), row-major, 0 or 1.
/// Throws Error(bad_input) if they differ in length, are empty or hold no whole rows.
[[nodiscard]] MultiLabelScores multi_label_scores(std::span<const std::uint8_t> predicted,
                                                  std::span<const std::uint8_t> gold,
                                                  std::size_t n_labels);

}  // namespace espalier::measure
