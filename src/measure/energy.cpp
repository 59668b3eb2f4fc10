#include "measure/energy.hpp"

#include <algorithm>
#include <charconv>
#include <chrono>
#include <cmath>
#include <cstdlib>
#include <ctime>
#include <mutex>
#include <utility>

#include "espalier/error.hpp"
#include "measure/nvml.hpp"
#include "measure/powercap.hpp"
#include "measure/repeater.hpp"

namespace espalier::measure {
namespace {

double seconds_of(clockid_t clock) {
  timespec now{};
  clock_gettime(clock, &now);
  return static_cast<double>(now.tv_sec) + 1e-9 * static_cast<double>(now.tv_nsec);
}

/// Goes on while the machine sleeps: counters are lost in that time.
double now_s() {
  return seconds_of(CLOCK_BOOTTIME);
}

/// Of all threads of this process.
double cpu_time_s() {
  return seconds_of(CLOCK_PROCESS_CPUTIME_ID);
}

std::string shortest(double number) {
  char digits[32];
  const std::to_chars_result written = std::to_chars(digits, digits + sizeof digits, number);
  return {digits, written.ptr};
}

EnergyFigure measured(const CounterWindow& window) {
  return {EnergyTag::measured, window.joules(), window.set().source, window.set().reason};
}

/// Why there is no figure of these counters; empty: there is.
std::string obstacle(const CounterWindow& window) {
  return window.set().counters.empty() ? window.set().reason : window.problem();
}

}  // namespace

std::string_view energy_tag_name(EnergyTag tag) noexcept {
  switch (tag) {
    case EnergyTag::measured:
      return "measured";
    case EnergyTag::estimated:
      return "estimated";
    case EnergyTag::unavailable:
      break;
  }
  return "unavailable";
}

EnergyFigure Energy::total() const {
  EnergyFigure sum;
  const auto add = [&sum](const std::string& name, const EnergyFigure& part) {
    if (!part.reason.empty()) {
      sum.reason += (sum.reason.empty() ? "" : "; ") + name + ": " + part.reason;
    }
    if (!part.joules) return;
    sum.tag = sum.joules ? std::max(sum.tag, part.tag) : part.tag;
    sum.joules = sum.joules.value_or(0.0) + *part.joules;
    sum.source += (sum.source.empty() ? "" : "; ") + name + ": " + part.source;
  };
  add("cpu", cpu);
  add("gpu", gpu);
  return sum;
}

std::filesystem::path powercap_folder() {
  const char* named = std::getenv("ESPALIER_POWERCAP");
  return named != nullptr && *named != '\0' ? named : "/sys/class/powercap";
}

struct EnergyMeter::State {
  explicit State(const EnergyOptions& options)
      : watts_per_core(options.watts_per_core.value_or(kDefaultWattsPerCore)),
        estimate_source("CPU time of this process x " + shortest(watts_per_core) + " W a core" +
                        (options.watts_per_core
                             ? ", as given"
                             : ", CodeCarbon's default for a processor it does not know")),
        cpu(open_powercap(options.powercap_root)),
        gpu(open_nvml(options.nvml_library)) {}

  void sample_cpu() {
    const std::lock_guard lock(mutex);
    cpu.sample(now_s());
  }

  [[nodiscard]] EnergyFigure cpu_figure() {
    const double used_s = cpu_time_s() - start_cpu_time_s;
    const std::lock_guard lock(mutex);
    cpu.sample(now_s());
    const std::string why = obstacle(cpu);
    if (why.empty()) return measured(cpu);
    return {EnergyTag::estimated, used_s * watts_per_core, estimate_source, why};
  }

  [[nodiscard]] EnergyFigure gpu_figure() {
    gpu.sample(now_s());
    const std::string why = obstacle(gpu);
    if (why.empty()) return measured(gpu);
    return {EnergyTag::unavailable, std::nullopt, {}, why};
  }

  double watts_per_core;
  std::string estimate_source;
  std::mutex mutex;   // the sampler samples `cpu` too
  CounterWindow cpu;  // guarded by mutex
  CounterWindow gpu;
  double start_cpu_time_s = 0;
  bool running = false;
  std::unique_ptr<Repeater> sampler;  // last: it uses the others
};

EnergyMeter EnergyMeter::open(const EnergyOptions& options) {
  const double watts = options.watts_per_core.value_or(kDefaultWattsPerCore);
  if (!std::isfinite(watts) || watts <= 0) {
    throw Error(ErrorCode::usage,
                "watts per core must be a finite number above 0, not " + shortest(watts));
  }
  return EnergyMeter(std::make_unique<State>(options));
}

EnergyMeter::EnergyMeter(std::unique_ptr<State> state) : state_(std::move(state)) {}
EnergyMeter::EnergyMeter(EnergyMeter&&) noexcept = default;
EnergyMeter& EnergyMeter::operator=(EnergyMeter&&) noexcept = default;
EnergyMeter::~EnergyMeter() = default;

void EnergyMeter::start() {
  State& state = *state_;
  state.running = false;
  state.sampler.reset();  // from here on no other thread looks at the state
  state.cpu.start(now_s());
  state.gpu.start(now_s());
  state.start_cpu_time_s = cpu_time_s();
  if (state.cpu.wraps()) {
    state.sampler = std::make_unique<Repeater>(std::chrono::duration_cast<std::chrono::nanoseconds>(
                                                   std::chrono::duration<double>(kSampleSeconds)),
                                               [&state] { state.sample_cpu(); });
  }
  state.running = true;
}

Energy EnergyMeter::read() {
  if (!state_->running) {
    throw Error(ErrorCode::failed, "the energy meter does not run; call start() first");
  }
  return {state_->cpu_figure(), state_->gpu_figure()};
}

Energy EnergyMeter::stop() {
  Energy energy = read();
  state_->running = false;
  state_->sampler.reset();
  return energy;
}

double two_digits(double joules) {
  char digits[32];
  const std::to_chars_result written =
      std::to_chars(digits, digits + sizeof digits, joules, std::chars_format::scientific, 1);
  double rounded = 0;
  std::from_chars(digits, written.ptr, rounded);
  return rounded;
}

std::string joules_text(double joules) {
  char digits[32];
  const std::to_chars_result written =
      std::to_chars(digits, digits + sizeof digits, joules, std::chars_format::scientific, 1);
  const std::string text(digits, written.ptr);  // "4.5e+02"
  const std::size_t mark = text.find('e');
  const int exponent = mark == 3 ? std::stoi(text.substr(mark + 1)) : 99;
  if (exponent < -6 || exponent > 11) return text + " J";  // no unit suits, or no number at all

  constexpr const char* kUnits[] = {" µJ", " mJ", " J", " kJ", " MJ", " GJ"};
  const int n_thousands = (exponent + 6) / 3;  // from a millionth on
  std::string number = text.substr(0, mark);   // "4.5"
  switch ((exponent + 6) % 3) {
    case 0:
      break;
    case 1:
      number.erase(1, 1);
      break;
    default:
      number.erase(1, 1) += '0';
  }
  return number + kUnits[n_thousands];
}

std::string energy_text(const EnergyFigure& figure) {
  std::string text(energy_tag_name(figure.tag));
  if (figure.joules) text = joules_text(*figure.joules) + " " + text + " (" + figure.source + ")";
  return figure.reason.empty() ? text : text + "; " + figure.reason;
}

}  // namespace espalier::measure
