#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "base/units.h"
#include "db/options_check.h"
#include "seerdb/options_for.h"

namespace seerdb {
namespace {

const WorkloadHint kHints[] = {WorkloadHint::kMixed, WorkloadHint::kWriteHeavy, WorkloadHint::kReadHeavy,
                               WorkloadHint::kScanHeavy, WorkloadHint::kBulk};

// None, nothing to speak of, powers of two with their neighbours, and all there is.
std::vector<uint64_t> Sizes() {
  std::vector<uint64_t> sizes = {0, 1, 1000};
  for (uint64_t size = 4 * kMiB; size <= 16 * kTiB; size *= 2) {
    sizes.insert(sizes.end(), {size - 1, size, size + size / 3});
  }
  sizes.push_back(UINT64_MAX);
  return sizes;
}

TEST(OptionsFor, IsAlwaysAccepted) {
  for (const WorkloadHint hint : kHints) {
    for (const uint64_t memory : Sizes()) {
      for (const uint64_t disk : Sizes()) {
        const Status status = CheckOptions(OptionsFor(memory, disk, hint));
        ASSERT_TRUE(status.ok()) << WorkloadHintName(hint) << ", memory " << memory << ", disk " << disk
                                 << ": " << status.ToString();
      }
    }
  }
}

TEST(OptionsFor, MoreMemoryNeverGivesLess) {
  for (const WorkloadHint hint : kHints) {
    for (const uint64_t disk : {uint64_t{0}, 10 * kGiB, 100 * kTiB}) {
      Options less = OptionsFor(1, disk, hint);
      for (const uint64_t memory : Sizes()) {
        if (memory == 0) continue;
        const Options more = OptionsFor(memory, disk, hint);
        SCOPED_TRACE(std::string(WorkloadHintName(hint)) + ", memory " + std::to_string(memory));
        EXPECT_GE(more.max_memory_bytes, less.max_memory_bytes);
        EXPECT_GE(more.memtable_capacity, less.memtable_capacity);
        EXPECT_GE(more.block_cache_capacity, less.block_cache_capacity);
        EXPECT_GE(more.base_level_size, less.base_level_size);
        EXPECT_GE(more.target_file_size, less.target_file_size);
        less = more;
      }
    }
  }
}

TEST(OptionsFor, WhatIsSplitFitsTheLimit) {
  for (const WorkloadHint hint : kHints) {
    for (const uint64_t memory : Sizes()) {
      if (memory == 0) continue;
      const Options o = OptionsFor(memory, 0, hint);
      const uint64_t memtables = o.memtable_capacity * (o.max_immutable_memtables + 1);
      // A quarter at least is left for indexes, compaction and readers.
      EXPECT_LE(memtables + o.block_cache_capacity, o.max_memory_bytes / 4 * 3)
          << WorkloadHintName(hint) << ", memory " << memory;
      EXPECT_LE(o.wal_segment_bytes, o.max_memory_bytes / 8);
      EXPECT_GE(o.base_level_size, 4 * o.memtable_capacity);
    }
  }
}

TEST(OptionsFor, TheGuardLeavesRoomToWorkAndMostOfTheDisk) {
  for (const WorkloadHint hint : kHints) {
    for (const uint64_t disk : Sizes()) {
      if (disk < 16 * kGiB || disk > 16 * kTiB) continue;
      const Options o = OptionsFor(kGiB, disk, hint);
      EXPECT_GE(o.min_disk_space_bytes, o.memtable_capacity * (o.max_immutable_memtables + 1));
      EXPECT_LE(o.min_disk_space_bytes, disk / 4) << WorkloadHintName(hint) << ", disk " << disk;
      EXPECT_LE(disk / o.target_file_size, 17'000u);
    }
  }
}

TEST(OptionsFor, Chooses) {
  struct Case {
    uint64_t memory;
    uint64_t disk;
    WorkloadHint hint;
    CompactionPolicy policy;
    uint64_t memtable;
    uint64_t cache;
    uint32_t l0_stop;
    double target;
    uint64_t guard;
    uint32_t levels;
  };
  const auto lazy = CompactionPolicy::kLazyLeveling;
  const Case cases[] = {
      // Nothing known: the defaults.
      {0, 0, WorkloadHint::kMixed, lazy, 64 * kMiB, 64 * kMiB, 36, 0, 0, 7},
      {8 * kMiB, 0, WorkloadHint::kMixed, lazy, kMiB, 2 * kMiB, 36, 0, 0, 7},
      {kGiB, 0, WorkloadHint::kMixed, lazy, 128 * kMiB, 256 * kMiB, 36, 0, 0, 7},
      {kTiB, 0, WorkloadHint::kMixed, lazy, 256 * kMiB, 256 * kGiB, 36, 0, 0, 7},
      {kGiB, 100 * kGiB, WorkloadHint::kMixed, lazy, 128 * kMiB, 256 * kMiB, 36, 1.5, 5 * kGiB, 7},
      {kGiB, 100 * kGiB, WorkloadHint::kWriteHeavy, lazy, 128 * kMiB, 128 * kMiB, 36, 2, 5 * kGiB, 7},
      {3 * kGiB, 100 * kGiB, WorkloadHint::kReadHeavy, CompactionPolicy::kLeveled, 256 * kMiB, 1152 * kMiB,
       36, 1.3, 5 * kGiB, 7},
      {3 * kGiB, 100 * kGiB, WorkloadHint::kScanHeavy, CompactionPolicy::kLeveled, 256 * kMiB, 1152 * kMiB,
       36, 1.3, 5 * kGiB, 7},
      {kGiB, 100 * kGiB, WorkloadHint::kBulk, CompactionPolicy::kTiered, 128 * kMiB, 128 * kMiB, 72, 2,
       5 * kGiB, 7},
      // A small memtable under a large disk needs more levels; the guard has its ceiling.
      {8 * kMiB, 10 * kTiB, WorkloadHint::kMixed, lazy, kMiB, 2 * kMiB, 36, 1.5, 16 * kGiB, 9},
      // A tiny disk: a quarter of it, though the work would need more.
      {kGiB, 64 * kMiB, WorkloadHint::kMixed, lazy, 128 * kMiB, 256 * kMiB, 36, 1.5, 16 * kMiB, 7},
  };
  for (const Case& c : cases) {
    const Options o = OptionsFor(c.memory, c.disk, c.hint);
    SCOPED_TRACE(std::string(WorkloadHintName(c.hint)) + ", memory " + std::to_string(c.memory) + ", disk " +
                 std::to_string(c.disk));
    EXPECT_EQ(o.compaction_policy, c.policy);
    EXPECT_TRUE(o.adaptive_compaction);
    EXPECT_EQ(o.max_memory_bytes, c.memory);
    EXPECT_EQ(o.memtable_capacity, c.memtable);
    EXPECT_EQ(o.block_cache_capacity, c.cache);
    EXPECT_EQ(o.l0_stop_writes_trigger, c.l0_stop);
    EXPECT_EQ(o.space_amplification_target, c.target);
    EXPECT_EQ(o.min_disk_space_bytes, c.guard);
    EXPECT_EQ(o.num_levels, c.levels);
    // A hint never changes what is promised.
    EXPECT_EQ(o.wal_sync_policy, Options().wal_sync_policy);
    EXPECT_EQ(o.compression, Options().compression);
  }
}

TEST(OptionsPresets, AreAcceptedAndDifferFromTheDefaultAsDocumented) {
  const Options standard;
  for (const Options& o :
       {Options::Default(), Options::Embedded(), Options::HighThroughput(), Options::LargeScale()}) {
    EXPECT_TRUE(CheckOptions(o).ok()) << CheckOptions(o).ToString();
    EXPECT_EQ(o.wal_sync_policy, standard.wal_sync_policy);
  }
  const Options embedded = Options::Embedded();
  EXPECT_EQ(embedded.memtable_capacity, 64 * kMiB);
  EXPECT_EQ(embedded.block_cache_capacity, 16 * kMiB);
  EXPECT_FALSE(embedded.metrics || embedded.adaptive_compaction);
  EXPECT_FALSE(embedded.background_flush || embedded.background_compaction);
  const Options fast = Options::HighThroughput();
  EXPECT_EQ(fast.memtable_capacity, 512 * kMiB);
  EXPECT_EQ(fast.block_cache_capacity, 256 * kMiB);
  EXPECT_TRUE(fast.adaptive_compaction);
  const Options large = Options::LargeScale();
  EXPECT_EQ(large.memtable_capacity, kGiB);
  EXPECT_EQ(large.base_level_size, 4 * kGiB);
  EXPECT_EQ(large.block_cache_capacity, 512 * kMiB);
  EXPECT_TRUE(large.adaptive_compaction);
  // One flush does not fill L1.
  for (const Options& o : {standard, embedded, fast, large})
    EXPECT_GE(o.base_level_size, 4 * o.memtable_capacity);
}

}  // namespace
}  // namespace seerdb
