// SpacePlan: what a space target asks of the tree. A pure function of what is on disk and what is live.
//
// Between what live data takes in tables and the target lies the slack. A third of it is for levels above the
// last, and L0 and the level that L0 goes to get small parts, so that what is merged whole is little. Half of
// the slack may fill before data is merged down for the sake of space. The inputs of a merge stay until it is
// done, so it takes at most an eighth of the slack, and half of what is left of it.
#pragma once

#include <cstdint>

#include "db/live_estimate.h"

namespace seerdb {

struct SpaceFacts {
  double target = 0;        // Options::space_amplification_target; 0 = none
  uint64_t disk_bytes = 0;  // tables, logs and unfinished files
  LiveEstimate live;
  double l0_run_bytes = 0;  // an average one
};

struct SpacePlan {
  bool limited = false;          // there is a target and something to measure it by
  bool too_much = false;         // data should be merged down now
  double pressure = 0;           // 0 .. 1: how near to the target; writers slow down with it, and wait at 1
  bool one_run_a_level = false;  // there is no room to merge levels as a whole
  // Upper limits, where limited.
  uint64_t base_level_size = UINT64_MAX;
  uint64_t target_file_size = UINT64_MAX;
  uint64_t merge_bytes = UINT64_MAX;
  uint32_t l0_compaction_trigger = UINT32_MAX;
  uint32_t least_size_ratio = 2;
};

SpacePlan PlanSpace(const SpaceFacts& facts);

// SpacePlan::pressure alone.
double SpacePressure(const SpaceFacts& facts);

}  // namespace seerdb
