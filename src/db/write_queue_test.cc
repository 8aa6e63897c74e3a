#include "db/write_queue.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
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

}  // namespace
}  // namespace seerdb
