// FrameScan: looks behind the place where replay stopped for proof that the missing record was durable.
//
// A frame may lie at any byte: the length of the damaged one is not to be believed. An offset is checked by
// cheap filters first (length, record number, lag) and by the seeded checksum last. Work is bounded: frame
// heads that lead nowhere draw on a budget of checksummed bytes.
#pragma once

#include <cstdint>
#include <optional>

#include "seerdb/result.h"
#include "wal/log_file_reader.h"
#include "wal/log_format.h"

namespace seerdb {

struct DurabilityProof {
  uint64_t record = 0;          // the intact frame found
  uint64_t durable_record = 0;  // what it says was durable
  uint64_t offset = 0;          // where it lies
};

class FrameScan {
 public:
  // Where frames of a file may lie and what numbers they may have: a frame at `offset` has a number in
  // [first_record, first_record + slack + (offset - begin) / (smallest frame)].
  struct Range {
    uint64_t begin = kLogHeaderBytes;
    uint64_t first_record = 0;
    uint64_t slack = 0;
  };

  FrameScan(LogFileReader* file, const LogIdentity& identity, uint64_t missing_record)
      : file_(*file), identity_(identity), missing_(missing_record) {}

  // Stops at the first proof. Without one the whole range has been looked at.
  Result<std::optional<DurabilityProof>> Run(const Range& range);

  // What Run met on its way: intact frames of this log, whether or not they prove anything;
  bool saw_frame() const { return saw_frame_; }
  // frames that look like those of an earlier life of the file;
  bool saw_stale_frames() const { return saw_stale_frames_; }
  // anything but zeros.
  bool saw_bytes() const { return saw_bytes_; }

 private:
  Result<std::optional<DurabilityProof>> Examine(uint64_t offset, const LogFrameHead& head, uint64_t record);
  Result<bool> NextLooksWritten(uint64_t offset, const LogFrameHead& head);
  Result<bool> NextFollows(uint64_t end, const LogFrameHead& head);
  Status LookForStaleFrames(uint64_t offset, const LogFrameHead& head);

  LogFileReader& file_;
  const LogIdentity identity_;
  const uint64_t missing_;
  uint64_t budget_bytes_ = 0;           // for heads that nothing plausible follows
  uint64_t followed_budget_bytes_ = 0;  // for the others
  bool saw_frame_ = false;
  bool saw_stale_frames_ = false;
  bool saw_bytes_ = false;
};

}  // namespace seerdb
