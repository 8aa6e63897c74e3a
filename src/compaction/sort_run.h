// SortRunWriter, SortRunReader: one sorted run of an external sort, in a temporary file.
//
// The file is read by the process that wrote it and by nobody else: chunks of `u32 bytes, u32 crc, records`,
// where a record is `varint key bytes, varint value bytes, key, value` and the checksum covers the chunk's
// place in the file too. It is not synced: a crash ends the sort.
// Thread safety: external synchronization.
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <memory>
#include <string>

#include "base/coding.h"
#include "seerdb/file_system.h"
#include "seerdb/result.h"
#include "seerdb/slice.h"

namespace seerdb {

// The first 8 bytes of a key as a number, zeros where it has ended: of two keys with different windows the
// one with the smaller window is the smaller one.
inline uint64_t SortWindow(Slice key) {
  char bytes[8] = {};
  if (!key.empty()) std::memcpy(bytes, key.data(), std::min(key.size(), sizeof bytes));
  return __builtin_bswap64(LoadU64(bytes));
}

struct SortRun {
  std::string path;
  uint64_t entries = 0;
  uint64_t bytes = 0;
};

class SortRunWriter {
 public:
  // A chunk ends at `chunk_bytes`; an entry that alone is larger gets one of its own.
  SortRunWriter(std::unique_ptr<WritableFile> file, size_t chunk_bytes)
      : file_(std::move(file)), chunk_bytes_(chunk_bytes) {}

  Status Add(Slice key, Slice value);
  // Writes what is left and closes the file. No call may follow.
  Status Finish();
  uint64_t entries() const { return entries_; }
  uint64_t bytes() const { return offset_ + chunk_.size(); }

 private:
  Status WriteChunk();

  std::unique_ptr<WritableFile> file_;
  size_t chunk_bytes_;
  std::string chunk_;
  uint64_t offset_ = 0;
  uint64_t entries_ = 0;
};

class SortRunReader {
 public:
  static Result<std::unique_ptr<SortRunReader>> Open(FileSystem& fs, const SortRun& run);

  // Moves to the next entry, to the first at first. False at the end; kCorruption if a chunk is not as it was
  // written, or entries are missing.
  Result<bool> Next();
  // Brings a large value, which Next leaves in the file so that a merge of many runs holds one of them at a
  // time. Checks what Next could not.
  Status LoadValue();
  // Valid until Next() and LoadValue().
  Slice key() const { return key_; }
  // Requires: LoadValue() since Next().
  Slice value() const { return value_; }

 private:
  SortRunReader(SortRun run, std::unique_ptr<RandomAccessFile> file, uint64_t file_bytes)
      : run_(std::move(run)), file_(std::move(file)), file_bytes_(file_bytes) {}
  Status ReadChunk();
  Status CheckChunk(Slice records) const;
  Status Corrupt(Slice what) const;
  // Of the chunk's bytes, from its beginning.
  Result<Slice> Read(uint64_t bytes);

  const SortRun run_;
  const std::unique_ptr<RandomAccessFile> file_;
  const uint64_t file_bytes_;
  std::string buffer_;
  Slice rest_;                // of the chunk
  uint64_t offset_ = 0;       // of the chunk
  uint64_t next_offset_ = 0;  // of the one behind it
  uint32_t checksum_ = 0;     // of the chunk, as stored
  bool value_left_ = false;   // in the file
  uint64_t key_offset_ = 0;   // in the chunk, if so
  uint64_t entries_ = 0;
  Slice key_;
  Slice value_;
};

}  // namespace seerdb
