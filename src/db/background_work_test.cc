#include "db/background_work.h"

#include <gtest/gtest.h>

#include <atomic>
#include <functional>
#include <memory>
#include <thread>
#include <vector>

#include "base/mutex.h"
#include "seerdb/clock.h"

namespace seerdb {
namespace {

// Compactions that run until they are let go.
class HeldJobs {
 public:
  explicit HeldJobs(int jobs) : left_(jobs) {}

  // One job; false if none is left.
  Result<bool> Run(BackgroundWork* work) {
    {
      MutexLock lock(&mu_);
      if (left_ == 0) return false;
      --left_;
      most_ = std::max(most_, ++running_);
      changed_.SignalAll();
    }
    work->PokeCompaction();
    MutexLock lock(&mu_);
    while (!let_go_) changed_.Wait(&mu_);
    --running_;
    return true;
  }
  void WaitForRunning(int count) {
    MutexLock lock(&mu_);
    while (running_ < count) changed_.Wait(&mu_);
  }
  void LetGo() {
    MutexLock lock(&mu_);
    let_go_ = true;
    changed_.SignalAll();
  }
  int running() const {
    MutexLock lock(&mu_);
    return running_;
  }
  int left() const {
    MutexLock lock(&mu_);
    return left_;
  }
  int most() const {
    MutexLock lock(&mu_);
    return most_;
  }

