#include "sstable/block_finder.h"

#include <algorithm>
#include <utility>

#include "base/coding.h"
#include "base/crc32c.h"
#include "base/status_macros.h"
#include "sstable/block_compression.h"
#include "sstable/table_format.h"
#include "sstable/tag_block.h"

namespace seerdb {
namespace {

constexpr uint64_t kWindowBytes = uint64_t{1} << 20;
// What a read of a few bytes draws on the budget.
constexpr uint64_t kReadCostBytes = 4096;
constexpr uint64_t kFreeBudgetBytes = uint64_t{1} << 30;
constexpr uint64_t kHeadBytes = kTagBlockHeaderBytes;
// What a compressed block can have been, at most, for its first four bytes to be taken as its size.
constexpr uint64_t kMaxRawBytes = uint64_t{64} << 20;
// Of a record in front of its key: kind and three varints.
constexpr uint64_t kMaxRecordHeadBytes = 1 + 5 + 5 + 10;

// Where the record at the beginning of `bytes` ends, or 0.
uint64_t RecordEnd(Slice bytes) {
  Decoder in(bytes);
  uint8_t kind = 0;
  uint64_t suffix_bytes = 0;
  uint64_t value_bytes = 0;
  uint64_t sequence = 0;
  if (!in.ReadU8(&kind) || !in.ReadVarint(&suffix_bytes) || !in.ReadVarint(&value_bytes) ||
      !in.ReadVarint(&sequence) || suffix_bytes > UINT32_MAX || value_bytes > UINT32_MAX) {
    return 0;
  }
  return bytes.size() - in.remaining().size() + suffix_bytes + value_bytes;
}

}  // namespace

Result<std::string> OpenStoredBlock(uint64_t table_number, uint64_t offset, Slice bytes) {
  if (bytes.size() <= kBlockTrailerBytes) return Status::Corruption("block without content");
  const Slice covered = bytes.substr(0, bytes.size() - 4);
  const uint32_t found = BlockChecksum(table_number, offset, covered);
  const uint32_t expected = LoadU32(covered.data() + covered.size());
  if (found != expected) return Status::Corruption(ChecksumMismatch(found, expected));
  const Slice stored = bytes.substr(0, bytes.size() - kBlockTrailerBytes);
  const auto type = static_cast<CompressionType>(covered.back());
  BlockBuffer uncompressed;
  const char* error = nullptr;
  if (type != CompressionType::kNone) error = UncompressBlock(type, stored, &uncompressed);
  const Slice content = type == CompressionType::kNone ? stored : uncompressed.bytes();
  if (error == nullptr) error = TagBlock::Check(content);
  if (error != nullptr) return Status::Corruption(error);
  return std::string(content);
}

BlockFinder::BlockFinder(const RandomAccessFile& file, uint64_t file_bytes, uint64_t table_number)
    : file_(file),
      file_bytes_(file_bytes),
      table_number_(table_number),
      budget_bytes_(16 * file_bytes + kFreeBudgetBytes) {}

Result<Slice> BlockFinder::Read(uint64_t offset, uint64_t n) {
  n = std::min(n, file_bytes_ - offset);
  if (!InWindow(offset, n)) {
    const uint64_t wanted = std::min(std::max(n, kWindowBytes), file_bytes_ - offset);
    buffer_.resize(wanted);
    window_ = Slice();
    SEERDB_ASSIGN_OR_RETURN(window_, ReadFile(offset, wanted, buffer_.data()));
    window_offset_ = offset;
  }
  return window_.substr(offset - window_offset_, n);
}

Result<Slice> BlockFinder::ReadAside(uint64_t offset, uint64_t n) {
  n = std::min(n, file_bytes_ - offset);
  if (InWindow(offset, n)) return window_.substr(offset - window_offset_, n);
  budget_bytes_ -= std::min(budget_bytes_, std::max(n, kReadCostBytes));
  aside_.resize(n);
  return ReadFile(offset, n, aside_.data());
}

Result<Slice> BlockFinder::ReadFile(uint64_t offset, uint64_t n, char* scratch) const {
  const Result<Slice> whole = file_.Read(offset, n, scratch);
  if (!IsUnreadable(whole.status())) return whole;
  for (uint64_t done = 0; done < n;) {
    const uint64_t step = std::min(kReadCostBytes - (offset + done) % kReadCostBytes, n - done);
    const Result<Slice> part = file_.Read(offset + done, step, scratch + done);
    if (!part.ok() && !IsUnreadable(part.status())) return part;
    const Slice bytes = part.ok() ? *part : Slice();
    if (bytes.data() != scratch + done) std::copy(bytes.begin(), bytes.end(), scratch + done);
    std::fill(scratch + done + bytes.size(), scratch + done + step, '\0');
    done += step;
  }
  return Slice(scratch, n);
}

Result<std::optional<FoundBlock>> BlockFinder::Find(uint64_t offset) {
  for (; offset + kHeadBytes + kBlockTrailerBytes <= file_bytes_ && budget_bytes_ > 0; ++offset) {
    SEERDB_ASSIGN_OR_RETURN(std::optional<FoundBlock> found, FindAt(offset));
    if (found.has_value()) return found;
  }
  return std::optional<FoundBlock>();
}

Result<std::optional<FoundBlock>> BlockFinder::FindAt(uint64_t offset) {
  SEERDB_ASSIGN_OR_RETURN(const Slice head, Read(offset, kHeadBytes));
  if (head.size() < kHeadBytes) return std::optional<FoundBlock>();
  char kept[kHeadBytes];
  std::copy(head.begin(), head.end(), kept);
  SEERDB_ASSIGN_OR_RETURN(std::optional<FoundBlock> found, FindPlain(offset, Slice(kept, sizeof kept)));
  if (found.has_value()) return found;
  return FindCompressed(offset, Slice(kept, sizeof kept));
}

Result<uint64_t> BlockFinder::ReadOffset(OffsetForm form, uint64_t column, uint64_t i) {
  OffsetLine line;
  const uint64_t width = OffsetElementBytes(form);
  if (HasStoredLine(form)) {
    SEERDB_ASSIGN_OR_RETURN(const Slice bytes, ReadAside(column, OffsetLine::kBytes));
    if (bytes.size() < OffsetLine::kBytes) return uint64_t{0};
    line = OffsetLine::Decode(bytes.data());
    column += OffsetLine::kBytes;
  }
  SEERDB_ASSIGN_OR_RETURN(const Slice bytes, ReadAside(column + i * width, width));
  if (bytes.size() < width) return uint64_t{0};
  char element[sizeof(uint32_t)] = {};
  std::copy(bytes.begin(), bytes.end(), element);
  return (HasStoredLine(form) ? line.At(i) : 0) + LoadU32(element);
}

Result<BlockFinder::Ends> BlockFinder::ReadEnds(const Shape& shape) {
  if (shape.form == OffsetForm::kEqual) {
    // The first record says how long each is.
    SEERDB_ASSIGN_OR_RETURN(const Slice record, ReadAside(shape.offset + shape.records, kMaxRecordHeadBytes));
    return Ends{shape.records, shape.records + (shape.entries - 1) * RecordEnd(record)};
  }
  const uint64_t column = shape.offset + kHeadBytes + shape.tag_bytes;
  SEERDB_ASSIGN_OR_RETURN(const uint64_t first, ReadOffset(shape.form, column, 0));
  SEERDB_ASSIGN_OR_RETURN(const uint64_t last, ReadOffset(shape.form, column, shape.entries - 1));
  return Ends{first, last};
}

Result<std::optional<FoundBlock>> BlockFinder::FindPlain(uint64_t offset, Slice head) {
  const std::optional<FoundBlock> none;
  const uint64_t left = file_bytes_ - offset;
  const uint64_t prefix_bytes = LoadU32(head.data() + 4);
  const auto flags = static_cast<unsigned char>(head[15]);
  Shape shape{offset, LoadU32(head.data())};
  if (shape.entries == 0 || (flags & ~kBlockFlagsMask) != 0 || (flags & kOffsetFormMask) > kMaxOffsetForm) {
    return none;
  }
  shape.form = static_cast<OffsetForm>(flags & kOffsetFormMask);
  shape.tag_bytes = (flags & kBareBlockFlag) != 0 ? 0 : shape.entries;
  shape.records = kHeadBytes + shape.tag_bytes + OffsetColumnBytes(shape.form, shape.entries);
  if ((flags & kPaddedBlockFlag) != 0) {
    if (shape.records >= left) return none;
    SEERDB_ASSIGN_OR_RETURN(const Slice padding, ReadAside(offset + shape.records, kPaddingHeadBytes));
    if (padding.size() < kPaddingHeadBytes) return none;
    shape.records += kPaddingHeadBytes + LoadU16(padding.data());
  }
  shape.records += prefix_bytes;
  if (shape.records >= left) return none;
  // Records begin where the columns end.
  SEERDB_ASSIGN_OR_RETURN(const Ends ends, ReadEnds(shape));
  if (ends.first != shape.records || ends.last < ends.first || ends.last >= left) return none;
  SEERDB_ASSIGN_OR_RETURN(const Slice record, ReadAside(offset + ends.last, kMaxRecordHeadBytes));
  const uint64_t record_bytes = RecordEnd(record);
  const uint64_t bytes = ends.last + record_bytes + kBlockTrailerBytes;
  if (record_bytes == 0 || bytes > left || bytes > budget_bytes_) return none;
  budget_bytes_ -= bytes;
  SEERDB_ASSIGN_OR_RETURN(const Slice block, Read(offset, bytes));
  if (block.size() < bytes) return none;
  return Take(offset, block);
}

Result<std::optional<FoundBlock>> BlockFinder::FindCompressed(uint64_t offset, Slice head) {
  const std::optional<FoundBlock> none;
  const uint64_t raw_bytes = LoadU32(head.data());
  if (raw_bytes <= kTagBlockHeaderBytes || raw_bytes > kMaxRawBytes) return none;
  // Stored as it is, unless that is longer.
  const uint64_t longest = std::min({raw_bytes - 1, kLongestTried, file_bytes_ - offset});
  SEERDB_ASSIGN_OR_RETURN(const Slice bytes, Read(offset, longest + kBlockTrailerBytes));
  uint32_t crc = TableChecksum(table_number_, offset, Slice());
  uint64_t summed = 0;
  for (uint64_t stored = sizeof(uint32_t) + 1; stored + kBlockTrailerBytes <= bytes.size(); ++stored) {
    if (budget_bytes_ == 0) return none;
    --budget_bytes_;
    crc = crc32c::Extend(crc, bytes.data() + summed, stored - summed);
    summed = stored;
    const char type = bytes[stored];
    if (type != static_cast<char>(CompressionType::kLz4) &&
        type != static_cast<char>(CompressionType::kZstd)) {
      continue;
    }
    if (crc32c::Extend(crc, &type, 1) != LoadU32(bytes.data() + stored + 1)) continue;
    std::optional<FoundBlock> found = Take(offset, bytes.substr(0, stored + kBlockTrailerBytes));
    if (found.has_value()) return found;
    // A right checksum says nothing of what lies behind it: who made the file may have made one every few
    // bytes.
    budget_bytes_ -= std::min(budget_bytes_, stored + raw_bytes);
  }
  return none;
}

std::optional<FoundBlock> BlockFinder::Take(uint64_t offset, Slice stored_and_trailer) const {
  Result<std::string> content = OpenStoredBlock(table_number_, offset, stored_and_trailer);
  if (!content.ok()) return std::nullopt;
  return FoundBlock{offset, stored_and_trailer.size(), *std::move(content)};
}

}  // namespace seerdb
