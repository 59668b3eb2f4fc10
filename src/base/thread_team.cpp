#include "base/thread_team.hpp"

#include <exception>
#include <utility>

namespace espalier {
namespace {

void pause_briefly() noexcept {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#endif
}

}  // namespace

ThreadTeam::ThreadTeam(unsigned size, std::function<void()> on_start)
    : size_(size), on_start_(std::move(on_start)) {
  if (size_ == 1) return;
  threads_.reserve(size_);
  for (unsigned member = 0; member < size_; ++member) {
    threads_.emplace_back([this, member] { serve(member); });
  }
}

ThreadTeam::~ThreadTeam() {
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
  ++generation_;
  started_.notify_all();
  finished_.wait(lock, [&] { return running_ == 0; });
  if (failure_) std::rethrow_exception(std::exchange(failure_, nullptr));
}

void ThreadTeam::meet() noexcept {
  if (size_ == 1) return;
  const std::uint32_t phase = phase_.load(std::memory_order_acquire);
  if (arrived_.fetch_add(1, std::memory_order_acq_rel) + 1 == size_) {
    arrived_.store(0, std::memory_order_relaxed);
    phase_.store(phase + 1, std::memory_order_release);
    phase_.notify_all();
    return;
  }
  // Members meet once a layer, microseconds apart: a short spin first, then sleep.
  constexpr int kSpins = 2000;
  for (int spin = 0; spin < kSpins; ++spin) {
    if (phase_.load(std::memory_order_acquire) != phase) return;
    pause_briefly();
  }
  while (phase_.load(std::memory_order_acquire) == phase) {
    phase_.wait(phase, std::memory_order_acquire);
  }
}

}  // namespace espalier
