#include "base/thread_team.hpp"

#include <cassert>
#include <exception>
#include <string>
#include <system_error>
#include <utility>

#include "espalier/error.hpp"

namespace espalier {
namespace {

constexpr std::uint64_t kMember = std::uint64_t{1} << 32;

bool all_arrived(std::uint64_t meeting) noexcept {
  return meeting / kMember == meeting % kMember;
}

void pause_briefly() noexcept {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#endif
}

// Counts on and wakes who waits for that. Not merely a release: libstdc++'s notify_all() next looks
// whether anyone sleeps, and a store that x86 delays past that look would leave a member that falls
// asleep now without its wake-up.
void open(std::atomic<std::uint32_t>& count) noexcept {
  count.fetch_add(1, std::memory_order_seq_cst);
  count.notify_all();
}

// Returns the value once it is no longer `old`. Members meet once a layer and calls often follow
// one another, microseconds apart, while falling asleep and being woken takes tens of them: a short
// spin first, then sleep.
template <typename T>
T wait_for_change(const std::atomic<T>& value, T old) noexcept {
  constexpr int kSpins = 2000;
  for (int spin = 0; spin < kSpins; ++spin) {
    const T now = value.load(std::memory_order_acquire);
    if (now != old) return now;
    pause_briefly();
  }
  value.wait(old, std::memory_order_acquire);  // being woken for nothing is its business
  return value.load(std::memory_order_acquire);
}

}  // namespace

ThreadTeam::ThreadTeam(unsigned size) : size_(size) {
  assert(size_ >= 1);
  try {
    start();
  } catch (const std::system_error& error) {
    const std::size_t n_started = threads_.size();
    stop();
    throw Error(ErrorCode::resource, "cannot start thread " + std::to_string(n_started + 2) +
                                         " of " + std::to_string(size_) + ": " +
                                         error.code().message() + "; ask for fewer threads");
  } catch (...) {
    stop();
    throw;
  }
}

ThreadTeam::~ThreadTeam() {
  stop();
}

void ThreadTeam::start() {
  threads_.reserve(size_ - 1);
  for (unsigned member = 1; member < size_; ++member) {
    threads_.emplace_back([this, member] { serve(member); });
  }
}

void ThreadTeam::stop() noexcept {
  stopping_.store(true, std::memory_order_relaxed);
  open(generation_);
  for (std::thread& thread : threads_) thread.join();
}

void ThreadTeam::run_member(unsigned member) noexcept {
  try {
    (*job_)(member);
  } catch (...) {
    const std::lock_guard lock(mutex_);
    failure_ = std::current_exception();
  }
  leave();
}

void ThreadTeam::serve(unsigned member) {
  for (std::uint32_t generation = 0;;) {
    generation = wait_for_change(generation_, generation);
    if (stopping_.load(std::memory_order_relaxed)) return;
    run_member(member);
    // The team outlives this: its destructor joins the thread.
    if (n_running_.fetch_sub(1, std::memory_order_seq_cst) == 1) n_running_.notify_one();
  }
}

void ThreadTeam::run(const std::function<void(unsigned)>& job) {
  if (size_ == 1) {
    job(0);
    return;
  }
  job_ = &job;
  n_running_.store(size_ - 1, std::memory_order_relaxed);
  meeting_.store(size_ * kMember, std::memory_order_relaxed);
  open(generation_);
  run_member(0);
  for (unsigned left = n_running_.load(std::memory_order_acquire); left != 0;) {
    left = wait_for_change(n_running_, left);
  }
  if (failure_) std::rethrow_exception(std::exchange(failure_, nullptr));
}

void ThreadTeam::meet() noexcept {
  if (size_ == 1) return;
  const std::uint32_t phase = phase_.load(std::memory_order_acquire);
  const std::uint64_t meeting = meeting_.fetch_add(1, std::memory_order_acq_rel) + 1;
  if (all_arrived(meeting)) {
    open_next_phase(meeting / kMember);
  } else {
    wait_for_change(phase_, phase);
  }
}

void ThreadTeam::leave() noexcept {
  const std::uint64_t meeting = meeting_.fetch_sub(kMember, std::memory_order_acq_rel) - kMember;
  if (meeting != 0 && all_arrived(meeting)) open_next_phase(meeting / kMember);
}

// Called by the one whose step made the meeting complete: nobody else touches it until the phase
// changes, because all who are left wait for that.
void ThreadTeam::open_next_phase(std::uint64_t n_members) noexcept {
  meeting_.store(n_members * kMember, std::memory_order_relaxed);
  open(phase_);
}

}  // namespace espalier
