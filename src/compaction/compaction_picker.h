// Picking: pure functions from a Version to the most urgent CompactionPlan.
//
// One picker serves all policies; they differ in the TreeShape. L0 is due at l0_compaction_trigger runs, a
// level when it has more runs or bytes than LimitsOf says. A level whose target may have one run is merged
// into that one, a part at a time; else it becomes a new run of the target as a whole. The last level, grown
// too large, moves down as it is. Then come what is asked for where too much is dead, and tables whose
// tombstones are many or old. Every picked plan brings the tree nearer to a shape in which nothing is due, so
// repeated picking ends.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "compaction/compaction_plan.h"
#include "compaction/flushed_ranges.h"
#include "compaction/merge_planner.h"
#include "compaction/tree_shape.h"
#include "compaction/value_gc.h"
#include "format/keyspace_table.h"
#include "manifest/version.h"
#include "seerdb/types.h"

namespace seerdb {

struct PickerOptions {
  TreeShape shape;
  uint32_t l0_compaction_trigger = 4;
  uint64_t base_level_size = 0;
  // A merge that can be done in parts takes parts of about this many bytes of inputs.
  uint64_t merge_bytes = uint64_t{1} << 30;
  // A table with more is written anew where others would be moved: once two such tables lie one above the
  // other they can only be merged at once.
  uint64_t largest_move_bytes = UINT64_MAX;
  // What the disk has room for: a table with more moves, as it cannot be written anew.
  uint64_t room_bytes = UINT64_MAX;
  double tombstone_density_trigger = 0;  // 0 = off, as tombstone_max_age_s
  uint64_t tombstone_max_age_s = 0;
  // Range tombstones beyond so many count as old, the oldest first.
  uint64_t max_range_tombstones = 16'384;
};

// What else a decision depends on, beside the version.
struct PickContext {
  TableNumberSet unavailable;          // damaged tables, and inputs of running jobs
  std::vector<RunningOutput> running;  // where those will write
  // Everything below is visible to every reader alike.
  SequenceNumber oldest_snapshot = kMaxSequence;
  // All of them, ascending, ending with the visible sequence. Empty: tables are not asked for what is hidden.
  std::vector<SequenceNumber> snapshots;
  FlushedRanges ranges;                  // of the version
  uint64_t now_us = 0;                   // wall clock
  KeyspaceTablePtr keyspaces = nullptr;  // null: none is known to be dropped
  // Value segments to be emptied; what does so is picked when it gains more than it costs, or, with
  // too_much_space, whatever it costs.
  ValueGcPlan values;
  // More bytes on disk than the space target allows: data is merged down although no level is full.
  bool too_much_space = false;
  // More than is tolerated without a target: the deepest data that is not one run yet is merged, and nothing
  // else while that cannot be.
  bool too_much_dead = false;
  size_t running_below_l0 = 0;  // jobs that take nothing from L0
  // The last free slot for a job, and the others may take long: it is for L0, and for levels that have grown
  // to twice what they may be.
  bool last_slot = false;
};

// How urgent compaction of `level` is: >= 1 means due.
double LevelScore(const PickerOptions& options, const TreeLimits& limits, const Version& version,
                  uint32_t level);

// Bytes below L0 above what their levels may hold. The last level may hold all.
uint64_t DebtBytes(const PickerOptions& options, const Version& version);

// The most urgent plan, or nullopt.
std::optional<CompactionPlan> PickCompaction(const PickerOptions& options, const Version& version,
                                             const PickContext& context);

// For a manual compaction: the tables of `level` that meet `wanted`, with what must go along, into level + 1.
std::optional<CompactionPlan> PlanRangeCompaction(const Version& version, uint32_t level,
                                                  const KeyRange& wanted, const TableNumberSet& unavailable);

}  // namespace seerdb
