// Something small done again and again beside the real work.
#pragma once

#include <chrono>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <thread>

namespace espalier::measure {

/// Calls `work` on a thread of its own, first after `interval`, then every `interval` once it has
/// returned, until the destructor, which waits for a call under way. `work` may not throw. The
/// thread takes no signals: handlers run where they did before.
class Repeater {
 public:
  /// Throws Error(resource) when no thread can be made.
  Repeater(std::chrono::nanoseconds interval, std::function<void()> work);
  Repeater(const Repeater&) = delete;
  Repeater& operator=(const Repeater&) = delete;
  ~Repeater();

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  bool stopping_ = false;  // guarded by mutex_
  std::thread thread_;     // last: it uses the others
};

}  // namespace espalier::measure
