// ReplayLogs: reads back what an earlier life of the database logged, and says where the log ends.
//
// Reads the listed segments in order and hands over each record's payload, as long as record numbers are
// dense and checksums hold. It stops at the first record that is missing or damaged. That is the torn tail
// of a crash unless some intact frame behind it, in this or a later segment, says that the record was
// durable: then it is kCorruption/kWalCorruption naming file and offset. Nothing behind the stop is used.
// Never allocates more than a file's size says. Uses read calls, not mappings.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "seerdb/file_system.h"
#include "seerdb/result.h"
#include "seerdb/types.h"
#include "wal/log_format.h"

namespace seerdb {

struct ReplayLog {
  std::string path;
  LogIdentity identity;
};

// What is known of the logs before they are read.
struct LogStart {
  // Number of the first record of the first log, as the manifest says.
  uint64_t first_record = 0;
  // One that the sequences of all records lie near (FrameScan::kMostSequencesAway), if one is known: it tells
  // old bytes of a recycled file from frames. For ReplayLogs they are all above it.
  std::optional<SequenceNumber> near_sequence = std::nullopt;
  // Whether the operations of a record, of `bytes` bytes, may begin with `first`: tells more of them. Null:
  // the log does not know what its records hold.
  bool (*may_be_operations)(Slice first, uint64_t bytes) = nullptr;
};

struct ReplaySummary {
  uint64_t records = 0;
  uint64_t bytes = 0;        // of the frames replayed
  uint64_t next_record = 0;  // the number after the last one replayed
  bool torn = false;         // bytes that look written follow the end
  std::string end_path;      // where replay stopped
  uint64_t end_offset = 0;
};

// A file that is missing is kCorruption. `apply` gets the base sequence and the operations. Its error ends
// the replay and is returned; but kCorruption/kValueCorruption says that something is not there to which the
// record refers: then the record counts as missing, and nothing of it must have been applied.
Result<ReplaySummary> ReplayLogs(FileSystem& fs, const std::vector<ReplayLog>& logs, const LogStart& start,
                                 const std::function<Status(SequenceNumber, Slice operations)>& apply);

}  // namespace seerdb
