#include "db/write_admission.h"

#include <algorithm>

#include "base/mutant.h"

namespace seerdb {
namespace {

// Debt at which the pressure is 1, in units of where it begins.
constexpr double kDebtStop = 4;
constexpr double kDebtBaseLevels = 4;
constexpr double kDebtShareOfTree = 0.25;

double Ramp(double value, double start, double stop) {
  if (stop <= start) return 0;  // there is room only for the stop
  return std::clamp((value - start) / (stop - start), 0.0, 1.0);
}

double L0Load(const WriteLoad& load) {
  return static_cast<double>(load.l0_runs + load.immutables) + load.active_fill;
}

double DebtStart(const WriteLimits& limits, const WriteLoad& load) {
  return static_cast<double>(limits.debt_start_bytes) +
         kDebtShareOfTree * static_cast<double>(load.tree_bytes);
}

// 0 = without limit.
uint64_t AdmittedRate(double pressure, uint64_t drain_bytes_per_second) {
  if (pressure <= 0) return 0;
  const double rate = static_cast<double>(drain_bytes_per_second) * (1 - pressure) / pressure;
  constexpr double kMost = 1e15;
  return std::max(kLeastAdmittedBytesPerSecond, static_cast<uint64_t>(std::min(rate, kMost)));
}

}  // namespace

WriteLimits LimitsOf(const Options& options) {
  WriteLimits limits;
  limits.l0_start_runs = (options.l0_compaction_trigger + options.l0_slowdown_writes_trigger) / 2.0;
  limits.l0_stop_runs = options.l0_stop_writes_trigger;
  limits.l0_usual_runs = std::min(options.l0_compaction_trigger + 2.0, limits.l0_start_runs - 1);
  limits.memtables_start = options.max_immutable_memtables;
  limits.memtables_stop = options.max_immutable_memtables + 1;
  limits.debt_start_bytes =
      static_cast<uint64_t>(std::min(kDebtBaseLevels * static_cast<double>(options.base_level_size), 1e18));
  return limits;
}

StallState Admit(const WriteLimits& limits, const WriteLoad& load) {
  if (static_cast<double>(load.l0_runs) >= limits.l0_stop_runs) return {StallCause::kL0, 1, true, 0};
  if (load.space_pressure >= 1) return {StallCause::kSpaceTarget, 1, true, 0};
  const double debt_start = DebtStart(limits, load);
  const struct {
    StallCause reason;
    double pressure;
    uint64_t drain_bytes_per_second;
  } parts[] = {
      {StallCause::kL0, Ramp(L0Load(load), limits.l0_start_runs, limits.l0_stop_runs),
       load.drain_bytes_per_second},
      {StallCause::kMemtables,
       Ramp(static_cast<double>(load.immutables) + load.active_fill, limits.memtables_start,
            limits.memtables_stop),
       load.flush_bytes_per_second},
      {StallCause::kPendingBytes,
       Ramp(static_cast<double>(load.debt_bytes), debt_start, kDebtStop * debt_start),
       load.drain_bytes_per_second},
      {StallCause::kSpaceTarget, std::clamp(load.space_pressure, 0.0, 1.0), load.drain_bytes_per_second},
  };
  StallState state;
  for (const auto& part : parts) {
    const uint64_t rate = AdmittedRate(part.pressure, part.drain_bytes_per_second);
    if (rate == 0 || (state.bytes_per_second != 0 && state.bytes_per_second <= rate)) continue;
    if (SEERDB_MUTANT("l0-runs-do-not-slow-writers") && part.reason == StallCause::kL0) continue;
    state = {part.reason, part.pressure, false, rate};
  }
  return state;
}

double L0Urgency(const WriteLimits& limits, const WriteLoad& load) {
  const double room = limits.l0_start_runs - limits.l0_usual_runs;
  return std::max(0.0, (L0Load(load) - limits.l0_usual_runs) / room);
}

double DebtUrgency(const WriteLimits& limits, const WriteLoad& load) {
  return static_cast<double>(load.debt_bytes) / std::max(1.0, DebtStart(limits, load));
}

}  // namespace seerdb
