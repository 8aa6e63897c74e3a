#include "metrics/statistics.h"

#include <gtest/gtest.h>

#include <atomic>
#include <barrier>
#include <cmath>
#include <set>
#include <thread>
#include <vector>

#include "metrics/read_meter.h"

namespace seerdb {
namespace {

// Moves when it is told to.
class StillClock final : public Clock {
 public:
  uint64_t NowMicros() override { return now_ns_ / 1000; }
  uint64_t NowNanos() override { return now_ns_; }
  uint64_t WallMicros() override { return now_ns_ / 1000; }
  void SleepMicros(uint64_t micros) override { now_ns_ += micros * 1000; }
  void Advance(uint64_t ns) { now_ns_ += ns; }

 private:
  uint64_t now_ns_ = 1;
};

TEST(Statistics, OffItCountsAndTimesNothing) {
  Statistics statistics(false, std::make_shared<StillClock>());
  statistics.Add(Counter::total_puts);
  statistics.AddEach(Statistics::Count{Counter::total_puts, 3});
  statistics.Record(Latency::flush_latency, 5);
  for (int i = 0; i < 1000; ++i) EXPECT_EQ(statistics.BeginSampled(), 0u);
  const ReadMeter meter(&statistics, 1, Latency::get_latency);
  EXPECT_EQ(meter.shard(), nullptr);
  EXPECT_EQ(statistics.Get(Counter::total_puts), 0u);
  EXPECT_EQ(statistics.Summary(Latency::flush_latency).count, 0u);
}

// More threads than there are slots, all at once; those without a slot share a shard.
TEST(Statistics, ManyThreadsLoseNoCount) {
  constexpr int kThreads = 2 * kThreadSlots, kEach = 2000;
  Statistics statistics(true, std::make_shared<StillClock>());
  std::barrier<> all_there(kThreads);
  std::atomic<int> without_slot{0};
  std::vector<std::thread> threads;
  for (int t = 0; t < kThreads; ++t) {
    threads.emplace_back([&] {
      if (CurrentThreadSlot() == kNoThreadSlot) without_slot.fetch_add(1);
      all_there.arrive_and_wait();
      for (int i = 0; i < kEach; ++i) {
        statistics.Add(Counter::total_puts);
        statistics.AddEach(Statistics::Count{Counter::write_groups, 1},
                           Statistics::Count{Counter::logical_bytes_written, 10});
        const ReadMeter meter(&statistics, 2, Latency::kCount);
        meter.shard()->Add(Counter::blocks_read, 3);
      }
      all_there.arrive_and_wait();
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_GE(without_slot.load(), kThreads - static_cast<int>(kThreadSlots));
  constexpr uint64_t kOperations = uint64_t{kThreads} * kEach;
  EXPECT_EQ(statistics.Get(Counter::total_puts), kOperations);
  EXPECT_EQ(statistics.Get(Counter::write_groups), kOperations);
  EXPECT_EQ(statistics.Get(Counter::logical_bytes_written), 10 * kOperations);
  EXPECT_EQ(statistics.Get(Counter::total_gets), 2 * kOperations);
  EXPECT_EQ(statistics.Get(Counter::blocks_read), 3 * kOperations);
}

TEST(Statistics, ASlotIsFreeAgainWhenItsThreadHasEnded) {
  Statistics statistics(true);
  std::set<uint32_t> slots;
  for (uint32_t i = 0; i < 3 * kThreadSlots; ++i) {
    std::thread([&] {
      slots.insert(CurrentThreadSlot());
      statistics.Add(Counter::total_puts);
    }).join();
  }
  EXPECT_FALSE(slots.contains(kNoThreadSlot));
  EXPECT_EQ(statistics.Get(Counter::total_puts), 3 * kThreadSlots);
}

// Counting in the destructor of another thread-local object, when the slot may be gone.
TEST(Statistics, AThreadThatEndsStillCounts) {
  static Statistics statistics(true);
  struct Late {
    ~Late() { statistics.Add(Counter::total_puts); }
    void Touch() {}
  };
  for (int i = 0; i < 100; ++i) {
    std::thread([] {
      static thread_local Late late;  // destroyed behind what holds the slot
      late.Touch();
      statistics.Add(Counter::total_puts);
    }).join();
  }
  EXPECT_EQ(statistics.Get(Counter::total_puts), 200u);
}

// Operations that are slow with any period, that of the sampling too, are seen as often as they are.
TEST(Statistics, SamplingFollowsNoPeriod) {
  constexpr int kOperations = 400'000;
  constexpr uint64_t kFastNs = 100, kSlowNs = 100'000;
  for (const int period : {2, 3, 16, 31, 32, 33, 64, 96}) {
    auto clock = std::make_shared<StillClock>();
    Statistics statistics(true, clock);
    for (int i = 0; i < kOperations; ++i) {
      const SampledTimer timer(&statistics, Latency::put_latency);
      clock->Advance(i % period == 0 ? kSlowNs : kFastNs);
    }
    const LatencySummary summary = statistics.Summary(Latency::put_latency);
    const double expected = double{kOperations} / kLatencySampling;
    EXPECT_NEAR(static_cast<double>(summary.count), expected, 0.05 * expected);
    const double slow_share = (summary.mean_us * 1000 - kFastNs) / (kSlowNs - kFastNs);
    // Five times what chance makes of so many samples.
    const double share = 1.0 / period;
    EXPECT_NEAR(slow_share, share, 5 * std::sqrt(share * (1 - share) / expected)) << "period " << period;
  }
}

TEST(Statistics, WhatIsNotSampledIsTimedAlways) {
  auto clock = std::make_shared<StillClock>();
  Statistics statistics(true, clock);
  for (uint64_t i = 1; i <= 10; ++i) {
    const LatencyTimer timer(&statistics, Latency::flush_latency);
    clock->Advance(i * 1000);
  }
  const LatencySummary summary = statistics.Summary(Latency::flush_latency);
  EXPECT_EQ(summary.count, 10u);
  EXPECT_DOUBLE_EQ(summary.mean_us, 5.5);
  EXPECT_DOUBLE_EQ(summary.max_us, 10);
}

TEST(Statistics, RatiosFollowFromTheCounters) {
  Statistics statistics(true);
  DBStats stats;
  stats.uptime_us = 2'000'000;
  statistics.Fill(&stats);
  EXPECT_EQ(
      stats.write_amplification + stats.read_amplification + stats.cache_hit_rate + stats.writes_per_sec, 0);
  statistics.AddEach(Statistics::Count{Counter::total_puts, 8}, Statistics::Count{Counter::total_deletes, 6},
                     Statistics::Count{Counter::total_gets, 4}, Statistics::Count{Counter::blocks_read, 10},
                     Statistics::Count{Counter::logical_bytes_written, 100},
                     Statistics::Count{Counter::wal_bytes_written, 110},
                     Statistics::Count{Counter::wal_bytes_prepared, 7},
                     Statistics::Count{Counter::flush_bytes_written, 90},
                     Statistics::Count{Counter::compaction_bytes_written, 180},
                     Statistics::Count{Counter::manifest_bytes_written, 13},
                     Statistics::Count{Counter::cache_hits, 3}, Statistics::Count{Counter::cache_misses, 1});
  statistics.Fill(&stats);
  EXPECT_EQ(stats.physical_bytes_written, 400u);
  EXPECT_DOUBLE_EQ(stats.write_amplification, 4);
  EXPECT_DOUBLE_EQ(stats.read_amplification, 2.5);
  EXPECT_DOUBLE_EQ(stats.cache_hit_rate, 0.75);
  EXPECT_DOUBLE_EQ(stats.writes_per_sec, 4);
  EXPECT_DOUBLE_EQ(stats.deletes_per_sec, 3);
  EXPECT_DOUBLE_EQ(stats.reads_per_sec, 2);
}

}  // namespace
}  // namespace seerdb
