// What pruning did: scores, sizes and speed of the model before and after, and what each layer
// kept.
#pragma once

#include <cstdint>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

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

/// Encoder multiply-adds for a token, parameters and widths.
[[nodiscard]] nlohmann::ordered_json shape_facts(const model::Bert& bert, double mean_length);

/// {"speedup", "p10", "p90", ...}: both files timed in turns on this machine.
[[nodiscard]] nlohmann::ordered_json speed_facts(const std::filesystem::path& before,
                                                 const std::filesystem::path& after,
                                                 unsigned n_threads);

/// The card's part on pruning as a table for people.
[[nodiscard]] std::string prune_table(const nlohmann::ordered_json& card);

}  // namespace espalier::tools
