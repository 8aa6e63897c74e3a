// Shape tuner: which TreeShape serves a workload best, and when to change to it. Pure functions.
//
// Costs are counted in blocks moved between memory and files, by the formulas of Dostoevsky (SIGMOD 2018) for
// a fluid tree of L levels, size ratio T, K runs in upper levels and Z in the last: a byte is written about
// (T-1)/(K+1) times in each upper level and (T-1)/(Z+1) times in the last; a read asks up to K*(L-1)+Z runs,
// and each step of a scan merges them.
// A change is made when what the present shape has cost more than the best one would have cost comes to what
// the change costs (as in the ski rental problem), so that a short spell of other work changes nothing; what
// is moved in the background weighs half. In the same way runs of L0 that are too few to be merged are merged
// when reads have paid for it.
#pragma once

#include <cstdint>
#include <vector>

#include "compaction/tree_shape.h"
#include "manifest/version.h"

namespace seerdb {

// What was done with the database since the sample before.
struct WorkloadSample {
  double puts = 0;  // deletes too
  double put_bytes = 0;
  double gets_found = 0;
  double gets_missing = 0;
  double scans = 0;
  double scanned_entries = 0;
  double passed_entries = 0;  // by scans: hidden ones
  double entry_bytes = 0;     // of an average entry in tables

  double operations() const { return puts + gets_found + gets_missing + scans; }
};

// What the costs depend on beside the workload.
struct TreeFacts {
  double bytes = 0;       // of all tables
  double base_bytes = 0;  // base_level_size
  double run_bytes = 0;   // of what a merge of L0 leaves, if less than that; 0 = unknown
  double block_bytes = 4096;
  double l0_runs = 4;          // l0_compaction_trigger
  double filter_miss = 0.01;   // share of absent keys that a filter lets pass
  bool bounded_space = false;  // shapes with several runs in the last level are out of the question
  // Of a bounded one:
  bool one_run_a_level = false;
  uint32_t least_size_ratio = 0;
};

struct TunerState {
  TreeShape shape;
  WorkloadSample average;  // decaying sum
  double regret = 0;       // blocks that the best shape would have saved, so far
  double l0_regret = 0;    // blocks that reads of the present runs of L0 have cost
  uint64_t l0_run = 0;     // the oldest of them
  uint64_t l0_runs = 0;    // how many they were
  bool merge_l0 = false;   // they are due now, however few they are
};

// How often a byte is read and written by compaction in a tree of this shape.
double MergesOfAByte(const TreeShape& shape, const TreeFacts& facts);

// Blocks that the workload costs in a tree of this shape.
double CostOf(const TreeShape& shape, const WorkloadSample& work, const TreeFacts& facts);

// Blocks that compaction moves at once when `version` has to take the shape `to`.
double TransitionCost(const TreeShape& to, const Version& version, const TreeFacts& facts);

// What a tree takes on in place of `shape`: no shape with more than one run in the last level keeps a bound
// on space.
TreeShape BoundedShape(TreeShape shape, const TreeFacts& facts);

// All shapes considered: three policies, ratios 4 to 20.
std::vector<TreeShape> CandidateShapes(bool bounded_space);

// The state after another sample.
TunerState NextState(const TunerState& state, const WorkloadSample& sample, const Version& version,
                     const TreeFacts& facts);

}  // namespace seerdb
