// A shelf of idle sessions: a call takes one, or waits for one, and puts it back.
#include <condition_variable>
#include <mutex>
#include <utility>
#include <vector>

#include "base/cpu_info.hpp"
#include "espalier/session.hpp"

namespace espalier {

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
  auto with_session(Work && work) {
    Loan loan(*this);
    return work(loan.session);
  }

 private:
  struct Loan {
    explicit Loan(Impl& owner) : pool(owner), session(owner.take()) {}
    Loan(const Loan&) = delete;
    Loan& operator=(const Loan&) = delete;
    ~Loan() { pool.put_back(std::move(session)); }

    Impl& pool;
    Session session;
  };

  Session take() {
    std::unique_lock lock(mutex_);
    returned_.wait(lock, [&] { return !idle_.empty(); });
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

std::vector<Classification> SessionPool::classify(std::span<const Text> texts) {
  return impl_->with_session([&](Session& session) { return session.classify(texts); });
}

std::vector<Tagging> SessionPool::tag(std::span<const std::string_view> texts) {
  return impl_->with_session([&](Session& session) { return session.tag(texts); });
}

std::vector<Embedding> SessionPool::embed(std::span<const Text> texts) {
  return impl_->with_session([&](Session& session) { return session.embed(texts); });
}

}  // namespace espalier
