// ValueReader: reads values of one segment, each checked against its pointer.
//
// A segment that nobody appends to any more may be mapped as a whole: then values are not copied. Until then,
// and where mapping is refused, they are read into memory of their own.
// Thread safety: all methods concurrently. mu_ is held while the file is mapped.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>

#include "base/database_id.h"
#include "base/memory_account.h"
#include "base/mutex.h"
#include "iter/value_source.h"
#include "seerdb/file_system.h"
#include "seerdb/options.h"
#include "seerdb/result.h"

namespace seerdb {

struct ValueOpenOptions {
  TableAccess access = TableAccess::kAuto;
  DatabaseId database;
  uint64_t segment = 0;
  std::shared_ptr<MemoryAccount> account;  // of values that were read; may be null
  // What is read is what the device has, not what memory kept of a sync that failed in another process.
  bool forget_cached = false;
};

class ValueReader {
 public:
  // kCorruption/kValueCorruption if the header is not that of the segment.
  static Result<std::shared_ptr<ValueReader>> Open(FileSystem& fs, const std::string& path,
                                                   const ValueOpenOptions& options);

  // The whole value. kCorruption/kValueCorruption if it is not what the pointer says.
  Status Read(const ValuePointer& pointer, FetchedValue* value) const;
  // Bytes [begin, begin + bytes) of the value, checked; of others only those that share a chunk with them are
  // read. Requires: they lie within the value.
  Status ReadPart(const ValuePointer& pointer, uint64_t begin, uint64_t bytes, FetchedValue* value) const;
  // The whole value, in parts.
  Status Check(const ValuePointer& pointer) const;
  // Values in [offset, offset + bytes) will be read soon.
  void ReadAhead(uint64_t offset, uint64_t bytes) const { file_->ReadAhead(offset, bytes); }
  // Nobody appends any more: from now on values may be read through a mapping.
  void NoteSealed() { sealed_.store(true, std::memory_order_release); }

 private:
  ValueReader(std::string path, const ValueOpenOptions& options, std::unique_ptr<RandomAccessFile> file)
      : path_(std::move(path)),
        options_(options),
        file_(std::move(file)),
        mapped_charge_(options_.account, MemoryClass::kMappedTables) {}
  Status Damage(uint64_t offset, Slice what) const;
  // Bytes [offset, offset + bytes) of the file.
  Status Get(uint64_t offset, uint64_t bytes, FetchedValue* value) const;
  Status CheckCrc(uint64_t offset, Slice bytes, uint32_t expected) const;
  // The checksums of the chunks of a long value.
  Status GetTable(const ValuePointer& pointer, FetchedValue* table) const;
  void MapOnce() const EXCLUDES(mu_);

  const std::string path_;
  const ValueOpenOptions options_;
  const std::unique_ptr<RandomAccessFile> file_;
  std::atomic<bool> sealed_{false};
  mutable Mutex mu_;
  mutable bool tried_to_map_ GUARDED_BY(mu_) = false;
  mutable std::shared_ptr<const MappedRegion> region_ GUARDED_BY(mu_);
  mutable MemoryCharge mapped_charge_ GUARDED_BY(mu_);
  // region_, once it is there to stay.
  mutable std::atomic<const std::shared_ptr<const MappedRegion>*> mapped_{nullptr};
  mutable std::atomic<bool> map_tried_{false};
};

}  // namespace seerdb
