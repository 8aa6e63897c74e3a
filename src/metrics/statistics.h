// Statistics: the counters of SEERDB_COUNTER_LIST and the latencies of SEERDB_LATENCY_LIST, cheap to add to
// from any thread.
//
// Each thread counts in a shard of its own with plain loads and stores; threads that have none
// (thread_slot.h) share one. Shards are summed when read. Off, there are no shards, and nothing is done but a
// predicted branch. Thread safety: all methods concurrently.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <memory>

#include "base/random.h"
#include "metrics/histogram.h"
#include "metrics/thread_slot.h"
#include "seerdb/clock.h"
#include "seerdb/statistics.h"

namespace seerdb {

enum class Counter : uint16_t {
#define SEERDB_ENUM_COUNTER(name, help) name,
  SEERDB_COUNTER_LIST(SEERDB_ENUM_COUNTER)
#undef SEERDB_ENUM_COUNTER
      kCount
};

enum class Latency : uint8_t {
#define SEERDB_ENUM_LATENCY(name, help) name,
  SEERDB_LATENCY_LIST(SEERDB_ENUM_LATENCY)
#undef SEERDB_ENUM_LATENCY
      kCount
};

// Counters that one thread alone adds to. The place of a thread's is found by a shift.
class alignas(512) CounterShard {
 public:
  // Which operations are timed follows from the seed.
  void Seed(uint64_t seed) {
    random_ = Random(seed);
    until_sample_ = NextGap();
  }
  // Requires: the calling thread owns the shard.
  void Add(Counter counter, uint64_t n = 1) {
    std::atomic<uint64_t>& cell = cells_[static_cast<size_t>(counter)];
    cell.store(cell.load(std::memory_order_relaxed) + n, std::memory_order_relaxed);
  }
  // The same for a shard that several threads share.
  void AddShared(Counter counter, uint64_t n) {
    cells_[static_cast<size_t>(counter)].fetch_add(n, std::memory_order_relaxed);
  }
  uint64_t Get(Counter counter) const {
    return cells_[static_cast<size_t>(counter)].load(std::memory_order_relaxed);
  }
  // Whether the operation that begins is to be timed: one of kLatencySampling, at random distances. Requires:
  // the calling thread owns the shard.
  bool TakeSample() {
    if (--until_sample_ != 0) [[likely]]
      return false;
    until_sample_ = NextGap();
    return true;
  }

 private:
  // Uniform, so that no period of what is done can fall in step.
  uint32_t NextGap() { return 1 + static_cast<uint32_t>(random_.Uniform(2 * kLatencySampling - 1)); }

  uint32_t until_sample_ = 1;
  std::array<std::atomic<uint64_t>, static_cast<size_t>(Counter::kCount)> cells_{};
  Random random_{0};
};

class Statistics {
 public:
  // Without a clock nothing is timed.
  explicit Statistics(bool enabled, std::shared_ptr<Clock> clock = nullptr);

  bool enabled() const { return shards_ != nullptr; }
  void Add(Counter counter, uint64_t n = 1) {
    if (!enabled()) return;
    if (CounterShard* const own = OwnShard(); own != nullptr) [[likely]] {
      own->Add(counter, n);
    } else {
      shards_[kThreadSlots].AddShared(counter, n);
    }
  }
  struct Count {
    Counter counter;
    uint64_t n;
  };
  // The same for several counters, which finds the shard once.
  template <typename... Counts>
  void AddEach(Counts... counts) {
    if (!enabled()) return;
    if (CounterShard* const own = OwnShard(); own != nullptr) [[likely]] {
      (own->Add(counts.counter, counts.n), ...);
    } else {
      (shards_[kThreadSlots].AddShared(counts.counter, counts.n), ...);
    }
  }
  // The calling thread's; null if it has none. Not to be kept beyond the call. Requires: enabled.
  CounterShard* OwnShard() {
    const uint32_t slot = CurrentThreadSlot();
    return slot != kNoThreadSlot ? &shards_[slot] : nullptr;
  }
  // For a thread that has none: one to be given back before the call returns, which adds it to the shared
  // one. Null if the thread has borrowed already.
  CounterShard* Borrow();
  void GiveBack(CounterShard* borrowed);
  uint64_t Get(Counter counter) const;

  // Begin gives the moment to hand to End; 0 = not timed. BeginSampled does so for one of kLatencySampling
  // operations.
  uint64_t Begin() const { return histograms_[0] != nullptr ? clock_->NowNanos() : 0; }
  uint64_t BeginSampled() {
    if (!enabled()) return 0;
    CounterShard* const own = OwnShard();
    return own != nullptr && own->TakeSample() ? Begin() : 0;
  }
  void End(Latency latency, uint64_t begin_ns) {
    if (begin_ns != 0) [[unlikely]]
      RecordSince(latency, begin_ns);
  }
  // Something that was timed otherwise.
  void Record(Latency latency, uint64_t ns);
  LatencySummary Summary(Latency latency) const;

  // Counters, latencies, and what follows from counters and stats->uptime_us.
  void Fill(DBStats* stats) const;

 private:
  void RecordSince(Latency latency, uint64_t begin_ns);

  const std::shared_ptr<Clock> clock_;
  // One for each slot, and the one that is shared. Null when off.
  const std::unique_ptr<CounterShard[]> shards_;
  std::array<std::unique_ptr<Histogram>, static_cast<size_t>(Latency::kCount)> histograms_;
};

// Times what happens in its scope, always.
class LatencyTimer {
 public:
  LatencyTimer(Statistics* statistics, Latency latency)
      : statistics_(statistics), latency_(latency), begin_ns_(statistics->Begin()) {}
  ~LatencyTimer() { statistics_->End(latency_, begin_ns_); }
  LatencyTimer(const LatencyTimer&) = delete;
  LatencyTimer& operator=(const LatencyTimer&) = delete;

 private:
  Statistics* const statistics_;
  const Latency latency_;
  const uint64_t begin_ns_;
};

// Times what happens in its scope, one time of kLatencySampling.
class SampledTimer {
 public:
  SampledTimer(Statistics* statistics, Latency latency)
      : statistics_(statistics), latency_(latency), begin_ns_(statistics->BeginSampled()) {}
  ~SampledTimer() { statistics_->End(latency_, begin_ns_); }
  SampledTimer(const SampledTimer&) = delete;
  SampledTimer& operator=(const SampledTimer&) = delete;

 private:
  Statistics* const statistics_;
  const Latency latency_;
  const uint64_t begin_ns_;
};

}  // namespace seerdb
