#include "db/stall_reason.h"

#include "base/assert.h"

namespace seerdb {
namespace {

std::string MiB(uint64_t bytes) {
  const uint64_t tenths = bytes / (1 << 20) * 10 + (bytes % (1 << 20) * 10 + (1 << 19)) / (1 << 20);
  return std::to_string(tenths / 10) + "." + std::to_string(tenths % 10) + " MiB";
}

std::string Pending(uint64_t bytes) { return bytes == 0 ? "" : ", " + MiB(bytes) + " pending"; }

}  // namespace

const char* StallKindName(StallKind kind) {
  switch (kind) {
    case StallKind::kNone:
      return "none";
    case StallKind::kL0Runs:
      return "l0_runs";
    case StallKind::kImmutables:
      return "immutable_memtables";
    case StallKind::kMemoryBudget:
      return "memory_budget";
    case StallKind::kDiskGuard:
      return "disk_guard";
    case StallKind::kSpaceTarget:
      return "space_target";
  }
  return "unknown";
}

std::string StallReason::ToString() const {
  if (kind == StallKind::kNone) return "writes are neither delayed nor waiting";
  const std::string what = waits ? "writes wait: " : "writes are delayed: ";
  const std::string number = std::to_string(found);
  const std::string bound = std::to_string(limit);
  switch (kind) {
    case StallKind::kNone:
      break;
    case StallKind::kL0Runs:
      return what + number + " runs in L0; ends with the compaction of L0 to below " + bound + " runs" +
             Pending(pending_bytes);
    case StallKind::kImmutables:
      return what + number + " sealed memtables; ends with their flush to below " + bound +
             Pending(pending_bytes);
    case StallKind::kMemoryBudget:
      return what + number + " % of the memory budget in use; ends below " + bound +
             " %, by flushes and when readers let go" + Pending(pending_bytes);
    case StallKind::kDiskGuard:
      return what + MiB(found) + " free on the file system; ends with " + MiB(limit) + " free";
    case StallKind::kSpaceTarget:
      return what + MiB(found) + " on disk; ends with compaction to below " + MiB(limit) +
             Pending(pending_bytes);
  }
  return what + "for a reason unknown";
}

StallReason FindStall(const StallInputs& inputs) {
  const StallReason l0{
      StallKind::kL0Runs, inputs.l0_runs >= inputs.l0_stop_trigger, inputs.l0_runs,
      inputs.l0_runs >= inputs.l0_stop_trigger ? inputs.l0_stop_trigger : inputs.l0_slowdown_trigger,
      inputs.l0_bytes};
  const bool l0_stalls = inputs.l0_runs >= inputs.l0_slowdown_trigger;
  if (l0_stalls && l0.waits) return l0;
  if (inputs.active_full && inputs.immutables >= inputs.max_immutables) {
    return {StallKind::kImmutables, true, inputs.immutables, inputs.max_immutables, inputs.immutable_bytes};
  }
  return l0_stalls ? l0 : StallReason();
}

}  // namespace seerdb
