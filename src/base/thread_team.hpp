// A fixed team of threads that runs one job at a time, all members at once.
// Created once per session; idle members sleep. Members meet at a barrier inside a job.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

namespace espalier {

/// Runs a job on `size` members: the caller's thread is not one of them unless size is 1, so that
/// what a library keeps per thread (OpenMP settings) never leaks into the caller's.
class ThreadTeam {
 public:
  /// size >= 1. `on_start` runs once on each own thread before its first job.
  explicit ThreadTeam(unsigned size, std::function<void()> on_start = {});
  ThreadTeam(const ThreadTeam&) = delete;
  ThreadTeam& operator=(const ThreadTeam&) = delete;
  ~ThreadTeam();

  [[nodiscard]] unsigned size() const noexcept { return size_; }

  /// Calls job(member) for every member in [0, size) and returns when all are done. When members
  /// throw, one of their exceptions is thrown here after all have ended; a member that may meet()
  /// others must not throw between meetings. Allocates nothing. One caller at a time.
  void run(const std::function<void(unsigned member)>& job);

  /// Returns once all members of the running job have called it as often as this one has.
  /// Every member of the job must call it, or none.
  void meet() noexcept;

 private:
  void serve(unsigned member);
  void run_member(unsigned member) noexcept;

  unsigned size_;
  std::function<void()> on_start_;
  std::mutex mutex_;
  std::condition_variable started_;
  std::condition_variable finished_;
  const std::function<void(unsigned)>* job_ = nullptr;  // guarded by mutex_
  std::uint64_t generation_ = 0;                        // guarded by mutex_
  unsigned running_ = 0;                                // guarded by mutex_
  bool stopping_ = false;                               // guarded by mutex_
  std::exception_ptr failure_;                          // guarded by mutex_
  std::atomic<unsigned> arrived_{0};
  std::atomic<std::uint32_t> phase_{0};
  std::vector<std::thread> threads_;
};

}  // namespace espalier
