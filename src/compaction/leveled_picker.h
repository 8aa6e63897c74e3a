// Leveled picking: pure functions from a Version to the most urgent CompactionPlan.
//
// L0 is due at l0_compaction_trigger runs, Ln at base_level_size * size_ratio^(n-1) bytes; the last level
// never. A plan takes an L0 run only with every older L0 run that overlaps it, and always all tables of the
// output level that overlap its inputs, so no version of a key ever passes an older one. A table that may not
// be used stays where it is, and so does everything that would pass it; the rest goes on. Tables that overlap
// nothing in the next level move without being rewritten.
// Source: LevelDB's leveled compaction; the minimum-overlap choice is RocksDB's.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <vector>

#include "compaction/compaction_plan.h"
#include "manifest/version.h"
#include "seerdb/slice.h"

namespace seerdb {

struct LeveledPickerOptions {
  uint32_t l0_compaction_trigger = 4;
  uint64_t base_level_size = 0;
  uint32_t size_ratio = 10;
};

// Bytes that `level` (>= 1) may hold; saturates.
uint64_t LevelTargetBytes(const LeveledPickerOptions& options, uint32_t level);

// How urgent compaction of `level` is: >= 1 means due. The last level scores 0.
double LevelScore(const LeveledPickerOptions& options, const Version& version, uint32_t level);

// Bytes in L1 and below above what their levels may hold. The last level may hold all.
uint64_t DebtBytes(const LeveledPickerOptions& options, const Version& version);

// The most urgent plan that uses no table in `unavailable`, or nullopt.
std::optional<CompactionPlan> PickLeveledCompaction(const LeveledPickerOptions& options,
                                                    const Version& version,
                                                    const TableNumberSet& unavailable);

// For a manual compaction: the tables of `level` that meet [smallest, largest], with what must go along,
// into level + 1. A last level compacts in place. nullopt if there is nothing to do or a table needed is
// in `unavailable`.
std::optional<CompactionPlan> PlanRangeCompaction(const Version& version, uint32_t level, Slice smallest,
                                                  Slice largest, const TableNumberSet& unavailable);

// For a manual compaction: rewrites, in place, of the tables of `level` (>= 1) that meet the range and hold
// something `stale`, one plan for each stretch of neighbours.
std::vector<CompactionPlan> PlanRewrites(const Version& version, uint32_t level, Slice smallest,
                                         Slice largest, const std::function<bool(const TableMetaPtr&)>& stale,
                                         const TableNumberSet& unavailable);

}  // namespace seerdb
