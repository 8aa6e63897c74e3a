// CheckHealth: the checks of seerdb/health.h as a pure function of what is known about the database.
//
// Thread safety: plain values.
#pragma once

#include <cstdint>

#include "db/stall_reason.h"
#include "seerdb/health.h"
#include "seerdb/status.h"

namespace seerdb {

struct HealthInputs {
  uint64_t l0_files = 0;
  uint64_t wal_bytes = 0;
  double memtable_utilization_pct = 0;
  double put_p99_us = 0;
  double get_p99_us = 0;
  Status background_error;            // why writes have stopped; OK if they have not
  bool background_resumable = false;  // they go on when there is space
  StallReason stall;
};

HealthStatus CheckHealth(const HealthInputs& inputs);

}  // namespace seerdb
