#include "db/write_queue.h"

#include <gtest/gtest.h>

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

}  // namespace
}  // namespace seerdb
