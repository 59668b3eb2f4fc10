// A back end that takes the time of every step of another one.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

#include "measure/latency.hpp"
#include "runtime/backend.hpp"

namespace espalier::benchmarks {

enum class Step : std::uint8_t { embed, attend, project_add_norm, feed_forward_add_norm, head };
inline constexpr std::size_t kSteps = 5;

/// Milliseconds that one member of a team spent in each step, its waiting in attend() included.
struct alignas(64) StepTimes {  // a cache line: members write at the same time
  std::array<double, kSteps> ms{};
};

/// `times` has one entry for each member of the teams it makes workspaces for; back end and times
/// must outlive this.
class TimedBackend final : public runtime::Backend {
 public:
  TimedBackend(const runtime::Backend& inner, std::vector<StepTimes>& times)
      : inner_(inner), times_(times) {}

  std::string_view name() const noexcept override { return inner_.name(); }
  std::string_view path(const runtime::PreparedModel& model) const noexcept override {
    return inner_.path(model);
  }
  std::unique_ptr<runtime::PreparedModel> prepare(const format::ModelSpec& spec) const override {
    return inner_.prepare(spec);
  }

  std::vector<std::unique_ptr<runtime::Workspace>> new_workspaces(
      const runtime::PreparedModel& model, const runtime::Limits& limits,
      ThreadTeam& team) const override {
    std::vector<std::unique_ptr<runtime::Workspace>> timed;
    for (auto& workspace : inner_.new_workspaces(model, limits, team)) {
      StepTimes& times = times_.at(timed.size());
      timed.push_back(std::make_unique<TimedWorkspace>(std::move(workspace), times));
    }
    return timed;
  }

  void embed(runtime::Workspace& workspace, const runtime::TokenBlock& block,
             runtime::RowRange rows) const override {
    const Clock clock(workspace, Step::embed);
    inner_.embed(inner(workspace), block, rows);
  }
  void attend(runtime::Workspace& workspace, std::uint32_t layer,
              runtime::Rows rows) const override {
    const Clock clock(workspace, Step::attend);
    inner_.attend(inner(workspace), layer, rows);
  }
  void project_add_norm(runtime::Workspace& workspace, std::uint32_t layer,
                        runtime::Rows rows) const override {
    const Clock clock(workspace, Step::project_add_norm);
    inner_.project_add_norm(inner(workspace), layer, rows);
  }
  void feed_forward_add_norm(runtime::Workspace& workspace, std::uint32_t layer,
                             runtime::Rows rows) const override {
    const Clock clock(workspace, Step::feed_forward_add_norm);
    inner_.feed_forward_add_norm(inner(workspace), layer, rows);
  }
  void head(runtime::Workspace& workspace, std::span<const std::uint32_t> rows,
            std::span<float> dst) const override {
    const Clock clock(workspace, Step::head);
    inner_.head(inner(workspace), rows, dst);
  }
  void read(const runtime::Workspace& workspace, runtime::Tap tap,
            std::span<float> dst) const override {
    inner_.read(*static_cast<const TimedWorkspace&>(workspace).inner, tap, dst);
  }

 private:
  struct TimedWorkspace final : runtime::Workspace {
    TimedWorkspace(std::unique_ptr<runtime::Workspace> of, StepTimes& sums)
        : inner(std::move(of)), times(sums) {}
    std::unique_ptr<runtime::Workspace> inner;
    StepTimes& times;
  };

  /// Adds its own lifetime to a step's time.
  class Clock {
   public:
    Clock(runtime::Workspace& workspace, Step step)
        : sum_ms_(
              static_cast<TimedWorkspace&>(workspace).times.ms[static_cast<std::size_t>(step)]) {}
    Clock(const Clock&) = delete;
    Clock& operator=(const Clock&) = delete;
    ~Clock() { sum_ms_ += watch_.elapsed_ms(); }

   private:
    double& sum_ms_;
    measure::Stopwatch watch_;
  };

  static runtime::Workspace& inner(runtime::Workspace& workspace) {
    return *static_cast<TimedWorkspace&>(workspace).inner;
  }

  const runtime::Backend& inner_;
  std::vector<StepTimes>& times_;
};

}  // namespace espalier::benchmarks
