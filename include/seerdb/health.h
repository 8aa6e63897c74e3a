// HealthStatus: whether a database is well, as DB::Health() returns it; one check for each thing that can be
// wrong, with what it found and, where something helps, what that is.
//
// The first five checks and their limits are those of the Rust crate seerdb:
//
//   check                what it looks at                            healthy   degraded       unhealthy
//   compaction_lag       tables in L0                                <= 10     11 .. 20       > 20
//   wal_size             MiB of live log, rounded down               <= 100    101 .. 500     > 500
//   memtable_utilization percent of the active memtable's capacity   <= 80     > 80 .. 95     > 95
//   put_latency_p99      ms since the open, rounded down             <= 100    101 .. 1000    > 1000
//   get_latency_p99      ms since the open, rounded down             <= 50     51 .. 500      > 500
//   worker_errors        what stopped writes                         nothing   want of space  anything else
//   write_stall          what a write meets now                      nothing   a delay        a wait
#pragma once

#include <string>
#include <vector>

#include "seerdb/export.h"
#include "seerdb/slice.h"

namespace seerdb {

enum class CheckStatus : unsigned char { kHealthy = 0, kDegraded = 1, kUnhealthy = 2 };
// "healthy", "degraded", "unhealthy".
SEERDB_EXPORT const char* CheckStatusName(CheckStatus status);

struct SEERDB_EXPORT HealthCheck {
  std::string name;
  CheckStatus status = CheckStatus::kHealthy;
  std::string message;  // what was found, one line; of a stall also what would end it
};

struct SEERDB_EXPORT HealthStatus {
  bool healthy = true;  // all checks are
  std::vector<HealthCheck> checks;

  // The worst of all checks.
  CheckStatus worst() const;
  // Null if there is no such check.
  const HealthCheck* Find(Slice name) const;
  // "healthy" or "not healthy", then one line a check: name, status, message.
  std::string ToString() const;
};

}  // namespace seerdb
