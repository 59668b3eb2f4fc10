// A model asked the rows that it did not learn from: its scores and answers, and how far they are
// from those of another one. What prune and quantize report.
#pragma once

#include <nlohmann/json.hpp>

#include "compress/model/bert.hpp"
#include "compress/objective/task.hpp"
#include "fine_tuned.hpp"

namespace espalier::tools {

/// Scores of a model, and its answers, by which it is compared with others.
struct Judged {
  objective::Scores scores;
  at::Tensor answers;  // (rows, classes); undefined where the task has no classes
};

/// Asks `bert` the held-out rows; nothing without them.
[[nodiscard]] Judged judge_held_out(const FineTuned& start, const model::Bert& bert);

/// How many answers changed and how far they moved; null where the task has no classes. Of single
/// labels also how many right answers were won and lost, and McNemar's p.
[[nodiscard]] nlohmann::ordered_json distance(const FineTuned& start, const Judged& before,
                                              const Judged& after);

}  // namespace espalier::tools
