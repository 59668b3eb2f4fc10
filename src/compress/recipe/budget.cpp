#include "compress/recipe/budget.hpp"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <numbers>

#include "base/decimal.hpp"
#include "base/printable.hpp"
#include "espalier/error.hpp"

namespace espalier::recipe {
namespace {

// A drop of exactly the budget keeps it, however its difference of two percentages was rounded.
constexpr double kRounding = 1e-9;

// Digits that show `number` as it was given: 95, 97.5.
std::string percent(double share) {
  char digits[64];
  std::snprintf(digits, sizeof digits, "%.4g", 100 * share);
  return digits;
}

}  // namespace

double normal_quantile(double share) {
  // Bisection of the distribution function: 200 halvings leave nothing of [-40, 40].
  double low = -40, high = 40;
  for (int step = 0; step < 200; ++step) {
    const double middle = (low + high) / 2;
    (std::erfc(-middle / std::numbers::sqrt2) / 2 < share ? low : high) = middle;
  }
  return (low + high) / 2;
}

namespace {

// All but whether these are the same rows: of F1s, a slice has those where the model saw something.
Drop plain_drop(const Judged& before, const Judged& after, double confidence) {
  Drop drop{.metric = before.metric,
            .before = before.score,
            .after = after.score,
            .n_rows = std::max(before.n_rows, after.n_rows),
            .test = {},
            .confidence = {},
            .interval = {},
            .slice = before.slice};
  if (!before.right.empty()) {
    drop.test = measure::mcnemar(before.right, after.right);
    drop.confidence = confidence;
    drop.interval =
        measure::paired_difference(*drop.test, drop.n_rows, normal_quantile((1 + confidence) / 2));
  }
  return drop;
}

}  // namespace

Drop drop_between(const Judged& before, const Judged& after, double confidence) {
  if (before.n_rows != after.n_rows || before.metric != after.metric ||
      before.right.size() != after.right.size()) {
    throw Error(ErrorCode::bad_input,
                "two models were judged on different rows; start over with --force");
  }
  Drop drop = plain_drop(before, after, confidence);
  for (const Judged& slice : before.slices) {
    for (const Judged& same : after.slices) {
      if (slice.slice == same.slice) drop.slices.push_back(plain_drop(slice, same, confidence));
    }
  }
  std::stable_sort(drop.slices.begin(), drop.slices.end(),
                   [](const Drop& a, const Drop& b) { return a.points() > b.points(); });
  return drop;
}

double decisive_points(const Drop& drop, const Limits& limits) {
  return limits.confidence && drop.interval ? drop.interval->high : drop.points();
}

bool keeps_budget(const Drop& drop, const Limits& limits) {
  const auto keeps = [&limits](const Drop& one, const std::optional<double>& most) {
    return !most || decisive_points(one, limits) <= *most + kRounding;
  };
  return keeps(drop, limits.max_drop) &&
         std::all_of(drop.slices.begin(), drop.slices.end(),
                     [&](const Drop& slice) { return keeps(slice, limits.max_slice_drop); });
}

std::size_t rows_needed(double max_drop, std::optional<double> confidence) {
  const double one_row = 100 / max_drop;
  double rows = one_row;
  if (confidence) {
    // No answer changed: both counts are one row added, see paired_difference().
    const double quantile = normal_quantile((1 + *confidence) / 2);
    rows = std::max(rows, one_row * quantile * std::numbers::sqrt2 - 2);
  }
  return static_cast<std::size_t>(std::ceil(rows - kRounding));
}

std::string too_few_rows(std::size_t n_rows, const Limits& limits) {
  if (!limits.max_drop || *limits.max_drop <= 0) return {};
  const std::size_t needed = rows_needed(*limits.max_drop, limits.confidence);
  if (n_rows >= needed) return {};
  const double weight = 100 / static_cast<double>(n_rows);
  const std::string counts = "the " + std::to_string(n_rows) + " rows that decide";
  if (weight > *limits.max_drop + kRounding) {
    return "one of " + counts + " weighs " + fixed(weight, 2) +
           " points, more than the budget of " + fixed(*limits.max_drop, 2) +
           "; to tell it takes " + std::to_string(needed) + " rows";
  }
  return counts + " are too few to show a drop of at most " + fixed(*limits.max_drop, 2) +
         " points with a confidence of " + percent(*limits.confidence) + " %; it takes " +
         std::to_string(needed) + " even where no answer changes";
}

std::string drop_text(const Drop& drop) {
  std::string text = drop.metric + " " + fixed(drop.before, 2) + " to " + fixed(drop.after, 2) +
                     ", drop " + fixed(drop.points(), 2) + " points";
  if (drop.interval) {
    text += " (" + percent(*drop.confidence) + " %: " + fixed(drop.interval->low, 2) + " to " +
            fixed(drop.interval->high, 2) + ")";
  }
  if (drop.test) {
    text += ", " + std::to_string(drop.test->only_first) + " answers became wrong, " +
            std::to_string(drop.test->only_second) + " right, McNemar p " +
            fixed(drop.test->p_exact, 3);
  }
  text += ", on " + std::to_string(drop.n_rows) + " rows";
  if (drop.slices.empty()) return text;
  const Drop& worst = drop.slices.front();
  return text + "; worst slice " + printable(worst.slice) + ": " + drop_text(worst);
}

}  // namespace espalier::recipe
