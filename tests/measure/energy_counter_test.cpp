#include "measure/energy_counter.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <condition_variable>
#include <memory>
#include <mutex>

#include "espalier/error.hpp"
#include "measure/repeater.hpp"

namespace espalier::measure {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr std::uint64_t kRange = 65'532'610'987;  // µJ: 2^32 counts of 15.3 µJ

/// Counters whose values a test sets. range 0: they do not wrap.
struct Fake {
  std::vector<std::uint64_t> values;
  std::string failure = {};  // empty: they can be read

  CounterSet set(std::uint64_t range) {
    CounterSet made;
    for (std::uint64_t& value : values) {
      made.counters.push_back(
          {"package-" + std::to_string(made.counters.size()), 1e-6, range, [this, &value] {
             if (!failure.empty()) throw Error(ErrorCode::unavailable, failure);
             return value;
           }});
    }
    return made;
  }
};

TEST(CounterWindow, AddsUpWhatAllCountersCountedSinceTheStart) {
  Fake fake{{7'000'000, 1'000'000}};
  CounterWindow window(fake.set(kRange));

  window.start(100);
  fake.values = {8'500'000, 3'000'000};
  window.sample(101);

  EXPECT_THAT(window.problem(), IsEmpty());
  EXPECT_NEAR(window.joules(), 1.5 + 2.0, 1e-9);
}

TEST(CounterWindow, FollowsACounterThroughSeveralWraps) {
  Fake fake{{kRange - 1'000'000'000}};
  CounterWindow window(fake.set(kRange));

  // 500 W for 600 s, a sample every ten seconds: 300 kJ is more than four times the range.
  window.start(0);
  for (int sample = 1; sample <= 60; ++sample) {
    fake.values[0] = (fake.values[0] + 5'000'000'000) % kRange;
    window.sample(sample * kSampleSeconds);
  }

  EXPECT_THAT(window.problem(), IsEmpty());
  EXPECT_NEAR(window.joules(), 300'000, 1e-3);
  EXPECT_TRUE(window.wraps());
}

TEST(CounterWindow, WillNotGuessWhetherAWrapWentUnseen) {
  Fake fake{{1'000'000}};
  CounterWindow window(fake.set(kRange));

  window.start(0);
  fake.values[0] = 2'000'000;
  window.sample(600);

  EXPECT_THAT(window.problem(), HasSubstr("was not read for 600 s"));
}

TEST(CounterWindow, TellsAResetFromAWrap) {
  Fake fake{{kRange / 2}};
  CounterWindow window(fake.set(kRange));

  window.start(0);
  fake.values[0] = 5;  // as a wrap, 32 kJ in one second
  window.sample(1);

  EXPECT_THAT(window.problem(), HasSubstr("package-0 jumped by 32766 J in 1 s"));
}

TEST(CounterWindow, SaysThatACounterWithoutWrapsWentBackwards) {
  Fake fake{{10'000'000}};
  CounterWindow window(fake.set(0));

  window.start(0);
  fake.values[0] = 9'000'000;
  window.sample(1);

  EXPECT_THAT(window.problem(), HasSubstr("went backwards"));
  EXPECT_FALSE(window.wraps());
}

TEST(CounterWindow, RefusesAValueAboveTheRange) {
  Fake fake{{5}};
  CounterWindow window(fake.set(kRange));

  window.start(0);
  fake.values[0] = kRange + 1;
  window.sample(1);

  EXPECT_THAT(window.problem(), HasSubstr("above its own range"));
}

TEST(CounterWindow, SaysWhichCounterStoodStill) {
  Fake fake{{5, 5}};
  CounterWindow window(fake.set(kRange));

  window.start(0);
  fake.values[0] = 1'000'000;
  window.sample(1);

  EXPECT_THAT(window.problem(), HasSubstr("package-1 did not move"));
}

TEST(CounterWindow, StaysSpoiltByOneFailureUntilItStartsAnew) {
  Fake fake{{5}};
  CounterWindow window(fake.set(kRange));

  window.start(0);
  fake.failure = "it broke";
  window.sample(1);
  fake.failure = "it broke again";
  window.sample(2);
  fake.failure.clear();
  fake.values[0] = 1'000'000;
  window.sample(3);
  const std::string spoilt = window.problem();
  window.start(4);
  fake.values[0] = 3'000'000;
  window.sample(5);

  EXPECT_EQ(spoilt, "it broke");
  EXPECT_THAT(window.problem(), IsEmpty());
  EXPECT_NEAR(window.joules(), 2.0, 1e-9);
}

TEST(CounterWindow, SamplesOftenEnoughForTheSmallestRange) {
  EXPECT_LT(2 * kSampleSeconds * kMaxPackageWatts, static_cast<double>(kRange) * 1e-6);
}

TEST(Repeater, CallsUntilItIsDestroyed) {
  std::mutex mutex;
  std::condition_variable called;
  int n_calls = 0;
  auto repeater = std::make_unique<Repeater>(std::chrono::microseconds(100), [&] {
    const std::lock_guard lock(mutex);
    ++n_calls;
    called.notify_one();
  });

  {
    std::unique_lock lock(mutex);
    called.wait(lock, [&] { return n_calls >= 3; });
  }
  repeater.reset();

  EXPECT_GE(n_calls, 3);  // read without the lock: no other thread is left
}

TEST(Repeater, EndsAtOnceHoweverLongItsInterval) {
  bool called = false;

  {
    const Repeater repeater(std::chrono::hours(24), [&called] { called = true; });
  }

  EXPECT_FALSE(called);
}

}  // namespace
}  // namespace espalier::measure
