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

}  // namespace

ThreadTeam::ThreadTeam(unsigned size, std::function<void()> on_start)
    : size_(size), on_start_(std::move(on_start)) {
  assert(size_ >= 1);
  if (size_ == 1) return;
  try {
    start();
  } catch (const std::system_error& error) {
    const std::size_t n_started = threads_.size();
    stop();
    throw Error(ErrorCode::resource, "cannot start thread " + std::to_string(n_started + 1) +
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
  threads_.reserve(size_);
  for (unsigned member = 0; member < size_; ++member) {
    threads_.emplace_back([this, member] { serve(member); });
  }
}

void ThreadTeam::stop() noexcept {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  started_.notify_all();
  for (std::thread& thread : threads_) thread.join();
}

void ThreadTeam::run_member(unsigned member) noexcept {
  try {
    (*job_)(member);
  } catch (...) {
    const std::lock_guard lock(mutex_);
    failure_ = std::current_exception();
  }
}

void ThreadTeam::serve(unsigned member) {
  if (on_start_) on_start_();
  std::uint64_t seen = 0;
  for (;;) {
    {
      std::unique_lock lock(mutex_);
      started_.wait(lock, [&] { return stopping_ || generation_ != seen; });
      if (stopping_) return;
      seen = generation_;
    }
    run_member(member);
    leave();
    const std::lock_guard lock(mutex_);
    if (--running_ == 0) finished_.notify_one();
  }
}

void ThreadTeam::run(const std::function<void(unsigned)>& job) {
  if (size_ == 1) {
    job(0);
    return;
  }
  std::unique_lock lock(mutex_);
  job_ = &job;
  running_ = size_;
  failure_ = nullptr;
  meeting_.store(size_ * kMember, std::memory_order_relaxed);
  ++generation_;
  started_.notify_all();
  finished_.wait(lock, [&] { return running_ == 0; });
  if (failure_) std::rethrow_exception(std::exchange(failure_, nullptr));
}

void ThreadTeam::meet() noexcept {
  if (size_ == 1) return;
  const std::uint32_t phase = phase_.load(std::memory_order_acquire);
  const std::uint64_t meeting = meeting_.fetch_add(1, std::memory_order_acq_rel) + 1;
  if (all_arrived(meeting)) {
    open_next_phase(meeting / kMember);
    return;
  }
  // Members meet once a layer, microseconds apart: a short spin first, then sleep.
  constexpr int kSpins = 2000;
  for (int spin = 0; spin < kSpins; ++spin) {
    if (phase_.load(std::memory_order_acquire) != phase) return;
    pause_briefly();
  }
  // wait() returns only when the phase is another one: being woken for nothing is its business.
  phase_.wait(phase, std::memory_order_acquire);
}

void ThreadTeam::leave() noexcept {
  const std::uint64_t meeting = meeting_.fetch_sub(kMember, std::memory_order_acq_rel) - kMember;
  if (meeting != 0 && all_arrived(meeting)) open_next_phase(meeting / kMember);
}

// Called by the one whose step made the meeting complete: nobody else touches it until the phase
// changes, because all who are left wait for that.
void ThreadTeam::open_next_phase(std::uint64_t n_members) noexcept {
  meeting_.store(n_members * kMember, std::memory_order_relaxed);
  // Not merely a release: libstdc++'s notify_all() next looks whether anyone sleeps, and a store
  // that x86 delays past that look would leave a member that falls asleep now without its wake-up.
  phase_.fetch_add(1, std::memory_order_seq_cst);
  phase_.notify_all();
}

}  // namespace espalier
