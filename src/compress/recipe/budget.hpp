// Whether a candidate is good enough: how many points it loses, on which rows, and how sure that
// is. In points of percent throughout: 0.5 is half a point.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "measure/significance.hpp"

namespace espalier::recipe {

/// How a model did on some rows.
struct Judged {
  std::string metric;               ///< "accuracy"
  double score = 0;                 ///< percent, more is better
  std::size_t n_rows = 0;           ///< at least 1
  std::vector<std::uint8_t> right;  ///< (rows), 1 where the answer is right; empty: no such thing
  std::string slice = {};           ///< "length=short" where these are some of the rows
  std::vector<Judged> slices = {};  ///< of all rows, by label and slice column; themselves without
};

/// What a run asks of a model. Nothing: not asked.
struct Limits {
  std::optional<double> max_drop = {};        ///< points
  std::optional<double> max_slice_drop = {};  ///< points, of each label and slice by itself
  std::optional<double> confidence = {};      ///< 0.95: the upper end of that interval decides
  std::optional<double> target_speedup = {};
  std::optional<std::uint64_t> target_bytes = {};
};

/// What a candidate loses against the model it was made of, on the same rows.
struct Drop {
  std::string metric;
  double before = 0;
  double after = 0;
  std::size_t n_rows = 0;
  std::optional<measure::McNemar> test;  ///< only_first: rows that became wrong
  std::optional<double> confidence;      ///< of the interval
  std::optional<measure::Interval> interval;
  std::string slice = {};         ///< as Judged has it
  std::vector<Drop> slices = {};  ///< the worst first

  [[nodiscard]] double points() const { return before - after; }
};

/// The value below which a standard normal variable lies with the chance `share`, in (0, 1).
[[nodiscard]] double normal_quantile(double share);

/// confidence: of the interval, in (0, 1). There is a test and an interval where both models have
/// rows that are right. A slice that one of them does not have holds nothing of the data (a type of
/// entity that was only predicted) and is left out. Throws Error(bad_input) when they answered
/// different rows.
[[nodiscard]] Drop drop_between(const Judged& before, const Judged& after, double confidence);

/// The points that are held against the budget: the interval's upper end where a confidence is
/// asked for, else those observed.
[[nodiscard]] double decisive_points(const Drop& drop, const Limits& limits);

/// Whether the budget is kept, that of slices too; true without one.
[[nodiscard]] bool keeps_budget(const Drop& drop, const Limits& limits);

/// Rows from which the budget can be told: one row weighs no more than it; with a confidence, the
/// interval of a model that changes no answer stays within it.
[[nodiscard]] std::size_t rows_needed(double max_drop, std::optional<double> confidence);

/// What to say when `n_rows` cannot tell the budget; empty when they can.
[[nodiscard]] std::string too_few_rows(std::size_t n_rows, const Limits& limits);

/// "90.14 to 89.68, drop 0.46 points (95 %: -0.31 to 1.23), McNemar p 0.31".
[[nodiscard]] std::string drop_text(const Drop& drop);

}  // namespace espalier::recipe
