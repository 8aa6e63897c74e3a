#include "db/helped_task.h"

#include <gtest/gtest.h>

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
      HelpedTask task([&runs] { ++runs; });
      task.Offer(executor, kLane);
      EXPECT_EQ(runs, 0);
    }
    EXPECT_EQ(runs, 1) << "its end waits for it";
  }
  EXPECT_FALSE(cooperative->RunOne());
}

TEST(HelpedTaskTest, WaitsForAThreadThatHasBegun) {
  KeepingExecutor executor;
  for (int i = 0; i < 200; ++i) {
    executor.tasks.clear();
    int value = 0;
    std::optional<HelpedTask> task(std::in_place, [&value] { ++value; });
    task->Offer(&executor, kLane);
    std::thread other(executor.tasks.front());
    task->Wait();
    EXPECT_EQ(value, 1);
    task.reset();
    other.join();
    EXPECT_EQ(value, 1);
  }
}

}  // namespace
}  // namespace seerdb
