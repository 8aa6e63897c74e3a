// ValueWriter: writes the records of one value segment.
//
// Small values are copied and written together by Flush; a large one is written from where it lies, at once.
// A pointer may be handed out only after Flush: until then its value is in no file. After an error nothing
// more is written: the segment ends where the last Flush has ended, whatever follows there.
// Thread safety: external synchronization; Sync, bytes() and failed() beside everything.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>

#include "format/value_pointer.h"
#include "seerdb/file_system.h"
#include "seerdb/result.h"
#include "vlog/value_format.h"

namespace seerdb {

class ValueWriter {
 public:
  // Creates the file, which must not exist. The header is written with the first records.
  static Result<std::unique_ptr<ValueWriter>> Create(FileSystem& fs, const std::string& path,
                                                     const ValueSegmentHeader& header);

  // Adds a record; the engine key comes in two parts. `value` is not needed after the call.
  Status Add(Slice prefix, Slice key, Slice value, ValuePointer* pointer);
  // Brings what was added into the kernel.
  Status Flush();
  // Makes durable what the last Flush has left in the kernel; nothing to do if it is. An error is there to
  // stay: the kernel may have dropped what it could not write, and then says of the next sync that all is
  // well.
  Status Sync();
  // No call may follow but bytes().
  Status Close();

  uint64_t segment() const { return header_.segment; }
  const std::string& path() const { return path_; }
  // Of the file, as of the last Flush.
  uint64_t bytes() const { return flushed_.load(std::memory_order_acquire); }
  bool failed() const { return failed_.load(std::memory_order_relaxed); }
  // What Add has copied and Flush not yet written.
  uint64_t buffered_bytes() const { return buffer_.size(); }

 private:
  ValueWriter(std::string path, const ValueSegmentHeader& header, std::unique_ptr<WritableFile> file);
  Status Write(Slice value, Slice table);

  const std::string path_;
  const ValueSegmentHeader header_;
  const std::unique_ptr<WritableFile> file_;
  std::string buffer_;
  uint64_t offset_ = 0;   // of what is added next
  uint64_t started_ = 0;  // writeback has begun up to here
  std::atomic<uint64_t> flushed_{0};
  std::atomic<uint64_t> synced_{0};
  std::atomic<bool> failed_{false};
  std::atomic<bool> sync_failed_{false};
};

}  // namespace seerdb
