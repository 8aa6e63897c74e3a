// BlockSource: hands out the data blocks of one open table, verified and uncompressed.
//
// Mapped and uncompressed: a view of the mapping, checked at first touch and remembered in a bitmap.
// Otherwise: through the block cache, or private to the caller when there is none.
// Thread safety: all methods concurrently.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "base/prefetch.h"
#include "cache/block_cache.h"
#include "metrics/statistics.h"
#include "seerdb/file_system.h"
#include "seerdb/result.h"
#include "sstable/block_index.h"
#include "sstable/table_reader.h"
#include "sstable/tag_block.h"
#include "sstable/tag_index.h"

namespace seerdb {

// A block's bytes passed BlockSource::Open. `owner` keeps them; null when the mapping does.
struct BlockRef {
  Slice bytes;
  BlockCache::Block owner;
};

struct TableIdentity {
  std::string path;
  uint64_t table_number = 0;
  SequenceNumber global_sequence = 0;  // as in TableProperties
  // Of the whole table, borrowed: no block may say otherwise. Null: not known.
  const TableProperties* properties = nullptr;
};

class BlockSource {
 public:
  // Where the bytes are: exactly one of `region` and `file` is set.
  struct Bytes {
    std::shared_ptr<const MappedRegion> region;
    std::unique_ptr<RandomAccessFile> file;
  };
  // `index` is borrowed. Of `options`: cache, account and statistics.
  BlockSource(TableIdentity identity, const BlockIndex* index, Bytes bytes, const TableOpenOptions& options);
  ~BlockSource();

  // Requires: block < index.blocks().
  Status Fetch(uint32_t block, const TableReadFlags& flags, BlockRef* ref) const {
    if (map_.data() != nullptr && Checked(block) && !flags.verify_checksums) [[likely]] {
      const BlockPlace place = index_->Place(block);
      ref->bytes = Slice(map_.data() + place.offset, place.bytes);
      if (ref->owner != nullptr) ref->owner.reset();
      return Status::Ok();
    }
    return FetchSlow(block, flags, ref);
  }
  // Starts to load the front of a block that Fetch is about to return.
  void Prefetch(uint32_t block) const {
    if (map_.data() == nullptr) return;
    PrefetchBytes(map_.data() + index_->Place(block).offset, 3 * kLineBytes);
  }
  static constexpr uint64_t kLargeRecords = 4;
  // Starts to load where the records of a block begin, which take about `record_bytes` each, so that few fit
  // a block: which of them is looked for will be seen when the front is there. A block ends with its last
  // record.
  void PrefetchLargeRecords(uint32_t block, uint64_t record_bytes) const {
    if (map_.data() == nullptr) return;
    const BlockPlace place = index_->Place(block);
    const char* const end = map_.data() + place.offset + place.bytes;
    const uint64_t most = std::min(place.bytes, kLargeRecords * record_bytes);
    for (uint64_t before = record_bytes; before <= most; before += record_bytes) {
      // The line of the key, whichever it is if the size is off by a little.
      PrefetchBytes(end - before - 16, 2 * kLineBytes);
    }
  }
  // For a lookup, before Fetch (`hash`: of what it looks for): begins to bring the block into memory where it
  // may not be there, whole and beside those of other lookups; Fetch would meet its pages one by one.
  void Expect(uint32_t block, uint64_t hash) const {
    if (map_.data() == nullptr) return;
    const bool asks = cold_.load(std::memory_order_relaxed) != 0 || (hash & kAskedMask) == 0;
    if (!Checked(block) || asks) [[unlikely]]
      Ask(block);
  }
  // Whether the blocks [begin, end) were read before, and lookups of late found in memory what they wanted;
  // where blocks are read by calls, whether the cache has both ends. A guess that costs no system call.
  bool SeemsLoaded(uint32_t begin, uint32_t end) const {
    if (begin >= end) return false;
    if (map_.data() == nullptr) return IsCached(begin) && IsCached(end - 1);
    return Checked(begin) && Checked(end - 1) && cold_.load(std::memory_order_relaxed) == 0;
  }
  // For one of several lookups, before the first of them fetches: where blocks are read by calls, begins to
  // load one that the cache does not have, beside those of the others.
  void ExpectBesideOthers(uint32_t block) const {
    if (map_.data() == nullptr && !IsCached(block)) ExpectAll(block, block + 1);
  }
  // Begins to load the blocks [begin, end), in as much as they are not in memory.
  void ExpectAll(uint32_t begin, uint32_t end) const;

