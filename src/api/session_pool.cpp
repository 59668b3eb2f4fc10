// A shelf of idle sessions: a call takes one, or waits for one, and puts it back.
#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <mutex>
#include <utility>
#include <vector>

#include "base/cpu_info.hpp"
#include "espalier/session.hpp"
#include "runtime/executor.hpp"

namespace espalier {

using namespace std::chrono_literals;

class [[gnu::visibility("hidden")]] SessionPool::Impl {
 public:
  Impl(const Model& model, const SessionPoolOptions& options) {
    const unsigned n_workers = options.n_workers == 0 ? usable_cpus() : options.n_workers;
    idle_.reserve(n_workers);
    for (unsigned worker = 0; worker < n_workers; ++worker) {
      idle_.emplace_back(model, options.session);
    }
  }

  template <typename Work>
  auto with_session(const CallLimits& call, Work&& work) {
    Loan loan(*this, call);
    return work(loan.session);
  }

 private:
  struct Loan {
    Loan(Impl& owner, const CallLimits& call) : pool(owner), session(owner.take(call)) {}
    Loan(const Loan&) = delete;
    Loan& operator=(const Loan&) = delete;
    ~Loan() { pool.put_back(std::move(session)); }

    Impl& pool;
    Session session;
  };

  Session take(const CallLimits& call) {
    std::unique_lock lock(mutex_);
    const auto is_idle = [&] { return !idle_.empty(); };
    while (!is_idle()) {
      runtime::check_limits(call);
      // Who sets a flag, perhaps a signal handler, wakes nobody: it has to be looked at. A deadline
      // may be too far away for the clock of a wait.
      const std::chrono::milliseconds longest = call.cancel != nullptr ? 10ms : 1h;
      returned_.wait_until(
          lock, std::min(call.deadline, std::chrono::steady_clock::now() + longest), is_idle);
    }
    Session session = std::move(idle_.back());
    idle_.pop_back();
    return session;
  }

  void put_back(Session session) noexcept {
    {
      const std::lock_guard lock(mutex_);
      idle_.push_back(std::move(session));  // within the reserved capacity: cannot throw
    }
    returned_.notify_one();
  }

  std::mutex mutex_;
  std::condition_variable returned_;
  std::vector<Session> idle_;  // guarded by mutex_
};

SessionPool::SessionPool(const Model& model, const SessionPoolOptions& options)
    : impl_(std::make_unique<Impl>(model, options)) {}

SessionPool::~SessionPool() = default;

std::vector<Classification> SessionPool::classify(std::span<const Text> texts,
                                                  const CallLimits& call) {
  return impl_->with_session(call, [&](Session& session) { return session.classify(texts, call); });
}

std::vector<Tagging> SessionPool::tag(std::span<const std::string_view> texts,
                                      const CallLimits& call) {
  return impl_->with_session(call, [&](Session& session) { return session.tag(texts, call); });
}

std::vector<Embedding> SessionPool::embed(std::span<const Text> texts, const CallLimits& call) {
  return impl_->with_session(call, [&](Session& session) { return session.embed(texts, call); });
}

}  // namespace espalier
