// Who pays for a compression: a score for each label and each slice of the data, before and after,
// with an interval. An average hides that one group lost; few items show a wide interval, never a
// bare number.
#pragma once

#include <cstddef>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "measure/significance.hpp"

namespace espalier::measure {

enum class SliceScore {
  accuracy,    ///< items that are right, in percent
  f1,          ///< in percent
  mean_error,  ///< mean of absolute errors, in the data's unit; less is better
};

/// What one item adds: a slice's score is the sum of `won` by the sum of `of`.
/// accuracy: 0 or 1 of 1. f1: 2 * correct of gold + predicted. mean_error: the error of 1.
struct Outcome {
  double won = 0.0;
  double of = 1.0;
};

/// How one item fares with both models.
struct OutcomePair {
  Outcome before;
  Outcome after;
};

/// What a slice scored with the other model, on the same items.
struct SliceChange {
  double before = 0.0;
  double difference = 0.0;  ///< after less before, in points; below 0 is a loss, but for mean_error
  Interval difference_95;
};

struct Slice {
  std::string group;  ///< "label", or the name of a column
  std::string value;
  std::size_t n_items = 0;
  double score = 0.0;  ///< of the model in question: after
  Interval score_95;
  std::optional<SliceChange> change = {};
};

/// Adds up items. All come with a `before` or none. One thread at a time.
///
/// Intervals of 95 %: accuracy's is wilson_interval(), its difference's paired_difference(). For
/// f1, a ratio of sums, both are Wald's with the variance of the linearised ratio, after two
/// made-up items, one won and one lost, in the spirit of paired_difference(): without them a slice
/// of few items that did not change would look certain. For mean_error both are Student's, without
/// bounds where there is one item. Sources: as those functions; Cochran 1977, Sampling Techniques,
/// chapter 6, for the ratio.
class SliceCounter {
 public:
  /// More values of a group than this are names of rows, not slices.
  static constexpr std::size_t kMaxValues = 1000;

  explicit SliceCounter(SliceScore kind) : kind_(kind) {}

  /// Throws Error(bad_input) over kMaxValues values in a group, or if `of` is not 1 for accuracy
  /// and mean_error.
  void add(std::string_view group, std::string_view value, const Outcome& after,
           const std::optional<Outcome>& before = std::nullopt);

  [[nodiscard]] SliceScore kind() const noexcept { return kind_; }

  /// The slices, the worst loss first; without a `before` the worst score first. Of equal ones the
  /// one with more items comes first. Empty without items.
  [[nodiscard]] std::vector<Slice> worst_first() const;

 private:
  struct Items {
    std::vector<OutcomePair> pairs;
    bool compared = false;
  };

  [[nodiscard]] Slice slice_of(const std::string& group, const std::string& value,
                               const Items& items) const;

  SliceScore kind_;
  std::map<std::string, std::map<std::string, Items, std::less<>>, std::less<>> groups_;
};

}  // namespace espalier::measure
