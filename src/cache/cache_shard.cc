#include "cache/cache_shard.h"

#include <algorithm>

#include "base/mutant.h"

namespace seerdb {
namespace {

constexpr uint8_t kMaxUses = 3;
// Part of a shard that the small queue may take before blocks leave it.
constexpr uint64_t kSmallShare = 10;

}  // namespace

void GhostTable::Reserve(size_t keys) {
  if (keys <= marks_.size()) return;
  size_t places = 64;
  while (places < keys) places *= 2;
  marks_.assign(places, 0);
}

void GhostTable::Add(uint64_t hash) {
  if (!marks_.empty()) marks_[hash & (marks_.size() - 1)] = Mark(hash);
}

bool GhostTable::Take(uint64_t hash) {
  if (marks_.empty()) return false;
  uint32_t& mark = marks_[hash & (marks_.size() - 1)];
  if (mark != Mark(hash)) return false;
  mark = 0;
  return true;
}

void CacheShard::Enqueue(Index index, bool to_main) {
  Slot& slot = slots_[index];
  slot.in_main = to_main;
  slot.uses = 0;
  Queue& queue = QueueOf(slot);
  slot.older = queue.newest;
  slot.newer = kNone;
  (queue.newest == kNone ? queue.oldest : slots_[queue.newest].newer) = index;
  queue.newest = index;
  queue.bytes += slot.block->charged_bytes();
}

void CacheShard::Dequeue(Index index) {
  Slot& slot = slots_[index];
  Queue& queue = QueueOf(slot);
  (slot.older == kNone ? queue.oldest : slots_[slot.older].newer) = slot.newer;
  (slot.newer == kNone ? queue.newest : slots_[slot.newer].older) = slot.older;
  queue.bytes -= slot.block->charged_bytes();
}

void CacheShard::LinkToFile(Index index) {
  Slot& slot = slots_[index];
  Index& first = by_file_.try_emplace(slot.key.file_id, kNone).first->second;
  slot.file_before = kNone;
  slot.file_after = first;
  if (first != kNone) slots_[first].file_before = index;
  first = index;
}

void CacheShard::UnlinkFromFile(Index index) {
  const Slot& slot = slots_[index];
  if (slot.file_after != kNone) slots_[slot.file_after].file_before = slot.file_before;
  if (slot.file_before != kNone) {
    slots_[slot.file_before].file_after = slot.file_after;
  } else if (slot.file_after != kNone) {
    by_file_[slot.key.file_id] = slot.file_after;
  } else {
    by_file_.erase(slot.key.file_id);
  }
}

void CacheShard::Remove(Index index, Evicted* evicted) {
  Dequeue(index);
  UnlinkFromFile(index);
  Slot& slot = slots_[index];
  by_key_.erase(slot.key);
  slot.block->SetCached(false);
  evicted->push_back(std::move(slot.block));
  slot.block = nullptr;
  free_.push_back(index);
}

CacheShard::Block CacheShard::Find(const CacheKey& key) {
  const auto found = by_key_.find(key);
  if (found == by_key_.end()) return nullptr;
  Slot& slot = slots_[found->second];
  if (slot.uses < kMaxUses) ++slot.uses;
  return slot.block;
}

CacheShard::Block CacheShard::Insert(const CacheKey& key, const Block& block, uint64_t capacity_bytes,
                                     Evicted* evicted) {
  if (Block resident = Find(key); resident != nullptr) return resident;
  if (block->charged_bytes() > capacity_bytes) return nullptr;
  MakeRoom(block->charged_bytes(), capacity_bytes, evicted);
  const Index index = TakeSlot();
  slots_[index].key = key;
  slots_[index].block = block;
  by_key_.emplace(key, index);
  block->SetCached(true);
  LinkToFile(index);
  ghosts_.Reserve(by_key_.size());
  Enqueue(index, ghosts_.Take(key.hash()) || SEERDB_MUTANT("cache-trusts-every-block"));
  return block;
}

void CacheShard::EraseFile(uint64_t file_id, Evicted* evicted) {
  const auto found = by_file_.find(file_id);
  if (found == by_file_.end()) return;
  for (Index index = found->second; index != kNone;) {
    const Index next = slots_[index].file_after;
    Remove(index, evicted);
    index = next;
  }
}

void CacheShard::MakeRoom(uint64_t room, uint64_t capacity_bytes, Evicted* evicted) {
  while (bytes() + room > capacity_bytes && bytes() > 0) {
    if (main_.oldest == kNone || (small_.bytes > capacity_bytes / kSmallShare && small_.oldest != kNone)) {
      EvictFromSmall(evicted);
    } else {
      EvictFromMain(evicted);
    }
  }
}

void CacheShard::Renew(uint64_t bytes, Evicted* evicted) {
  const uint64_t least_bytes = main_.bytes - std::min(bytes, main_.bytes);
  while (main_.bytes > least_bytes) Remove(main_.oldest, evicted);
}

void CacheShard::EvictFromSmall(Evicted* evicted) {
  const Index index = small_.oldest;
  if (slots_[index].uses > 0) {
    Dequeue(index);
    Enqueue(index, true);
    return;
  }
  ghosts_.Add(slots_[index].key.hash());
  Remove(index, evicted);
}

void CacheShard::EvictFromMain(Evicted* evicted) {
  const Index index = main_.oldest;
  const uint8_t uses = slots_[index].uses;
  if (uses == 0) {
    Remove(index, evicted);
    return;
  }
  Dequeue(index);
  Enqueue(index, true);
  slots_[index].uses = static_cast<uint8_t>(uses - 1);
}

CacheShard::Index CacheShard::TakeSlot() {
  if (!free_.empty()) {
    const Index index = free_.back();
    free_.pop_back();
    return index;
  }
  slots_.emplace_back();
  return static_cast<Index>(slots_.size() - 1);
}

}  // namespace seerdb