 private:
  mutable Mutex mu_;
  CondVar changed_;
  int left_ GUARDED_BY(mu_);
  int running_ GUARDED_BY(mu_) = 0;
  int most_ GUARDED_BY(mu_) = 0;
  bool let_go_ GUARDED_BY(mu_) = false;
};

// A BackgroundWork whose compactions are HeldJobs, on a pool of threads or on none.
struct WorkFixture {
  WorkFixture(std::shared_ptr<Executor> executor, uint32_t slots, int job_count)
      : jobs(job_count),
        work(std::move(executor), BackgroundModes{true, true, slots}, &error,
             {[] { return false; }, [] { return Status(); }, [this] { return jobs.Run(&work); }}) {}
  ~WorkFixture() {
    jobs.LetGo();
    work.Shutdown();
  }
  HeldJobs jobs;
  BackgroundError error;
  BackgroundWork work;
};

TEST(BackgroundWorkTest, OnePokeFillsTheSlotsAndNoMore) {
  WorkFixture f(NewThreadPoolExecutor(4), 3, 7);
  f.work.PokeCompaction();
  f.jobs.WaitForRunning(3);
  f.work.PokeCompaction();
  EXPECT_EQ(f.jobs.running(), 3);
  f.jobs.LetGo();
  EXPECT_TRUE(f.work.WaitUntilIdle().ok());
  EXPECT_EQ(f.jobs.left(), 0);
  EXPECT_EQ(f.jobs.most(), 3);
}

TEST(BackgroundWorkTest, WithoutThreadsOneAtATime) {
  WorkFixture f(NewCooperativeExecutor(), 3, 5);
  f.jobs.LetGo();
  EXPECT_TRUE(f.work.WaitUntilIdle().ok());
  EXPECT_EQ(f.jobs.left(), 0);
  EXPECT_EQ(f.jobs.most(), 1);
}

TEST(BackgroundWorkTest, AManualCompactionRunsAloneAndTheOthersGoOnAfterIt) {
  WorkFixture f(NewThreadPoolExecutor(2), 2, 6);
  f.work.PokeCompaction();
  f.jobs.WaitForRunning(2);
  EXPECT_FALSE(f.work.hurried());
  std::atomic<int> beside{-1}, left{-1};
  std::thread manual([&] {
    const Status status = f.work.RunAsCompaction([&] {
      beside = f.jobs.running();
      left = f.jobs.left();
      EXPECT_TRUE(f.work.hurried());
      f.work.PokeCompaction();
      return Status();
    });
    EXPECT_TRUE(status.ok()) << status.ToString();
  });
  while (!f.work.hurried()) std::this_thread::yield();  // it waits
  f.jobs.LetGo();
  manual.join();
  EXPECT_EQ(beside, 0);
  EXPECT_GE(left, 2) << "those that run make way, and do not first do all there is";
  EXPECT_TRUE(f.work.WaitUntilIdle().ok());
  EXPECT_EQ(f.jobs.left(), 0);
}

TEST(BackgroundWorkTest, ManualCompactionsTakeTurns) {
  WorkFixture f(NewThreadPoolExecutor(2), 2, 0);
  std::atomic<int> inside{0}, most{0}, ran{0};
  std::vector<std::thread> threads;
  for (int t = 0; t < 3; ++t) {
    threads.emplace_back([&] {
      for (int i = 0; i < 50; ++i) {
        EXPECT_TRUE(f.work
                        .RunAsCompaction([&] {
                          most = std::max(most.load(), ++inside);
                          ++ran;
                          --inside;
                          return Status();
                        })
                        .ok());
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(ran, 150);
  EXPECT_EQ(most, 1);
}

TEST(BackgroundWorkTest, ShutdownEndsTheWaitForAManualCompaction) {
  WorkFixture f(NewThreadPoolExecutor(1), 1, 1);
  f.work.PokeCompaction();
  f.jobs.WaitForRunning(1);
  std::thread manual([&] { EXPECT_TRUE(f.work.RunAsCompaction([] { return Status(); }).IsShutdown()); });
  while (!f.work.hurried()) std::this_thread::yield();
  std::thread closer([&] { f.work.Shutdown(); });
  manual.join();
  EXPECT_EQ(f.jobs.running(), 1) << "it is waited for, not the other way round";
  f.jobs.LetGo();
  closer.join();
  EXPECT_EQ(f.jobs.running(), 0);
}

// Between the work of who has reserved and the end of its reservation another's would have no effect.
TEST(BackgroundWorkTest, AReservationLastsUntilItsOwnerEndsIt) {
  WorkFixture f(NewThreadPoolExecutor(1), 1, 0);
  ASSERT_TRUE(f.work.ReserveCompaction().ok());
  std::atomic<bool> second{false};
  std::thread other([&] {
    EXPECT_TRUE(f.work.ReserveCompaction().ok());
    second = true;
  });
  while (!f.work.hurried()) std::this_thread::yield();  // it waits
  EXPECT_TRUE(f.work.RunReserved([] { return Status(); }).ok());
  f.work.NoteProgress();
  for (int i = 0; i < 10'000 && !second; ++i) std::this_thread::yield();
  EXPECT_FALSE(second);
  f.work.EndReservation();
  other.join();
  EXPECT_TRUE(second);
  EXPECT_TRUE(f.work.RunReserved([] { return Status(); }).ok());
  f.work.EndReservation();
}

// Without threads: what comes due while the one that compacts is about to stop is flushed by it, for the one
// that asked saw it at work.
TEST(BackgroundWorkTest, AFlushThatComesDueDuringACompactionThatIsCancelledIsDone) {
  BackgroundError error;
  std::atomic<int> due{0};
  int flushed = 0;
  BackgroundWork* running = nullptr;
  BackgroundWork work(NewCooperativeExecutor(), BackgroundModes{false, false, 1}, &error,
                      {[&] { return due > 0; },
                       [&] {
                         --due;
                         ++flushed;
                         return Status();
                       },
                       [&]() -> Result<bool> {
                         if (flushed > 0) return false;
                         ++due;
                         running->Poke();  // as another thread would
                         return Status::Shutdown("cancelled");
                       }});
  running = &work;
  work.Poke();
  EXPECT_EQ(flushed, 1);
  EXPECT_EQ(due, 0);
  work.Shutdown();
}

TEST(BackgroundWorkTest, TicksUntilShutdown) {
  std::atomic<int> ticks{0};
  {
    WorkFixture f(NewThreadPoolExecutor(), 1, 0);
    f.work.StartTicking(100, [&] { ++ticks; });
    while (ticks < 3) std::this_thread::yield();
    f.work.Shutdown();
    const int seen = ticks;
    SystemClock()->SleepMicros(2000);
    EXPECT_EQ(ticks, seen);
  }
}

TEST(BackgroundWorkTest, NoTicksWithoutThreadsNorAfterTheEnd) {
  int ticks = 0;
  const auto executor = NewCooperativeExecutor();
  {
    WorkFixture f(executor, 1, 0);
    f.work.StartTicking(1, [&] { ++ticks; });
    EXPECT_FALSE(executor->RunOne());
  }
  EXPECT_EQ(ticks, 0);
  std::atomic<int> late{0};
  {
    const auto pool = NewThreadPoolExecutor();
    {
      WorkFixture f(pool, 1, 0);
      f.work.StartTicking(uint64_t{3600} * 1'000'000, [&] { ++late; });
    }
  }  // runs what is delayed at once
  EXPECT_EQ(late, 0);
}

}  // namespace
}  // namespace seerdb
