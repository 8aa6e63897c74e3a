#include "sstable/table_builder.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "base/hash.h"
#include "base/key_sketch.h"
#include "base/mutant.h"
#include "base/status_macros.h"
#include "format/internal_key.h"
#include "learned/model_codec.h"
#include "sstable/block_compression.h"
#include "sstable/block_index.h"
#include "sstable/bloom_filter.h"
#include "sstable/properties_codec.h"
#include "sstable/table_format.h"
#include "sstable/tag_block.h"
#include "sstable/tag_block_builder.h"

namespace seerdb {
namespace {

constexpr size_t kMinChunkBytes = 256 << 10;
constexpr size_t kMaxChunkBytes = 1 << 20;
// Keeps a block of one entry, with its columns, below kMaxBlockBytes.
constexpr uint64_t kMaxEntryBytes = uint64_t{2} << 30;

}  // namespace

class TableBuilder::Impl {
 public:
  Impl(const TableBuilderOptions& options, WritableFile* file)
      : options_(options),
        file_(file),
        compressor_(options.compression),
        filter_(options.bloom_bits_per_key) {
    properties_.table_number = options.table_number;
    properties_.compression = options.compression;
    properties_.smallest_sequence = kMaxSequence;
  }

  Status Add(Slice key, uint64_t trailer, Slice value);
  Result<TableProperties> Finish();
  uint64_t entries() const { return properties_.entries; }
  uint64_t estimated_bytes() const {
    return offset() + block_.pending_bytes() + filter_.bytes() + index_.bytes() + kTableFooterBytes;
  }
  Slice last_key() const { return last_key_; }

 private:
  uint64_t offset() const { return flushed_bytes_ + out_.size(); }
  Status CheckEntry(Slice key, uint64_t trailer, Slice value, int order) const;
  void Count(Slice key, uint64_t trailer, Slice value);
  Status FinishBlock();
  // Appends full chunks of what is pending to the file; with `all`, everything.
  Status FlushChunks(bool all);
  void AddMeta(uint32_t id, Slice bytes);
  void WriteMetaBlocks();

