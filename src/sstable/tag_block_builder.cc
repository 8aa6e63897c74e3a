#include "sstable/tag_block_builder.h"

namespace seerdb {

char* TagBlockBuilder::EncodeRecord(const Entry& entry, char* p) const {
  const size_t suffix_bytes = entry.key_bytes - prefix_bytes_;
  *p++ = static_cast<char>(TrailerType(entry.trailer));
  p = EncodeVarint(p, suffix_bytes);
  p = EncodeVarint(p, entry.value_bytes);
  p = EncodeVarint(p, TrailerSequence(entry.trailer) - min_sequence_);
  // Suffix and value are adjacent in the buffer.
  const size_t bytes = suffix_bytes + entry.value_bytes;
  if (bytes != 0) std::memcpy(p, buffer_.bytes().data() + entry.begin + prefix_bytes_, bytes);
  return p + bytes;
}

uint64_t TagBlockBuilder::RecordBytesBound() const {
  const uint64_t delta_bytes = VarintBytes(max_sequence_ - min_sequence_);
  return record_bytes_ + entries_.size() * delta_bytes -
         entries_.size() * (kTypicalDeltaBytes + prefix_bytes_);
}

uint64_t TagBlockBuilder::ExactRecordBytes() const {
  uint64_t sum = 0;
  for (const Entry& entry : entries_) {
    const uint64_t suffix_bytes = entry.key_bytes - prefix_bytes_;
    sum += 1 + VarintBytes(suffix_bytes) + VarintBytes(entry.value_bytes) +
           VarintBytes(TrailerSequence(entry.trailer) - min_sequence_) + suffix_bytes + entry.value_bytes;
  }
  return sum;
}

void TagBlockBuilder::Finish(OutputBuffer* out) {
  const uint64_t count = entries_.size();
  uint64_t record_bytes = RecordBytesBound();
  bool wide = ColumnBytes(count, false) + prefix_bytes_ + record_bytes > kMaxNarrowBlockBytes;
  if (wide) {
    // The bound may be too high by a few bytes.
    record_bytes = ExactRecordBytes();
    wide = ColumnBytes(count, false) + prefix_bytes_ + record_bytes > kMaxNarrowBlockBytes;
  }
  char* const block = out->Room(ColumnBytes(count, wide) + prefix_bytes_ + record_bytes);
  StoreU32(block, static_cast<uint32_t>(count));
  StoreU32(block + 4, static_cast<uint32_t>(prefix_bytes_));
  StoreU64(block + 8, min_sequence_ | uint64_t{wide ? kTagBlockWideOffsets : uint8_t{0}} << 56);
  char* const tags = block + kTagBlockHeaderBytes;
  char* const offsets = tags + count;
  char* const prefix = offsets + count * (wide ? 4 : 2);
  if (prefix_bytes_ != 0) std::memcpy(prefix, buffer_.bytes().data(), prefix_bytes_);
  char* p = prefix + prefix_bytes_;
  for (size_t i = 0; i < count; ++i) {
    tags[i] = static_cast<char>(entries_[i].tag);
    const size_t offset = static_cast<size_t>(p - block);
    if (wide) {
      StoreU32(offsets + i * 4, static_cast<uint32_t>(offset));
    } else {
      StoreU16(offsets + i * 2, static_cast<uint16_t>(offset));
    }
    p = EncodeRecord(entries_[i], p);
  }
  out->Grow(static_cast<size_t>(p - block));
  buffer_.Clear();
  entries_.clear();
  prefix_bytes_ = 0;
  record_bytes_ = 0;
  min_sequence_ = kMaxSequence;
  max_sequence_ = 0;
}

}  // namespace seerdb
