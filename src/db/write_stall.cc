#include "db/write_stall.h"

#include <cstdio>

namespace seerdb {
namespace {

const char* EndsWhen(StallReason reason) {
  switch (reason) {
    case StallReason::kNone:
      break;
    case StallReason::kL0:
      return "ends when compaction has merged runs of L0";
    case StallReason::kMemtables:
      return "ends when a sealed memtable is flushed";
    case StallReason::kPendingBytes:
      return "ends when compaction has moved bytes out of levels that hold too many";
    case StallReason::kSpaceTarget:
      return "ends when compaction has given space back";
    case StallReason::kMemory:
      return "ends when memtables are flushed or readers let go of memory";
    case StallReason::kDisk:
      return "ends when the disk has space again";
  }
  return "";
}

}  // namespace

const char* StallReasonName(StallReason reason) {
  switch (reason) {
    case StallReason::kNone:
      return "none";
    case StallReason::kL0:
      return "l0_runs";
    case StallReason::kMemtables:
      return "memtables";
    case StallReason::kPendingBytes:
      return "pending_bytes";
    case StallReason::kSpaceTarget:
      return "space_target";
    case StallReason::kMemory:
      return "memory";
    case StallReason::kDisk:
      return "disk";
  }
  return "unknown";
}

std::string StallState::ToString() const {
  if (reason == StallReason::kNone) return {};
  char text[160];
  if (waits) {
    std::snprintf(text, sizeof text, "writers wait (%s); %s", StallReasonName(reason), EndsWhen(reason));
  } else {
    std::snprintf(text, sizeof text, "writers are held to %.1f MB/s (%s, %.0f %%); %s",
                  static_cast<double>(bytes_per_second) / 1e6, StallReasonName(reason), pressure * 100,
                  EndsWhen(reason));
  }
  return text;
}

}  // namespace seerdb