  const TableBuilderOptions options_;
  WritableFile* const file_;
  BlockCompressor compressor_;
  TagBlockBuilder block_;
  BlockIndexBuilder index_;
  BloomFilterBuilder filter_;
  KeySketch sketch_;
  TableProperties properties_;
  std::vector<MetaBlock> metas_;
  std::string out_;  // written, not yet handed to the file
  uint64_t flushed_bytes_ = 0;
  std::string raw_block_;
  std::string last_key_;
  uint64_t last_trailer_ = 0;
  uint64_t last_hash_ = 0;
  Status failed_;  // the first error of the file
  bool finished_ = false;
};

Status TableBuilder::Impl::CheckEntry(Slice key, uint64_t trailer, Slice value, int order) const {
  if (finished_) return Status::InvalidArgument("table builder: call after Finish");
  if (static_cast<uint8_t>(trailer) >= static_cast<uint8_t>(ValueType::kRangeDeletion)) {
    return Status::InvalidArgument("table builder: kind " + std::to_string(trailer & 0xff) +
                                   " is no point entry");
  }
  if (key.size() > kMaxEntryBytes || value.size() > kMaxEntryBytes - key.size()) {
    return Status::InvalidArgument("table builder: entry is larger than " + std::to_string(kMaxEntryBytes));
  }
  if (order >= 0) return Status::InvalidArgument("table builder: entries are not in ascending order");
  return Status::Ok();
}

Status TableBuilder::Impl::Add(Slice key, uint64_t trailer, Slice value) {
  const bool first = properties_.entries == 0;
  const int key_order = first ? -1 : last_key_.compare(key);
  const int order = key_order != 0 ? key_order : (last_trailer_ > trailer ? -1 : 1);
  if (!failed_.ok()) [[unlikely]]
    return failed_;
  SEERDB_RETURN_IF_ERROR(CheckEntry(key, trailer, value, order));
  if (!block_.empty() && block_.BytesWith(key, value) > options_.block_bytes) {
    SEERDB_RETURN_IF_ERROR(FinishBlock());
  }
  if (block_.empty()) index_.AddBlock(offset(), last_key_, key, trailer);
  if (key_order != 0) {
    last_hash_ = Hash64(key);
    const bool forget =
        SEERDB_MUTANT("bloom-forgets-tombstones") && TrailerType(trailer) == ValueType::kDeletion;
    if (!forget) filter_.AddHash(last_hash_);
    sketch_.Add(last_hash_);
    last_key_.assign(key);
    ++properties_.keys;
  }
  last_trailer_ = trailer;
  block_.Add(key, trailer, value, TagOfHash(last_hash_));
  Count(key, trailer, value);
  return Status::Ok();
}

void TableBuilder::Impl::Count(Slice key, uint64_t trailer, Slice value) {
  if (properties_.entries == 0) properties_.smallest_key.assign(key);
  ++properties_.entries;
  if (TrailerType(trailer) == ValueType::kDeletion) ++properties_.tombstones;
  properties_.raw_key_bytes += key.size();
  properties_.raw_value_bytes += value.size();
  const SequenceNumber sequence = TrailerSequence(trailer);
  properties_.smallest_sequence = std::min(properties_.smallest_sequence, sequence);
  properties_.largest_sequence = std::max(properties_.largest_sequence, sequence);
}

Status TableBuilder::Impl::FinishBlock() {
  const uint64_t block_offset = offset();
  const size_t begin = out_.size();
  CompressionType type = CompressionType::kNone;
  if (options_.compression == CompressionType::kNone) {
    block_.Finish(&out_);
  } else {
    std::string compressed;
    raw_block_.clear();
    block_.Finish(&raw_block_);
    if (compressor_.Compress(raw_block_, &compressed)) type = options_.compression;
    out_.append(type == CompressionType::kNone ? raw_block_ : compressed);
  }
  out_.push_back(static_cast<char>(type));
  AppendU32(&out_, BlockChecksum(options_.table_number, block_offset, Slice(out_).substr(begin)));
  ++properties_.data_blocks;
  return FlushChunks(false);
}

Status TableBuilder::Impl::FlushChunks(bool all) {
  if (!all && out_.size() < kMinChunkBytes) return Status::Ok();
  for (size_t done = 0; done < out_.size();) {
    const size_t n = std::min(out_.size() - done, kMaxChunkBytes);
    if (Status status = file_->Append(Slice(out_).substr(done, n)); !status.ok()) {
      failed_ = status;
      return status;
    }
    done += n;
  }
  flushed_bytes_ += out_.size();
  out_.clear();
  if (out_.capacity() > 4 * kMaxChunkBytes) out_.shrink_to_fit();
  return Status::Ok();
}

void TableBuilder::Impl::AddMeta(uint32_t id, Slice bytes) {
  out_.append((kMetaAlignment - offset() % kMetaAlignment) % kMetaAlignment, '\0');
  metas_.push_back({id, TableChecksum(options_.table_number, offset(), bytes), offset(), bytes.size()});
  out_.append(bytes);
}

void TableBuilder::Impl::WriteMetaBlocks() {
  properties_.largest_key = last_key_;
  properties_.data_bytes = offset();
  if (properties_.keys >= kMinSketchedKeys) properties_.key_sketch = sketch_.bytes();
  if (const std::string filter = filter_.Finish(); !filter.empty()) {
    AddMeta(kMetaFilter, filter);
    properties_.filter_bytes = filter.size();
  }
  const std::string index = index_.Finish(properties_.smallest_key, last_key_, properties_.data_bytes);
  AddMeta(kMetaIndex, index);
  std::string model;
  AppendPlaModel(index_.model(), &model);
  AddMeta(kMetaBlockModel, model);
  properties_.index_bytes = index.size() + model.size();
  properties_.model_segments = index_.model().segments().size();
  properties_.model_max_error = index_.model().max_error();
  std::string properties;
  AppendTableProperties(properties_, &properties);
  AddMeta(kMetaProperties, properties);

  TableFooter footer;
  std::string list;
  AppendMetaList(metas_, &list);
  footer.meta_list_offset = offset();
  footer.meta_list_bytes = static_cast<uint32_t>(list.size());
  footer.meta_list_checksum = TableChecksum(options_.table_number, offset(), list);
  out_.append(list);
  footer.table_number = options_.table_number;
  footer.file_bytes = offset() + kTableFooterBytes;
  AppendTableFooter(footer, &out_);
  properties_.file_bytes = offset();
}

Result<TableProperties> TableBuilder::Impl::Finish() {
  if (!failed_.ok()) return failed_;
  if (finished_) return Status::InvalidArgument("table builder: call after Finish");
  if (properties_.entries == 0) return Status::InvalidArgument("table builder: no entries");
  finished_ = true;
  SEERDB_RETURN_IF_ERROR(FinishBlock());
  WriteMetaBlocks();
  SEERDB_RETURN_IF_ERROR(FlushChunks(true));
  return properties_;
}

TableBuilder::TableBuilder(const TableBuilderOptions& options, WritableFile* file)
    : impl_(std::make_unique<Impl>(options, file)) {}
TableBuilder::~TableBuilder() = default;
Status TableBuilder::Add(Slice key, uint64_t trailer, Slice value) { return impl_->Add(key, trailer, value); }
Result<TableProperties> TableBuilder::Finish() { return impl_->Finish(); }
uint64_t TableBuilder::entries() const { return impl_->entries(); }
uint64_t TableBuilder::estimated_bytes() const { return impl_->estimated_bytes(); }
Slice TableBuilder::last_key() const { return impl_->last_key(); }

}  // namespace seerdb
