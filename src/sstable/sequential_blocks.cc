#include "sstable/sequential_blocks.h"

#include <algorithm>

#include "base/status_macros.h"
#include "sstable/table_format.h"

namespace seerdb {
namespace {

constexpr uint64_t kMinReadBytes = 64 << 10;
constexpr uint64_t kMaxReadBytes = 1 << 20;

}  // namespace

SequentialBlocks::SequentialBlocks(const BlockSource& source, uint64_t read_ahead_bytes,
                                   Statistics* statistics)
    : source_(source), statistics_(statistics), fixed_bytes_(read_ahead_bytes), next_bytes_(kMinReadBytes) {}

Status SequentialBlocks::Open(FileSystem& fs) {
  SEERDB_ASSIGN_OR_RETURN(file_, fs.NewRandomAccessFile(source_.path()));
  return Status::Ok();
}

Status SequentialBlocks::Fill(uint32_t block) {
  const BlockPlace place = source_.index().Place(block);
  const uint64_t block_bytes = place.bytes + kBlockTrailerBytes;
  const bool in_order = !filled_.empty() && place.offset == buffer_offset_ + filled_.size();
  next_bytes_ = in_order ? std::min(next_bytes_ * 2, kMaxReadBytes) : kMinReadBytes;
  const uint64_t wanted = std::max(fixed_bytes_ != 0 ? fixed_bytes_ : next_bytes_, block_bytes);
  uint64_t bytes = std::min(wanted, source_.index().data_end() - place.offset);
  // Whole blocks only: a part of one would be read twice.
  uint32_t end = block + 1;
  uint64_t whole = block_bytes;
  while (end < source_.index().blocks()) {
    const uint64_t more = source_.index().Place(end).bytes + kBlockTrailerBytes;
    if (whole + more > bytes) break;
    whole += more;
    ++end;
  }
  bytes = whole;
  filled_ = Slice();
  if (buffer_.size() < bytes) buffer_.resize(bytes);
  SEERDB_ASSIGN_OR_RETURN(filled_, file_->Read(place.offset, bytes, buffer_.data()));
  if (statistics_ != nullptr) statistics_->Add(Counter::table_bytes_read, filled_.size());
  buffer_offset_ = place.offset;
  if (filled_.size() < block_bytes) {
    const uint64_t found = filled_.size();
    filled_ = Slice();
    return TableCorruption(source_.path(), "block", place.offset, FoundExpected("bytes", found, block_bytes));
  }
  return Status::Ok();
}

Status SequentialBlocks::Fetch(uint32_t block, Slice* content) {
  const BlockPlace place = source_.index().Place(block);
  const uint64_t end = place.offset + place.bytes + kBlockTrailerBytes;
  if (filled_.empty() || place.offset < buffer_offset_ || end > buffer_offset_ + filled_.size()) {
    SEERDB_RETURN_IF_ERROR(Fill(block));
  }
  const Slice bytes = filled_.substr(place.offset - buffer_offset_, end - place.offset);
  return source_.Open(block, bytes, &uncompressed_, content);
}

}  // namespace seerdb
