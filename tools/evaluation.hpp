// How well a model does on labelled rows, and how near it is to another model: one class a kind of
// task behind one interface, fed some rows at a time so that a data set of any size fits.
#pragma once

#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <span>
#include <string>
#include <vector>

#include "base/atomic_file.hpp"
#include "data/reader.hpp"
#include "espalier/espalier.hpp"
#include "measure/score_calibration.hpp"

namespace espalier::tools {

/// A model with the session that asks it.
struct Contestant {
  std::string name;  // of its file, without folders
  Model model;
  Session session;
};

/// The models of an evaluation: the one in question, and the one it is compared with or none.
struct Contestants {
  Contestant model;
  std::unique_ptr<Contestant> other;

  [[nodiscard]] const std::vector<std::string>& labels() const { return model.model.info().labels; }
};

/// Adds up rows. One thread at a time. `contestants` and `reader` outlive it.
class Evaluation {
 public:
  virtual ~Evaluation() = default;

  /// Answers `rows` and compares. When `predictions` is not null, appends one line of JSON a row.
  /// Throws Error(bad_input), naming the line, for a label that the model does not have.
  virtual void add(std::span<const data::Row> rows, std::string* predictions) = 0;

  /// n, truncated and every score that applies; with another model also flips, kl and the like.
  /// slices: by label and slice column; flip_texts: see FlipList; reliability: of the scores. These
  /// are lists of objects, and no figures for a line of a table.
  [[nodiscard]] virtual nlohmann::ordered_json result() const = 0;
};

/// Answers that differ, with their texts: the first kMost of the largest change.
class FlipList {
 public:
  static constexpr std::size_t kMost = 1000;

  /// flip: what changed; line and text are put before it.
  void add(const data::Row& row, nlohmann::ordered_json flip, double change);

  /// The largest change first, of equal ones in the order of the rows.
  [[nodiscard]] nlohmann::ordered_json worst() const;

 private:
  struct Flip {
    double change = 0;
    std::string json;
  };
  static void sort(std::vector<Flip>& flips);

  std::vector<Flip> flips_;
};

/// ece_percent, brier and the bins of a reliability diagram.
[[nodiscard]] nlohmann::ordered_json calibration_json(const measure::ScoreCalibration& calibration);

/// Why the two models do not answer the same question, as a sentence; empty when they do.
[[nodiscard]] std::string difference_in_question(const Contestants& contestants);

/// The evaluation for the model's task. Throws Error(usage) when the task cannot be evaluated with
/// the columns at hand, Error(bad_input) when the two models do not answer the same question.
[[nodiscard]] std::unique_ptr<Evaluation> make_evaluation(Contestants& contestants,
                                                          const data::Reader& reader);

/// Throws Error(usage) when rows of one text are to score an embedding model, which needs pairs.
void check_scorable(Task task, const data::Reader& reader);

/// Answers every row. predictions: where lines of JSON go, or null. Throws Error(bad_input) for
/// data without rows, Error(interrupted), and what Evaluation::add() throws.
void answer_rows(data::Reader& reader, Evaluation& evaluation, AtomicFile* predictions);

// One for each file evaluate_*.cpp.
[[nodiscard]] std::unique_ptr<Evaluation> evaluate_classes(Contestants&, const data::Reader&);
[[nodiscard]] std::unique_ptr<Evaluation> evaluate_multi_label(Contestants&, const data::Reader&);
[[nodiscard]] std::unique_ptr<Evaluation> evaluate_regression(Contestants&, const data::Reader&);
[[nodiscard]] std::unique_ptr<Evaluation> evaluate_embeddings(Contestants&, const data::Reader&);
[[nodiscard]] std::unique_ptr<Evaluation> evaluate_tags(Contestants&, const data::Reader&);

/// The rows as inputs of a model; views into the rows.
[[nodiscard]] std::vector<Text> texts_of(std::span<const data::Row> rows);

/// Appends an object as one line of JSON.
void append_line(std::string& lines, const nlohmann::ordered_json& object);

/// How far two models' logits are apart, added up over chunks of rows.
class LogitDistance {
 public:
  /// Both (rows, width), row-major. The reference is the model compared with.
  void add(std::span<const float> reference, std::span<const float> candidate, std::size_t width);

  [[nodiscard]] double mean_kl() const noexcept { return kl_sum_ / static_cast<double>(n_rows_); }
  [[nodiscard]] double max_difference() const noexcept { return max_difference_; }
  [[nodiscard]] std::size_t n_flips() const noexcept { return n_flips_; }
  [[nodiscard]] bool empty() const noexcept { return n_rows_ == 0; }

 private:
  double kl_sum_ = 0;
  double max_difference_ = 0;
  std::size_t n_flips_ = 0;
  std::size_t n_rows_ = 0;
};

}  // namespace espalier::tools
