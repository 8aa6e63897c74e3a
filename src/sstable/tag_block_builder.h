// TagBlockBuilder: collects the entries of one data block and encodes it.
//
// Format: docs/format/table.md, "Data block". Thread safety: external synchronization.
#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

#include "base/coding.h"
#include "base/output_buffer.h"
#include "format/internal_key.h"
#include "seerdb/slice.h"
#include "sstable/tag_block.h"

namespace seerdb {

class TagBlockBuilder {
 public:
  bool empty() const { return entries_.empty(); }
  // Size of the encoded block if an entry were added whose key has `shared_bytes` in common with last_key().
  uint64_t BytesWith(size_t key_bytes, size_t value_bytes, size_t shared_bytes) const {
    const uint64_t entries = entries_.size() + 1;
    const uint64_t records = record_bytes_ + RecordBytes(key_bytes, value_bytes);
    const uint64_t prefix = empty() ? key_bytes : std::min(prefix_bytes_, shared_bytes);
    const uint64_t bytes = ColumnBytes(entries, false) + records - (entries - 1) * prefix;
    return bytes > kMaxNarrowBlockBytes ? bytes + 2 * entries : bytes;
  }
  // Requires: sorts after the entry before, with whose key it has `shared_bytes` in common (any number for
  // the first entry); a block of one entry may have any size, others stay below 2 GiB.
  void Add(Slice key, uint64_t trailer, Slice value, uint8_t tag, size_t shared_bytes) {
    // The first and the last of sorted keys share what all neighbours share.
    prefix_bytes_ = empty() ? key.size() : std::min(prefix_bytes_, shared_bytes);
    record_bytes_ += RecordBytes(key.size(), value.size());
    const SequenceNumber sequence = TrailerSequence(trailer);
    min_sequence_ = std::min(min_sequence_, sequence);
    max_sequence_ = std::max(max_sequence_, sequence);
    entries_.push_back({trailer, buffer_.size(), static_cast<uint32_t>(key.size()),
                        static_cast<uint32_t>(value.size()), tag});
    char* const room = buffer_.Room(key.size() + value.size());
    if (!key.empty()) std::memcpy(room, key.data(), key.size());
    if (!value.empty()) std::memcpy(room + key.size(), value.data(), value.size());
    buffer_.Grow(key.size() + value.size());
  }
  // Of the last entry; valid until the next Add or Finish. Requires: !empty().
  Slice last_key() const { return buffer_.bytes().substr(entries_.back().begin, entries_.back().key_bytes); }
  // Of the entries; both meaningless when empty().
  SequenceNumber min_sequence() const { return min_sequence_; }
  SequenceNumber max_sequence() const { return max_sequence_; }
  // About the bytes held.
  uint64_t pending_bytes() const { return buffer_.size(); }
  // Appends the block to `out` and starts a new one. Requires: !empty().
  void Finish(OutputBuffer* out);

 private:
  struct Entry {
    uint64_t trailer;
    uint64_t begin;  // in buffer_: key, then value
    uint32_t key_bytes;
    uint32_t value_bytes;
    uint8_t tag;
  };
  // What a sequence delta usually takes, for the estimate of a block's size.
  static constexpr uint64_t kTypicalDeltaBytes = 3;

  static uint64_t LengthBytes(uint64_t v) { return v < 0x80 ? 1 : VarintBytes(v); }
  static uint64_t RecordBytes(size_t key_bytes, size_t value_bytes) {
    return 1 + LengthBytes(key_bytes) + LengthBytes(value_bytes) + kTypicalDeltaBytes + key_bytes +
           value_bytes;
  }
  static uint64_t ColumnBytes(uint64_t entries, bool wide) {
    return kTagBlockHeaderBytes + entries * (wide ? 5 : 3);
  }
  // At least the bytes that the records will take.
  uint64_t RecordBytesBound() const;
  uint64_t ExactRecordBytes() const;
  char* EncodeRecord(const Entry& entry, char* p) const;

  OutputBuffer buffer_;
  std::vector<Entry> entries_;
  size_t prefix_bytes_ = 0;    // shared by all keys so far
  uint64_t record_bytes_ = 0;  // of the records with whole keys and typical sequence deltas
  SequenceNumber min_sequence_ = kMaxSequence;
  SequenceNumber max_sequence_ = 0;
};

}  // namespace seerdb
