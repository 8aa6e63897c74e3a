#include "sstable/tag_block_builder.h"

#include <algorithm>

#include "learned/key_projection.h"
#include "sstable/tag_block.h"

namespace seerdb {
namespace {

uint64_t RecordBytes(size_t key_bytes, size_t value_bytes, uint64_t sequence_delta) {
  return 1 + VarintBytes(key_bytes) + VarintBytes(value_bytes) + VarintBytes(sequence_delta) + key_bytes +
         value_bytes;
}

uint64_t ColumnBytes(uint64_t entries, bool wide) { return kTagBlockHeaderBytes + entries * (wide ? 5 : 3); }

// What a sequence delta usually takes, for the estimate of a block's size.
constexpr uint64_t kTypicalDelta = 1 << 14;

}  // namespace

uint64_t TagBlockBuilder::BytesWith(Slice key, Slice value) const {
  const uint64_t entries = entries_.size() + 1;
  const uint64_t records = record_bytes_ + RecordBytes(key.size(), value.size(), kTypicalDelta);
  size_t prefix = key.size();
  if (!entries_.empty()) prefix = CommonPrefixBytes(Slice(buffer_).substr(0, prefix_bytes_), key);
  const uint64_t bytes = ColumnBytes(entries, false) + records - (entries - 1) * prefix;
  return bytes > kMaxNarrowBlockBytes ? bytes + 2 * entries : bytes;
}

void TagBlockBuilder::Add(Slice key, uint64_t trailer, Slice value, uint8_t tag) {
  prefix_bytes_ =
      entries_.empty() ? key.size() : CommonPrefixBytes(Slice(buffer_).substr(0, prefix_bytes_), key);
  record_bytes_ += RecordBytes(key.size(), value.size(), kTypicalDelta);
  entries_.push_back(
      {trailer, buffer_.size(), static_cast<uint32_t>(key.size()), static_cast<uint32_t>(value.size()), tag});
  buffer_.append(key);
  buffer_.append(value);
}

Slice TagBlockBuilder::last_key() const {
  return Slice(buffer_.data() + entries_.back().begin, entries_.back().key_bytes);
}

char* TagBlockBuilder::EncodeRecord(const Entry& entry, SequenceNumber min_sequence, char* p) const {
  const size_t suffix_bytes = entry.key_bytes - prefix_bytes_;
  *p++ = static_cast<char>(TrailerType(entry.trailer));
  p = EncodeVarint(p, suffix_bytes);
  p = EncodeVarint(p, entry.value_bytes);
  p = EncodeVarint(p, TrailerSequence(entry.trailer) - min_sequence);
  // Suffix and value are adjacent in the buffer.
  const size_t bytes = suffix_bytes + entry.value_bytes;
  if (bytes != 0) std::memcpy(p, buffer_.data() + entry.begin + prefix_bytes_, bytes);
  return p + bytes;
}

void TagBlockBuilder::Finish(std::string* out) {
  SequenceNumber min_sequence = kMaxSequence;
  for (const Entry& entry : entries_) min_sequence = std::min(min_sequence, TrailerSequence(entry.trailer));
  uint64_t record_bytes = 0;
  for (const Entry& entry : entries_) {
    record_bytes += RecordBytes(entry.key_bytes - prefix_bytes_, entry.value_bytes,
                                TrailerSequence(entry.trailer) - min_sequence);
  }
  const uint64_t count = entries_.size();
  const uint64_t narrow_bytes = ColumnBytes(count, false) + prefix_bytes_ + record_bytes;
  const bool wide = narrow_bytes > kMaxNarrowBlockBytes;
  const size_t begin = out->size();
  out->resize(begin + ColumnBytes(count, wide) + prefix_bytes_ + record_bytes);
  char* const block = out->data() + begin;
  StoreU32(block, static_cast<uint32_t>(count));
  StoreU32(block + 4, static_cast<uint32_t>(prefix_bytes_));
  StoreU64(block + 8, min_sequence | uint64_t{wide ? kTagBlockWideOffsets : uint8_t{0}} << 56);
  char* const tags = block + kTagBlockHeaderBytes;
  char* const offsets = tags + count;
  char* const prefix = offsets + count * (wide ? 4 : 2);
  if (prefix_bytes_ != 0) std::memcpy(prefix, buffer_.data(), prefix_bytes_);
  char* p = prefix + prefix_bytes_;
  for (size_t i = 0; i < count; ++i) {
    tags[i] = static_cast<char>(entries_[i].tag);
    const size_t offset = static_cast<size_t>(p - block);
    if (wide) {
      StoreU32(offsets + i * 4, static_cast<uint32_t>(offset));
    } else {
      StoreU16(offsets + i * 2, static_cast<uint16_t>(offset));
    }
    p = EncodeRecord(entries_[i], min_sequence, p);
  }
  buffer_.clear();
  entries_.clear();
  prefix_bytes_ = 0;
  record_bytes_ = 0;
}

}  // namespace seerdb
