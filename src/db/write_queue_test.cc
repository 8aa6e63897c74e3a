#include "db/write_queue.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <functional>
#include <memory>
#include <thread>
#include <vector>

namespace seerdb {
namespace {

// Stands still, and counts how often it is asked.
class StoppedClock final : public Clock {
 public:
  uint64_t NowMicros() override {
    ++calls;
    return 1'000'000;
  }
  uint64_t WallMicros() override { return 1'000'000; }
  void SleepMicros(uint64_t) override {}
  std::atomic<uint64_t> calls{0};
};

class CountingCommitter final : public GroupCommitter {
 public:
  Status CommitGroup(const std::vector<WriteRequest*>& group) override {
    ++groups;
    requests += group.size();
    return {};
  }
  uint64_t groups = 0;
  uint64_t requests = 0;
};

WriteQueueOptions OptionsWith(Clock* clock) {
  WriteQueueOptions options;
  options.clock = clock;
  return options;
}

TEST(WriteQueue, ALoneWriterNeitherWaitsNorAsksForTheTime) {
  StoppedClock clock;
  CountingCommitter committer;
  WriteQueue queue(OptionsWith(&clock), &committer);
  for (int i = 0; i < 100; ++i) {
    WriteRequest request;
    request.sync = true;
    EXPECT_TRUE(queue.Submit(&request).ok());
  }
  EXPECT_EQ(committer.groups, 100u);
  EXPECT_EQ(clock.calls, 0u);
}

TEST(WriteQueue, ALeaderDoesNotWaitForEverForWritersThatHaveLeft) {
  StoppedClock clock;
  CountingCommitter committer;
  WriteQueue queue(OptionsWith(&clock), &committer);
  constexpr int kThreads = 8;
  constexpr int kWrites = 2000;
  std::vector<std::thread> threads;
  for (int i = 0; i < kThreads; ++i) {
    threads.emplace_back([&, i] {
      // Each leaves at another time.
      for (int n = 0; n < kWrites * (i + 1) / kThreads; ++n) {
        WriteRequest request;
        request.sync = true;
        EXPECT_TRUE(queue.Submit(&request).ok());
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(committer.requests, static_cast<uint64_t>(kWrites) * (kThreads + 1) / 2);
}

// Sleeping takes no time, and is counted.
class SleepCountingClock : public Clock {
 public:
  uint64_t NowMicros() override { return 1'000'000; }
  uint64_t WallMicros() override { return 1'000'000; }
  void SleepMicros(uint64_t) override {
    ++sleeps;
    std::this_thread::yield();
  }
  std::atomic<uint64_t> sleeps{0};
};

// Writes of all kinds from several threads, with pauses between those of some: each is committed once.
TEST(WriteQueue, WritersThatStandAsideAreServed) {
  SleepCountingClock clock;
  CountingCommitter committer;
  WriteQueue queue(OptionsWith(&clock), &committer);
  constexpr uint64_t kWrites = 100'000;
  constexpr uint64_t kThreads = 4;
  std::atomic<uint64_t> exclusive{0};
  std::vector<std::thread> threads;
  for (uint64_t i = 0; i < kThreads; ++i) {
    threads.emplace_back([&, i] {
      for (uint64_t n = 0; n < kWrites; ++n) {
        if (n % 1024 == 1000 + i) {
          EXPECT_TRUE(queue.RunExclusive([&] { return ++exclusive, Status(); }).ok());
          continue;
        }
        WriteRequest request;
        request.sync = i == 3 && n % 64 == 0;
        EXPECT_TRUE(queue.Submit(&request).ok());
        if (i == 2 && n % 100 == 0) std::this_thread::yield();
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(committer.requests + exclusive.load(), kThreads * kWrites);
  EXPECT_GT(exclusive.load(), 0u);
}

// Writes on and on, on a thread of its own, until it is stopped.
class BusyWriter {
 public:
  explicit BusyWriter(WriteQueue* queue)
      : thread_([this, queue] {
          while (!stop_.load()) {
            WriteRequest request;
            EXPECT_TRUE(queue->Submit(&request).ok());
          }
        }) {}
  ~BusyWriter() {
    stop_ = true;
    thread_.join();
  }

 private:
  std::atomic<bool> stop_{false};
  std::thread thread_;
};

// One thread writes without a pause until the other, which collides with it, has slept and written.
TEST(WriteQueue, AWriterStandsAsideWhileAnotherWritesOnAndOn) {
#if !defined(__x86_64__)
  GTEST_SKIP() << "pauses are too short to tell that somebody writes on and on";
#endif
  if (std::thread::hardware_concurrency() < 2) GTEST_SKIP() << "writers do not meet on one processor";
  SleepCountingClock clock;
  CountingCommitter committer;
  WriteQueue queue(OptionsWith(&clock), &committer);
  const BusyWriter busy(&queue);
  for (int i = 0; clock.sleeps.load() == 0 && i < 100'000'000; ++i) {
    WriteRequest request;
    ASSERT_TRUE(queue.Submit(&request).ok());
  }
  EXPECT_GT(clock.sleeps.load(), 0u);
}

// Two that write now and then, while a third writes on and on: a turn is of no use to them.
TEST(WriteQueue, WritersThatMakeNoUseOfTheirTurnsStopStandingAside) {
  class Clock final : public SleepCountingClock {
   public:
    uint64_t NowMicros() override { return now_us; }
    std::atomic<uint64_t> now_us{1'000'000};
  } clock;
  CountingCommitter committer;
  WriteQueue queue(OptionsWith(&clock), &committer);
  const BusyWriter busy(&queue);
  constexpr int kWrites = 20'000;
  std::vector<std::thread> seldom;
  for (int i = 0; i < 2; ++i) {
    seldom.emplace_back([&] {
      for (int n = 0; n < kWrites; ++n) {
        clock.now_us += 1'000;
        WriteRequest request;
        EXPECT_TRUE(queue.Submit(&request).ok());
      }
    });
  }
  for (std::thread& thread : seldom) thread.join();
  // 16 turns, of up to two sleeps, before each of nine penalties that double; counts that two threads make at
  // once may be lost.
  EXPECT_LE(clock.sleeps.load(), kWrites / 5u);
}

class FailingCommitter final : public GroupCommitter {
 public:
  Status CommitGroup(const std::vector<WriteRequest*>& group) override {
    largest_group = std::max(largest_group, group.size());
    return Status::IoError("the log cannot be written");
  }
  size_t largest_group = 0;
};

// A follower that were told of success would take a write for durable that is nowhere.
TEST(WriteQueue, AFailedGroupFailsForEachOfItsWriters) {
  StoppedClock clock;
  FailingCommitter committer;
  WriteQueueOptions options = OptionsWith(&clock);
  options.max_group_writers = 4;
  options.group_delay_us = 60'000'000;  // the leader waits until the group is full
  WriteQueue queue(options, &committer);
  std::atomic<int> failed{0};
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&] {
      WriteRequest request;
      request.sync = true;
      if (queue.Submit(&request).IsIoError()) ++failed;
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(committer.largest_group, 4u);
  EXPECT_EQ(failed, 4);
}

// Commits nothing, and notes who did it for whom. The first group waits until all others sleep in line.
class NotingCommitter final : public GroupCommitter {
 public:
  struct Group {
    std::thread::id by;
    std::vector<const WriteRequest*> requests;
  };
  explicit NotingCommitter(std::vector<WriteRequest>* others) : others_(*others) {}
  Status CommitGroup(const std::vector<WriteRequest*>& group) override {
    groups.push_back({std::this_thread::get_id(), {group.begin(), group.end()}});
    if (groups.size() > 1) return {};
    in_line = true;
    for (const WriteRequest& other : others_) {
      while (other.state != WriteRequest::kParked) std::this_thread::yield();
    }
    return {};
  }
  bool MayStall() const override { return may_stall; }
  std::vector<Group> groups;
  std::atomic<bool> in_line{false};
  bool may_stall = false;

 private:
  std::vector<WriteRequest>& others_;
};

class WriteQueueLine : public ::testing::Test {
 protected:
  // One unsynced writer, and behind it, in any order, a thread for each of `others`.
  void Run(std::vector<WriteRequest>* others, uint32_t max_group_writers, bool may_stall = false) {
    committer_ = std::make_unique<NotingCommitter>(others);
    committer_->may_stall = may_stall;
    WriteQueueOptions options = OptionsWith(&clock_);
    options.max_group_writers = max_group_writers;
    WriteQueue queue(options, committer_.get());
    std::vector<std::thread> threads;
    threads.reserve(others->size());
    for (WriteRequest& request : *others) {
      threads.emplace_back([&queue, this, &request] {
        while (!committer_->in_line) std::this_thread::yield();
        EXPECT_TRUE(queue.Submit(&request).ok());
      });
    }
    WriteRequest first;
    EXPECT_TRUE(queue.Submit(&first).ok());
    for (std::thread& thread : threads) thread.join();
  }
  size_t GroupsByThisThread() const {
    return static_cast<size_t>(
        std::count_if(committer_->groups.begin(), committer_->groups.end(),
                      [](const auto& group) { return group.by == std::this_thread::get_id(); }));
  }

  StoppedClock clock_;
  std::unique_ptr<NotingCommitter> committer_;
};

TEST_F(WriteQueueLine, AnUnsyncedLeaderCommitsForThoseInLine) {
  std::vector<WriteRequest> others(3);
  Run(&others, 1);
  EXPECT_EQ(committer_->groups.size(), 4u);
  EXPECT_EQ(GroupsByThisThread(), 4u);
}

TEST_F(WriteQueueLine, ALeaderDoesNotServeForEver) {
  std::vector<WriteRequest> others(20);
  Run(&others, 1);
  EXPECT_EQ(committer_->groups.size(), 21u);
  EXPECT_EQ(GroupsByThisThread(), 9u);
}

TEST_F(WriteQueueLine, NobodyWaitsForOthersWhereGroupsMayStall) {
  std::vector<WriteRequest> others(3);
  Run(&others, 1, true);
  EXPECT_EQ(committer_->groups.size(), 4u);
  EXPECT_EQ(GroupsByThisThread(), 1u);
}

TEST_F(WriteQueueLine, SyncedWritersCommitForThemselves) {
  std::vector<WriteRequest> others(3);
  for (WriteRequest& other : others) other.sync = true;
  Run(&others, 1);
  EXPECT_EQ(committer_->groups.size(), 4u);
  EXPECT_EQ(GroupsByThisThread(), 1u);
}

TEST_F(WriteQueueLine, WhatRunsAloneIsNotServed) {
  std::vector<WriteRequest> others(2);
  std::thread::id ran_by;
  std::function<Status()> work = [&ran_by]() -> Status {
    ran_by = std::this_thread::get_id();
    return {};
  };
  others[0].exclusive = &work;
  Run(&others, 10);
  EXPECT_NE(ran_by, std::thread::id());
  EXPECT_NE(ran_by, std::this_thread::get_id());
  size_t committed = 0;
  for (const auto& group : committer_->groups) committed += group.requests.size();
  EXPECT_EQ(committed, 2u);
}

// Notes each request once, and that nobody commits beside it.
class SoleCommitter final : public GroupCommitter {
 public:
  Status CommitGroup(const std::vector<WriteRequest*>& group) override {
    const Alone alone(this);
    for (const WriteRequest* request : group) requests += request->count;
    return {};
  }
  class Alone {
   public:
    explicit Alone(SoleCommitter* committer) : committer_(*committer) {
      EXPECT_FALSE(committer_.inside.exchange(true));
    }
    ~Alone() { committer_.inside = false; }

   private:
    SoleCommitter& committer_;
  };
  std::atomic<bool> inside{false};
  uint64_t requests = 0;  // no atomic: leadership guards it
};

// Writers that meet all the time, and then one after another stop: whoever waited for another to lead leads.
TEST(WriteQueue, EachRequestIsCommittedOnceByOneLeaderAtATime) {
  StoppedClock clock;
  SoleCommitter committer;
  WriteQueueOptions options = OptionsWith(&clock);
  options.max_group_writers = 3;
  WriteQueue queue(options, &committer);
  constexpr uint32_t kThreads = 4;
  constexpr uint32_t kWrites = 20'000;
  std::atomic<uint64_t> tried{0};
  std::vector<std::thread> threads;
  for (uint32_t i = 0; i < kThreads; ++i) {
    threads.emplace_back([&, i] {
      for (uint32_t n = 0; n < kWrites * (i + 1) / kThreads; ++n) {
        WriteRequest request;
        request.count = 1;
        request.sync = n % 997 == 0 && i % 2 == 0;
        ASSERT_TRUE(queue.Submit(&request).ok());
        if (n % 501 != 0) continue;
        ASSERT_TRUE(queue
                        .RunExclusive([&]() -> Status {
                          const SoleCommitter::Alone alone(&committer);
                          ++committer.requests;
                          return {};
                        })
                        .ok());
        queue.TryRunExclusive([&] {
          const SoleCommitter::Alone alone(&committer);
          ++committer.requests;
          ++tried;
        });
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  uint64_t expected = tried;
  for (uint32_t i = 0; i < kThreads; ++i) {
    const uint64_t writes = kWrites * (i + 1) / kThreads;
    expected += writes + (writes + 500) / 501;
  }
  EXPECT_EQ(committer.requests, expected);
  EXPECT_FALSE(committer.inside);
}

}  // namespace
}  // namespace seerdb
