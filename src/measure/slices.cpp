#include "measure/slices.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <tuple>

#include "measure/check.hpp"

namespace espalier::measure {
namespace {

// Student's quantiles at 0.975 for 1, 2, ... degrees of freedom: scipy.stats.t.ppf(0.975, n).
constexpr std::array<double, 30> kStudent95 = {
    12.706205, 4.302653, 3.182446, 2.776445, 2.570582, 2.446912, 2.364624, 2.306004,
    2.262157,  2.228139, 2.200985, 2.178813, 2.160369, 2.144787, 2.131450, 2.119905,
    2.109816,  2.100922, 2.093024, 2.085963, 2.079614, 2.073873, 2.068658, 2.063899,
    2.059539,  2.055529, 2.051831, 2.048407, 2.045230, 2.042272};

double student_95(std::size_t n_free) {
  if (n_free <= kStudent95.size()) return kStudent95[n_free - 1];
  // Three terms of Cornish and Fisher's expansion: within 1e-4 from 31 on.
  const double z = kNormal95, z2 = z * z, n = static_cast<double>(n_free);
  return z + z * (z2 + 1.0) / (4.0 * n) + z * (5.0 * z2 * z2 + 16.0 * z2 + 3.0) / (96.0 * n * n);
}

Interval student_interval(const std::vector<double>& numbers) {
  if (numbers.size() < 2) {
    return {-std::numeric_limits<double>::infinity(), std::numeric_limits<double>::infinity()};
  }
  const double n = static_cast<double>(numbers.size());
  double mean = 0.0;
  for (const double number : numbers) mean += number / n;
  double squares = 0.0;
  for (const double number : numbers) squares += (number - mean) * (number - mean);
  const double half = student_95(numbers.size() - 1) * std::sqrt(squares / (n - 1.0) / n);
  return {mean - half, mean + half};
}

// The made-up items of an F1: something in the data, found (2 * 1 of 1 + 1) and missed (0 of 1 +
// 0).
constexpr Outcome kWon = {.won = 2.0, .of = 2.0};
constexpr Outcome kLost = {.won = 0.0, .of = 1.0};

struct Ratio {
  double won = 0.0;
  double of = 0.0;

