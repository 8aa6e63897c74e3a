#include "db/retry_timer.h"

#include <gtest/gtest.h>

#include <utility>
#include <vector>

namespace seerdb {
namespace {

// Runs what is scheduled when the test says so.
class TimerExecutor final : public Executor {
 public:
  void Schedule(Lane, std::function<void()> task) override { tasks_.push_back(std::move(task)); }
  void ScheduleAfter(uint64_t micros, Lane, std::function<void()> task) override {
    delay_us_ = micros;
    tasks_.push_back(std::move(task));
  }
  bool cooperative() const override { return false; }
  bool RunOne() override { return false; }
  size_t waiting() const { return tasks_.size(); }
  uint64_t delay_us() const { return delay_us_; }
  void RunAll() {
    for (const auto& task : std::exchange(tasks_, {})) task();
  }

 private:
  std::vector<std::function<void()>> tasks_;
  uint64_t delay_us_ = 0;
};

struct TimerFixture {
  std::shared_ptr<TimerExecutor> executor = std::make_shared<TimerExecutor>();
  int calls = 0;
  std::shared_ptr<RetryTimer> timer = std::make_shared<RetryTimer>(executor, 70, [this] { ++calls; });
};

TEST(RetryTimer, CallsOnceHoweverOftenItIsStarted) {
  TimerFixture f;
  f.timer->Start();
  f.timer->Start();
  EXPECT_EQ(f.executor->waiting(), 1u);
  EXPECT_EQ(f.executor->delay_us(), 70u);
  f.executor->RunAll();
  EXPECT_EQ(f.calls, 1);
  f.timer->Start();
  f.executor->RunAll();
  EXPECT_EQ(f.calls, 2);
}

TEST(RetryTimer, CallsNothingOnceItIsStoppedOrGone) {
  TimerFixture f;
  f.timer->Start();
  f.timer->Stop();
  f.executor->RunAll();
  f.timer->Start();
  EXPECT_EQ(f.executor->waiting(), 0u);
  TimerFixture gone;
  gone.timer->Start();
  gone.timer.reset();
  gone.executor->RunAll();
  EXPECT_EQ(f.calls + gone.calls, 0);
}

TEST(RetryTimer, ACooperativeExecutorHasNoTime) {
  int calls = 0;
  const auto executor = std::shared_ptr<Executor>(NewCooperativeExecutor());
  const auto timer = std::make_shared<RetryTimer>(executor, 0, [&calls] { ++calls; });
  timer->Start();
  EXPECT_FALSE(executor->RunOne());
  EXPECT_EQ(calls, 0);
}

}  // namespace
}  // namespace seerdb
