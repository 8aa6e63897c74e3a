#include "wal/log_replay.h"

#include <algorithm>
#include <memory>
#include <optional>
#include <utility>

#include "base/coding.h"
#include "base/mutant.h"
#include "base/status_macros.h"
#include "wal/frame_scan.h"
#include "wal/log_file_reader.h"

namespace seerdb {
namespace {

using Apply = std::function<Status(SequenceNumber, Slice operations)>;

class Replay {
 public:
  Replay(FileSystem& fs, const std::vector<ReplayLog>& logs, const LogStart& start, const Apply& apply)
      : fs_(fs), logs_(logs), start_(start), apply_(apply) {
    summary_.next_record = start.first_record;
    least_sequence_ = start.near_sequence.value_or(0) + 1;
  }

  Result<ReplaySummary> Run() {
    if (logs_.empty()) return summary_;
    summary_.end_path = logs_[0].path;
    summary_.end_offset = kLogHeaderBytes;
    for (size_t i = 0; i < logs_.size(); ++i) SEERDB_RETURN_IF_ERROR(ReadSegment(i));
    SEERDB_RETURN_IF_ERROR(JudgeEnd());
    return summary_;
  }

 private:
  // Where the next record was expected.
  struct Stop {
    size_t log = 0;
    uint64_t offset = kLogHeaderBytes;
  };

  // Replays the frames that lie dense from the segment's beginning. A segment that does not begin with
  // the next record has none to give: a spare one, or one behind the end.
  Status ReadSegment(size_t i) {
    const ReplayLog& log = logs_[i];
    SEERDB_ASSIGN_OR_RETURN(const std::unique_ptr<LogFileReader> file, LogFileReader::Open(fs_, log.path));
    SEERDB_ASSIGN_OR_RETURN(const std::optional<LogHeader> header, file->ReadHeader());
    // Says where the next record would lie if it were whole.
    if (header.has_value() && header->identity == log.identity &&
        header->first_record == summary_.next_record) {
      stop_ = {i, kLogHeaderBytes};
    }
    for (uint64_t offset = kLogHeaderBytes;;) {
      SEERDB_ASSIGN_OR_RETURN(const std::optional<Slice> payload,
                              file->ReadNextFrame(log.identity, summary_.next_record, &offset));
      if (!payload.has_value()) return {};
      const uint64_t frame_bytes = kLogFrameHeadBytes + payload->size();
      const SequenceNumber base = LoadU64(payload->data());
      const Status applied = apply_(base, payload->substr(sizeof(uint64_t)));
      if (applied.detail() == StatusDetail::kValueCorruption && applied.IsCorruption()) {
        summary_.torn = true;
        missing_value_ = applied;
        return {};
      }
      if (!applied.ok()) return applied.WithContext("replay " + log.path + " @" + std::to_string(offset));
      least_sequence_ = std::max(least_sequence_, base);
      offset += frame_bytes;
      ++summary_.records;
      ++summary_.next_record;
      summary_.bytes += frame_bytes;
      stop_ = {i, offset};
    }
  }

  // Torn tail or damage? Looks at everything from the stop on.
  Status JudgeEnd() {
    summary_.end_path = logs_[stop_.log].path;
    summary_.end_offset = stop_.offset;
    uint64_t bytes_between = 0;
    for (size_t i = stop_.log; i < logs_.size(); ++i) {
      SEERDB_ASSIGN_OR_RETURN(const std::unique_ptr<LogFileReader> file,
                              LogFileReader::Open(fs_, logs_[i].path));
      FrameScan::Range range{stop_.offset, summary_.next_record, 0};
      if (i > stop_.log) {
        SEERDB_ASSIGN_OR_RETURN(range, LaterRange(i, *file, bytes_between));
      }
      FrameScan scan(file.get(), logs_[i].identity,
                     {summary_.next_record, start_.near_sequence, least_sequence_, start_.may_be_operations});
      SEERDB_ASSIGN_OR_RETURN(const std::optional<FoundFrame> proof, scan.FindProof(range));
      if (proof.has_value()) return Damaged(logs_[i], *proof);
      if (scan.saw_frame()) summary_.torn = true;
      if (i == stop_.log && !summary_.torn) {
        SEERDB_ASSIGN_OR_RETURN(summary_.torn, scan.LooksTorn(stop_.offset));
      }
      bytes_between += file->bytes() - std::min(file->bytes(), range.begin);
      shortest_bytes_ = std::min(shortest_bytes_, file->bytes());
    }
    return {};
  }

  Result<FrameScan::Range> LaterRange(size_t i, LogFileReader& file, uint64_t bytes_between) {
    SEERDB_ASSIGN_OR_RETURN(const std::optional<LogHeader> header, file.ReadHeader());
    if (header.has_value() && header->identity == logs_[i].identity) {
      summary_.torn = true;
      return FrameScan::Range{kLogHeaderBytes, header->first_record, 0};
    }
    // The header of an earlier life: most probably the file was recycled and not begun. If its first block is
    // lost nevertheless, there is no more between than the files before it hold; unless one of them was cut
    // short, which shows: a file that is recycled is no longer than any new one.
    const bool recycled =
        header.has_value() && shortest_bytes_ >= file.bytes() && !SEERDB_MUTANT("recycled-log-has-slack");
    const uint64_t slack = (recycled ? 0 : FrameScan::kLostHeaderSlack) + bytes_between / kLogFrameHeadBytes;
    return FrameScan::Range{kLogHeaderBytes, summary_.next_record, slack};
  }

  Status Damaged(const ReplayLog& witness, const FoundFrame& proof) const {
    return Status::Corruption("replay " + summary_.end_path + " @" + std::to_string(summary_.end_offset) +
                                  ": found no intact record " + std::to_string(summary_.next_record) +
                                  ", expected one: the intact record " + std::to_string(proof.record) +
                                  " in " + witness.path + " @" + std::to_string(proof.offset) +
                                  " says that all up to " + std::to_string(proof.durable_record) +
                                  " were durable" +
                                  (missing_value_.ok() ? "" : "; " + std::string(missing_value_.message())),
                              StatusDetail::kWalCorruption);
  }

  FileSystem& fs_;
  const std::vector<ReplayLog>& logs_;
  const LogStart start_;
  const Apply& apply_;
  Stop stop_;
  Status missing_value_;                  // why an intact record counts as missing
  uint64_t shortest_bytes_ = UINT64_MAX;  // of the files from the stop on that were searched
  SequenceNumber least_sequence_ = 1;     // of any record from the stop on: sequences ascend with the records
  ReplaySummary summary_;
};

}  // namespace

Result<ReplaySummary> ReplayLogs(FileSystem& fs, const std::vector<ReplayLog>& logs, const LogStart& start,
                                 const std::function<Status(SequenceNumber, Slice operations)>& apply) {
  return Replay(fs, logs, start, apply).Run();
}

}  // namespace seerdb
