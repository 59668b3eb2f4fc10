// Tries candidates, smallest first, until one is good enough. Rows that choose and rows that decide
// are apart: a candidate that was picked for its luck on the first has to hold on the second.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <nlohmann/json.hpp>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "compress/recipe/budget.hpp"
#include "compress/recipe/ladder.hpp"
#include "compress/recipe/pipeline.hpp"

namespace espalier::recipe {

enum class Rows {
  choosing,  ///< shown to training and to the search
  deciding,  ///< looked at once a candidate is chosen
};

/// How much faster a model is than another, timed in turns.
struct Speed {
  double speedup = 0;  ///< median of the rounds
  double p10 = 0;
  double p90 = 0;
};

/// Asks models; the tools know how.
class Examiner {
 public:
  virtual ~Examiner() = default;
  virtual Judged judge(const std::filesystem::path& model, Rows rows) = 0;
  virtual Speed speed(const std::filesystem::path& reference,
                      const std::filesystem::path& model) = 0;
};

enum class Verdict { accepted, too_large, too_slow, loses_choosing, loses_deciding };

/// "accepted", "too large" and so on.
[[nodiscard]] std::string_view verdict_name(Verdict verdict) noexcept;

/// What became of a candidate.
struct Outcome {
  std::string name;
  Verdict verdict = Verdict::accepted;
  std::uint64_t n_bytes = 0;             ///< of the file
  std::optional<double> predicted = {};  ///< bytes
  std::optional<Drop> choosing = {};  ///< nothing where one candidate is all there is, or no rows
  std::optional<Drop> deciding = {};  ///< nothing where it was not looked at
  std::optional<Speed> speed = {};    ///< nothing where it was not measured
  std::size_t n_looks = 0;            ///< at the deciding rows in this run, this one included
  std::vector<std::string> spared = {};  ///< parts in bf16
  std::filesystem::path model = {};

  /// The drop that says most: on the deciding rows, else the others.
  [[nodiscard]] const std::optional<Drop>& drop() const { return deciding ? deciding : choosing; }
};

[[nodiscard]] nlohmann::ordered_json to_json(const Outcome& outcome);
/// Throws Error(bad_input) for what to_json() did not write.
[[nodiscard]] Outcome outcome_from_json(const nlohmann::ordered_json& json);

struct SearchInput {
  std::span<const Candidate> candidates;
  Limits limits;
  bool is_split = false;         ///< whether there are choosing rows beside the deciding ones
  Examiner* examiner = nullptr;  ///< null: there are no rows
  std::filesystem::path choosing = {};  ///< the file of those rows, for sensitivity
};

struct SearchResult {
  std::vector<Outcome> outcomes;      ///< of the candidates tried, in order
  std::vector<DoneStage> stages;      ///< of the accepted one
  std::optional<std::size_t> chosen;  ///< index of it in both lists
};

/// Outcomes are kept in the workspace as they come, and taken from there. on_outcome: called for
/// each, kept or new. A further look at the deciding rows asks for more confidence: the chance of
/// being wrong is divided by the number of looks (Bonferroni). Throws as the runner and the
/// examiner do.
[[nodiscard]] SearchResult search(const SearchInput& input, Pipeline& pipeline,
                                  const Workspace& workspace,
                                  const std::function<void(const Outcome&)>& on_outcome);

}  // namespace espalier::recipe
