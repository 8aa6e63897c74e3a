// StallState: what slows writers at this moment, as a value that can be shown.
#pragma once

#include <cstdint>
#include <string>

namespace seerdb {

enum class StallCause : unsigned char {
  kNone = 0,
  kL0 = 1,            // runs in L0, and the memtables that will become some
  kMemtables = 2,     // sealed memtables that wait for their flush
  kPendingBytes = 3,  // bytes in levels above what these may hold
  kSpaceTarget = 4,
};
// "none", "l0_runs", ...
const char* StallCauseName(StallCause reason);

struct StallState {
  StallCause reason = StallCause::kNone;
  // 0 .. 1: how far between where delays begin and where writers wait.
  double pressure = 0;
  // True: writers wait until this ends. False: they are delayed, or nothing slows them.
  bool waits = false;
  // Bytes of writes admitted a second; 0 = all that come.
  uint64_t bytes_per_second = 0;

  // One line: what it is and what would end it. Empty for kNone.
  std::string ToString() const;
};

}  // namespace seerdb
