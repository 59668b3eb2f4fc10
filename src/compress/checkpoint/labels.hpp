// The labels of a classifier and the kind of problem it solves, from config.json.
#pragma once

#include <string>
#include <vector>

#include "compress/checkpoint/bert_config.hpp"
#include "compress/checkpoint/json_fields.hpp"

namespace espalier::checkpoint {

/// The names in id2label by id; LABEL_0 and so on when it is absent, as many as num_labels says or
/// two. Throws Error(bad_input) for ids with a gap, names twice, or more than 65536 labels.
[[nodiscard]] std::vector<std::string> parse_labels(const JsonFields& config);

/// problem_type, or what the number of labels implies when it is absent. Throws Error(bad_input)
/// when the two contradict each other.
[[nodiscard]] ProblemType parse_problem_type(const JsonFields& config, std::size_t n_labels);

}  // namespace espalier::checkpoint
