#include "sstable/tag_block.h"

#include <algorithm>

#include "base/prefetch.h"
#include "format/keyspace_prefix.h"
#include "sstable/tag_search.h"

namespace seerdb {
namespace {

struct CheckedRecord {
  Slice suffix;
  uint64_t window = 0;  // of the suffix
  uint64_t sequence_delta = 0;
  uint8_t kind = 0;
};

// Null when the record at [p, limit) fills exactly that range, or what is wrong.
const char* CheckRecord(const char* p, const char* limit, CheckedRecord* record) {
  record->kind = static_cast<uint8_t>(*p++);
  if (!IsPointKind(record->kind)) return "unknown kind or flag";
  uint64_t suffix_bytes = 0;
  uint64_t value_bytes = 0;
  if ((p = DecodeVarint(p, limit, &suffix_bytes)) == nullptr ||
      (p = DecodeVarint(p, limit, &value_bytes)) == nullptr ||
      (p = DecodeVarint(p, limit, &record->sequence_delta)) == nullptr) {
    return "record header is cut off";
  }
  const uint64_t left = static_cast<uint64_t>(limit - p);
  if (suffix_bytes > left || value_bytes != left - suffix_bytes) return "record does not fit its place";
  record->suffix = Slice(p, suffix_bytes);
  // Suffix and value mostly have eight bytes.
  if (left >= sizeof(uint64_t) && suffix_bytes > 0) {
    std::memcpy(&record->window, p, sizeof(uint64_t));
    record->window = __builtin_bswap64(record->window);
    if (suffix_bytes < sizeof(uint64_t)) record->window &= UINT64_MAX << (64 - 8 * suffix_bytes);
  } else {
    record->window = LoadWindow(record->suffix, 0);
  }
  return nullptr;
}

// Whether `a` sorts before `b`, of one block.
bool IsBefore(const CheckedRecord& a, const CheckedRecord& b) {
  if (a.window != b.window) return a.window < b.window;
  const int order = a.suffix.compare(b.suffix);
  if (order != 0) return order < 0;
  return a.sequence_delta != b.sequence_delta ? a.sequence_delta > b.sequence_delta : a.kind > b.kind;
}

// Whether so many records of one size can be the `bytes`.
bool FitEqual(uint64_t bytes, uint64_t entries) {
  return bytes % entries == 0 && (entries == 1 || bytes / entries <= OffsetLine::kMaxEqualBytes);
}

}  // namespace

const char* TagBlock::Check(Slice bytes, SequenceNumber* largest) {
  if (bytes.size() < kTagBlockHeaderBytes || bytes.size() > UINT32_MAX) return "block size out of range";
  const uint64_t entries = LoadU32(bytes.data());
  const uint64_t prefix_bytes = LoadU32(bytes.data() + 4);
  const auto flags = static_cast<uint8_t>(bytes[15]);
  const SequenceNumber min_sequence = LoadU64(bytes.data() + 8) & kMaxSequence;
  if (entries == 0) return "block without entries";
  const auto form = static_cast<OffsetForm>(flags & kOffsetFormMask);
  if ((flags & ~kBlockFlagsMask) != 0 || (flags & kOffsetFormMask) > kMaxOffsetForm)
    return "unknown block flag";
  const uint64_t tag_bytes = (flags & kBareBlockFlag) != 0 ? 0 : entries;
  uint64_t columns = kTagBlockHeaderBytes + tag_bytes + OffsetColumnBytes(form, entries);
  if ((flags & kPaddedBlockFlag) != 0) {
    if (columns + kPaddingHeadBytes > bytes.size()) return "columns exceed the block";
    columns += kPaddingHeadBytes + LoadU16(bytes.data() + columns);
  }
  columns += prefix_bytes;
  if (columns >= bytes.size()) return "columns exceed the block";
  if (form == OffsetForm::kEqual && !FitEqual(bytes.size() - columns, entries))
    return "records do not fill it";
  const OffsetColumn offsets(form, bytes.data() + kTagBlockHeaderBytes + tag_bytes,
                             static_cast<uint32_t>(entries), columns, bytes.size());
  uint64_t start = offsets.At(0);
  if (start != columns) return "first offset is wrong";
  if (prefix_bytes > kMaxEngineKeyBytes) return "a key is too long";
  CheckedRecord last;
  uint64_t largest_delta = 0;
  for (uint32_t i = 0; i < entries; ++i) {
    const uint64_t end = i + 1 < entries ? offsets.At(i + 1) : bytes.size();
    // Ascending ends within the block also keep every start inside.
    if (end <= start || end > bytes.size()) return "offsets do not ascend";
    CheckedRecord record;
    if (const char* error = CheckRecord(bytes.data() + start, bytes.data() + end, &record);
        error != nullptr) {
      return error;
    }
    if (record.suffix.size() > kMaxEngineKeyBytes - prefix_bytes) return "a key is too long";
    if (i > 0 && !IsBefore(last, record)) return "entries are out of order";
    largest_delta = std::max(largest_delta, record.sequence_delta);
    last = record;
    start = end;
  }
  if (largest_delta > kMaxSequence - min_sequence) return "sequence out of range";
  if (largest != nullptr) *largest = min_sequence + largest_delta;
  return nullptr;
}

inline uint32_t TagBlock::MatchesFrom(uint32_t i, uint8_t tag) const {
  const char* const tags = data_ + kTagBlockHeaderBytes + i;
  const size_t n = entries_ - i;
  // Offsets and records follow the tags, so a full step is inside but for the smallest blocks.
  if (tags + 16 <= limit_) [[likely]] {
    const uint32_t mask = MatchTags16(tags, tag);
    return n < 16 ? mask & ((uint32_t{1} << n) - 1) : mask;
  }
  return MatchTagsFew(tags, n, tag);
}

bool TagBlock::Find(Slice key, uint8_t tag, SequenceNumber sequence, TagRecord* record) const {
  if (bare_) return FindByKey(key, sequence, record);
  if (key.substr(0, prefix_bytes_) != prefix()) return false;
  const Slice suffix = key.substr(prefix_bytes_);
  for (uint32_t i = 0; i < entries_; i += 16) {
    for (uint32_t mask = MatchesFrom(i, tag); mask != 0; mask &= mask - 1) {
      if (MatchAt(i + static_cast<uint32_t>(__builtin_ctz(mask)), suffix, sequence, record)) return true;
    }
  }
  return false;
}

bool TagBlock::FindByKey(Slice key, SequenceNumber sequence, TagRecord* record) const {
  const uint32_t i = LowerBound(key, SeekTrailer(sequence));
  return i < entries_ && Holds(i, key, record);
}

void TagBlock::PrefetchRecord(uint8_t tag) const {
  if (bare_) {
    PrefetchLowerBound();
    return;
  }
  for (uint32_t i = 0; i < entries_; i += 16) {
    const uint32_t mask = MatchesFrom(i, tag);
    if (mask == 0) continue;
    const char* const record = RecordStart(i + static_cast<uint32_t>(__builtin_ctz(mask)));
    PrefetchBytes(record, 2 * kLineBytes);
    return;
  }
}

uint32_t TagBlock::LowerBound(Slice key, uint64_t trailer) const {
  const int side = key.substr(0, prefix_bytes_).compare(prefix());
  if (side != 0) return side < 0 ? 0 : entries_;
  const Slice suffix = key.substr(prefix_bytes_);
  uint32_t lo = 0;
  uint32_t hi = entries_;
  TagRecord record;
  while (lo < hi) {
    const uint32_t mid = lo + (hi - lo) / 2;
    Parse(RecordStart(mid), &record);
    if (CompareInternal(record.suffix, record.trailer, suffix, trailer) < 0)
      lo = mid + 1;
    else
      hi = mid;
  }
  return lo;
}

}  // namespace seerdb
