// FrameScan: looks behind the place where replay stopped: for proof that the missing record was durable, or
// for the next intact frame.
//
// A frame may lie at any byte: the length of the damaged one is not to be believed. An offset is checked by
// cheap filters first (length, record number, lag, sequence, operations) and by the seeded checksum last.
// Work is bounded: frame heads that lead nowhere draw on a budget of checksummed bytes.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>

#include "seerdb/result.h"
#include "wal/log_file_reader.h"
#include "wal/log_format.h"

namespace seerdb {

// An intact frame that was found.
struct FoundFrame {
  uint64_t record = 0;
  uint64_t durable_record = 0;  // what it says was durable when it was written
  uint64_t offset = 0;
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

  // How far the numbers in a segment whose header is lost may lie beyond those known before it.
  static constexpr uint64_t kLostHeaderSlack = uint64_t{1} << 26;

  // More operations than all logs of a database can hold.
  static constexpr uint64_t kMostSequencesAway = uint64_t{1} << 40;
  // What is looked for: frames behind the missing record, whose sequences lie near one that is known and are
  // not below `least_sequence`. Zeros in place of a sequence would lie near many.
  struct Missing {
    uint64_t record = 0;
    std::optional<SequenceNumber> near_sequence = std::nullopt;
    SequenceNumber least_sequence = 1;
    bool (*may_be_operations)(Slice first, uint64_t bytes) = nullptr;  // as in LogStart
  };

  FrameScan(LogFileReader* file, const LogIdentity& identity, const Missing& missing);

  // A frame that says that the missing record was durable. Without one the whole range has been looked at.
  // kCorruption if the budget did not suffice for that.
  Result<std::optional<FoundFrame>> FindProof(const Range& range);
  // The first frame at or behind `from` whose record number is at least `at_least`. When the budget is used
  // up, which is one for all calls, nothing more is found.
  Result<std::optional<FoundFrame>> FindFrame(const Range& range, uint64_t from, uint64_t at_least);

  // True if what lies at `offset`, where the missing record belongs, looks like a write that was cut short.
  // Requires: the file has been searched from there on.
  Result<bool> LooksTorn(uint64_t offset);

  // What a search met on its way: intact frames of this log, whether or not they prove anything;
  bool saw_frame() const { return saw_frame_; }
  // frames that look like those of an earlier life of the file;
  bool saw_stale_frames() const { return saw_stale_frames_; }
  // anything but zeros.
  bool saw_bytes() const { return saw_bytes_; }

 private:
  enum class Goal : unsigned char { kProof, kFrame };
  Result<std::optional<FoundFrame>> Search(Goal goal, const Range& range, uint64_t from, uint64_t at_least);
  Result<std::optional<FoundFrame>> Examine(Goal goal, uint64_t offset, const LogFrameHead& head,
                                            uint64_t record);
  Result<bool> SequenceFits(uint64_t offset);
  Result<bool> OperationsFit(uint64_t offset, const LogFrameHead& head);
  Result<bool> NextLooksWritten(uint64_t offset, const LogFrameHead& head);
  Result<bool> NextFollows(uint64_t end, const LogFrameHead& head);
  Status LookForStaleFrames(uint64_t offset, const LogFrameHead& head);

  LogFileReader& file_;
  const LogIdentity identity_;
  const Missing missing_;
  std::unique_ptr<char[]> first_bytes_;
  uint64_t budget_bytes_;            // for heads that may lead nowhere
  uint64_t plausible_budget_bytes_;  // for those that would be what is looked for, with its like behind them
  bool saw_frame_ = false;
  bool saw_stale_frames_ = false;
  bool saw_bytes_ = false;
};

}  // namespace seerdb
