#include "sstable/block_source.h"

#include <cstring>
#include <utility>

#include "base/coding.h"
#include "base/inline_bytes.h"
#include "base/mutant.h"
#include "base/status_macros.h"
#include "sstable/block_compression.h"
#include "sstable/table_format.h"
#include "sstable/table_properties.h"
#include "sstable/tag_block.h"

namespace seerdb {
namespace {

size_t BitmapWords(uint32_t blocks) { return (size_t{blocks} + 63) / 64; }

// Of stored bytes and trailer.
CompressionType TypeOf(Slice bytes) {
  return static_cast<CompressionType>(bytes[bytes.size() - kBlockTrailerBytes]);
}

}  // namespace

BlockSource::BlockSource(TableIdentity identity, const BlockIndex* index, Bytes bytes,
                         const TableOpenOptions& options)
    : identity_(std::move(identity)),
      index_(index),
      region_(std::move(bytes.region)),
      map_(region_ != nullptr ? region_->bytes() : Slice()),
      file_(std::move(bytes.file)),
      cache_(options.cache),
      cache_id_(cache_ != nullptr ? BlockCache::NewFileId() : 0),
      account_(options.account),
      statistics_(options.statistics) {
  if (region_ != nullptr) {
    checked_ = std::make_unique<std::atomic<uint64_t>[]>(BitmapWords(index_->blocks()));
  }
}

BlockSource::~BlockSource() {
  if (cache_ != nullptr) cache_->EraseFile(cache_id_);
}

uint64_t BlockSource::memory_bytes() const {
  return checked_ != nullptr ? BitmapWords(index_->blocks()) * sizeof(uint64_t) : 0;
}

Status BlockSource::Corrupt(uint32_t block, Slice what) const {
  return TableCorruption(path(), "block", index_->Place(block).offset, what);
}

Status BlockSource::CheckStored(uint32_t block, Slice bytes) const {
  const Slice covered = bytes.substr(0, bytes.size() - 4);
  const uint32_t found = BlockChecksum(identity_.table_number, index_->Place(block).offset, covered);
  const uint32_t expected = LoadU32(covered.data() + covered.size());
  if (SEERDB_MUTANT("crc-not-checked")) return Status::Ok();
  return found == expected || SEERDB_MUTANT("table-ignores-block-checksum")
             ? Status::Ok()
             : Corrupt(block, ChecksumMismatch(found, expected));
}

Status BlockSource::Open(uint32_t block, Slice bytes, BlockBuffer* buffer, Slice* content) const {
  SEERDB_RETURN_IF_ERROR(CheckStored(block, bytes));
  const Slice stored = bytes.substr(0, bytes.size() - kBlockTrailerBytes);
  *content = stored;
  if (TypeOf(bytes) != CompressionType::kNone) {
    if (const char* error = UncompressBlock(TypeOf(bytes), stored, buffer); error != nullptr) {
      return Corrupt(block, error);
    }
    *content = buffer->bytes();
  }
  SequenceNumber largest = 0;
  if (const char* error = TagBlock::Check(*content, &largest); error != nullptr) return Corrupt(block, error);
  const TableProperties* const table = identity_.properties;
  if (table != nullptr && largest > table->largest_sequence - identity_.global_sequence)
    return Corrupt(block, "an entry is newer than the table");
  return SEERDB_MUTANT("table-trusts-its-index") ? Status::Ok() : CheckPlace(block, *content);
}

// Find never descends where keys ascend, so what holds of the first and the last entry holds of all.
Status BlockSource::CheckPlace(uint32_t block, Slice content) const {
  const TagBlock entries = View(content);
  InlineBytes key;
  const auto is_here = [&](uint32_t entry) {
    TagRecord record;
    entries.Parse(entries.RecordStart(entry), &record);
    key.Assign(entries.prefix());
    key.Append(record.suffix);
    return index_->FindsIn(block, key.slice(), record.trailer);
  };
  const TableProperties* const table = identity_.properties;
  bool ok = is_here(0) && (table == nullptr || block != 0 || key.slice() == table->smallest_key);
  ok = ok && is_here(entries.entries() - 1);
  ok = ok && (table == nullptr || block + 1 != index_->blocks() || key.slice() == table->largest_key);
  return ok ? Status::Ok() : Corrupt(block, "its keys are not those that the index expects");
}

BlockCache::Block BlockSource::FindCached(uint32_t block) const {
  BlockCache::Block found = cache_->Find(cache_id_, index_->Place(block).offset);
  if (statistics_ != nullptr) {
    statistics_->Add(found != nullptr ? Counter::cache_hits : Counter::cache_misses);
  }
  return found;
}

void BlockSource::Keep(uint32_t block, const TableReadFlags& flags, BlockBuffer content,
                       BlockRef* ref) const {
  ref->owner = std::make_shared<const CachedBlock>(std::move(content), account_);
  if (cache_ != nullptr && flags.fill_cache) {
    BlockCache::Inserted inserted =
        cache_->Insert(cache_id_, index_->Place(block).offset, std::move(ref->owner));
    ref->owner = std::move(inserted.block);
    if (statistics_ != nullptr) {
      if (inserted.kept) statistics_->Add(Counter::cache_inserts);
      if (inserted.evicted > 0) statistics_->Add(Counter::cache_evictions, inserted.evicted);
    }
  }
  ref->bytes = ref->owner->bytes();
}

void BlockSource::Ask(uint32_t block) const {
  const BlockPlace place = index_->Place(block);
  const uint32_t cold = cold_.load(std::memory_order_relaxed);
  if (region_->WillNeed(place.offset, place.bytes + kBlockTrailerBytes)) {
    if (cold != kColdLookups) cold_.store(kColdLookups, std::memory_order_relaxed);
  } else if (cold != 0) {
    cold_.store(cold - 1, std::memory_order_relaxed);
  }
}

void BlockSource::ExpectAll(uint32_t begin, uint32_t end) const {
  if (begin >= end) return;
  const BlockPlace last = index_->Place(end - 1);
  const uint64_t offset = index_->Place(begin).offset;
  const uint64_t bytes = last.offset + last.bytes + kBlockTrailerBytes - offset;
  if (region_ != nullptr)
    region_->WillNeed(offset, bytes);
  else
    file_->ReadAhead(offset, bytes);
}

Status BlockSource::FetchSlow(uint32_t block, const TableReadFlags& flags, BlockRef* ref) const {
  return region_ != nullptr ? FetchMapped(block, flags, ref) : FetchRead(block, flags, ref);
}

Status BlockSource::FetchMapped(uint32_t block, const TableReadFlags& flags, BlockRef* ref) const {
  const BlockPlace place = index_->Place(block);
  const Slice bytes = map_.substr(place.offset, place.bytes + kBlockTrailerBytes);
  if (TypeOf(bytes) != CompressionType::kNone && cache_ != nullptr) {
    if (BlockCache::Block cached = FindCached(block); cached != nullptr) {
      if (flags.verify_checksums) SEERDB_RETURN_IF_ERROR(CheckStored(block, bytes));
      ref->bytes = cached->bytes();
      ref->owner = std::move(cached);
      return Status::Ok();
    }
  }
  BlockBuffer buffer = NewBuffer();
  Slice content;
  SEERDB_RETURN_IF_ERROR(Open(block, bytes, &buffer, &content));
  if (TypeOf(bytes) == CompressionType::kNone) {
    Remember(block);
    ref->bytes = content;
    ref->owner.reset();
    return Status::Ok();
  }
  Keep(block, flags, std::move(buffer), ref);
  return Status::Ok();
}

Status BlockSource::Confirm(uint32_t block) const {
  const BlockPlace place = index_->Place(block);
  const Slice bytes = map_.substr(place.offset, place.bytes + kBlockTrailerBytes);
  if (TypeOf(bytes) != CompressionType::kNone) return CheckStored(block, bytes);
  BlockBuffer buffer;
  Slice content;
  SEERDB_RETURN_IF_ERROR(Open(block, bytes, &buffer, &content));
  Remember(block);
  return Status::Ok();
}

Status BlockSource::FetchRead(uint32_t block, const TableReadFlags& flags, BlockRef* ref) const {
  const BlockPlace place = index_->Place(block);
  if (cache_ != nullptr && !flags.verify_checksums) {
    if (BlockCache::Block cached = FindCached(block); cached != nullptr) {
      ref->bytes = cached->bytes();
      ref->owner = std::move(cached);
      return Status::Ok();
    }
  }
  BlockBuffer stored = NewBuffer();
  const size_t stored_bytes = place.bytes + kBlockTrailerBytes;
  char* const room = stored.Resize(stored_bytes);
  SEERDB_ASSIGN_OR_RETURN(const Slice bytes, file_->Read(place.offset, stored_bytes, room));
  if (flags.shard != nullptr) flags.shard->Add(Counter::table_bytes_read, bytes.size());
  if (flags.statistics != nullptr) flags.statistics->Add(Counter::table_bytes_read, bytes.size());
  if (bytes.size() != stored_bytes) {
    return Corrupt(block, FoundExpected("bytes", bytes.size(), stored_bytes));
  }
  if (bytes.data() != room) std::memcpy(room, bytes.data(), stored_bytes);
  BlockBuffer buffer = NewBuffer();
  Slice content;
  SEERDB_RETURN_IF_ERROR(Open(block, stored.bytes(), &buffer, &content));
  if (content.data() == room) {
    stored.Truncate(content.size());
    buffer = std::move(stored);
  }
  Keep(block, flags, std::move(buffer), ref);
  return Status::Ok();
}

}  // namespace seerdb
