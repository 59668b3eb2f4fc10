// A team runs every member once, keeps them in step where they meet, and survives their exceptions.
#include "base/thread_team.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <pthread.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <fstream>
#include <functional>
#include <set>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "espalier/error.hpp"

namespace espalier {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;
using Job = std::function<void(unsigned)>;

TEST(ThreadTeam, RunsEveryMemberOnce) {
  for (unsigned size = 1; size <= 4; ++size) {
    ThreadTeam team(size);
    std::vector<int> n_runs(size, 0);
    const Job job = [&](unsigned member) { ++n_runs.at(member); };

    for (int round = 1; round <= 1000; ++round) {
      team.run(job);
      ASSERT_EQ(n_runs, std::vector<int>(size, round));
    }
    EXPECT_EQ(team.size(), size);
  }
}

TEST(ThreadTeam, OfOneRunsOnTheCallersThread) {
  ThreadTeam team(1);
  std::thread::id id;

  team.run([&](unsigned) {
    id = std::this_thread::get_id();
    team.meet();
  });

  EXPECT_EQ(id, std::this_thread::get_id());
}

TEST(ThreadTeam, OfSeveralRunsOnTheCallersThreadAndItsOwnAlwaysTheSame) {
  ThreadTeam team(3);
  std::vector<std::thread::id> first(3);
  team.run([&](unsigned member) { first[member] = std::this_thread::get_id(); });

  std::vector<std::thread::id> second(3);
  team.run([&](unsigned member) { second[member] = std::this_thread::get_id(); });

  EXPECT_EQ(second, first);
  EXPECT_EQ(first.front(), std::this_thread::get_id());
  const std::set<std::thread::id> distinct(first.begin(), first.end());
  EXPECT_EQ(distinct.size(), 3U);
}

TEST(ThreadTeam, RunsForOneCallerAfterAnother) {
  ThreadTeam team(3);
  std::vector<std::thread::id> members(3);
  const Job job = [&](unsigned member) { members[member] = std::this_thread::get_id(); };
  team.run(job);
  const std::vector<std::thread::id> first = members;

  std::thread other([&] { team.run(job); });
  const std::thread::id caller = other.get_id();
  other.join();

  EXPECT_EQ(members, (std::vector{caller, first[1], first[2]}));
}

TEST(ThreadTeam, ShowsTheCallerWhatItsMembersWrote) {
  ThreadTeam team(2);
  std::string text;
  team.run([&](unsigned member) {
    if (member == 1) text = "from a member";
  });
  EXPECT_EQ(text, "from a member");
}

TEST(ThreadTeam, HandsAnExceptionToTheCallerAndCanBeUsedAgain) {
  for (unsigned size = 1; size <= 4; ++size) {
    ThreadTeam team(size);
    std::atomic<unsigned> n_ended{0};

    EXPECT_THROW(team.run([&](unsigned member) {
      ++n_ended;
      if (member == size - 1) throw Error(ErrorCode::bad_input, "from a member");
    }),
                 Error);
    EXPECT_EQ(n_ended, size);  // the others had ended by then

    EXPECT_NO_THROW(team.run([&](unsigned) { ++n_ended; }));
    EXPECT_EQ(n_ended, 2 * size);
  }
}

TEST(ThreadTeam, HandsOverOneOfManyExceptions) {
  ThreadTeam team(4);
  for (int round = 0; round < 100; ++round) {
    try {
      team.run([](unsigned member) { throw std::runtime_error(std::to_string(member)); });
      FAIL() << "nothing was thrown";
    } catch (const std::runtime_error& error) {
      EXPECT_LT(std::stoi(error.what()), 4);
    }
  }
}

std::atomic<int> n_ended_threads{0};

struct CountsItsEnd {
  bool armed = false;
  ~CountsItsEnd() {
    if (armed) ++n_ended_threads;
  }
};

thread_local CountsItsEnd at_end;

TEST(ThreadTeam, JoinsItsIdleThreadsWhenDestroyed) {
  { const ThreadTeam never_run(3); }
  n_ended_threads = 0;
  {
    ThreadTeam team(3);
    team.run([](unsigned member) { at_end.armed = member != 0; });
  }
  EXPECT_EQ(n_ended_threads, 2);
}

// Leaves the process `spare` bytes of addresses while it lives.
class FewAddresses {
 public:
  explicit FewAddresses(std::size_t spare) {
    std::size_t used_pages = 0;
    std::ifstream("/proc/self/statm") >> used_pages;
    EXPECT_EQ(::getrlimit(RLIMIT_AS, &before_), 0);
    rlimit few = before_;
    few.rlim_cur = used_pages * static_cast<std::size_t>(::sysconf(_SC_PAGESIZE)) + spare;
    EXPECT_EQ(::setrlimit(RLIMIT_AS, &few), 0);
  }
  ~FewAddresses() { EXPECT_EQ(::setrlimit(RLIMIT_AS, &before_), 0); }

