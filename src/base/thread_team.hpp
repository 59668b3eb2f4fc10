// A fixed team of threads that runs one job at a time, all members at once: the caller is one of
// them. Created once per session; idle members sleep. Members meet at a barrier inside a job.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

namespace espalier {

/// Runs a job on `size` members: member 0 is the caller's thread, the others are the team's own.
/// What a library keeps for each thread (OpenMP settings) is the job's to set and to set back.
class ThreadTeam {
 public:
  /// size >= 1. Throws Error(resource) when the system gives fewer threads.
  explicit ThreadTeam(unsigned size);
  ThreadTeam(const ThreadTeam&) = delete;
  ThreadTeam& operator=(const ThreadTeam&) = delete;
  ~ThreadTeam();

  [[nodiscard]] unsigned size() const noexcept { return size_; }

  /// Calls job(member) for every member in [0, size) and returns when all are done. When members
  /// throw, one of their exceptions is thrown here after all have ended, and the team can be used
  /// again. Allocates nothing. One caller at a time.
  void run(const std::function<void(unsigned member)>& job);

  /// Returns once all members of the running job have called it as often as this one has, or have
  /// ended. So a member that throws leaves nobody waiting; the others go on without what it would
  /// have done, until run() throws its exception. What members wrote before is seen after.
  void meet() noexcept;

 private:
  void start();
  void stop() noexcept;
  void serve(unsigned member);
  void run_member(unsigned member) noexcept;
  void leave() noexcept;
  void open_next_phase(std::uint64_t n_members) noexcept;

  unsigned size_;
  const std::function<void(unsigned)>* job_ = nullptr;  // fixed in a job
  std::atomic<std::uint32_t> generation_{0};            // jobs so far
  std::atomic<unsigned> n_running_{0};                  // of the team's own threads
  std::atomic<bool> stopping_{false};
  std::mutex mutex_;
  std::exception_ptr failure_;             // guarded by mutex_ in a job
  std::atomic<std::uint64_t> meeting_{0};  // members in the job << 32 | those arrived
  std::atomic<std::uint32_t> phase_{0};    // meetings so far
  std::vector<std::thread> threads_;
};

}  // namespace espalier
