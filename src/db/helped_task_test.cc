#include "db/helped_task.h"

#include <gtest/gtest.h>

#include <atomic>
#include <functional>
#include <memory>
#include <optional>
#include <thread>
#include <utility>
#include <vector>

namespace seerdb {
namespace {

// Keeps what it is given, and runs or drops it when told to.
class KeepingExecutor final : public Executor {
 public:
  void Schedule(Lane, std::function<void()> task) override { tasks.push_back(std::move(task)); }
  void ScheduleAfter(uint64_t, Lane lane, std::function<void()> task) override {
    Schedule(lane, std::move(task));
  }
  bool cooperative() const override { return false; }
  bool RunOne() override { return false; }

  std::vector<std::function<void()>> tasks;
};

constexpr Executor::Lane kLane = Executor::Lane::kFlush;

TEST(HelpedTaskTest, WhoWaitsDoesWhatNobodyHasBegun) {
  KeepingExecutor executor;
  int runs = 0;
  {
    HelpedTask task([&runs] { ++runs; });
    task.Offer(&executor, kLane);
    EXPECT_EQ(runs, 0);
    task.Wait();
    EXPECT_EQ(runs, 1);
    task.Wait();
  }
  // Too late: the owner is gone, and what the work borrowed may be.
  ASSERT_EQ(executor.tasks.size(), 1u);
  executor.tasks.front()();
  EXPECT_EQ(runs, 1);
}

TEST(HelpedTaskTest, ATaskThatTheExecutorDropsIsDone) {
  KeepingExecutor executor;
  int runs = 0;
  HelpedTask task([&runs] { ++runs; });
  task.Offer(&executor, kLane);
  executor.tasks.clear();
  task.Wait();
  EXPECT_EQ(runs, 1);
}

TEST(HelpedTaskTest, ATaskThatRanIsNotDoneAgain) {
  KeepingExecutor executor;
  int runs = 0;
  HelpedTask task([&runs] { ++runs; });
  task.Offer(&executor, kLane);
  executor.tasks.front()();
  EXPECT_EQ(runs, 1);
  task.Wait();
  EXPECT_EQ(runs, 1);
}

TEST(HelpedTaskTest, WithoutThreadsNothingIsScheduled) {
  const auto cooperative = NewCooperativeExecutor();
  for (Executor* executor : {static_cast<Executor*>(nullptr), cooperative.get()}) {
    int runs = 0;
    {
      HelpedTask waited([&runs] { ++runs; });
      waited.Offer(executor, kLane);
      EXPECT_EQ(runs, 0);
      waited.Wait();
      EXPECT_EQ(runs, 1);
      runs = 0;
      HelpedTask task([&runs] { ++runs; });
      task.Offer(executor, kLane);
    }
    EXPECT_EQ(runs, 0) << "nobody has waited for it";
  }
  EXPECT_FALSE(cooperative->RunOne());
}

TEST(HelpedTaskTest, WaitsForAThreadThatHasBegun) {
  for (const bool cancels : {false, true}) {
    for (int i = 0; i < 50; ++i) {
      KeepingExecutor executor;
      std::atomic<bool> begun{false};
      int value = 0;
      std::optional<HelpedTask> task(std::in_place, [&] {
        begun.store(true);
        for (int yields = 0; yields < 100; ++yields) std::this_thread::yield();
        ++value;
      });
      task->Offer(&executor, kLane);
      std::thread other(executor.tasks.front());
      while (!begun.load()) std::this_thread::yield();
      cancels ? task->Cancel() : task->Wait();
      EXPECT_EQ(value, 1);
      task.reset();
      other.join();
      EXPECT_EQ(value, 1);
    }
  }
}

TEST(HelpedTaskTest, OneThatIsCancelledNeverBegins) {
  KeepingExecutor executor;
  int runs = 0;
  HelpedTask task([&runs] { ++runs; });
  task.Offer(&executor, kLane);
  task.Cancel();
  executor.tasks.front()();
  task.Wait();
  EXPECT_EQ(runs, 0);
}

}  // namespace
}  // namespace seerdb
