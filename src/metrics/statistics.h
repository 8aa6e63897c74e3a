// Statistics: the counters of SEERDB_COUNTER_LIST, cheap to bump from any thread.
//
// Each counter is spread over a few cache lines chosen by thread, and summed when read. Off, it costs a
// predicted branch. Thread safety: all methods concurrently.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <memory>

#include "seerdb/statistics.h"

namespace seerdb {

enum class Counter : uint16_t {
#define SEERDB_ENUM_COUNTER(name, help) name,
  SEERDB_COUNTER_LIST(SEERDB_ENUM_COUNTER)
#undef SEERDB_ENUM_COUNTER
      kCount
};

class Statistics {
 public:
  explicit Statistics(bool enabled) : enabled_(enabled) {}

  void Add(Counter counter, uint64_t n = 1) {
    if (!enabled_) return;
    std::atomic<uint64_t>& cell = shards_[ShardIndex()].cells[static_cast<size_t>(counter)];
    // A shard may be shared when threads are many, so the update must be atomic.
    cell.fetch_add(n, std::memory_order_relaxed);
  }
  uint64_t Get(Counter counter) const;
  void Fill(DBStats* stats) const;
  bool enabled() const { return enabled_; }

 private:
  static constexpr size_t kShards = 8;
  struct alignas(64) Shard {
    std::array<std::atomic<uint64_t>, static_cast<size_t>(Counter::kCount)> cells{};
  };
  static size_t ShardIndex();

  const bool enabled_;
  std::array<Shard, kShards> shards_;
};

}  // namespace seerdb