 private:
  rlimit before_{};
};

TEST(ThreadTeam, ThatGetsTooFewThreadsIsAnErrorAndEndsThoseItGot) {
  constexpr std::size_t kStack = std::size_t{64} << 20;
  pthread_attr_t before, large;
  ASSERT_EQ(::pthread_getattr_default_np(&before), 0);
  ASSERT_EQ(::pthread_attr_init(&large), 0);
  ASSERT_EQ(::pthread_attr_setstacksize(&large, kStack), 0);
  ASSERT_EQ(::pthread_setattr_default_np(&large), 0);
  std::string message;
  try {
    const FewAddresses of_three_stacks(3 * kStack + kStack / 2);
    const ThreadTeam team(1000);
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::resource);
    message = error.what();
  }
  ASSERT_EQ(::pthread_setattr_default_np(&before), 0);
  ::pthread_attr_destroy(&large);
  ::pthread_attr_destroy(&before);

  EXPECT_THAT(message, HasSubstr(" of 1000: "));
  EXPECT_THAT(message, Not(HasSubstr("thread 2 ")));  // it had some
  EXPECT_THAT(message, HasSubstr("ask for fewer threads"));
}

TEST(ThreadTeamMeeting, KeepsMembersInStepOverTenThousandMeetings) {
  for (unsigned size = 1; size <= 4; ++size) {
    ThreadTeam team(size);
    std::vector<int> phases(size, 0);  // plain ints: a member out of step would be a data race
    std::atomic<int> n_out_of_step{0};

    team.run([&](unsigned member) {
      for (int phase = 1; phase <= 5'000; ++phase) {
        phases[member] = phase;
        team.meet();
        for (const int other : phases) {
          if (other != phase) ++n_out_of_step;
        }
        team.meet();
      }
    });

    EXPECT_EQ(n_out_of_step, 0) << size;
  }
}

TEST(ThreadTeamMeeting, WorksWhenMembersComeSoLateThatTheOthersSleep) {
  ThreadTeam team(3);
  std::atomic<std::uint64_t> ignored{0};
  std::vector<int> phases(3, 0);
  std::atomic<int> n_out_of_step{0};

  team.run([&](unsigned member) {
    for (int phase = 0; phase < 60; ++phase) {
      if (static_cast<unsigned>(phase) % 3 == member) {
        for (int step = 0; step < 200'000; ++step) ++ignored;  // far longer than the others spin
      }
      ++phases[member];
      team.meet();
      n_out_of_step += static_cast<int>(
          std::count_if(phases.begin(), phases.end(), [&](int own) { return own != phase + 1; }));
      team.meet();
    }
  });

  EXPECT_EQ(n_out_of_step, 0);
}

TEST(ThreadTeamMeeting, StartsAfreshInEveryJob) {
  ThreadTeam team(2);
  std::vector<int> n_meetings(2, 0);
  const Job job = [&](unsigned member) {
    for (int meeting = 0; meeting < 3; ++meeting) {  // an odd number
      team.meet();
      ++n_meetings[member];
    }
  };

  for (int round = 0; round < 2000; ++round) team.run(job);

  EXPECT_EQ(n_meetings, std::vector<int>(2, 6000));
}

TEST(ThreadTeamMeeting, DoesNotWaitForAMemberThatThrew) {
  for (unsigned size = 2; size <= 4; ++size) {
    ThreadTeam team(size);
    for (int round = 0; round < 500; ++round) {
      std::atomic<int> n_meetings{0};
      const unsigned thrower = static_cast<unsigned>(round) % size;

      EXPECT_THROW(team.run([&](unsigned member) {
        for (int meeting = 0; meeting < 10; ++meeting) {
          if (member == thrower && meeting == 5) throw std::runtime_error("from a member");
          team.meet();
          ++n_meetings;
        }
      }),
                   std::runtime_error);

      ASSERT_EQ(n_meetings, static_cast<int>(size - 1) * 10 + 5);
    }
  }
}

TEST(ThreadTeamMeeting, KeepsTheRestInStepWhenMembersEndOneAfterAnother) {
  constexpr int kSize = 4;
  ThreadTeam team(kSize);
  for (int round = 0; round < 500; ++round) {
    std::vector<int> phases(kSize, 0);
    std::atomic<int> n_out_of_step{0};

    team.run([&](unsigned member) {
      const int n_phases = 1 + 3 * static_cast<int>(member);
      for (int phase = 1; phase <= n_phases; ++phase) {
        phases[member] = phase;
        team.meet();
        for (int other = 0; other < kSize; ++other) {
          if (phases[static_cast<unsigned>(other)] != std::min(phase, 1 + 3 * other)) {
            ++n_out_of_step;
          }
        }
        team.meet();
      }
    });

    ASSERT_EQ(n_out_of_step, 0);
  }
}

}  // namespace
}  // namespace espalier
