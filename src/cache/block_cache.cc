#include "cache/block_cache.h"

#include <algorithm>
#include <utility>

#include "base/mutex.h"
#include "base/system_memory.h"
#include "cache/cache_shard.h"

namespace seerdb {
namespace {

constexpr size_t kShards = 16;
// What lies idle between blocks: at the end of the last region, and as a part of all that the cache may have:
// in the last span of each size, and where blocks of other sizes came.
constexpr uint64_t kIdleBytes = kHugePageBytes;
constexpr uint64_t kUsualIdleShare = 32;
constexpr uint64_t kMostIdleShare = 8;
// What old blocks let go for each byte of a new one while more than that is idle.
constexpr uint64_t kRenewedForOne = 8;

}  // namespace

class BlockCache::Shard {
 public:
  Block Find(const CacheKey& key) EXCLUDES(mutex_) {
    MutexLock lock(&mutex_);
    return shard_.Find(key);
  }
  bool Contains(const CacheKey& key) EXCLUDES(mutex_) {
    MutexLock lock(&mutex_);
    return shard_.Contains(key);
  }
  // `renew`: lets old blocks go beside those that have to make room.
  Block Insert(const CacheKey& key, const Block& block, uint64_t capacity_bytes, bool renew,
               CacheShard::Evicted* evicted) EXCLUDES(mutex_) {
    MutexLock lock(&mutex_);
    if (renew) shard_.Renew(kRenewedForOne * block->charged_bytes(), evicted);
    return shard_.Insert(key, block, capacity_bytes, evicted);
  }
  void EraseFile(uint64_t file_id, CacheShard::Evicted* evicted) EXCLUDES(mutex_) {
    MutexLock lock(&mutex_);
    shard_.EraseFile(file_id, evicted);
  }
  void Trim(uint64_t capacity_bytes, CacheShard::Evicted* evicted) EXCLUDES(mutex_) {
    MutexLock lock(&mutex_);
    shard_.Trim(capacity_bytes, evicted);
  }
  uint64_t bytes() EXCLUDES(mutex_) {
    MutexLock lock(&mutex_);
    return shard_.bytes();
  }
  uint64_t entries() EXCLUDES(mutex_) {
    MutexLock lock(&mutex_);
    return shard_.entries();
  }

 private:
  Mutex mutex_;
  CacheShard shard_ GUARDED_BY(mutex_);
};

BlockCache::BlockCache(uint64_t capacity_bytes, std::shared_ptr<const MemoryAccount> budget,
                       uint64_t budget_bytes)
    : configured_bytes_(capacity_bytes),
      budget_(std::move(budget)),
      budget_bytes_(budget_bytes),
      memory_(budget_ == nullptr && capacity_bytes >= kLeastBytesWithMemory
                  ? std::make_shared<BlockMemory>(most_idle_bytes())
                  : nullptr),
      shards_(std::make_unique<Shard[]>(kShards)) {}

BlockCache::~BlockCache() {
  // Blocks that readers still hold are theirs from now on.
  configured_bytes_.store(0);
  Trim();
}

uint64_t BlockCache::NewFileId() {
  static std::atomic<uint64_t> next{1};
  return next.fetch_add(1, std::memory_order_relaxed);
}

BlockCache::Shard& BlockCache::ShardFor(uint64_t hash) const { return shards_[hash >> 60]; }

uint64_t BlockCache::most_idle_bytes() const {
  return kIdleBytes + configured_bytes_.load(std::memory_order_relaxed) / kMostIdleShare;
}

uint64_t BlockCache::capacity_bytes() const {
  const uint64_t configured_bytes = configured_bytes_.load(std::memory_order_relaxed);
  if (memory_ != nullptr) {
    const uint64_t idle_bytes = memory_->idle_bytes();
    if (idle_bytes == 0) return configured_bytes;
    // Not less for what is idle at all times, and not for all that is idle for once: each block that left for
    // it would make more.
    const uint64_t usual_bytes = kIdleBytes + configured_bytes / kUsualIdleShare;
    return configured_bytes -
           std::min(configured_bytes, std::clamp(idle_bytes, usual_bytes, most_idle_bytes()));
  }
  if (budget_ == nullptr) return configured_bytes;
  const uint64_t held_bytes = budget_->held_bytes();
  return std::min(configured_bytes, budget_bytes_ - std::min(held_bytes, budget_bytes_));
}

BlockCache::Block BlockCache::Find(uint64_t file_id, uint64_t offset) {
  const CacheKey key{file_id, offset};
  return ShardFor(key.hash()).Find(key);
}

bool BlockCache::Contains(uint64_t file_id, uint64_t offset) const {
  const CacheKey key{file_id, offset};
  return ShardFor(key.hash()).Contains(key);
}

BlockCache::Inserted BlockCache::Insert(uint64_t file_id, uint64_t offset, Block block) {
  const CacheKey key{file_id, offset};
  CacheShard::Evicted evicted;
  // The block itself is among what is held, until the cache has it.
  const uint64_t capacity = capacity_bytes() / kShards;
  const bool renew = memory_ != nullptr && memory_->idle_bytes() > most_idle_bytes();
  Block resident = ShardFor(key.hash()).Insert(key, block, capacity, renew, &evicted);
  const bool kept = resident == block;
  return {resident != nullptr ? std::move(resident) : std::move(block), kept, evicted.size()};
}

void BlockCache::EraseFile(uint64_t file_id) {
  for (size_t i = 0; i < kShards; ++i) {
    CacheShard::Evicted evicted;
    shards_[i].EraseFile(file_id, &evicted);
  }
}

void BlockCache::Trim() {
  const uint64_t capacity = capacity_bytes() / kShards;
  for (size_t i = 0; i < kShards; ++i) {
    CacheShard::Evicted evicted;
    shards_[i].Trim(capacity, &evicted);
  }
}

uint64_t BlockCache::bytes() const {
  uint64_t sum = 0;
  for (size_t i = 0; i < kShards; ++i) sum += shards_[i].bytes();
  return sum;
}

uint64_t BlockCache::entries() const {
  uint64_t sum = 0;
  for (size_t i = 0; i < kShards; ++i) sum += shards_[i].entries();
  return sum;
}

}  // namespace seerdb
