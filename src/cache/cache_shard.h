// CacheShard: one part of a BlockCache: blocks by key, in the two queues of S3-FIFO.
//
// A block enters the small queue. At its end it moves to the main queue if it was used meanwhile, else it is
// evicted and its key remembered for a while: a block that comes back soon enters the main queue at once. The
// main queue is CLOCK: a used block goes round again, once for each of its last three uses.
// Thread safety: external synchronization (the lock is the BlockCache's).
#pragma once

#include <cstdint>
#include <unordered_map>
#include <vector>

#include "cache/block_cache.h"

namespace seerdb {

struct CacheKey {
  uint64_t file_id = 0;
  uint64_t offset = 0;
  friend bool operator==(const CacheKey&, const CacheKey&) = default;
  uint64_t hash() const {
    uint64_t z = (file_id * 0x9e3779b97f4a7c15) ^ (offset * 0xc2b2ae3d27d4eb4f);
    z = (z ^ (z >> 29)) * 0xbf58476d1ce4e5b9;
    return z ^ (z >> 32);
  }
};

// Remembers about as many of the last keys as it has places; older ones are overwritten one by one.
class GhostTable {
 public:
  void Add(uint64_t hash);
  // True if it was there; it no longer is.
  bool Take(uint64_t hash);
  // Room for at least so many. Forgets all when it has to grow.
  void Reserve(size_t keys);

 private:
  static uint32_t Mark(uint64_t hash) { return static_cast<uint32_t>(hash >> 32) | 1; }
  std::vector<uint32_t> marks_;  // 0: free
};

class CacheShard {
 public:
  using Block = BlockCache::Block;
  // Blocks that left the shard, to be let go of when its lock is no longer held.
  using Evicted = std::vector<Block>;

  Block Find(const CacheKey& key);
  bool Contains(const CacheKey& key) const { return by_key_.contains(key); }
  // The resident block of `key`: the one given, or one that was there before. Null if it is too large.
  Block Insert(const CacheKey& key, const Block& block, uint64_t capacity_bytes, Evicted* evicted);
  void EraseFile(uint64_t file_id, Evicted* evicted);
  // Lets blocks go that have been longest in the main queue, used or not, until they are `bytes`.
  void Renew(uint64_t bytes, Evicted* evicted);
  void Trim(uint64_t capacity_bytes, Evicted* evicted) { MakeRoom(0, capacity_bytes, evicted); }
  uint64_t bytes() const { return small_.bytes + main_.bytes; }
  uint64_t entries() const { return by_key_.size(); }

 private:
  using Index = uint32_t;
  static constexpr Index kNone = UINT32_MAX;
  // Ends of a doubly linked list of slots, oldest first.
  struct Queue {
    Index oldest = kNone;
    Index newest = kNone;
    uint64_t bytes = 0;
  };
  struct Slot {
    CacheKey key;
    Block block;  // null: free
    Index older = kNone;
    Index newer = kNone;
    Index file_before = kNone;  // of the same file
    Index file_after = kNone;
    uint8_t uses = 0;
    bool in_main = false;
  };
  struct KeyHash {
    size_t operator()(const CacheKey& key) const { return key.hash(); }
  };

  Queue& QueueOf(const Slot& slot) { return slot.in_main ? main_ : small_; }
  void Enqueue(Index index, bool to_main);
  void Dequeue(Index index);
  void LinkToFile(Index index);
  void UnlinkFromFile(Index index);
  void Remove(Index index, Evicted* evicted);
  void MakeRoom(uint64_t room, uint64_t capacity_bytes, Evicted* evicted);
  // One step: evicts a block, moves it to the main queue, or lets it go round.
  void EvictFromSmall(Evicted* evicted);
  void EvictFromMain(Evicted* evicted);
  Index TakeSlot();

  std::vector<Slot> slots_;
  std::vector<Index> free_;
  std::unordered_map<CacheKey, Index, KeyHash> by_key_;
  std::unordered_map<uint64_t, Index> by_file_;  // the first slot of each file
  Queue small_;
  Queue main_;
  GhostTable ghosts_;
};

}  // namespace seerdb
