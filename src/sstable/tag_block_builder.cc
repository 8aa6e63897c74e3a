#include "sstable/tag_block_builder.h"

namespace seerdb {

namespace {

// As many bytes as asked for, which are at least those it takes.
char* EncodePaddedVarint(char* p, uint64_t v, size_t bytes) {
  switch (bytes) {
    case 4:
      *p++ = static_cast<char>(v | 0x80);
      v >>= 7;
      [[fallthrough]];
    case 3:
      *p++ = static_cast<char>(v | 0x80);
      v >>= 7;
      [[fallthrough]];
    case 2:
      *p++ = static_cast<char>(v | 0x80);
      v >>= 7;
      break;
    default:
      for (; bytes > 1; --bytes, v >>= 7) *p++ = static_cast<char>(v | 0x80);
  }
  *p++ = static_cast<char>(v);
  return p;
}

}  // namespace

char* TagBlockBuilder::EncodeRecord(const Entry& entry, size_t delta_bytes, char* p) const {
  const size_t suffix_bytes = entry.key_bytes - prefix_bytes_;
  const uint64_t delta = TrailerSequence(entry.trailer) - min_sequence_;
  *p++ = static_cast<char>(TrailerType(entry.trailer));
  p = EncodeVarint(p, suffix_bytes);
  p = EncodeVarint(p, entry.value_bytes);
  p = delta_bytes == 0 ? EncodeVarint(p, delta) : EncodePaddedVarint(p, delta, delta_bytes);
  // Suffix and value are adjacent in the buffer.
  const size_t bytes = suffix_bytes + entry.value_bytes;
  if (bytes != 0) std::memcpy(p, buffer_.bytes().data() + entry.begin + prefix_bytes_, bytes);
  return p + bytes;
}

// Whether `delta_bytes` for each sequence costs no more than a byte for each record, the near form's.
bool TagBlockBuilder::PaysToPad(size_t delta_bytes) const {
  if (delta_bytes <= 2) return true;
  uint64_t bytes = entries_.size();
  for (const Entry& entry : entries_) bytes += VarintBytes(TrailerSequence(entry.trailer) - min_sequence_);
  return delta_bytes * entries_.size() <= bytes;
}

bool TagBlockBuilder::ChooseEqual(Layout* layout) const {
  const size_t delta_bytes = VarintBytes(max_sequence_ - min_sequence_);
  if (!PaysToPad(delta_bytes)) return false;
  const Entry& entry = entries_.front();
  const uint64_t step = HeadBytes(entry) + delta_bytes + entry.key_bytes - prefix_bytes_ + entry.value_bytes;
  if (step > OffsetLine::kMaxEqualBytes && entries_.size() > 1) return false;
  layout->form = OffsetForm::kEqual;
  layout->record_bytes = step * entries_.size();
  layout->delta_bytes = delta_bytes;
  return true;
}

TagBlockBuilder::Layout TagBlockBuilder::ChooseLayout() {
  Layout layout;
  if (even_ && ChooseEqual(&layout)) return layout;
  starts_.clear();
  uint64_t start = 0;
  for (const Entry& entry : entries_) {
    starts_.push_back(static_cast<uint32_t>(start));
    start += HeadBytes(entry) + VarintBytes(TrailerSequence(entry.trailer) - min_sequence_) +
             entry.key_bytes - prefix_bytes_ + entry.value_bytes;
  }
  layout.record_bytes = start;
  const uint64_t count = entries_.size();
  if (const auto line = LineNear(starts_, static_cast<uint32_t>(start)); line.has_value()) {
    layout.form = OffsetForm::kNear;
    layout.line = *line;
  } else if (ColumnBytes(count, OffsetForm::kNarrow) + prefix_bytes_ + start > kMaxNarrowBlockBytes) {
    layout.form = OffsetForm::kWide;
  }
  return layout;
}

uint64_t TagBlockBuilder::ExactBytesWith(size_t key_bytes, size_t value_bytes, size_t shared_bytes,
                                         uint64_t trailer) {
  const size_t prefix_bytes = prefix_bytes_;
  const bool even = even_;
  const SequenceNumber min_sequence = min_sequence_;
  const SequenceNumber max_sequence = max_sequence_;
  Note({trailer, 0, static_cast<uint32_t>(key_bytes), static_cast<uint32_t>(value_bytes), 0}, shared_bytes);
  const Layout layout = ChooseLayout();
  const uint64_t bytes = ColumnBytes(entries_.size(), layout.form) + prefix_bytes_ + layout.record_bytes;
  entries_.pop_back();
  prefix_bytes_ = prefix_bytes;
  even_ = even;
  min_sequence_ = min_sequence;
  max_sequence_ = max_sequence;
  return bytes;
}

void TagBlockBuilder::EncodeOffsets(const Layout& layout, uint64_t first, char* column) const {
  if (layout.form == OffsetForm::kEqual) return;
  if (layout.form == OffsetForm::kNear) {
    OffsetLine{layout.line.step256, static_cast<int64_t>(first) + layout.line.origin}.Encode(column);
    column += OffsetLine::kBytes;
  }
  for (size_t i = 0; i < starts_.size(); ++i) {
    if (layout.form == OffsetForm::kNear) {
      column[i] = static_cast<char>(int64_t{starts_[i]} - static_cast<int64_t>(layout.line.At(i)));
    } else if (layout.form == OffsetForm::kWide) {
      StoreU32(column + i * 4, static_cast<uint32_t>(first + starts_[i]));
    } else {
      StoreU16(column + i * 2, static_cast<uint16_t>(first + starts_[i]));
    }
  }
}

// What it takes to end with a page, head included; 0: no padding.
uint64_t TagBlockBuilder::PaddingBytes(const Padding& padding, uint64_t block_bytes) {
  const uint64_t end = padding.offset + block_bytes + padding.trailer_bytes;
  const uint64_t bytes = (padding.page_bytes - end % padding.page_bytes) % padding.page_bytes;
  return bytes < kPaddingHeadBytes || bytes > std::min<uint64_t>(padding.most_bytes, UINT16_MAX) ? 0 : bytes;
}

TagBlockBuilder::Built TagBlockBuilder::Finish(OutputBuffer* out, const Padding& padding) {
  const uint64_t count = entries_.size();
  const Layout layout = ChooseLayout();
  const uint64_t columns = ColumnBytes(count, layout.form);
  const uint64_t plain_bytes = columns + prefix_bytes_ + layout.record_bytes;
  uint64_t padding_bytes = PaddingBytes(padding, plain_bytes);
  // The offsets were chosen without it.
  if (layout.form == OffsetForm::kNarrow && plain_bytes + padding_bytes > kMaxNarrowBlockBytes)
    padding_bytes = 0;
  const uint64_t first = columns + padding_bytes + prefix_bytes_;
  char* const block = out->Room(first + layout.record_bytes);
  StoreU32(block, static_cast<uint32_t>(count));
  StoreU32(block + 4, static_cast<uint32_t>(prefix_bytes_));
  const uint8_t flags = static_cast<uint8_t>(layout.form) | (tags_ ? 0 : kBareBlockFlag) |
                        (padding_bytes != 0 ? kPaddedBlockFlag : 0);
  StoreU64(block + 8, min_sequence_ | uint64_t{flags} << 56);
  char* prefix = block + columns;
  if (padding_bytes != 0) {
    StoreU16(prefix, static_cast<uint16_t>(padding_bytes - kPaddingHeadBytes));
    prefix += kPaddingHeadBytes;
    std::memset(prefix + prefix_bytes_, 0, padding_bytes - kPaddingHeadBytes);
  }
  char* const tags = block + kTagBlockHeaderBytes;
  EncodeOffsets(layout, first, tags_ ? tags + count : tags);
  if (prefix_bytes_ != 0) std::memcpy(prefix, buffer_.bytes().data(), prefix_bytes_);
  char* p = block + first;
  for (size_t i = 0; i < count; ++i) {
    if (tags_) tags[i] = static_cast<char>(entries_[i].tag);
    p = EncodeRecord(entries_[i], layout.delta_bytes, p);
  }
  out->Grow(static_cast<size_t>(p - block));
  buffer_.Clear();
  entries_.clear();
  even_ = true;
  prefix_bytes_ = 0;
  record_bytes_ = 0;
  min_sequence_ = kMaxSequence;
  max_sequence_ = 0;
  return {columns - kTagBlockHeaderBytes, layout.form == OffsetForm::kEqual, padding_bytes != 0};
}

}  // namespace seerdb
