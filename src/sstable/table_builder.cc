#include "sstable/table_builder.h"

#include <algorithm>
#include <map>
#include <utility>
#include <vector>

#include "base/coding.h"
#include "base/hash.h"
#include "base/key_sketch.h"
#include "base/key_window.h"
#include "base/mutant.h"
#include "base/output_buffer.h"
#include "base/status_macros.h"
#include "format/entry_payload.h"
#include "format/internal_key.h"
#include "format/keyspace_prefix.h"
#include "sstable/block_compression.h"
#include "sstable/block_index.h"
#include "sstable/lookup_builder.h"
#include "sstable/table_end.h"
#include "sstable/table_format.h"
#include "sstable/tag_block_builder.h"

namespace seerdb {
namespace {

// What the buffer keeps for the next chunk. With so much in it, it gets room for a chunk and for what ends
// one, once.
constexpr size_t kMostBufferBytes = 4 << 20;
constexpr size_t kFewBytes = 64 << 10;
constexpr size_t kRoomBehindChunk = 128 << 10;
// What is handed to the device at once while the table is still being built.
constexpr uint64_t kWritebackBytes = 2 << 20;
// Keeps a block of one entry, with its columns, below kMaxBlockBytes.
constexpr uint64_t kMaxEntryBytes = uint64_t{2} << 30;
// A block is padded by at most one part in so many of block_bytes.
constexpr uint64_t kPaddedPart = 16;
// Of larger blocks the part that a page more is to read is small.
constexpr uint64_t kMostPaddedBlockBytes = 32 << 10;
constexpr int kMostUnpadded = 6;

}  // namespace

class TableBuilder::Impl {
 public:
  Impl(const TableBuilderOptions& options, WritableFile* file)
      : options_(options),
        file_(file),
        compression_(options.compression),
        index_(BlockModelOf(options.index_kind)),
        lookup_(options) {
    properties_.table_number = options.table_number;
    properties_.compression = options.compression;
    properties_.smallest_sequence = kMaxSequence;
  }

  Status Add(Slice key, uint64_t trailer, Slice value);
  Status SetCompression(CompressionType compression);
  Result<TableProperties> Finish();
  Result<EndlessTable> FinishWithoutEnd();
  uint64_t entries() const { return properties_.entries; }
  uint64_t estimated_bytes() const {
    return offset() + block_.pending_bytes() + lookup_.bytes() + index_.bytes() + kTableFooterBytes;
  }
  uint64_t memory_bytes() const { return lookup_.memory_bytes() + 2 * index_.bytes(); }
  Slice last_key() const { return block_.empty() ? Slice(last_key_) : block_.last_key(); }

 private:
  // How an entry stands to the one before it.
  struct Neighbour {
    size_t shared_bytes;  // of the two keys
    bool same_key;
    bool ascending;
  };
  uint64_t offset() const { return flushed_bytes_ + out_.size(); }
  Neighbour Compare(Slice key, uint64_t trailer) const;
  // Why the entry cannot be added, if it cannot.
  Status CheckEntry(Slice key, uint64_t trailer, Slice value, const Neighbour& neighbour) const;
  // Of `compression_`, which is not kNone.
  BlockCompressor& Compressor();
  // What must be known of an entry that is no plain value, beside its place.
  void NoteKind(ValueType type, Slice key, Slice value);
  Status FinishBlock();
  // Everything up to the end.
  Status FinishBlocks();
  // Appends full chunks of what is pending to the file; with `all`, everything.
  Status FlushChunks(bool all);
  void AddMeta(uint32_t id, Slice bytes);
  void WriteMetaBlocks();
  // Up to what size the block that is begun now may grow, and whether it is to end with a page.
  void ChooseLimit();
  // Whether the present block would be larger than it may.
  bool IsFullFor(Slice key, uint64_t trailer, Slice value, size_t shared_bytes);