  void add(const Outcome& item) {
    won += item.won;
    of += item.of;
  }
  [[nodiscard]] double value() const { return of > 0.0 ? won / of : 0.0; }
  /// What `item` pulls the ratio by, times the number of items.
  [[nodiscard]] double pull(const Outcome& item, double n_items) const {
    return of > 0.0 ? (item.won - value() * item.of) / (of / n_items) : 0.0;
  }
};

Interval around(double centre, double squared_pulls, double n_items) {
  const double half = kNormal95 * std::sqrt(squared_pulls) / n_items;
  return {100.0 * (centre - half), 100.0 * (centre + half)};
}

Interval within(Interval interval, double low, double high) {
  return {std::max(interval.low, low), std::min(interval.high, high)};
}

double square(double number) {
  return number * number;
}

void score_accuracy(const std::vector<OutcomePair>& pairs, Slice& slice, SliceChange& change) {
  std::size_t n_after = 0, n_before = 0;
  McNemar counts;
  for (const OutcomePair& pair : pairs) {
    const bool before = pair.before.won > 0.0, after = pair.after.won > 0.0;
    n_before += before ? 1 : 0;
    n_after += after ? 1 : 0;
    counts.only_first += after && !before ? 1 : 0;
    counts.only_second += before && !after ? 1 : 0;
  }
  slice.score = percent(n_after, pairs.size());
  slice.score_95 = wilson_interval(n_after, pairs.size());
  change.before = percent(n_before, pairs.size());
  change.difference_95 = paired_difference(counts, pairs.size());
}

void score_f1(const std::vector<OutcomePair>& pairs, Slice& slice, SliceChange& change) {
  Ratio before, after;
  for (const OutcomePair& pair : pairs) {
    before.add(pair.before);
    after.add(pair.after);
  }
  slice.score = 100.0 * after.value();
  change.before = 100.0 * before.value();
  for (Ratio* ratio : {&before, &after}) {
    ratio->add(kWon);
    ratio->add(kLost);
  }
  const double n = static_cast<double>(pairs.size()) + 2.0;
  const auto pulls = [&](const Outcome& of_before, const Outcome& of_after) {
    const double pull = after.pull(of_after, n);
    return std::pair(square(pull), square(pull - before.pull(of_before, n)));
  };
  double alone = 0.0, together = 0.0;
  const auto take = [&](std::pair<double, double> squares) {
    alone += squares.first;
    together += squares.second;
  };
  take(pulls(kWon, kLost));
  take(pulls(kLost, kWon));
  for (const OutcomePair& pair : pairs) take(pulls(pair.before, pair.after));
  slice.score_95 = within(around(after.value(), alone, n), 0.0, 100.0);
  change.difference_95 = within(around(after.value() - before.value(), together, n), -100.0, 100.0);
}

void score_error(const std::vector<OutcomePair>& pairs, Slice& slice, SliceChange& change) {
  std::vector<double> errors, differences;
  double before = 0.0, after = 0.0;
  for (const OutcomePair& pair : pairs) {
    errors.push_back(pair.after.won);
    differences.push_back(pair.after.won - pair.before.won);
    before += pair.before.won;
    after += pair.after.won;
  }
  slice.score = after / static_cast<double>(pairs.size());
  slice.score_95 = student_interval(errors);
  change.before = before / static_cast<double>(pairs.size());
  change.difference_95 = student_interval(differences);
}

}  // namespace

void SliceCounter::add(std::string_view group, std::string_view value, const Outcome& after,
                       const std::optional<Outcome>& before) {
  if (kind_ != SliceScore::f1 && (after.of != 1.0 || (before && before->of != 1.0))) {
    throw Error(ErrorCode::bad_input, "an item of an accuracy or an error is one of one");
  }
  auto& values = groups_.try_emplace(std::string(group)).first->second;
  Items& items = values.try_emplace(std::string(value)).first->second;
  if (values.size() > kMaxValues) {
    throw Error(ErrorCode::bad_input, "'" + std::string(group) + "' has more than " +
                                          std::to_string(kMaxValues) +
                                          " values; slices come from a column with few");
  }
  items.compared = before.has_value();
  items.pairs.push_back({.before = before.value_or(Outcome{}), .after = after});
}

Slice SliceCounter::slice_of(const std::string& group, const std::string& value,
                             const Items& items) const {
  Slice slice{.group = group, .value = value, .n_items = items.pairs.size(), .score_95 = {}};
  SliceChange change;
  switch (kind_) {
    case SliceScore::accuracy:
      score_accuracy(items.pairs, slice, change);
      break;
    case SliceScore::f1:
      score_f1(items.pairs, slice, change);
      break;
    case SliceScore::mean_error:
      score_error(items.pairs, slice, change);
      break;
  }
  change.difference = slice.score - change.before;
  if (items.compared) slice.change = change;
  return slice;
}

std::vector<Slice> SliceCounter::worst_first() const {
  std::vector<Slice> slices;
  for (const auto& [group, values] : groups_) {
    for (const auto& [value, items] : values) slices.push_back(slice_of(group, value, items));
  }
  const double sign = kind_ == SliceScore::mean_error ? -1.0 : 1.0;
  std::stable_sort(slices.begin(), slices.end(), [sign](const Slice& a, const Slice& b) {
    const double of_a = sign * (a.change ? a.change->difference : a.score);
    const double of_b = sign * (b.change ? b.change->difference : b.score);
    return std::tuple(of_a, b.n_items) < std::tuple(of_b, a.n_items);
  });
  return slices;
}

}  // namespace espalier::measure
