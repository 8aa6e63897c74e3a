#include "base/chunk_pool.h"

#include <sys/mman.h>

#include <algorithm>
#include <utility>

#include "base/arena.h"

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
  for (void* chunk : chunks) munmap(chunk, Arena::kChunkBytes);
}

void* ChunkPool::Take() {
  MutexLock lock(&mu_);
  if (chunks_.empty()) return nullptr;
  void* const chunk = chunks_.back();
  chunks_.pop_back();
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
  for (void* chunk : needless) munmap(chunk, Arena::kChunkBytes);
}

}  // namespace seerdb
