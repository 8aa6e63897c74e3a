#include "db/owed_task.h"

#include <gtest/gtest.h>

#include <thread>
#include <vector>

#include "db/background_work.h"

namespace seerdb {
namespace {

// Keeps tasks until told to run or to drop them, or drops them at once.
class LossyExecutor final : public Executor {
 public:
  void Schedule(Lane, std::function<void()> task) override {
    if (!refuse_) tasks_.push_back(std::move(task));
  }
  void ScheduleAfter(uint64_t, Lane lane, std::function<void()> task) override {
    Schedule(lane, std::move(task));
  }
  bool cooperative() const override { return false; }
  bool RunOne() override { return false; }

  void Refuse() { refuse_ = true; }
  void Drop() { tasks_.clear(); }
  void Run() {
    for (const auto& task : std::vector<std::function<void()>>(std::move(tasks_))) task();
  }

 private:
  bool refuse_ = false;
  std::vector<std::function<void()>> tasks_;
};

TEST(OwedTaskTest, RunDroppedOrRefused) {
  int ran = 0, dropped = 0;
  const auto schedule = [&](LossyExecutor* executor) {
    return ScheduleOwed(
        executor, Executor::Lane::kFlush, [&] { ++ran; }, [&] { ++dropped; });
  };
  LossyExecutor executor;
  EXPECT_TRUE(schedule(&executor));
  executor.Run();
  EXPECT_EQ(ran, 1);
  EXPECT_EQ(dropped, 0);
  EXPECT_TRUE(schedule(&executor));
  executor.Drop();
  EXPECT_EQ(ran, 1);
  EXPECT_EQ(dropped, 1);
  executor.Refuse();
  EXPECT_FALSE(schedule(&executor));
  EXPECT_EQ(ran, 1);
  EXPECT_EQ(dropped, 1) << "who schedules it knows by the answer";
}

// Nobody waits for a worker that is gone: writes stop, and say why.
TEST(OwedTaskTest, ADeadWorkerStopsWrites) {
  for (const bool at_once : {true, false}) {
    for (const bool flush : {true, false}) {
      SCOPED_TRACE(std::string(at_once ? "refused" : "dropped later") + (flush ? ", flush" : ", compaction"));
      const auto executor = std::make_shared<LossyExecutor>();
      if (at_once) executor->Refuse();
      BackgroundError error;
      BackgroundWork work(executor, {}, &error,
                          {[flush] { return flush; }, [] { return Status(); }, [] { return false; }});
      flush ? work.Poke() : work.PokeCompaction();
      std::thread dropper([&] { executor->Drop(); });
      const Status waited = work.WaitUntil([] { return false; });
      dropper.join();
      EXPECT_TRUE(waited.IsReadOnly()) << waited.ToString();
      EXPECT_EQ(waited.detail(), StatusDetail::kDeadWorker) << waited.ToString();
      EXPECT_FALSE(error.resumable());
      work.Shutdown();
    }
  }
}

}  // namespace
}  // namespace seerdb
