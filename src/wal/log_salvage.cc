#include "wal/log_salvage.h"

#include <memory>
#include <optional>
#include <utility>

#include "base/coding.h"
#include "base/status_macros.h"
#include "wal/frame_scan.h"
#include "wal/log_file_reader.h"

namespace seerdb {
namespace {

// A header that has more records before it than that was not written by us.
constexpr uint64_t kMostMissingRecords = uint64_t{1} << 40;

class Salvage {
 public:
  Salvage(FileSystem& fs, const std::vector<ReplayLog>& logs, const LogStart& start, SalvageExtent extent,
          const SalvageVisitor& visitor)
      : fs_(fs), logs_(logs), start_(start), extent_(extent), visitor_(visitor), next_(start.first_record) {
    summary_.replay.next_record = start.first_record;
  }

  Result<SalvageSummary> Run() {
    if (!logs_.empty()) StopAt(0, kLogHeaderBytes);
    for (size_t i = 0; i < logs_.size(); ++i) SEERDB_RETURN_IF_ERROR(ReadSegment(i));
    SEERDB_RETURN_IF_ERROR(JudgeTail());
    if (summary_.gaps.empty()) summary_.unread_bytes = 0;
    summary_.next_record = next_;
    return std::move(summary_);
  }

 private:
  Status ReadSegment(size_t i) {
    const ReplayLog& log = logs_[i];
    Result<std::unique_ptr<LogFileReader>> opened = LogFileReader::Open(fs_, log.path);
    if (!opened.ok()) {
      if (!opened.status().IsCorruption()) return opened.status();
      summary_.gaps.push_back({log.path, 0, next_, 0, "the file is missing"});
      // Whether it held records shows in the number of the next one; that gap is not reported twice.
      missing_file_ = true;
      return {};
    }
    LogFileReader& file = **opened;
    SEERDB_ASSIGN_OR_RETURN(const std::optional<LogHeader> header, file.ReadHeader());
    FrameScan::Range range{kLogHeaderBytes, next_, FrameScan::kLostHeaderSlack};
    const bool plausible = header.has_value() && (header->first_record <= next_ ||
                                                  header->first_record - next_ < kMostMissingRecords);
    if (plausible && header->identity == log.identity) {
      range = {kLogHeaderBytes, header->first_record, 0};
      // Written only after every record below its number had been.
      if (header->first_record > next_) AddGap(header->first_record, "has a log of its own");
      if (header->first_record == next_) StopAt(i, kLogHeaderBytes);
    }
    FrameScan scan(&file, log.identity, Missing());
    uint64_t offset = kLogHeaderBytes;
    uint64_t read_bytes = 0;
    for (;;) {
      SEERDB_ASSIGN_OR_RETURN(const uint64_t frame_bytes, TakeFrame(i, file, &offset));
      read_bytes += frame_bytes;
      if (frame_bytes != 0) continue;
      SEERDB_ASSIGN_OR_RETURN(const auto found, scan.FindFrame(range, offset, next_));
      if (!found.has_value()) break;
      if (found->record != next_) AddGap(found->record, "is intact");
      offset = found->offset;
    }
    summary_.unread_bytes += file.bytes() - read_bytes;
    return {};
  }

  // Takes the next record if it lies at `*offset`, or at the block behind it, and moves behind it. Returns
  // the frame's bytes, or 0.
  Result<uint64_t> TakeFrame(size_t i, LogFileReader& file, uint64_t* offset) {
    uint64_t at = *offset;
    SEERDB_ASSIGN_OR_RETURN(const std::optional<Slice> payload,
                            file.ReadNextFrame(logs_[i].identity, next_, &at));
    if (!payload.has_value()) return uint64_t{0};
    const uint64_t frame_bytes = kLogFrameHeadBytes + payload->size();
    StopAt(i, at);
    SEERDB_RETURN_IF_ERROR(Deliver(LoadU64(payload->data()), payload->substr(sizeof(uint64_t)), frame_bytes));
    *offset = at + frame_bytes;
    ++next_;
    missing_file_ = false;
    StopAt(i, *offset);
    return frame_bytes;
  }

  Status Deliver(SequenceNumber base, Slice operations, uint64_t frame_bytes) {
    if (stopped_) {
      ++summary_.skipped;
      if (visitor_.skip != nullptr) visitor_.skip(base, operations);
      return {};
    }
    const Status applied = visitor_.apply(base, operations);
    if (applied.IsCorruption()) {
      summary_.gaps.push_back({stop_path_, stop_offset_, next_, 1, std::string(applied.message())});
      if (visitor_.skip != nullptr) visitor_.skip(base, operations);
      stopped_ = extent_ == SalvageExtent::kBeforeDamage;
      return {};
    }
    if (!applied.ok())
      return applied.WithContext("replay " + stop_path_ + " @" + std::to_string(stop_offset_));
    ++summary_.replay.records;
    summary_.replay.bytes += frame_bytes;
    summary_.replay.next_record = next_ + 1;
    return {};
  }

  // The records in front of `record` are missing.
  void AddGap(uint64_t record, const char* witness) {
    if (missing_file_) {
      summary_.gaps.back().records = record - next_;
    } else {
      summary_.gaps.push_back({stop_path_, stop_offset_, next_, record - next_,
                               "no intact frame, though record " + std::to_string(record) + " " + witness});
    }
    next_ = record;
    missing_file_ = false;
    stopped_ = extent_ == SalvageExtent::kBeforeDamage;
  }

  void StopAt(size_t log, uint64_t offset) {
    stop_log_ = log;
    stop_path_ = logs_[log].path;
    stop_offset_ = offset;
  }

  // Whatever sequence it has: what salvage finds is applied or counted, and hides nothing.
  FrameScan::Missing Missing() const { return {next_, start_.near_sequence, 1, start_.may_be_operations}; }

  // Behind the last intact record: the end, a torn tail, or damage that looks like one.
  Status JudgeTail() {
    if (logs_.empty()) return {};
    summary_.replay.end_path = stop_path_;
    summary_.replay.end_offset = stop_offset_;
    const ReplayLog& log = logs_[stop_log_];
    Result<std::unique_ptr<LogFileReader>> opened = LogFileReader::Open(fs_, log.path);
    if (opened.status().IsCorruption()) return {};  // missing, and listed as such
    SEERDB_RETURN_IF_ERROR(opened.status());
    FrameScan scan(opened->get(), log.identity, Missing());
    SEERDB_RETURN_IF_ERROR(scan.FindFrame({stop_offset_, next_, 0}, stop_offset_, UINT64_MAX).status());
    SEERDB_ASSIGN_OR_RETURN(summary_.replay.torn, scan.LooksTorn(stop_offset_));
    return {};
  }

  FileSystem& fs_;
  const std::vector<ReplayLog>& logs_;
  const LogStart start_;
  const SalvageExtent extent_;
  const SalvageVisitor& visitor_;
  uint64_t next_;              // the record looked for
  bool stopped_ = false;       // nothing more is applied
  bool missing_file_ = false;  // the last gap is a file, and no record has been seen since
  size_t stop_log_ = 0;        // where the next record was expected
  std::string stop_path_;
  uint64_t stop_offset_ = 0;
  SalvageSummary summary_;
};

}  // namespace

Result<SalvageSummary> SalvageLogs(FileSystem& fs, const std::vector<ReplayLog>& logs, const LogStart& start,
                                   SalvageExtent extent, const SalvageVisitor& visitor) {
  return Salvage(fs, logs, start, extent, visitor).Run();
}

}  // namespace seerdb
