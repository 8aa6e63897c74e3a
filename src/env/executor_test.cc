#include "seerdb/executor.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "base/mutex.h"
#include "base/random.h"
#include "seerdb/clock.h"

namespace seerdb {
namespace {

using ::testing::ElementsAre;
using Lane = Executor::Lane;

// Something that happens once. Held by all that know of it: a thread may still be inside Set when another
// has already returned from Wait.
class Event {
 public:
  void Set() {
    MutexLock lock(&mutex_);
    set_ = true;
    changed_.SignalAll();
  }
  void Wait() {
    MutexLock lock(&mutex_);
    while (!set_) changed_.Wait(&mutex_);
  }

 private:
  Mutex mutex_;
  CondVar changed_;
  bool set_ GUARDED_BY(mutex_) = false;
};
std::shared_ptr<Event> NewEvent() { return std::make_shared<Event>(); }

constexpr uint64_t kHourUs = 3600ull * 1000000;

TEST(ThreadPoolExecutor, RunsTheTasksOfALaneInOrderAndEachOnce) {
  constexpr int kTasks = 1000;
  std::vector<int> flushes, compactions;  // each touched by one lane's thread only
  {
    const auto executor = NewThreadPoolExecutor();
    EXPECT_FALSE(executor->cooperative());
    EXPECT_FALSE(executor->RunOne());
    for (int i = 0; i < kTasks; ++i) {
      executor->Schedule(Lane::kFlush, [&flushes, i] { flushes.push_back(i); });
      executor->Schedule(Lane::kCompaction, [&compactions, i] { compactions.push_back(i); });
    }
  }
  for (const auto& run : {flushes, compactions}) {
    EXPECT_EQ(run.size(), static_cast<size_t>(kTasks));
    EXPECT_TRUE(std::is_sorted(run.begin(), run.end()));
  }
}

TEST(ThreadPoolExecutor, AFlushRunsBesideACompactionThatDoesNotEnd) {
  const auto executor = NewThreadPoolExecutor();
  const auto flushed = NewEvent();
  executor->Schedule(Lane::kCompaction, [flushed] { flushed->Wait(); });
  executor->Schedule(Lane::kFlush, [flushed] { flushed->Set(); });
  flushed->Wait();
}

TEST(ThreadPoolExecutor, AShortTaskRunsBesideAFlushThatDoesNotEnd) {
  const auto executor = NewThreadPoolExecutor();
  const auto ran = NewEvent();
  executor->Schedule(Lane::kFlush, [ran] { ran->Wait(); });
  executor->Schedule(Lane::kSide, [ran] { ran->Set(); });
  ran->Wait();
}

// Each compaction waits for all of them to run, so each needs a thread of its own.
TEST(ThreadPoolExecutor, CompactionsRunBesideEachOther) {
  constexpr int kThreads = 3;
  const auto executor = NewThreadPoolExecutor(kThreads);
  std::atomic<int> started{0};
  const auto all_run = NewEvent(), done = NewEvent();
  std::atomic<int> ended{0};
  for (int i = 0; i < kThreads; ++i) {
    executor->Schedule(Lane::kCompaction, [&] {
      if (++started == kThreads) all_run->Set();
      all_run->Wait();
      if (++ended == kThreads) done->Set();
    });
  }
  done->Wait();
}

// A thread that waits for a delayed task may be called away for another: then another must wait in its place.
TEST(ThreadPoolExecutor, ADelayedTaskRunsWhileTheThreadThatAwaitedItIsBusy) {
  for (int round = 0; round < 20; ++round) {
    const auto executor = NewThreadPoolExecutor(2);
    const auto delayed = NewEvent();
    executor->ScheduleAfter(2000, Lane::kCompaction, [delayed] { delayed->Set(); });
    executor->Schedule(Lane::kCompaction, [delayed] { delayed->Wait(); });
    delayed->Wait();
  }
}

TEST(ThreadPoolExecutor, ThreadsAreNicerNamedAndHandleNoSignalsOfTheHost) {
  struct Seen {
    int niceness = 0;
    int policy = 0;
    std::string name;
    bool blocks_signals = false;
    bool blocks_faults = true;
  };
  const auto look = [](Seen* seen) {
    seen->niceness = ::getpriority(PRIO_PROCESS, static_cast<id_t>(::syscall(SYS_gettid)));
    seen->policy = ::sched_getscheduler(0);
    char name[16];
    ::pthread_getname_np(::pthread_self(), name, sizeof name);
    seen->name = name;
    sigset_t set;
    ::pthread_sigmask(SIG_BLOCK, nullptr, &set);
    seen->blocks_signals =
        sigismember(&set, SIGINT) && sigismember(&set, SIGTERM) && sigismember(&set, SIGUSR1);
    seen->blocks_faults = sigismember(&set, SIGSEGV) || sigismember(&set, SIGBUS);
  };
  Seen here, side, flush, compaction, cleanup;
  look(&here);
  {
    const auto executor = NewThreadPoolExecutor();
    executor->Schedule(Lane::kSide, [&] { look(&side); });
    executor->Schedule(Lane::kFlush, [&] { look(&flush); });
    executor->Schedule(Lane::kCompaction, [&] { look(&compaction); });
    executor->Schedule(Lane::kCleanup, [&] { look(&cleanup); });
  }
  EXPECT_EQ(side.niceness, here.niceness);
  EXPECT_EQ(side.policy, here.policy);
  for (const Seen& seen : {flush, compaction, cleanup}) {
    EXPECT_EQ(seen.policy, here.policy == SCHED_OTHER ? SCHED_BATCH : here.policy);
  }
  EXPECT_EQ(side.name, "seerdb-side");
  EXPECT_EQ(flush.niceness, std::min(here.niceness + 5, 19));
  EXPECT_EQ(compaction.niceness, std::min(here.niceness + 10, 19));
  EXPECT_EQ(flush.name, "seerdb-flush");
  EXPECT_EQ(compaction.name, "seerdb-compact");
  EXPECT_EQ(cleanup.niceness, compaction.niceness);
  EXPECT_EQ(cleanup.name, "seerdb-cleanup");
  for (const Seen& seen : {side, flush, compaction, cleanup}) {
    EXPECT_TRUE(seen.blocks_signals);
    EXPECT_FALSE(seen.blocks_faults);
  }
  Seen after;
  look(&after);
  EXPECT_EQ(after.blocks_signals, here.blocks_signals);
  EXPECT_EQ(after.niceness, here.niceness);
}

TEST(ThreadPoolExecutor, ADelayedTaskRunsNotBeforeItsTimeAndDoesNotHoldOthersUp) {
  constexpr uint64_t kDelayUs = 30000;
  const auto immediate = NewEvent();
  const auto delayed = NewEvent();
  uint64_t ran_us = 0;
  const auto executor = NewThreadPoolExecutor();
  const uint64_t start_us = SystemClock()->NowMicros();
  executor->ScheduleAfter(kHourUs, Lane::kFlush, [] {});
  executor->ScheduleAfter(kDelayUs, Lane::kFlush, [&ran_us, delayed] {
    ran_us = SystemClock()->NowMicros();
    delayed->Set();
  });
  executor->Schedule(Lane::kFlush, [immediate] { immediate->Set(); });
  immediate->Wait();
  delayed->Wait();
  EXPECT_GE(ran_us, start_us + kDelayUs);
}

TEST(ThreadPoolExecutor, DelayedTasksRunInOrderOfTheirTime) {
  std::vector<int> order;
  const auto done = NewEvent();
  const auto executor = NewThreadPoolExecutor();
  executor->ScheduleAfter(20000, Lane::kFlush, [&order, done] {
    order.push_back(3);
    done->Set();
  });
  executor->ScheduleAfter(10000, Lane::kFlush, [&] { order.push_back(1); });
  executor->ScheduleAfter(15000, Lane::kFlush, [&] { order.push_back(2); });
  done->Wait();
  EXPECT_THAT(order, ElementsAre(1, 2, 3));
}

TEST(ThreadPoolExecutor, TheDestructorRunsDelayedTasksAtOnceAndWhatTheySchedule) {
  std::atomic<int> ran{0};
  {
    auto executor = NewThreadPoolExecutor();
    Executor* const raw = executor.get();
    executor->ScheduleAfter(kHourUs, Lane::kCompaction, [&ran, raw] {
      ++ran;
      // The flush lane has had nothing to do, and must still be there.
      raw->Schedule(Lane::kFlush, [&ran, raw] {
        ++ran;
        raw->ScheduleAfter(kHourUs, Lane::kCompaction, [&ran] { ++ran; });
      });
    });
    executor->ScheduleAfter(UINT64_MAX, Lane::kFlush, [&ran] { ++ran; });
  }
  EXPECT_EQ(ran, 4);
}

TEST(ThreadPoolExecutor, ATaskMayDropTheLastReference) {
  for (int round = 0; round < 10; ++round) {
    const auto may_drop = NewEvent(), dropped = NewEvent(), queued_ran = NewEvent(), other_ran = NewEvent();
    auto executor = NewThreadPoolExecutor();
    Executor* const raw = executor.get();
    // Scheduled before the executor can go away; each waits for what it needs.
    raw->Schedule(Lane::kFlush, [=] {
      dropped->Wait();  // the destructor must not wait for this lane in turn
      other_ran->Set();
    });
    auto held = std::make_shared<std::shared_ptr<Executor>>(std::move(executor));
    raw->Schedule(Lane::kCompaction, [=] {
      may_drop->Wait();
      *held = nullptr;
      dropped->Set();
    });
    raw->Schedule(Lane::kCompaction, [=] { queued_ran->Set(); });
    may_drop->Set();
    queued_ran->Wait();
    other_ran->Wait();
  }
}

TEST(ThreadPoolExecutor, TheLastReferenceMayBeWhatATaskCaptured) {
  for (int round = 0; round < 10; ++round) {
    const auto ran = NewEvent();
    auto executor = NewThreadPoolExecutor();
    Executor* const raw = executor.get();
    raw->Schedule(Lane::kFlush, [ran, held = std::move(executor)] { ran->Set(); });
    ran->Wait();
  }
}

TEST(ThreadPoolExecutor, ManyThreadsMaySchedule) {
  std::atomic<int> ran{0};
  {
    const auto executor = NewThreadPoolExecutor();
    std::vector<std::thread> threads;
    for (int t = 0; t < 4; ++t) {
      threads.emplace_back([&, t] {
        for (int i = 0; i < 500; ++i) {
          const Lane lane = i % 2 == 0 ? Lane::kFlush : Lane::kCompaction;
          if (i % 3 == t % 3) {
            executor->ScheduleAfter(static_cast<uint64_t>(i), lane, [&] { ++ran; });
          } else {
            executor->Schedule(lane, [&] { ++ran; });
          }
        }
      });
    }
    for (std::thread& thread : threads) thread.join();
  }
  EXPECT_EQ(ran, 2000);
}

TEST(CooperativeExecutor, RunsNothingByItself) {
  const auto executor = NewCooperativeExecutor();
  EXPECT_TRUE(executor->cooperative());
  EXPECT_FALSE(executor->RunOne());
  std::thread::id ran_on;
  executor->Schedule(Lane::kFlush, [&] { ran_on = std::this_thread::get_id(); });
  EXPECT_EQ(ran_on, std::thread::id());
  EXPECT_TRUE(executor->RunOne());
  EXPECT_EQ(ran_on, std::this_thread::get_id());
  EXPECT_FALSE(executor->RunOne());
}

TEST(CooperativeExecutor, LaneByLaneThenDelayedByDueTime) {
  const auto executor = NewCooperativeExecutor();
  std::vector<std::string> order;
  const auto note = [&order](const char* name) { return [&order, name] { order.push_back(name); }; };
  executor->ScheduleAfter(20, Lane::kFlush, note("after 20"));
  executor->ScheduleAfter(10, Lane::kCompaction, note("after 10, compaction"));
  executor->ScheduleAfter(10, Lane::kFlush, note("after 10, flush"));
  executor->ScheduleAfter(10, Lane::kFlush, note("after 10, flush again"));
  executor->ScheduleAfter(UINT64_MAX, Lane::kFlush, note("never soon"));
  executor->Schedule(Lane::kCompaction, note("compaction 1"));
  executor->Schedule(Lane::kFlush, note("flush 1"));
  executor->Schedule(Lane::kCompaction, note("compaction 2"));
  executor->Schedule(Lane::kFlush, note("flush 2"));
  executor->Schedule(Lane::kSide, note("side"));
  while (executor->RunOne()) {
  }
  EXPECT_THAT(order,
              ElementsAre("side", "flush 1", "flush 2", "compaction 1", "compaction 2", "after 10, flush",
                          "after 10, flush again", "after 10, compaction", "after 20", "never soon"));
}

TEST(CooperativeExecutor, ADelayCountsFromTheDueTimeReached) {
  const auto executor = NewCooperativeExecutor();
  std::vector<int> order;
  executor->ScheduleAfter(10, Lane::kFlush, [&] {
    order.push_back(10);
    executor->ScheduleAfter(5, Lane::kFlush, [&] { order.push_back(15); });
    executor->ScheduleAfter(15, Lane::kFlush, [&] { order.push_back(25); });
  });
  executor->ScheduleAfter(20, Lane::kFlush, [&] { order.push_back(20); });
  while (executor->RunOne()) {
  }
  EXPECT_THAT(order, ElementsAre(10, 15, 20, 25));
}

TEST(CooperativeExecutor, ATaskMayRunOthers) {
  const auto executor = NewCooperativeExecutor();
  std::vector<int> order;
  executor->Schedule(Lane::kFlush, [&] {
    executor->Schedule(Lane::kCompaction, [&] { order.push_back(1); });
    EXPECT_TRUE(executor->RunOne());
    order.push_back(2);
  });
  EXPECT_TRUE(executor->RunOne());
  EXPECT_THAT(order, ElementsAre(1, 2));
}

TEST(CooperativeExecutor, TheSameSeedGivesTheSameRun) {
  const auto run = [](uint64_t seed) {
    const auto executor = NewCooperativeExecutor();
    Random random(seed);
    std::string trace;
    int left = 300;
    std::function<void()> step = [&] {
      trace += std::to_string(left) + (executor->RunOne() ? "+" : "-");
      for (int i = 0; i < 2 && left > 0; ++i, --left) {
        const Lane lane = random.OneIn(2) ? Lane::kFlush : Lane::kCompaction;
        const auto task = [&, number = left] {
          trace += "(" + std::to_string(number) + ")";
          if (left > 0 && random.OneIn(2)) step();
        };
        if (random.OneIn(3)) {
          executor->ScheduleAfter(random.Uniform(50), lane, task);
        } else {
          executor->Schedule(lane, task);
        }
      }
    };
    step();
    while (executor->RunOne() || left > 0) {
      if (left > 0) step();
    }
    return trace;
  };
  EXPECT_EQ(run(1), run(1));
  EXPECT_NE(run(1), run(2));
}

}  // namespace
}  // namespace seerdb
