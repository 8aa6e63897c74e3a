// BlockFinder: finds intact data blocks in a table whose index cannot be read.
//
// An uncompressed block says itself where it ends; of a compressed one every end is tried with a checksum
// that runs along. Work is bounded: checksummed bytes and reads far away draw on a budget, and when it is
// used up nothing more is found. Compressed blocks of more than kLongestTried stored bytes are not found.
// Thread safety: external synchronization.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "seerdb/file_system.h"
#include "seerdb/result.h"
#include "seerdb/slice.h"
#include "sstable/offset_column.h"

namespace seerdb {

// The error of a read of what the device does not give, and not want of something.
inline bool IsUnreadable(const Status& status) {
  return status.IsIoError() && status.detail() == StatusDetail::kNone;
}

struct FoundBlock {
  uint64_t offset = 0;
  uint64_t bytes = 0;   // stored bytes and trailer
  std::string content;  // uncompressed; TagBlock::Check passed
};

// The content of the block whose stored bytes and trailer are `bytes`, or what is wrong with them.
Result<std::string> OpenStoredBlock(uint64_t table_number, uint64_t offset, Slice bytes);

class BlockFinder {
 public:
  static constexpr uint64_t kLongestTried = uint64_t{4} << 20;

  // Borrows `file`, of `file_bytes`.
  BlockFinder(const RandomAccessFile& file, uint64_t file_bytes, uint64_t table_number);

  // The first intact block at or behind `offset`.
  Result<std::optional<FoundBlock>> Find(uint64_t offset);

 private:
  // The n bytes at `offset`, fewer at the end of the file; valid until the next call.
  Result<Slice> Read(uint64_t offset, uint64_t n);
  // The same of what a head points to, which may be far away: what Read has stays where the search is.
  Result<Slice> ReadAside(uint64_t offset, uint64_t n);
  // What the device does not give reads as zeros, which no block is.
  Result<Slice> ReadFile(uint64_t offset, uint64_t n, char* scratch) const;
  bool InWindow(uint64_t offset, uint64_t n) const {
    return offset >= window_offset_ && offset + n <= window_offset_ + window_.size();
  }
  Result<std::optional<FoundBlock>> FindAt(uint64_t offset);
  // What the head of a block says of its columns.
  struct Shape {
    uint64_t offset = 0;
    uint64_t entries = 0;
    OffsetForm form = OffsetForm::kNarrow;
    uint64_t tag_bytes = 0;
    uint64_t records = 0;  // where they start
  };
  // Where the first and the last record start.
  struct Ends {
    uint64_t first = 0;
    uint64_t last = 0;
  };
  Result<Ends> ReadEnds(const Shape& shape);
  // Offset i of the column at `column` of the file; 0 if the file ends before it.
  Result<uint64_t> ReadOffset(OffsetForm form, uint64_t column, uint64_t i);
  Result<std::optional<FoundBlock>> FindPlain(uint64_t offset, Slice head);
  Result<std::optional<FoundBlock>> FindCompressed(uint64_t offset, Slice head);
  std::optional<FoundBlock> Take(uint64_t offset, Slice stored_and_trailer) const;

  const RandomAccessFile& file_;
  const uint64_t file_bytes_;
  const uint64_t table_number_;
  uint64_t budget_bytes_;
  std::string buffer_;
  uint64_t window_offset_ = 0;
  Slice window_;
  std::string aside_;
};

}  // namespace seerdb
