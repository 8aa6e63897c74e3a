// SpacePlan: what a space target asks of the tree. A pure function of what is on disk and what is live.
//
// Without a target, tables may take three times what is live before data is merged down for the sake of
// space: in a tree of many runs most may be old versions, and the more are, the less it costs to drop them
// (RocksDB's universal compaction has the same limit, max_size_amplification_percent 200, of what the oldest
// run holds). Nothing else follows from that; writers never wait for it.
//
// Where most of it lies in value segments, to find out what is dead costs little: only tables are written
// anew. Then less may be dead.
//
// Between what live data takes in tables and the target lies the slack. A third of it is for levels above the
// last, and L0 and the level that L0 goes to get small parts, so that what is merged whole is little. Half of
// the slack may fill before data is merged down for the sake of space. The inputs of a merge stay until it is
// done, so it takes at most an eighth of the slack, and half of what is left of it. Tables are small beside
// that, so that merges come in parts.
#pragma once

#include <cstdint>

#include "db/live_estimate.h"

namespace seerdb {

struct SpaceFacts {
  double target = 0;        // Options::space_amplification_target; 0 = none
  uint64_t disk_bytes = 0;  // tables, logs and unfinished files
  LiveEstimate live;
  double l0_run_bytes = 0;  // an average one
  uint64_t table_bytes = 0;
  uint64_t value_bytes = 0;  // that lie apart, and tables point to
  // Without a target:
  uint64_t oldest_run_bytes =
      0;                         // with its values; fewer keys than are live perhaps, but seldom two versions
  uint64_t tolerated_bytes = 0;  // so little is not worth a merge
};

// True if, without a target, live needs to be estimated.
bool MayHoldTooMuchDead(const SpaceFacts& facts);

struct SpacePlan {
  bool limited = false;          // there is a target
  bool too_much = false;         // data should be merged down now
  double pressure = 0;           // 0 .. 1: how near to the target; writers slow down with it, and wait at 1
  double dead_urgency = 0;       // without a target: 0 where too_much begins, 1 at twice that, and on
  bool one_run_a_level = false;  // there is no room to merge levels as a whole
  // Upper limits, where limited.
  uint64_t base_level_size = UINT64_MAX;
  uint64_t target_file_size = UINT64_MAX;
  uint64_t merge_bytes = UINT64_MAX;
  uint32_t l0_compaction_trigger = UINT32_MAX;
  uint32_t least_size_ratio = 2;
  // Of values, to which a memtable may point.
  uint64_t memtable_value_bytes = UINT64_MAX;
};

SpacePlan PlanSpace(const SpaceFacts& facts);

// SpacePlan::pressure alone.
double SpacePressure(const SpaceFacts& facts);

}  // namespace seerdb
