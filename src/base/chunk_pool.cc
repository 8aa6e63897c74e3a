#include "base/chunk_pool.h"

#include <algorithm>
#include <utility>

#include "base/arena.h"
#include "base/system_memory.h"

namespace seerdb {

ChunkPool::ChunkPool(size_t max_chunks, std::shared_ptr<MemoryAccount> account)
    : max_chunks_(max_chunks), charge_(std::move(account), MemoryClass::kActiveMemTable) {}

ChunkPool::~ChunkPool() { Clear(); }

void ChunkPool::Clear() {
  std::vector<void*> chunks;
  {
    MutexLock lock(&mu_);
    chunks.swap(chunks_);
    least_ = 0;
    charge_.Set(0);
  }
  for (void* chunk : chunks) UnmapMemory(chunk, Arena::kChunkBytes);
}

bool ChunkPool::LacksSparesLocked() const { return chunks_.size() < std::min(kSpares, max_chunks_); }

void ChunkPool::ExpectLocked() {
  if (LacksSparesLocked()) spares_wanted_.store(true, std::memory_order_relaxed);
}

void ChunkPool::Expect() {
  MutexLock lock(&mu_);
  ExpectLocked();
}

void ChunkPool::PrepareSpares() {
  const auto lacks_spares = [this] {
    MutexLock lock(&mu_);
    return LacksSparesLocked();
  };
  while (lacks_spares()) {
    void* const chunk = MapMemory(Arena::kChunkBytes);
    if (chunk == nullptr) return;
    PopulateMemory(chunk, Arena::kChunkBytes);
    if (!Give(chunk)) UnmapMemory(chunk, Arena::kChunkBytes);
  }
}

void* ChunkPool::Take() {
  MutexLock lock(&mu_);
  void* chunk = nullptr;
  if (!chunks_.empty()) {
    chunk = chunks_.back();
    chunks_.pop_back();
  }
  ExpectLocked();
  if (chunk == nullptr) return nullptr;
  least_ = std::min(least_, chunks_.size());
  charge_.Set(chunks_.size() * Arena::kChunkBytes);
  return chunk;
}

bool ChunkPool::Give(void* chunk) {
  MutexLock lock(&mu_);
  if (chunks_.size() >= max_chunks_) return false;
  chunks_.push_back(chunk);
  charge_.Set(chunks_.size() * Arena::kChunkBytes);
  return true;
}

void ChunkPool::Trim() {
  std::vector<void*> needless;
  {
    MutexLock lock(&mu_);
    if (++trims_ < kPatience) return;
    trims_ = 0;
    needless.assign(chunks_.end() - static_cast<ptrdiff_t>(least_), chunks_.end());
    chunks_.resize(chunks_.size() - least_);
    least_ = chunks_.size();
    charge_.Set(chunks_.size() * Arena::kChunkBytes);
  }
  for (void* chunk : needless) UnmapMemory(chunk, Arena::kChunkBytes);
}

}  // namespace seerdb
