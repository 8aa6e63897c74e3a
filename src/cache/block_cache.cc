#include "cache/block_cache.h"

#include <atomic>
#include <functional>
#include <unordered_map>
#include <utility>
#include <vector>

#include "base/mutex.h"

namespace seerdb {
namespace {

constexpr size_t kShards = 16;
// The entry itself, its node in the map, the block's string and control block.
constexpr uint64_t kOverheadBytes = 160;
constexpr uint8_t kMaxCredit = 3;

uint64_t ChargeOf(const BlockCache::Block& block) { return block->size() + kOverheadBytes; }

struct Key {
  uint64_t file_id;
  uint64_t offset;
  friend bool operator==(const Key&, const Key&) = default;
};
uint64_t HashOf(uint64_t file_id, uint64_t offset) {
  uint64_t z = (file_id * 0x9e3779b97f4a7c15) ^ (offset * 0xc2b2ae3d27d4eb4f);
  z = (z ^ (z >> 29)) * 0xbf58476d1ce4e5b9;
  return z ^ (z >> 32);
}
struct KeyHash {
  size_t operator()(const Key& key) const { return HashOf(key.file_id, key.offset); }
};

}  // namespace

// Entries stand on a ring of slots; the hand goes round it, taking credit from used entries and evicting
// those without.
class BlockCache::Shard {
 public:
  void set_capacity(uint64_t bytes) { capacity_bytes_ = bytes; }

  Block Find(const Key& key) {
    MutexLock lock(&mutex_);
    const auto found = slots_by_key_.find(key);
    if (found == slots_by_key_.end()) return nullptr;
    Slot& slot = slots_[found->second];
    if (slot.credit < kMaxCredit) ++slot.credit;
    return slot.block;
  }

  void Insert(const Key& key, Block block) {
    const uint64_t charge = ChargeOf(block);
    if (charge > capacity_bytes_) return;
    // Blocks are freed after the mutex is released.
    std::vector<Block> evicted;
    MutexLock lock(&mutex_);
    const auto found = slots_by_key_.find(key);
    if (found != slots_by_key_.end()) {
      Slot& slot = slots_[found->second];
      bytes_ += charge - ChargeOf(slot.block);
      evicted.push_back(std::exchange(slot.block, std::move(block)));
      EvictUntil(0, &evicted);
      return;
    }
    EvictUntil(charge, &evicted);
    const size_t index = TakeSlot();
    slots_[index] = Slot{key, std::move(block), 0};
    slots_by_key_.emplace(key, index);
    bytes_ += charge;
  }

  void EraseFile(uint64_t file_id) {
    std::vector<Block> evicted;
    MutexLock lock(&mutex_);
    for (size_t i = 0; i < slots_.size(); ++i) {
      if (slots_[i].block != nullptr && slots_[i].key.file_id == file_id) Evict(i, &evicted);
    }
  }

  uint64_t bytes() {
    MutexLock lock(&mutex_);
    return bytes_;
  }
  uint64_t entries() {
    MutexLock lock(&mutex_);
    return slots_by_key_.size();
  }

 private:
  struct Slot {
    Key key{};
    Block block;  // null: free
    uint8_t credit = 0;
  };

  void Evict(size_t index, std::vector<Block>* evicted) REQUIRES(mutex_) {
    Slot& slot = slots_[index];
    bytes_ -= ChargeOf(slot.block);
    slots_by_key_.erase(slot.key);
    evicted->push_back(std::move(slot.block));
    slot.block = nullptr;
    free_slots_.push_back(index);
  }
  void EvictUntil(uint64_t room, std::vector<Block>* evicted) REQUIRES(mutex_) {
    while (bytes_ + room > capacity_bytes_ && !slots_by_key_.empty()) {
      if (hand_ >= slots_.size()) hand_ = 0;
      Slot& slot = slots_[hand_];
      if (slot.block != nullptr) {
        if (slot.credit > 0)
          --slot.credit;
        else
          Evict(hand_, evicted);
      }
      ++hand_;
    }
  }
  size_t TakeSlot() REQUIRES(mutex_) {
    if (!free_slots_.empty()) {
      const size_t index = free_slots_.back();
      free_slots_.pop_back();
      return index;
    }
    slots_.emplace_back();
    return slots_.size() - 1;
  }

  uint64_t capacity_bytes_ = 0;  // set before use
  Mutex mutex_;
  uint64_t bytes_ GUARDED_BY(mutex_) = 0;
  size_t hand_ GUARDED_BY(mutex_) = 0;
  std::vector<Slot> slots_ GUARDED_BY(mutex_);
  std::vector<size_t> free_slots_ GUARDED_BY(mutex_);
  std::unordered_map<Key, size_t, KeyHash> slots_by_key_ GUARDED_BY(mutex_);
};

BlockCache::BlockCache(uint64_t capacity_bytes, std::shared_ptr<Statistics> statistics)
    : capacity_bytes_(capacity_bytes),
      statistics_(std::move(statistics)),
      shards_(std::make_unique<Shard[]>(kShards)) {
  for (size_t i = 0; i < kShards; ++i) shards_[i].set_capacity(capacity_bytes / kShards);
}

BlockCache::~BlockCache() = default;

uint64_t BlockCache::NewFileId() {
  static std::atomic<uint64_t> next{1};
  return next.fetch_add(1, std::memory_order_relaxed);
}

BlockCache::Shard& BlockCache::ShardFor(uint64_t file_id, uint64_t offset) const {
  return shards_[HashOf(file_id, offset) >> 60];
}

BlockCache::Block BlockCache::Find(uint64_t file_id, uint64_t offset) {
  Block block = ShardFor(file_id, offset).Find({file_id, offset});
  if (statistics_ != nullptr) {
    statistics_->Add(block != nullptr ? Counter::cache_hits : Counter::cache_misses);
  }
  return block;
}

void BlockCache::Insert(uint64_t file_id, uint64_t offset, Block block) {
  if (block == nullptr) return;
  ShardFor(file_id, offset).Insert({file_id, offset}, std::move(block));
}

void BlockCache::EraseFile(uint64_t file_id) {
  for (size_t i = 0; i < kShards; ++i) shards_[i].EraseFile(file_id);
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
