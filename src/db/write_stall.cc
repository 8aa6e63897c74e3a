#include "db/write_stall.h"

#include <cstdio>

namespace seerdb {
namespace {

const char* EndsWhen(StallCause reason) {
  switch (reason) {
    case StallCause::kNone:
      break;
    case StallCause::kL0:
      return "ends when compaction has merged runs of L0";
    case StallCause::kMemtables:
      return "ends when a sealed memtable is flushed";
    case StallCause::kPendingBytes:
      return "ends when compaction has moved bytes out of levels that hold too many";
    case StallCause::kSpaceTarget:
      return "ends when compaction has given space back";
  }
  return "";
}

}  // namespace

const char* StallCauseName(StallCause reason) {
  switch (reason) {
    case StallCause::kNone:
      return "none";
    case StallCause::kL0:
      return "l0_runs";
    case StallCause::kMemtables:
      return "memtables";
    case StallCause::kPendingBytes:
      return "pending_bytes";
    case StallCause::kSpaceTarget:
      return "space_target";
  }
  return "unknown";
}

std::string StallState::ToString() const {
  if (reason == StallCause::kNone) return {};
  char text[160];
  if (waits) {
    std::snprintf(text, sizeof text, "writers wait (%s); %s", StallCauseName(reason), EndsWhen(reason));
  } else {
    std::snprintf(text, sizeof text, "writers are held to %.1f MB/s (%s, %.0f %%); %s",
                  static_cast<double>(bytes_per_second) / 1e6, StallCauseName(reason), pressure * 100,
                  EndsWhen(reason));
  }
  return text;
}

}  // namespace seerdb
