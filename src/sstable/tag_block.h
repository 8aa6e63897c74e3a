// TagBlock: a view of one uncompressed data block: tags, offsets, then records in internal order.
//
// Blocks behind the first ones of a table that is to have a tag index have no tags; search in them compares
// keys.
// The view borrows the bytes. Its accessors trust them: Check() must have found them whole before.
// Format: docs/format/table.md, "Data block". Thread safety: immutable.
#pragma once

#include <cstdint>
#include <cstring>

#include "base/coding.h"
#include "base/key_window.h"
#include "base/prefetch.h"
#include "format/internal_key.h"
#include "seerdb/slice.h"
#include "sstable/offset_column.h"

namespace seerdb {

inline constexpr size_t kTagBlockHeaderBytes = 16;
inline constexpr uint8_t kRecordKindMask = 0x0f;
inline constexpr uint8_t kRecordExpiryFlag = 0x10;  // reserved
// The last byte of a block's head: the form of its offsets, whether it has no tags, and whether it is padded.
inline constexpr uint8_t kOffsetFormMask = 0x07;
inline constexpr uint8_t kBareBlockFlag = 0x08;
inline constexpr uint8_t kPaddedBlockFlag = 0x10;
inline constexpr uint8_t kBlockFlagsMask = kOffsetFormMask | kBareBlockFlag | kPaddedBlockFlag;
// Behind the offsets of a padded block: u16, how many zeros stand between the prefix and the first record.
inline constexpr size_t kPaddingHeadBytes = 2;
// Blocks above this size have u32 offsets.
inline constexpr size_t kMaxNarrowBlockBytes = 65535;

inline uint8_t TagOfHash(uint64_t hash) { return static_cast<uint8_t>(hash >> 56); }

struct TagRecord {
  Slice suffix;  // key without the block's prefix
  Slice value;
  uint64_t trailer = 0;
};

class TagBlock {
 public:
  // Null when `bytes` are a whole block whose entries are in internal order, or what is wrong with them. Sets
  // `largest` (null: nobody asks), if they are, to the largest sequence as stored.
  static const char* Check(Slice bytes, SequenceNumber* largest = nullptr);

  TagBlock() = default;
  // Requires: Check(bytes) == nullptr. `added_sequence` is added to every sequence stored in the block.
  explicit TagBlock(Slice bytes, SequenceNumber added_sequence = 0)
      : data_(bytes.data()),
        limit_(bytes.data() + bytes.size()),
        entries_(LoadU32(data_)),
        prefix_bytes_(LoadU32(data_ + 4)),
        min_sequence_((LoadU64(data_ + 8) & kMaxSequence) + added_sequence),
        bare_((static_cast<uint8_t>(data_[15]) & kBareBlockFlag) != 0) {
    const auto form = static_cast<OffsetForm>(data_[15] & kOffsetFormMask);
    const char* const column = data_ + kTagBlockHeaderBytes + (bare_ ? 0 : entries_);
    prefix_ = column + OffsetColumnBytes(form, entries_);
    uint64_t padding_bytes = 0;
    if ((static_cast<uint8_t>(data_[15]) & kPaddedBlockFlag) != 0) {
      padding_bytes = LoadU16(prefix_);
      prefix_ += kPaddingHeadBytes;
    }
    const uint64_t first = static_cast<uint64_t>(prefix_ - data_) + prefix_bytes_ + padding_bytes;
    offsets_ = OffsetColumn(form, column, entries_, first, bytes.size());
  }

  uint32_t entries() const { return entries_; }
  Slice prefix() const { return Slice(prefix_, prefix_bytes_); }
  const char* limit() const { return limit_; }
  bool has_tags() const { return !bare_; }
  // Requires: has_tags(), i < entries().
  uint8_t Tag(uint32_t i) const { return static_cast<uint8_t>(data_[kTagBlockHeaderBytes + i]); }

  // Requires: i < entries().
  const char* RecordStart(uint32_t i) const { return data_ + offsets_.At(i); }
  // Returns the end of the record at `p`, which is the start of the next one.
  const char* Parse(const char* p, TagRecord* record) const {
    const uint64_t kind = static_cast<unsigned char>(*p++) & kRecordKindMask;
    const uint64_t suffix_bytes = TrustedVarint(&p);
    const uint64_t value_bytes = TrustedVarint(&p);
    record->trailer = (min_sequence_ + TrustedVarint(&p)) << 8 | kind;
    record->suffix = Slice(p, suffix_bytes);
    p += suffix_bytes;
    record->value = Slice(p, value_bytes);
    return p + value_bytes;
  }

  // The newest version of `key` with sequence <= `sequence`; false when the block has none. `tag` is
  // TagOfHash(Hash64(key)).
  bool Find(Slice key, uint8_t tag, SequenceNumber sequence, TagRecord* record) const;
  // Whether entry i is one of `key`, and what it is then. Requires: i < entries().
  bool Holds(uint32_t i, Slice key, TagRecord* record) const {
    const char* const start = RecordStart(i);
    // One wait for the record instead of one for its key and one for its value.
    PrefetchBytes(start + kLineBytes, 2 * kLineBytes);
    if (key.size() < prefix_bytes_ || !SameBytes(key.substr(0, prefix_bytes_), prefix())) return false;
    Parse(start, record);
    return SameBytes(record->suffix, key.substr(prefix_bytes_));
  }
  // Index of the first entry at or after (key, trailer), or entries().
  uint32_t LowerBound(Slice key, uint64_t trailer) const;

  void Prefetch() const { PrefetchBytes(data_, 2 * kLineBytes); }
  // Starts to load the records that LowerBound looks at first, most of which are in lines of their own.
  void PrefetchLowerBound() const {
    for (uint32_t part = 1; part < 8; ++part)
      PrefetchLine(RecordStart(static_cast<uint32_t>(uint64_t{entries_} * part / 8)));
  }
  // Starts to load what Find looks at first: the first record with this tag, where there are tags.
  void PrefetchRecord(uint8_t tag) const;

 private:
  // Find in a block without tags.
  bool FindByKey(Slice key, SequenceNumber sequence, TagRecord* record) const;
  // Bit j is set where entry i + j has the tag, for the up to 16 entries from i on.
  uint32_t MatchesFrom(uint32_t i, uint8_t tag) const;
  static uint64_t TrustedVarint(const char** p) {
    uint64_t v = static_cast<unsigned char>(*(*p)++);
    if (v < 0x80) [[likely]]
      return v;
    v &= 0x7f;
    for (unsigned shift = 7;; shift += 7) {
      const uint64_t byte = static_cast<unsigned char>(*(*p)++);
      v |= (byte & 0x7f) << shift;
      if (byte < 0x80) return v;
    }
  }
  bool MatchAt(uint32_t i, Slice suffix, SequenceNumber sequence, TagRecord* record) const {
    const char* const start = RecordStart(i);
    // One wait for the record instead of one for its key and one for its value.
    PrefetchBytes(start + kLineBytes, 2 * kLineBytes);
    Parse(start, record);
    return SameBytes(record->suffix, suffix) && TrailerSequence(record->trailer) <= sequence;
  }

  const char* data_ = nullptr;
  const char* limit_ = nullptr;
  uint32_t entries_ = 0;
  uint32_t prefix_bytes_ = 0;
  SequenceNumber min_sequence_ = 0;
  bool bare_ = false;
  OffsetColumn offsets_;
  const char* prefix_ = nullptr;
};

}  // namespace seerdb
