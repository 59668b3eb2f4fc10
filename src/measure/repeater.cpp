#include "measure/repeater.hpp"

#include <signal.h>

#include <system_error>
#include <utility>

#include "espalier/error.hpp"

namespace espalier::measure {

Repeater::Repeater(std::chrono::nanoseconds interval, std::function<void()> work) {
  sigset_t all;
  sigset_t before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);  // a new thread inherits the mask
  std::error_code error;
  try {
    thread_ = std::thread([this, interval, work = std::move(work)] {
      std::unique_lock lock(mutex_);
      while (!changed_.wait_for(lock, interval, [this] { return stopping_; })) {
        lock.unlock();
        work();
        lock.lock();
      }
    });
  } catch (const std::system_error& failure) {
    error = failure.code();
  }
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
  if (error) throw Error(ErrorCode::resource, "no thread can be made: " + error.message());
}

Repeater::~Repeater() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_one();
  thread_.join();
}

}  // namespace espalier::measure
