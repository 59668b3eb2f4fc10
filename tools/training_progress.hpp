// How a training run is shown while it goes: a bar on a terminal, a line now and then elsewhere;
// and kept for later: one line of JSON for every few steps and for every epoch, and the loss as a
// plot.
#pragma once

#include <chrono>
#include <filesystem>
#include <string>

#include "compress/train/hook.hpp"
#include "measure/energy.hpp"

namespace espalier::tools {

/// Shows speed, time left and energy on standard error. The meter is running.
class TrainingProgress final : public train::Hook {
 public:
  explicit TrainingProgress(measure::EnergyMeter& meter);
  ~TrainingProgress() override;

  void after_step(const train::StepReport& report) override;
  void after_epoch(const train::EpochReport& report) override;

 private:
  using Clock = std::chrono::steady_clock;

  [[nodiscard]] std::string line(const train::StepReport& report);
  void clear();

  measure::EnergyMeter& meter_;
  bool is_terminal_;
  bool shown_ = false;
  Clock::time_point start_;
  Clock::time_point last_;
  std::uint64_t first_step_ = 0;  // the step before the first of this process
  std::uint64_t n_tokens_ = 0;
  double smooth_loss_ = 0;  // mean with weights that halve every 35 steps
};

/// Appends to `folder`/log.jsonl and redraws `folder`/loss.svg at the end of every epoch.
class TrainingLog final : public train::Hook {
 public:
  /// first_step: steps of an earlier process that the run goes on from; what it logged past them is
  /// dropped. Throws Error(output) when the folder cannot be written.
  TrainingLog(std::filesystem::path folder, std::uint64_t first_step);

  void after_step(const train::StepReport& report) override;
  void after_epoch(const train::EpochReport& report) override;

 private:
  void append(const std::string& line);
  void draw() const;

  std::filesystem::path folder_;
  double loss_sum_ = 0;
  std::uint64_t n_steps_ = 0;  // since the last line
};

/// "1 h 12 min", "3 min 20 s", "45 s".
[[nodiscard]] std::string duration_text(double seconds);

/// "entity_f1 91.48, precision 91.03".
[[nodiscard]] std::string scores_text(const objective::Scores& scores);

}  // namespace espalier::tools
