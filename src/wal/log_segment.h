// LogSegment: appends frames to one log file, made beforehand by PrepareLogFile.
//
// The file becomes part of the log only when the manifest lists it and the first Append writes header and
// frames in one call. After a failed Append every later one returns its error, and Sync still makes durable
// what was appended before; after a failed Sync every later call returns its error (kSyncFailed).
// Format: docs/format/log.md. Thread safety: one appender at a time; Sync may run beside Append.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/mutex.h"
#include "base/output_buffer.h"
#include "seerdb/file_system.h"
#include "seerdb/result.h"
#include "seerdb/types.h"
#include "wal/log_file_maker.h"
#include "wal/log_format.h"

namespace seerdb {

class LogSegment {
 public:
  // One batch to log: its base sequence and its encoded operations.
  struct Record {
    SequenceNumber base_sequence;
    Slice operations;
  };

  // Nothing is written until the first Append.
  LogSegment(PreparedLogFile prepared, const LogIdentity& identity, uint64_t first_record);

  // Appends one frame a record, all in one write to the kernel, numbering them from next_record().
  // `durable_record`: highest record number known durable in the whole log.
  Status Append(const std::vector<Record>& records, uint64_t durable_record) {
    return Write(records, durable_record, Durability::kKernel);
  }
  // Append, and makes these records durable, but nothing that was appended before and is not. `all` = with
  // all metadata.
  Status AppendSynced(const std::vector<Record>& records, uint64_t durable_record, bool all) {
    return Write(records, durable_record, all ? Durability::kSyncedAll : Durability::kSynced);
  }
  // Makes durable all that was appended before the call. `all` = with all metadata (fsync).
  Status Sync(bool all);

  uint64_t log_number() const { return identity_.log_number; }
  uint64_t first_record() const { return first_record_; }
  // The number the next record gets; in other words all records below it have been appended.
  uint64_t next_record() const { return next_record_.load(std::memory_order_acquire); }
  // Bytes written, header included.
  uint64_t bytes() const { return bytes_.load(std::memory_order_relaxed); }
  // Bytes of the file, with what is allocated ahead.
  uint64_t file_bytes() const { return std::max(bytes(), prepared_.bytes); }
  const std::string& path() const { return prepared_.path; }
  LogMode mode() const { return prepared_.mode; }
  // A sync writes at least 2 MiB: see LogFileSpec.
  bool large_pages() const { return prepared_.mode == LogMode::kMapped && prepared_.large_pages; }
  // Whether frames of `frame_bytes` together have their place in the file. Behind it a buffered or direct
  // file grows, slowly; a mapped one cannot.
  bool HasRoom(uint64_t frame_bytes) const {
    const uint64_t written_bytes = bytes();
    const uint64_t end = (written_bytes == 0 ? kLogHeaderBytes : written_bytes) + frame_bytes;
    return (unit_bytes_ == 1 ? end : WholeUnits(end)) <= prepared_.bytes;
  }
  // True once an Append or Sync has failed: the file may end in frames that nobody was promised.
  bool failed() const { return failed_.load(std::memory_order_acquire); }

 private:
  enum class Durability : unsigned char { kKernel, kSynced, kSyncedAll };
  Status Write(const std::vector<Record>& records, uint64_t durable_record, Durability durability);
  // Header (if nothing is written yet), frames and padding, into buffer_.
  void Encode(const std::vector<Record>& records, uint64_t durable_record);
  uint64_t WholeUnits(uint64_t bytes) const { return (bytes + unit_bytes_ - 1) / unit_bytes_ * unit_bytes_; }
  Status TooLarge(const Record& record) const;
  Status Fail(Status status);
  Status failure() const;

  const PreparedLogFile prepared_;
  const LogIdentity identity_;
  const uint32_t seed_;
  const uint64_t unit_bytes_;  // of the file's appends
  const uint64_t first_record_;
  std::atomic<uint64_t> next_record_;
  std::atomic<uint64_t> bytes_{0};
  OutputBuffer buffer_;  // owned by the appender
  mutable Mutex mu_;
  Status failure_ GUARDED_BY(mu_);
  std::atomic<bool> failed_{false};  // an append or a sync
  std::atomic<bool> sync_failed_{false};
};

}  // namespace seerdb
