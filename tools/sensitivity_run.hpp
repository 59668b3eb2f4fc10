// What each part of a model costs in int8: answers of mixtures of its fp32 and its int8 form, held
// against those of the fp32 one.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "data/row.hpp"
#include "espalier/espalier.hpp"
#include "format/spec.hpp"

namespace espalier::tools {

/// How far a model's answers are from the fp32 model's.
struct AnswerDistance {
  /// Mean KL divergence in nats of the labels' distributions; regress: mean absolute difference;
  /// embed: 1 - the mean cosine.
  double value = 0;
  /// Rows with another label, another set of labels (multi_label), words with another (tag); none
  /// for regress and embed.
  std::optional<std::size_t> n_flips = {};
};

/// How reports call AnswerDistance::value: "kl", "mean_abs_difference" or "cosine_distance".
[[nodiscard]] std::string_view distance_name(Task task) noexcept;

struct PartSensitivity {
  std::string name;              // compress::part_names()
  std::int64_t saved_bytes = 0;  // of the file, in int8 instead of fp32; tiny panels cost some
  AnswerDistance alone_int8;     // it in int8, all else in fp32
  AnswerDistance alone_fp32;     // it in fp32, all else in int8
};

struct Sensitivity {
  Task task = Task::classify;
  std::size_t n_rows = 0;
  std::size_t n_answers = 0;  // rows, or words (tag), or texts (embed)
  std::size_t n_truncated = 0;
  std::int64_t saved_bytes = 0;  // of all parts
  AnswerDistance all_int8;
  /// Every part in fp32 within an int8 model: what is left is the coding of queries, keys, values
  /// and probabilities.
  AnswerDistance attention;
  std::vector<PartSensitivity> parts;  // largest alone_int8 first
};

struct SensitivityInput {
  const format::ModelSpec& fp32;
  const format::ModelSpec& int8;  // of the same checkpoint
  std::span<const data::Row> rows;
  SessionOptions session = {};
};

/// Asks two models a part, and three more. on_rows: called with the rows answered so far and all
/// that there are to answer; may throw. Throws Error(usage) for a fill_mask model, and what
/// sessions throw.
[[nodiscard]] Sensitivity measure_sensitivity(
    const SensitivityInput& input,
    const std::function<void(std::size_t done, std::size_t total)>& on_rows);

}  // namespace espalier::tools