  // Starts to load the record that may be the one with this tag, of a block whose front is there.
  void PrefetchRecord(uint32_t block, uint8_t tag) const {
    if (const std::optional<TagBlock> block_view = AtHand(block)) block_view->PrefetchRecord(tag);
  }
  // Starts to load one entry of a block of `entries`, and what is needed to read it; if they differ much in
  // size, only some of that, or what lies beside it. `equal`: they have one size, and no places of their own
  // in the front.
  void PrefetchEntry(EntryPlace at, uint32_t entries, bool equal) const {
    if (map_.data() == nullptr) return;
    const BlockPlace place = index_->Place(at.block);
    const char* const front = map_.data() + place.offset;
    PrefetchBytes(front, (equal ? 1 : 2) * kLineBytes);
    // At or a little before it: what stands before the records is short.
    const char* const record = front + place.bytes * at.entry / entries;
    PrefetchBytes(record, 3 * kLineBytes);
  }
  // The same for the records that a search for a bound looks at first.
  void PrefetchLowerBound(uint32_t block) const {
    if (const std::optional<TagBlock> block_view = AtHand(block)) block_view->PrefetchLowerBound();
  }

  bool mapped() const { return map_.data() != nullptr; }
  // Maps the pages of all blocks, which it may have to wait for. Requires: mapped.
  Status LoadAll() const { return region_->Load(0, index_->data_end()); }
  // Checks a block where it is mapped, and remembers that it is whole. Compressed content is not looked at.
  // Requires: mapped.
  Status Confirm(uint32_t block) const;

  // Checks a block as read (`bytes` are its stored bytes and trailer) and gives its content: a view of
  // `bytes`, or `buffer`, into which it was uncompressed. Its entries are in order, and lie where the index
  // looks for them: so all blocks that pass are in order, and a search ends at the right one, whoever wrote
  // the file.
  Status Open(uint32_t block, Slice bytes, BlockBuffer* buffer, Slice* content) const;

  // What a fetched block holds, with the sequences that its entries have.
  TagBlock View(Slice content) const { return TagBlock(content, identity_.global_sequence); }

  const std::string& path() const { return identity_.path; }
  const BlockIndex& index() const { return *index_; }
  uint64_t memory_bytes() const;

 private:
  // To ask whether a block is in memory is a system call. Of blocks that were read before, it is asked for
  // one lookup in so many, and for all while fewer than kColdLookups have found what they wanted since one
  // did not.
  static constexpr uint64_t kAskedMask = 127;
  static constexpr uint32_t kColdLookups = 256;

  // A block that is mapped and known to be whole.
  std::optional<TagBlock> AtHand(uint32_t block) const {
    if (map_.data() == nullptr || !Checked(block)) return std::nullopt;
    const BlockPlace place = index_->Place(block);
    return TagBlock(Slice(map_.data() + place.offset, place.bytes));
  }
  bool Checked(uint32_t block) const {
    return (checked_[block / 64].load(std::memory_order_relaxed) >> (block % 64) & 1) != 0;
  }
  void Remember(uint32_t block) const {
    checked_[block / 64].fetch_or(uint64_t{1} << (block % 64), std::memory_order_relaxed);
  }
  void Ask(uint32_t block) const;
  bool IsCached(uint32_t block) const {
    return cache_ != nullptr && cache_->Contains(cache_id_, index_->Place(block).offset);
  }
  Status FetchSlow(uint32_t block, const TableReadFlags& flags, BlockRef* ref) const;
  Status FetchMapped(uint32_t block, const TableReadFlags& flags, BlockRef* ref) const;
  Status FetchRead(uint32_t block, const TableReadFlags& flags, BlockRef* ref) const;
  Status CheckStored(uint32_t block, Slice bytes) const;
  Status CheckPlace(uint32_t block, Slice content) const;
  Status Corrupt(uint32_t block, Slice what) const;
  BlockCache::Block FindCached(uint32_t block) const;
  void Keep(uint32_t block, const TableReadFlags& flags, BlockBuffer content, BlockRef* ref) const;
  // For a block that may be kept.
  BlockBuffer NewBuffer() const { return BlockBuffer(cache_ != nullptr ? cache_->memory() : nullptr); }

  const TableIdentity identity_;
  const BlockIndex* const index_;
  const std::shared_ptr<const MappedRegion> region_;
  const Slice map_;
  mutable std::atomic<uint32_t> cold_{0};  // lookups that still ask; a hint
  const std::unique_ptr<RandomAccessFile> file_;
  const std::shared_ptr<BlockCache> cache_;
  const uint64_t cache_id_;
  const std::shared_ptr<MemoryAccount> account_;
  const std::shared_ptr<Statistics> statistics_;  // may be null
  // Mapped only. A bit is set once the block is known to be uncompressed and whole. The bytes are immutable,
  // so relaxed ordering is enough; two readers may both do the check.
  std::unique_ptr<std::atomic<uint64_t>[]> checked_;
};

}  // namespace seerdb
