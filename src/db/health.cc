#include "db/health.h"

#include <algorithm>
#include <cstdio>

#include "base/mutant.h"

namespace seerdb {
namespace {

// A check of one number: above the first limit it is degraded, above the second unhealthy.
struct Limits {
  const char* name;
  const char* what;  // before the number
  const char* unit;  // behind it
  double degraded_above;
  double unhealthy_above;
};

constexpr Limits kCompactionLag = {"compaction_lag", "tables in L0:", "", 10, 20};
constexpr Limits kWalSize = {"wal_size", "live log:", " MiB", 100, 500};
constexpr Limits kMemtableUtilization = {"memtable_utilization", "active memtable:", " % full", 80, 95};
constexpr Limits kPutLatency = {"put_latency_p99", "p99 of Put:", " ms", 100, 1000};
constexpr Limits kGetLatency = {"get_latency_p99", "p99 of Get:", " ms", 50, 500};

std::string Number(double value) {
  char text[40];
  std::snprintf(text, sizeof text, "%.15g", value);
  return text;
}

HealthCheck Check(const Limits& limits, double value) {
  HealthCheck check;
  check.name = limits.name;
  check.status = value > limits.unhealthy_above  ? CheckStatus::kUnhealthy
                 : value > limits.degraded_above ? CheckStatus::kDegraded
                                                 : CheckStatus::kHealthy;
  const double limit =
      check.status == CheckStatus::kUnhealthy ? limits.unhealthy_above : limits.degraded_above;
  check.message = std::string(limits.what) + " " + Number(value) + limits.unit + ", " +
                  (check.status == CheckStatus::kHealthy ? "within " : "more than ") + Number(limit) +
                  limits.unit;
  return check;
}

uint64_t WholeMiB(uint64_t bytes) { return bytes >> 20; }
double WholeMillis(double us) { return static_cast<double>(static_cast<uint64_t>(us) / 1000); }

HealthCheck CheckWorkers(const HealthInputs& inputs) {
  HealthCheck check;
  check.name = "worker_errors";
  if (inputs.background_error.ok()) {
    check.message = "none";
    return check;
  }
  check.status = inputs.background_resumable ? CheckStatus::kDegraded : CheckStatus::kUnhealthy;
  check.message = "writes have stopped: " + inputs.background_error.ToString() + "; " +
                  (inputs.background_resumable ? "they go on by themselves when there is space"
                                               : "close the database and open it again");
  return check;
}

HealthCheck CheckStall(const StallReason& stall) {
  HealthCheck check;
  check.name = "write_stall";
  check.message = stall.ToString();
  if (stall.kind != StallKind::kNone) {
    check.status = stall.waits ? CheckStatus::kUnhealthy : CheckStatus::kDegraded;
  }
  return check;
}

}  // namespace

HealthStatus CheckHealth(const HealthInputs& inputs) {
  HealthStatus health;
  health.checks = {
      Check(kCompactionLag, static_cast<double>(inputs.l0_files)),
      Check(kWalSize, static_cast<double>(WholeMiB(inputs.wal_bytes))),
      Check(kMemtableUtilization, inputs.memtable_utilization_pct),
      Check(kPutLatency, WholeMillis(inputs.put_p99_us)),
      Check(kGetLatency, WholeMillis(inputs.get_p99_us)),
      CheckWorkers(inputs),
      CheckStall(inputs.stall),
  };
  health.healthy = SEERDB_MUTANT("health-ignores-degraded") ? health.worst() != CheckStatus::kUnhealthy
                                                            : health.worst() == CheckStatus::kHealthy;
  return health;
}

const char* CheckStatusName(CheckStatus status) {
  switch (status) {
    case CheckStatus::kHealthy:
      return "healthy";
    case CheckStatus::kDegraded:
      return "degraded";
    case CheckStatus::kUnhealthy:
      return "unhealthy";
  }
  return "unknown";
}

CheckStatus HealthStatus::worst() const {
  CheckStatus worst = CheckStatus::kHealthy;
  for (const HealthCheck& check : checks) worst = std::max(worst, check.status);
  return worst;
}

const HealthCheck* HealthStatus::Find(Slice name) const {
  for (const HealthCheck& check : checks) {
    if (check.name == name) return &check;
  }
  return nullptr;
}

std::string HealthStatus::ToString() const {
  std::string out = healthy ? "healthy\n" : "not healthy\n";
  for (const HealthCheck& check : checks) {
    char line[64];
    std::snprintf(line, sizeof line, "%-20s %-9s ", check.name.c_str(), CheckStatusName(check.status));
    out += line + check.message + "\n";
  }
  return out;
}

}  // namespace seerdb
