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
  // Whether blocks get tags from now on. Requires: empty().
  void set_tags(bool tags) { tags_ = tags; }
  // True only if with an entry more the block takes no more than `limit`, by whatever the other functions
  // say; false does not mean that it does.
  bool SurelyFits(size_t key_bytes, size_t value_bytes, uint64_t limit) const {
    return kTagBlockHeaderBytes + OffsetLine::kBytes + record_bytes_ + kMostHeadBytes + key_bytes +
               value_bytes + (entries_.size() + 1) * kMostBytesBeside <=
           limit;
  }
  // About the size of the encoded block if an entry were added whose key has `shared_bytes` in common with
  // last_key().
  uint64_t BytesWith(size_t key_bytes, size_t value_bytes, size_t shared_bytes) const {
    return BytesWith(key_bytes, value_bytes, shared_bytes, kTypicalDeltaBytes);
  }
  // More than that by up to a few bytes an entry; less only where entries of one size have sequences that lie
  // very differently far apart.
  uint64_t MostBytesWith(size_t key_bytes, size_t value_bytes, size_t shared_bytes, uint64_t trailer) const {
    const SequenceNumber sequence = TrailerSequence(trailer);
    const SequenceNumber least = std::min(min_sequence_, sequence);
    const uint64_t delta_bytes = VarintBytes(std::max(max_sequence_, sequence) - least);
    return BytesWith(key_bytes, value_bytes, shared_bytes, delta_bytes) + OffsetLine::kBytes;
  }
  uint64_t BytesWith(size_t key_bytes, size_t value_bytes, size_t shared_bytes, uint64_t delta_bytes) const {
    const uint64_t entries = entries_.size() + 1;
    const uint64_t records = record_bytes_ + RecordBytes(key_bytes, value_bytes) + entries * delta_bytes;
    const uint64_t prefix = empty() ? key_bytes : std::min(prefix_bytes_, shared_bytes);
    const bool even = even_ && (empty() || IsAlike(key_bytes, value_bytes));
    const OffsetForm form = even ? OffsetForm::kEqual : OffsetForm::kNarrow;
    const uint64_t bytes = ColumnBytes(entries, form) + records - (entries - 1) * prefix;
    return !even && bytes > kMaxNarrowBlockBytes ? bytes + 2 * entries : bytes;
  }
  // Just that. Looks at all entries: for who finds that MostBytesWith is too much.
  uint64_t ExactBytesWith(size_t key_bytes, size_t value_bytes, size_t shared_bytes, uint64_t trailer);
  // Requires: sorts after the entry before, with whose key it has `shared_bytes` in common (any number for
  // the first entry); a block of one entry may have any size, others stay below 2 GiB.
  void Add(Slice key, uint64_t trailer, Slice value, uint8_t tag, size_t shared_bytes) {
    record_bytes_ += RecordBytes(key.size(), value.size());
    Note({trailer, buffer_.size(), static_cast<uint32_t>(key.size()), static_cast<uint32_t>(value.size()),
          tag},
         shared_bytes);
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
  struct Built {
    uint64_t column_bytes = 0;  // of tags and offsets
    bool equal = false;         // all records have one size
    bool padded = false;
  };
  // How a block is padded: to a multiple of page_bytes in a file where it starts at `offset` and has
  // `trailer_bytes` behind it, if that takes at most `most_bytes`.
  struct Padding {
    uint64_t offset = 0;
    uint64_t page_bytes = 1;
    uint64_t trailer_bytes = 0;
    uint64_t most_bytes = 0;
  };
  // Appends the block to `out` and starts a new one. Requires: !empty().
  Built Finish(OutputBuffer* out) { return Finish(out, Padding()); }
  Built Finish(OutputBuffer* out, const Padding& padding);

 private:
  struct Entry {
    uint64_t trailer;
    uint64_t begin;  // in buffer_: key, then value
    uint32_t key_bytes;
    uint32_t value_bytes;
    uint8_t tag;
  };
  // What of an entry decides how the block is laid out.
  void Note(const Entry& entry, size_t shared_bytes) {
    // The first and the last of sorted keys share what all neighbours share.
    prefix_bytes_ = empty() ? entry.key_bytes : std::min(prefix_bytes_, shared_bytes);
    even_ = even_ && (empty() || IsAlike(entry.key_bytes, entry.value_bytes));
    const SequenceNumber sequence = TrailerSequence(entry.trailer);
    min_sequence_ = std::min(min_sequence_, sequence);
    max_sequence_ = std::max(max_sequence_, sequence);
    entries_.push_back(entry);
  }
  // What a sequence delta usually takes, for the estimate of a block's size.
  static constexpr uint64_t kTypicalDeltaBytes = 3;
  // Of a record: kind and two lengths; beside that, its sequence, offset and tag.
  static constexpr uint64_t kMostHeadBytes = 1 + 5 + 5;
  static constexpr uint64_t kMostBytesBeside = 8 + 4 + 1;

  static uint64_t LengthBytes(uint64_t v) { return v < 0x80 ? 1 : VarintBytes(v); }
  static uint64_t RecordBytes(size_t key_bytes, size_t value_bytes) {
    return 1 + LengthBytes(key_bytes) + LengthBytes(value_bytes) + key_bytes + value_bytes;
  }
  uint64_t ColumnBytes(uint64_t entries, OffsetForm form) const {
    return kTagBlockHeaderBytes + (tags_ ? entries : 0) + OffsetColumnBytes(form, entries);
  }
  // Whether such an entry has the size of the first one.
  bool IsAlike(size_t key_bytes, size_t value_bytes) const {
    return entries_.front().key_bytes == key_bytes && entries_.front().value_bytes == value_bytes;
  }
  // How the offsets are stored.
  struct Layout {
    OffsetForm form = OffsetForm::kNarrow;
    OffsetLine line;  // from the first record on
    uint64_t record_bytes = 0;
    size_t delta_bytes = 0;  // of each sequence; 0: as few as it takes
  };
  // Fills starts_: where each record starts, from the first one on.
  Layout ChooseLayout();
  // Where all entries have one size, sequences may be stored with one, too.
  bool ChooseEqual(Layout* layout) const;
  bool PaysToPad(size_t delta_bytes) const;
  size_t HeadBytes(const Entry& entry) const {
    return 1 + LengthBytes(entry.key_bytes - prefix_bytes_) + LengthBytes(entry.value_bytes);
  }
  // `delta_bytes` as in Layout.
  char* EncodeRecord(const Entry& entry, size_t delta_bytes, char* p) const;
  static uint64_t PaddingBytes(const Padding& padding, uint64_t block_bytes);
  void EncodeOffsets(const Layout& layout, uint64_t first, char* column) const;

  bool tags_ = true;
  OutputBuffer buffer_;
  std::vector<Entry> entries_;
  std::vector<uint32_t> starts_;
  bool even_ = true;           // all entries have keys and values of one size
  size_t prefix_bytes_ = 0;    // shared by all keys so far
  uint64_t record_bytes_ = 0;  // of the records with whole keys, but for their sequences
  SequenceNumber min_sequence_ = kMaxSequence;
  SequenceNumber max_sequence_ = 0;
};

}  // namespace seerdb
