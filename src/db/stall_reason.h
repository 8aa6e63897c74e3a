// StallReason: what holds up a writer that comes now, in numbers, and what would end it.
//
// Thread safety: plain values and pure functions.
#pragma once

#include <cstdint>
#include <string>

namespace seerdb {

enum class StallKind : unsigned char {
  kNone,
  kL0Runs,        // runs in L0
  kImmutables,    // sealed memtables
  kMemoryBudget,  // percent of the budget in use
  kDiskGuard,     // bytes free
  kSpaceTarget,   // bytes on disk
};
// "l0_runs", "immutable_memtables", ...
const char* StallKindName(StallKind kind);

struct StallReason {
  StallKind kind = StallKind::kNone;
  bool waits = false;  // a writer waits; otherwise it is delayed
  // In the unit of the kind. It ends when `found` is below `limit`; of kDiskGuard, when it is no longer.
  uint64_t found = 0;
  uint64_t limit = 0;
  uint64_t pending_bytes = 0;  // to be written before that, about; 0 = not known

  // One line: what happens, why, what ends it.
  std::string ToString() const;
};

// What decides about writers today.
struct StallInputs {
  uint64_t l0_runs = 0;
  uint64_t l0_slowdown_trigger = 0;
  uint64_t l0_stop_trigger = 0;
  uint64_t l0_bytes = 0;
  uint64_t immutables = 0;
  uint64_t max_immutables = 0;
  uint64_t immutable_bytes = 0;
  bool active_full = false;  // the active memtable has to be sealed before the next write
};
// The strongest of what applies: a wait before a delay.
StallReason FindStall(const StallInputs& inputs);

}  // namespace seerdb
