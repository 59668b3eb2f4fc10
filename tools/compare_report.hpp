// What espalier compare found, as one table or one JSON object.
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "format/spec.hpp"
#include "turn_timing.hpp"

namespace espalier::tools {

/// One of the two models.
struct ComparedModel {
  std::string name;  // without folders
  bool is_folder = false;
  std::uint64_t stored_bytes = 0;  // of the file, or of the folder's weights
  const format::ModelSpec* spec = nullptr;
};

struct Comparison {
  ComparedModel a;
  ComparedModel b;
  nlohmann::ordered_json tensors = {};  // see tensor_differences()
  std::uint32_t n_tokens = 0;           // of a sentence, for the count of multiply-adds
  TurnWorkload workload = {};           // A's calls, then B's
  TurnTimes times = {};                 // likewise
  unsigned n_threads = 0;
  std::string backend = {};
  std::string data = {};  // name of the file; empty: none was given
  // {name: number}, empty when there are none.
  nlohmann::ordered_json scores_a = nlohmann::ordered_json::object();
  nlohmann::ordered_json scores_b = nlohmann::ordered_json::object();
  // flips, kl and the like; empty when the two were scored apart.
  nlohmann::ordered_json distances = nlohmann::ordered_json::object();
  // slice_score and slices, as RowSlices reports them with A before and B after; or empty.
  nlohmann::ordered_json slices = nlohmann::ordered_json::object();
  nlohmann::ordered_json reliability = nlohmann::ordered_json::object();  // {a, b: bins} or empty
  nlohmann::ordered_json flips = nlohmann::ordered_json::array();  // as FlipList has them, cut
  nlohmann::ordered_json attribution = {};  // see compare_attributions(); null: was not asked for
  std::vector<std::string> notes = {};      // what could not be compared, and why
};

[[nodiscard]] nlohmann::ordered_json comparison_json(const Comparison& comparison);

[[nodiscard]] std::string comparison_table(const Comparison& comparison);

}  // namespace espalier::tools
