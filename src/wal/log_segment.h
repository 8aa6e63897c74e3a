// LogSegment: appends frames to one log file; LogSegment::Prepare makes the file beforehand.
//
// Prepare leaves a file that is created (or a released one renamed), allocated, and durable as a name. It
// becomes part of the log only when the manifest lists it and the first Append writes header and frames in
// one call. A failed Append or Sync is sticky: every later call returns the first error.
// Format: docs/format/log.md. Thread safety: one appender at a time; Sync may run beside Append.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/mutex.h"
#include "seerdb/file_system.h"
#include "seerdb/result.h"
#include "seerdb/types.h"
#include "wal/log_format.h"

namespace seerdb {

class LogSegment {
 public:
  // One batch to log: its base sequence and its encoded operations.
  struct Record {
    SequenceNumber base_sequence;
    Slice operations;
  };

  // Makes file `path` ready: when `recycle_path` is not empty, that file is renamed to `path` if its link
  // count is 1 (else deleted and a new one made). Allocates `bytes`, syncs the directory.
  static Status Prepare(FileSystem& fs, const std::string& directory, const std::string& path,
                        const std::string& recycle_path, uint64_t bytes);

  // Opens a prepared file for appending. No byte is written until the first Append.
  static Result<std::unique_ptr<LogSegment>> Open(FileSystem& fs, const std::string& path,
                                                  const LogIdentity& identity, uint64_t first_record);

  // Appends one frame a record, all in one write to the kernel, numbering them from next_record().
  // `durable_record`: highest record number known durable in the whole log.
  Status Append(const std::vector<Record>& records, uint64_t durable_record);
  // Makes durable all that was appended before the call. `all` = with all metadata (fsync).
  Status Sync(bool all);

  uint64_t log_number() const { return identity_.log_number; }
  uint64_t first_record() const { return first_record_; }
  // The number the next record gets; in other words all records below it have been appended.
  uint64_t next_record() const { return next_record_.load(std::memory_order_acquire); }
  // Bytes written, header included.
  uint64_t bytes() const { return bytes_.load(std::memory_order_relaxed); }
  const std::string& path() const { return path_; }

 private:
  LogSegment(std::unique_ptr<WritableFile> file, std::string path, const LogIdentity& identity,
             uint64_t first_record);
  Status Fail(Status status);
  Status failure() const;

  const std::unique_ptr<WritableFile> file_;
  const std::string path_;
  const LogIdentity identity_;
  const uint64_t first_record_;
  std::atomic<uint64_t> next_record_;
  std::atomic<uint64_t> bytes_{0};
  std::string buffer_;  // owned by the appender
  mutable Mutex mu_;
  Status failure_ GUARDED_BY(mu_);
  std::atomic<bool> failed_{false};
};

}  // namespace seerdb
