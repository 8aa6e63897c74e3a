// BlockCache: blocks that were read or decompressed, charged in bytes, shared by tables and databases.
//
// Keys are (file id, offset); a file id is unique in the process, so a name that is used again cannot alias.
// Sharded; each shard evicts by S3-FIFO (J. Yang et al., "FIFO queues are all you need for cache eviction",
// SOSP 2023): new blocks stand in a small queue and move to the main one only if used again, so that a scan
// passes through without displacing what is used (docs/decisions/0013). A block is shared by the cache and
// whoever reads it: one that is pinned stays readable after eviction, and keeps the memory that it is part
// of. Thread safety: all methods concurrently; each takes one shard's mutex briefly.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <utility>

#include "base/memory_account.h"
#include "cache/block_memory.h"
#include "seerdb/slice.h"

namespace seerdb {

// A block's bytes, charged for as long as they exist: to the cache while it holds them, else to their
// readers.
class CachedBlock {
 public:
  // The entry of the cache, its places in the maps and the control block.
  static constexpr uint64_t kOverheadBytes = 240;

  // `account` may be null.
  CachedBlock(BlockBuffer buffer, std::shared_ptr<MemoryAccount> account)
      : buffer_(std::move(buffer)),
        charge_(std::move(account), MemoryClass::kPinnedBlocks, buffer_.held_bytes() + kOverheadBytes) {}

  Slice bytes() const { return buffer_.bytes(); }
  uint64_t charged_bytes() const { return charge_.bytes(); }
  // By the cache alone, under its shard's mutex.
  void SetCached(bool cached) const {
    charge_.MoveTo(cached ? MemoryClass::kBlockCache : MemoryClass::kPinnedBlocks);
  }

 private:
  const BlockBuffer buffer_;
  mutable MemoryCharge charge_;
};

class BlockCache {
 public:
  using Block = std::shared_ptr<const CachedBlock>;

  // With `budget`, the cache and everything else in that account together take at most `budget_bytes`: the
  // cache is as small as that needs. `capacity_bytes` 0 keeps nothing.
  explicit BlockCache(uint64_t capacity_bytes, std::shared_ptr<const MemoryAccount> budget = nullptr,
                      uint64_t budget_bytes = 0);
  ~BlockCache();

  static uint64_t NewFileId();

  // For blocks that may be inserted. Null where they come from the heap: under a budget, whose bytes have to
  // go back when others need them, and where the capacity is so small that huge pages are much of it.
  const std::shared_ptr<BlockMemory>& memory() const { return memory_; }

  // Null when absent.
  Block Find(uint64_t file_id, uint64_t offset);
  // Whether Find would have it. Not a use of the block.
  bool Contains(uint64_t file_id, uint64_t offset) const;

  struct Inserted {
    Block block;        // the one to use: of two that were loaded at once, the first
    bool kept = false;  // `block` was added
    uint64_t evicted = 0;
  };
  // Keeps the block unless it is larger than a shard. Requires: not null, and in no cache.
  Inserted Insert(uint64_t file_id, uint64_t offset, Block block);
  // Forgets all blocks of a file. Costs as much as there are, and a look into each shard.
  void EraseFile(uint64_t file_id);

  // Raises or lowers the capacity. What is too much is evicted at the next Insert or Trim.
  void AddCapacity(int64_t bytes) { configured_bytes_.fetch_add(static_cast<uint64_t>(bytes)); }
  // Evicts what is beyond the capacity.
  void Trim();

  // At present: the capacity it was given, or less by the budget, and less by what lies idle between blocks.
  uint64_t capacity_bytes() const;
  uint64_t bytes() const;
  uint64_t entries() const;

 private:
  class Shard;
  static constexpr uint64_t kLeastBytesWithMemory = uint64_t{32} << 20;

  Shard& ShardFor(uint64_t hash) const;
  // What may lie idle between blocks before old ones are let go that keep others' memory.
  uint64_t most_idle_bytes() const;

  std::atomic<uint64_t> configured_bytes_;
  const std::shared_ptr<const MemoryAccount> budget_;
  const uint64_t budget_bytes_;
  const std::shared_ptr<BlockMemory> memory_;  // may be null
  std::unique_ptr<Shard[]> shards_;
};

}  // namespace seerdb
