// SalvageLogs: replay that goes on where ReplayLogs reports damage. For Options::recovery_mode and repair.
//
// Reads the listed segments in order and hands over every intact record, found wherever it lies behind
// damaged ones, or only those in front of the first damage. Everything that is missing in between is listed.
// A segment that does not exist counts as damage too. A device that refuses a read ends it with that error.
// Never allocates more than a file's size says. Uses read calls, not mappings.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "seerdb/file_system.h"
#include "seerdb/result.h"
#include "seerdb/types.h"
#include "wal/log_replay.h"

namespace seerdb {

enum class SalvageExtent : unsigned char {
  kBeforeDamage,  // nothing behind the first missing record is applied
  kWhateverIsLeft,
};

// Records that belong somewhere and are not there.
struct LogGap {
  std::string path;  // where the first of them belongs
  uint64_t offset = 0;
  uint64_t first_record = 0;
  uint64_t records = 0;  // 0: unknown, nothing intact follows
  std::string reason;
};

struct SalvageSummary {
  ReplaySummary replay;       // of the records applied; `torn` of the last segment in use
  std::vector<LogGap> gaps;   // in the order of the log
  uint64_t skipped = 0;       // intact records behind the first gap that were not applied
  uint64_t next_record = 0;   // above every record that was seen, applied or not
  uint64_t unread_bytes = 0;  // of the segments, outside the frames seen; when there is a gap
};

struct SalvageVisitor {
  // Base sequence and operations of a record. kCorruption makes it a damaged record, and must have changed
  // nothing then; any other error ends the salvage and is returned.
  std::function<Status(SequenceNumber base, Slice operations)> apply;
  // The same of an intact record that is not applied. May be null.
  std::function<void(SequenceNumber base, Slice operations)> skip;
};

Result<SalvageSummary> SalvageLogs(FileSystem& fs, const std::vector<ReplayLog>& logs, const LogStart& start,
                                   SalvageExtent extent, const SalvageVisitor& visitor);

}  // namespace seerdb
