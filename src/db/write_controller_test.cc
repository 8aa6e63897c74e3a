// How a database delays its writers, with a clock that only sleeps move.
#include "db/write_controller.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include "env/manual_clock.h"
#include "env/memory_file_system.h"
#include "seerdb/db.h"

namespace seerdb {
namespace {

constexpr uint64_t kSmallMemTableBytes = 256 << 10;

class RecordingClock final : public Clock {
 public:
  uint64_t NowMicros() override { return clock_.NowMicros(); }
  uint64_t WallMicros() override { return clock_.WallMicros(); }
  void SleepMicros(uint64_t micros) override {
    longest_us_ = std::max(longest_us_, micros);
    shortest_us_ = std::min(shortest_us_, micros);
    clock_.SleepMicros(micros);
  }
  uint64_t slept_us() const { return clock_.slept_us(); }
  uint64_t longest_us() const { return longest_us_; }
  uint64_t shortest_us() const { return shortest_us_; }

 private:
  ManualClock clock_;
  uint64_t longest_us_ = 0;
  uint64_t shortest_us_ = UINT64_MAX;
};

// The writer flushes; compaction waits in a cooperative executor until a writer waits for it.
struct ControllerFixture {
  ControllerFixture() {
    Options options;
    options.file_system = std::make_shared<MemoryFileSystem>();
    options.wal_sync_policy = SyncPolicy::kNone;
    options.clock = clock;
    options.executor = NewCooperativeExecutor();
    options.background_flush = false;
    options.background_compaction = true;
    options.adaptive_compaction = false;
    options.memtable_capacity = kSmallMemTableBytes;
    options.wal_segment_bytes = 4 * kSmallMemTableBytes;
    options.l0_compaction_trigger = 2;
    options.l0_slowdown_writes_trigger = 6;
    options.l0_stop_writes_trigger = 10;
    auto opened = DB::Open(options, "/db");
    EXPECT_TRUE(opened.ok()) << opened.status().ToString();
    if (opened.ok()) db = *std::move(opened);
  }
  uint32_t l0_runs() const { return db->Stats().levels[0].runs; }

  std::shared_ptr<RecordingClock> clock = std::make_shared<RecordingClock>();
  std::unique_ptr<DB> db;
};

TEST(WriteController, DelaysGrowWithTheRunsOfL0UntilWritersWait) {
  ControllerFixture f;
  ASSERT_NE(f.db, nullptr);
  std::vector<uint64_t> slept_us(11, 0);  // by runs of L0
  uint32_t most = 0;
  int turns = 0;
  for (int i = 0; i < 10'000 && turns == 0; ++i) {
    const uint32_t runs = f.l0_runs();
    most = std::max(most, runs);
    if (runs < most) ++turns;  // at the stop a writer waited, and so compacted
    const uint64_t before_us = f.clock->slept_us();
    ASSERT_TRUE(f.db->Put("key" + std::to_string(i % 500), std::string(1000, 'v')).ok());
    ASSERT_LE(runs, 10u);
    slept_us[runs] += f.clock->slept_us() - before_us;
  }
  EXPECT_EQ(turns, 1);
  EXPECT_EQ(most, 10u) << "delays alone do not wait";
  for (uint32_t runs = 0; runs < 4; ++runs) EXPECT_EQ(slept_us[runs], 0u) << runs;
  EXPECT_GT(slept_us[5], 0u);
  for (uint32_t runs = 5; runs < 9; ++runs) EXPECT_GT(slept_us[runs + 1], slept_us[runs]) << runs;
  EXPECT_GE(f.clock->shortest_us(), 100u);
  EXPECT_LE(f.clock->longest_us(), 10'000u);
  EXPECT_EQ(f.db->Stats().write_stall_us, f.clock->slept_us());
}

TEST(WriteController, WritesThatComeSlowlyEnoughAreNotDelayed) {
  ControllerFixture f;
  ASSERT_NE(f.db, nullptr);
  for (int i = 0; f.l0_runs() < 7; ++i) {
    ASSERT_TRUE(f.db->Put("key" + std::to_string(i % 500), std::string(1000, 'v')).ok());
  }
  const uint64_t slept_us = f.clock->slept_us();
  for (int i = 0; i < 200; ++i) {
    f.clock->SleepMicros(1'000);  // a megabyte a second
    ASSERT_TRUE(f.db->Put("key" + std::to_string(i), std::string(1000, 'v')).ok());
  }
  EXPECT_EQ(f.clock->slept_us() - slept_us, 200'000u);
}

}  // namespace
}  // namespace seerdb
