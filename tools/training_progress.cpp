#include "training_progress.hpp"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <fstream>
#include <nlohmann/json.hpp>
#include <utility>

#include "base/atomic_file.hpp"
#include "espalier/error.hpp"
#include "measure/line_chart.hpp"
#include "output.hpp"
#include "report.hpp"

namespace espalier::tools {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::chrono::milliseconds kBarPeriod(200);
constexpr std::chrono::seconds kLinePeriod(30);
constexpr std::uint64_t kStepsALine = 10;  // of the log

std::string count_text(double count) {
  return count >= 1e5 ? fixed(count / 1e3, 0) + " k" : fixed(count, 0);
}

}  // namespace

std::string duration_text(double seconds) {
  const auto whole = static_cast<long long>(std::llround(seconds));
  if (whole >= 3600) {
    return std::to_string(whole / 3600) + " h " + std::to_string(whole % 3600 / 60) + " min";
  }
  if (whole >= 60) {
    return std::to_string(whole / 60) + " min " + std::to_string(whole % 60) + " s";
  }
  return std::to_string(whole) + " s";
}

std::string scores_text(const objective::Scores& scores) {
  std::string text;
  for (const objective::Score& score : scores) {
    text += (text.empty() ? "" : ", ") + score.name + " " + fixed(score.value, 4);
  }
  return text;
}

TrainingProgress::TrainingProgress(measure::EnergyMeter& meter)
    : meter_(meter), is_terminal_(notes_go_to_a_terminal()), start_(Clock::now()), last_(start_) {}

TrainingProgress::~TrainingProgress() {
  clear();
}

void TrainingProgress::clear() {
  if (shown_) std::fprintf(stderr, "\r\033[K");
  shown_ = false;
}

std::string TrainingProgress::line(const train::StepReport& report) {
  const double seconds = std::chrono::duration<double>(Clock::now() - start_).count();
  const auto done = static_cast<double>(report.step - first_step_);
  const auto left = static_cast<double>(report.n_steps - report.step);
  const measure::EnergyFigure energy = meter_.read().total();
  return "step " + std::to_string(report.step) + "/" + std::to_string(report.n_steps) + ", epoch " +
         std::to_string(report.epoch + 1) + ", loss " + fixed(smooth_loss_, 4) + ", " +
         count_text(static_cast<double>(n_tokens_) / seconds) + " tokens/s, " +
         duration_text(seconds / done * left) + " left" +
         (energy.joules ? ", " + measure::joules_text(*energy.joules) + " " +
                              std::string(measure::energy_tag_name(energy.tag))
                        : "");
}

void TrainingProgress::after_step(const train::StepReport& report) {
  if (n_tokens_ == 0) {
    first_step_ = report.step - 1;
    smooth_loss_ = report.loss;
  }
  n_tokens_ += report.n_tokens;
  smooth_loss_ = 0.98 * smooth_loss_ + 0.02 * report.loss;
  const Clock::time_point now = Clock::now();
  if (now - last_ < (is_terminal_ ? Clock::duration(kBarPeriod) : Clock::duration(kLinePeriod))) {
    return;
  }
  last_ = now;
  if (!is_terminal_) return note(line(report));
  const std::size_t filled = static_cast<std::size_t>(report.step * 20 / report.n_steps);
  std::fprintf(stderr, "\r\033[K[%s%s] %s", std::string(filled, '#').c_str(),
               std::string(20 - filled, '.').c_str(), line(report).c_str());
  shown_ = true;
}

void TrainingProgress::after_epoch(const train::EpochReport& report) {
  clear();
  note("epoch " + std::to_string(report.epoch + 1) + "/" + std::to_string(report.n_epochs) +
       ": loss " + fixed(report.loss, 4) +
       (report.scores.empty() ? "" : ", " + scores_text(report.scores)) +
       (report.is_best ? " (best)" : ""));
}

TrainingLog::TrainingLog(std::filesystem::path folder, std::uint64_t first_step)
    : folder_(std::move(folder)) {
  std::ifstream before(folder_ / "log.jsonl");
  std::string kept;
  for (std::string line; first_step > 0 && std::getline(before, line);) {
    // A line that a crash cut short does not parse, and nothing of worth follows it.
    const Json entry = Json::parse(line, nullptr, /*allow_exceptions=*/false);
    if (!entry.is_object() || entry.value("step", std::uint64_t{0}) > first_step) break;
    kept += line + "\n";
  }
  AtomicFile file(folder_ / "log.jsonl", Overwrite::replace);
  file.write(kept);
  file.commit();
}

void TrainingLog::append(const std::string& line) {
  std::ofstream file(folder_ / "log.jsonl", std::ios::app | std::ios::binary);
  file << line << '\n';
  file.flush();
  if (!file) {
    throw Error(ErrorCode::output,
                "log.jsonl cannot be written; is the disk full? What was saved can be resumed");
  }
}

void TrainingLog::after_step(const train::StepReport& report) {
  loss_sum_ += report.loss;
  ++n_steps_;
  if (report.step % kStepsALine != 0 && report.step != report.n_steps) return;
  append(Json{{"step", report.step},
              {"epoch", report.epoch + 1},
              {"loss", loss_sum_ / static_cast<double>(n_steps_)},
              {"learning_rate", report.learning_rate},
              {"gradient_norm", report.gradient_norm}}
             .dump());
  loss_sum_ = 0;
  n_steps_ = 0;
}

void TrainingLog::after_epoch(const train::EpochReport& report) {
  Json entry = {{"step", report.step}, {"epoch", report.epoch + 1}, {"epoch_loss", report.loss}};
  for (const objective::Score& score : report.scores) entry["scores"][score.name] = score.value;
  if (!report.scores.empty()) entry["best"] = report.is_best;
  append(entry.dump());
  draw();
}

void TrainingLog::draw() const {
  measure::ChartSeries series;
  std::ifstream log(folder_ / "log.jsonl");
  for (std::string line; std::getline(log, line);) {
    const Json entry = Json::parse(line);
    if (!entry.contains("loss")) continue;
    series.points.emplace_back(entry.at("step").get<double>(), entry.at("loss").get<double>());
  }
  AtomicFile file(folder_ / "loss.svg", Overwrite::replace);
  file.write(measure::line_chart_svg({.title = "Training loss",
                                      .x_label = "step",
                                      .y_label = "loss",
                                      .series = {std::move(series)}}));
  file.commit();
}

}  // namespace espalier::tools