  const TableBuilderOptions options_;
  WritableFile* const file_;
  CompressionType compression_;  // of the present block
  std::unique_ptr<BlockCompressor> compressor_;
  TagBlockBuilder block_;
  BlockIndexBuilder index_;
  LookupBuilder lookup_;
  KeySketch sketch_;
  TableProperties properties_;
  std::vector<MetaBlock> metas_;
  OutputBuffer out_;  // not yet handed to the file
  uint64_t flushed_bytes_ = 0;
  uint64_t writeback_bytes_ = 0;  // of these, on their way to the device
  OutputBuffer raw_block_;
  std::string compressed_;
  std::string last_key_;  // of the last finished block
  uint64_t last_trailer_ = 0;
  uint64_t last_hash_ = 0;
  Status failed_;  // the first error of the file
  // Of the present block:
  uint64_t block_limit_bytes_ = 0;
  bool ends_with_page_ = false;
  uint64_t most_bytes_over_ = 0;  // by so much MostBytesWith was more than it takes, when that was looked at
  bool padded_ = false;           // a block is
  int unpadded_ = 0;              // grows with blocks that should have been padded, and were not
  uint64_t expiring_ = 0;         // entries
  std::map<uint64_t, uint64_t> value_bytes_;  // by segment
  bool finished_ = false;
};

TableBuilder::Impl::Neighbour TableBuilder::Impl::Compare(Slice key, uint64_t trailer) const {
  if (properties_.entries == 0) return {0, false, true};
  const Slice last = last_key();
  const size_t shared = CommonPrefixBytes(last, key);
  if (shared < last.size()) {
    const bool greater = shared < key.size() &&
                         static_cast<unsigned char>(key[shared]) > static_cast<unsigned char>(last[shared]);
    return {shared, false, greater};
  }
  const bool same = shared == key.size();
  return {shared, same, !same || trailer < last_trailer_};
}

Status TableBuilder::Impl::CheckEntry(Slice key, uint64_t trailer, Slice value,
                                      const Neighbour& neighbour) const {
  if (!failed_.ok()) [[unlikely]]
    return failed_;
  if (finished_) [[unlikely]]
    return Status::InvalidArgument("table builder: call after Finish");
  if (!IsPointKind(static_cast<uint8_t>(trailer))) [[unlikely]] {
    return Status::InvalidArgument("table builder: kind " + std::to_string(trailer & 0xff) +
                                   " is no point entry");
  }
  if (key.size() > kMaxEngineKeyBytes || value.size() > kMaxEntryBytes - key.size()) [[unlikely]]
    return Status::InvalidArgument("table builder: entry is longer than a table may have");
  if (!neighbour.ascending) [[unlikely]]
    return Status::InvalidArgument("table builder: entries are not in ascending order");
  return Status::Ok();
}

Status TableBuilder::Impl::Add(Slice key, uint64_t trailer, Slice value) {
  const Neighbour neighbour = Compare(key, trailer);
  SEERDB_RETURN_IF_ERROR(CheckEntry(key, trailer, value, neighbour));
  if (TrailerType(trailer) != ValueType::kValue) NoteKind(TrailerType(trailer), key, value);
  if (!block_.empty() && IsFullFor(key, trailer, value, neighbour.shared_bytes)) {
    SEERDB_RETURN_IF_ERROR(FinishBlock());
  }
  if (block_.empty()) {
    ChooseLimit();
    if (properties_.entries == 0) properties_.smallest_key.assign(key);
    index_.AddBlock(offset(), last_key_, key, trailer);
    block_.set_tags(lookup_.StartBlock());
  }
  if (!neighbour.same_key) {
    last_hash_ = Hash64(key);
    sketch_.Add(last_hash_);
    ++properties_.keys;
  }
  const bool forget =
      SEERDB_MUTANT("bloom-forgets-tombstones") && TrailerType(trailer) == ValueType::kDeletion;
  if (neighbour.same_key || forget)
    lookup_.AddOlder(last_hash_);
  else
    lookup_.AddNewest(key, neighbour.shared_bytes, last_hash_);
  last_trailer_ = trailer;
  block_.Add(key, trailer, value, TagOfHash(last_hash_), neighbour.shared_bytes);
  ++properties_.entries;
  properties_.raw_key_bytes += key.size();
  properties_.raw_value_bytes += value.size();
  return Status::Ok();
}

// A block that does not begin with a page, since a large entry is before it, ends with one, be it short:
// those behind it begin with pages again. Not where entries are large, or many blocks in a row could not be
// padded.
void TableBuilder::Impl::ChooseLimit() {
  block_limit_bytes_ = options_.block_bytes;
  most_bytes_over_ = 0;
  ends_with_page_ = options_.ends_with_pages && compression_ == CompressionType::kNone &&
                    options_.block_bytes % kTablePageBytes == 0 &&
                    options_.block_bytes <= kMostPaddedBlockBytes &&
                    offset() <= properties_.entries * (options_.block_bytes / kPaddedPart);
  if (ends_with_page_ && unpadded_ > kMostUnpadded) {
    --unpadded_;
    ends_with_page_ = false;
  }
  if (!ends_with_page_) return;
  const uint64_t taken = offset() % kTablePageBytes + kBlockTrailerBytes + kPaddingHeadBytes;
  block_limit_bytes_ = options_.block_bytes + (taken < options_.block_bytes ? 0 : kTablePageBytes) - taken;
}

bool TableBuilder::Impl::IsFullFor(Slice key, uint64_t trailer, Slice value, size_t shared_bytes) {
  const uint64_t limit = block_limit_bytes_;
  if (block_.SurelyFits(key.size(), value.size(), limit)) return false;
  if (!ends_with_page_) return block_.BytesWith(key.size(), value.size(), shared_bytes) > limit;
  const uint64_t most = block_.MostBytesWith(key.size(), value.size(), shared_bytes, trailer);
  if (most <= limit + most_bytes_over_) return false;
  const uint64_t exact = block_.ExactBytesWith(key.size(), value.size(), shared_bytes, trailer);
  if (exact > limit) return true;
  most_bytes_over_ = std::max(most, exact) - exact;
  return false;
}

void TableBuilder::Impl::NoteKind(ValueType type, Slice key, Slice value) {
  if (type == ValueType::kDeletion) {
    ++properties_.tombstones;
    return;
  }
  EntryPayload payload;
  const bool parsed = ParsePayload(type, value, &payload);
  if (Expires(type) && parsed) {
    ++expiring_;
    properties_.expires_us = std::max(properties_.expires_us, payload.expires_us);
  }
  ValuePointer pointer;  // a malformed one points to nothing
  if (IsPointer(type) && parsed && ParseValuePointer(payload.value, &pointer)) {
    value_bytes_[pointer.segment] += ValueRecordBytes(key.size(), pointer.bytes);
  }
}

Status TableBuilder::Impl::SetCompression(CompressionType compression) {
  if (compression == compression_) [[likely]]
    return {};
  if (!block_.empty()) SEERDB_RETURN_IF_ERROR(FinishBlock());
  compression_ = compression;
  return {};
}

BlockCompressor& TableBuilder::Impl::Compressor() {
  if (compressor_ == nullptr || compressor_->type() != compression_) {
    compressor_ = std::make_unique<BlockCompressor>(compression_);
  }
  return *compressor_;
}

Status TableBuilder::Impl::FinishBlock() {
  last_key_.assign(block_.last_key());
  properties_.smallest_sequence = std::min(properties_.smallest_sequence, block_.min_sequence());
  properties_.largest_sequence = std::max(properties_.largest_sequence, block_.max_sequence());
  const uint64_t block_offset = offset();
  const size_t begin = out_.size();
  CompressionType type = CompressionType::kNone;
  TagBlockBuilder::Built built;
  if (compression_ == CompressionType::kNone) {
    TagBlockBuilder::Padding padding{block_offset, kTablePageBytes, kBlockTrailerBytes, 0};
    if (ends_with_page_) padding.most_bytes = options_.block_bytes / kPaddedPart;
    built = block_.Finish(&out_, padding);
    padded_ = padded_ || built.padded;
    if (ends_with_page_) unpadded_ = built.padded ? unpadded_ - (unpadded_ > 0 ? 1 : 0) : unpadded_ + 2;
  } else {
    raw_block_.Clear();
    built = block_.Finish(&raw_block_);
    if (Compressor().Compress(raw_block_.bytes(), &compressed_)) type = compression_;
    out_.Append(type == CompressionType::kNone ? raw_block_.bytes() : Slice(compressed_));
  }
  properties_.column_bytes += built.column_bytes;
  lookup_.EndBlock(built);
  *out_.Room(1) = static_cast<char>(type);
  out_.Grow(1);
  const uint32_t checksum = BlockChecksum(options_.table_number, block_offset, out_.bytes().substr(begin));
  StoreU32(out_.Room(sizeof checksum), checksum);
  out_.Grow(sizeof checksum);
  ++properties_.data_blocks;
  return FlushChunks(false);
}

Status TableBuilder::Impl::FlushChunks(bool all) {
  const size_t chunk_bytes = options_.chunk_bytes;
  const size_t bytes = all ? out_.size() : out_.size() / chunk_bytes * chunk_bytes;
  if (out_.size() - bytes >= kFewBytes) out_.Room(chunk_bytes + kRoomBehindChunk - (out_.size() - bytes));
  if (bytes == 0) return Status::Ok();
  for (size_t done = 0; done < bytes;) {
    const size_t n = std::min(bytes - done, chunk_bytes);
    if (Status status = file_->Append(out_.bytes().substr(done, n)); !status.ok()) {
      failed_ = status;
      return status;
    }
    done += n;
  }
  out_.RemoveFront(bytes);
  out_.Limit(kMostBufferBytes);
  flushed_bytes_ += bytes;
  if (flushed_bytes_ - writeback_bytes_ >= kWritebackBytes) {
    file_->StartWriteback(writeback_bytes_, flushed_bytes_ - writeback_bytes_);
    writeback_bytes_ = flushed_bytes_;
  }
  return Status::Ok();
}

void TableBuilder::Impl::AddMeta(uint32_t id, Slice bytes) {
  out_.AppendZeros((kMetaAlignment - offset() % kMetaAlignment) % kMetaAlignment);
  metas_.push_back({id, TableChecksum(options_.table_number, offset(), bytes), offset(), bytes.size()});
  out_.Append(bytes);
}

void TableBuilder::Impl::WriteMetaBlocks() {
  if (expiring_ + properties_.tombstones < properties_.entries) properties_.expires_us = 0;
  for (const auto& [segment, bytes] : value_bytes_) properties_.values.push_back({segment, bytes});
  properties_.largest_key = last_key_;
  properties_.data_bytes = offset();
  properties_.key_sketch = sketch_.Encode();
  if (properties_.key_sketch.size() > properties_.data_bytes / kLeastDataPerSketch)
    properties_.key_sketch.clear();
  lookup_.Finish();
  properties_.lookup = lookup_.kind();
  if (const std::string& filter = lookup_.filter(); !filter.empty()) {
    AddMeta(kMetaFilter, filter);
    properties_.filter_bytes = filter.size();
    properties_.prefix_filter_bytes = options_.prefix_filter_bytes;
  }
  const std::string index = index_.Finish(properties_.smallest_key, last_key_, properties_.data_bytes);
  AddMeta(kMetaIndex, index);
  const IndexModel& model = index_.model();
  std::string model_bytes;
  model.AppendTo(&model_bytes);
  if (!model_bytes.empty()) AddMeta(MetaOfModel(model.kind()), model_bytes);
  properties_.index_bytes = index.size() + model_bytes.size();
  properties_.block_model = model.kind();
  if (const std::string& tags = lookup_.tag_index(); !tags.empty()) {
    AddMeta(kMetaTagIndex, tags);
    properties_.index_bytes += tags.size();
    properties_.tag_index_bytes = tags.size();
    properties_.tag_index_segments = lookup_.segments();
  }
  if (padded_) AddMeta(kMetaPaddedBlocks, Slice("", 1));
  properties_.model_segments = model.pieces();
  properties_.model_max_error = model.max_error();
}

Status TableBuilder::Impl::FinishBlocks() {
  if (!failed_.ok()) return failed_;
  if (finished_) return Status::InvalidArgument("table builder: call after Finish");
  if (properties_.entries == 0) return Status::InvalidArgument("table builder: no entries");
  finished_ = true;
  if (!block_.empty()) SEERDB_RETURN_IF_ERROR(FinishBlock());
  WriteMetaBlocks();
  return Status::Ok();
}

Result<TableProperties> TableBuilder::Impl::Finish() {
  SEERDB_RETURN_IF_ERROR(FinishBlocks());
  std::string end;
  AppendTableEnd({&properties_, &metas_}, offset(), &end);
  out_.Append(end);
  SEERDB_RETURN_IF_ERROR(FlushChunks(true));
  return properties_;
}

Result<EndlessTable> TableBuilder::Impl::FinishWithoutEnd() {
  SEERDB_RETURN_IF_ERROR(FinishBlocks());
  if (properties_.largest_sequence != 0 || properties_.keys != properties_.entries) {
    return Status::InvalidArgument("table builder: entries with sequences, or several of a key");
  }
  SEERDB_RETURN_IF_ERROR(FlushChunks(true));
  properties_.file_bytes = offset();
  return EndlessTable{std::move(properties_), std::move(metas_)};
}

TableBuilder::TableBuilder(const TableBuilderOptions& options, WritableFile* file)
    : impl_(std::make_unique<Impl>(options, file)) {}
TableBuilder::~TableBuilder() = default;
Status TableBuilder::Add(Slice key, uint64_t trailer, Slice value) { return impl_->Add(key, trailer, value); }
Status TableBuilder::SetCompression(CompressionType compression) {
  return impl_->SetCompression(compression);
}
Result<TableProperties> TableBuilder::Finish() { return impl_->Finish(); }
Result<EndlessTable> TableBuilder::FinishWithoutEnd() { return impl_->FinishWithoutEnd(); }
uint64_t TableBuilder::entries() const { return impl_->entries(); }
uint64_t TableBuilder::estimated_bytes() const { return impl_->estimated_bytes(); }
uint64_t TableBuilder::memory_bytes() const { return impl_->memory_bytes(); }
Slice TableBuilder::last_key() const { return impl_->last_key(); }

}  // namespace seerdb
