#include "measure/energy_counter.hpp"

#include <algorithm>
#include <cmath>
#include <exception>

#include "espalier/error.hpp"

namespace espalier::measure {
namespace {

// The counters are brought up to date every millisecond or so, on some processors less often: an
// increase may belong to a little more time than lies between two samples.
constexpr double kLateSeconds = 1.0;

std::string whole(double number) {
  return std::to_string(std::llround(number));
}

}  // namespace

bool CounterWindow::wraps() const {
  return std::any_of(set_.counters.begin(), set_.counters.end(),
                     [](const EnergyCounter& counter) { return counter.range != 0; });
}

void CounterWindow::start(double now_s) {
  failure_.clear();
  counts_.assign(set_.counters.size(), Count{});
  last_s_ = now_s;
  try {
    for (std::size_t at = 0; at < counts_.size(); ++at) {
      counts_[at].last = set_.counters[at].read();
    }
  } catch (const std::exception& error) {
    failure_ = error.what();
  }
}

void CounterWindow::sample(double now_s) {
  if (!failure_.empty()) return;
  try {
    for (std::size_t at = 0; at < counts_.size(); ++at) {
      add(set_.counters[at], now_s - last_s_, counts_[at]);
    }
  } catch (const std::exception& error) {
    failure_ = error.what();
  }
  last_s_ = now_s;
}

void CounterWindow::add(const EnergyCounter& counter, double elapsed_s, Count& count) {
  const std::uint64_t value = counter.read();
  const std::string subject = "the energy counter of " + counter.name;
  const bool back = value < count.last;
  if (counter.range == 0 && back) {
    throw Error(ErrorCode::unavailable, subject + " went backwards: its driver was loaded anew");
  }
  if (counter.range != 0 && std::max(value, count.last) > counter.range) {
    throw Error(ErrorCode::unavailable, subject + " is above its own range");
  }
  const std::uint64_t increase = back ? counter.range - count.last + value : value - count.last;
  const double joules = static_cast<double>(increase) * counter.joules_per_count;
  if (counter.range != 0) {
    const double range_joules = static_cast<double>(counter.range) * counter.joules_per_count;
    if (elapsed_s * kMaxPackageWatts >= range_joules) {
      throw Error(ErrorCode::unavailable, subject + " was not read for " + whole(elapsed_s) +
                                              " s, in which it may have wrapped unseen; measure " +
                                              "without pausing the program or the machine");
    }
    // A reset (a machine that slept) looks like a wrap, but of more joules than there was time for.
    if (joules > kMaxPackageWatts * (elapsed_s + kLateSeconds)) {
      throw Error(ErrorCode::unavailable, subject + " jumped by " + whole(joules) + " J in " +
                                              whole(elapsed_s) + " s: it was set anew");
    }
  }
  count.joules += joules;
  count.last = value;
}

double CounterWindow::joules() const {
  double sum = 0;
  for (const Count& count : counts_) sum += count.joules;
  return sum;
}

std::string CounterWindow::problem() const {
  if (!failure_.empty()) return failure_;
  // Virtual machines may show a counter that stands still: 0 J would be a lie.
  for (std::size_t at = 0; at < counts_.size(); ++at) {
    if (counts_[at].joules > 0) continue;
    return "the energy counter of " + set_.counters[at].name +
           " did not move; measure for longer, on the machine itself";
  }
  return {};
}

}  // namespace espalier::measure
