// Admit: decides, from the state of the tree, how fast writes may come in. A pure function.
//
// Each thing that can fall behind gives a pressure in [0, 1]: 0 where delays begin, 1 where writers would
// have to wait, linear between. Under pressure p writes are admitted at drain * (1 - p) / p, where drain is
// what the background takes in a second. The law has no step: without limit just above 0, equal to the drain
// at 1/2, nothing at 1. So a tree that falls behind settles where as much comes in as goes out, wherever that
// is. Of several pressures the one that admits least counts.
#pragma once

#include <cstdint>

#include "db/write_stall.h"
#include "seerdb/options.h"

namespace seerdb {

// Where pressures are 0 and 1.
struct WriteLimits {
  double l0_start_runs = 0;  // halfway between the triggers of compaction and of slowdown
  double l0_stop_runs = 0;
  double l0_usual_runs = 0;    // a tree in shape may have: those of a merge, and two memtables
  double memtables_start = 0;  // of max_immutable_memtables + 1: the last one fills
  double memtables_stop = 0;
  uint64_t debt_start_bytes = 0;  // and a quarter of the tree
};
WriteLimits LimitsOf(const Options& options);

struct WriteLoad {
  uint64_t l0_runs = 0;
  uint64_t immutables = 0;
  double active_fill = 0;   // part of the active memtable that is full
  uint64_t debt_bytes = 0;  // in levels above what these may hold
  uint64_t tree_bytes = 0;
  // 0 .. 1; at 1 writers wait.
  double space_pressure = 0;
  uint64_t flush_bytes_per_second = 0;
  uint64_t drain_bytes_per_second = 0;  // what leaves L0
};

// `state.bytes_per_second` is at least kLeastAdmittedBytesPerSecond when it is not 0.
StallState Admit(const WriteLimits& limits, const WriteLoad& load);
inline constexpr uint64_t kLeastAdmittedBytesPerSecond = 256 << 10;

// How far the tree is from where delays begin, for its runs in L0 and for its debt: 0 in shape, 1 and more
// when writers are delayed.
double L0Urgency(const WriteLimits& limits, const WriteLoad& load);
double DebtUrgency(const WriteLimits& limits, const WriteLoad& load);

}  // namespace seerdb
