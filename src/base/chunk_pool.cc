#include "base/chunk_pool.h"

#include <algorithm>
#include <utility>

#include "base/arena.h"
#include "base/system_memory.h"

namespace seerdb {

ChunkPool::ChunkPool(size_t max_chunks, std::shared_ptr<MemoryAccount> account,
                     std::shared_ptr<LargePageGauge> gauge)
    : max_chunks_(max_chunks),
      gauge_(std::move(gauge)),
      charge_(std::move(account), MemoryClass::kActiveMemTable) {}

ChunkPool::~ChunkPool() { Clear(); }

void ChunkPool::Clear() {
  std::vector<Chunk> chunks;
  {
    MutexLock lock(&mu_);
    chunks.swap(chunks_);
    least_ = 0;
    charge_.Set(0);
  }
  for (const Chunk& chunk : chunks) UnmapMemory(chunk.memory, Arena::kChunkBytes);
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
    LargePageGauge::Fill fill(gauge_.get());
    const Chunk chunk = MapFilled(&fill);
    if (chunk.memory == nullptr) return;
    if (!Give(chunk)) UnmapMemory(chunk.memory, Arena::kChunkBytes);
  }
}

ChunkPool::Chunk ChunkPool::MapFilled(LargePageGauge::Fill* fill) {
  const Chunk chunk{MapMemory(Arena::kChunkBytes, fill->large()), fill->large()};
  if (chunk.memory == nullptr) return chunk;
  PopulateMemory(chunk.memory, Arena::kChunkBytes);
  fill->Done();
  return chunk;
}

ChunkPool::Chunk ChunkPool::Take() {
  MutexLock lock(&mu_);
  Chunk chunk;
  if (!chunks_.empty()) {
    chunk = chunks_.back();
    chunks_.pop_back();
  }
  ExpectLocked();
  if (chunk.memory == nullptr) return chunk;
  least_ = std::min(least_, chunks_.size());
  charge_.Set(chunks_.size() * Arena::kChunkBytes);
  return chunk;
}

ChunkPool::Chunk* ChunkPool::FindSmallLocked() {
  const auto small =
      std::find_if(chunks_.rbegin(), chunks_.rend(), [](const Chunk& chunk) { return !chunk.large_pages; });
  return small != chunks_.rend() ? &*small : nullptr;
}

void ChunkPool::Renew() {
  for (size_t renewed = 0; renewed < kSpares && RenewOne(); ++renewed) {
  }
}

bool ChunkPool::RenewOne() {
  {
    MutexLock lock(&mu_);
    if (FindSmallLocked() == nullptr) return false;
  }
  LargePageGauge::Fill fill(gauge_.get());
  if (!fill.large()) return false;
  Chunk chunk = MapFilled(&fill);
  if (chunk.memory == nullptr) return false;
  {
    MutexLock lock(&mu_);
    if (Chunk* const small = FindSmallLocked()) std::swap(*small, chunk);
  }
  UnmapMemory(chunk.memory, Arena::kChunkBytes);
  return true;
}

bool ChunkPool::Give(Chunk chunk) {
  MutexLock lock(&mu_);
  if (chunks_.size() >= max_chunks_) return false;
  chunks_.push_back(chunk);
  charge_.Set(chunks_.size() * Arena::kChunkBytes);
  return true;
}

bool ChunkPool::Trim() {
  std::vector<Chunk> needless;
  bool small = false;
  {
    MutexLock lock(&mu_);
    const bool needed = least_ < chunks_.size();
    small = needed && FindSmallLocked() != nullptr;
    if (++trims_ == kPatience) {
      trims_ = 0;
      needless.assign(chunks_.end() - static_cast<ptrdiff_t>(least_), chunks_.end());
      chunks_.resize(chunks_.size() - least_);
      least_ = chunks_.size();
      charge_.Set(chunks_.size() * Arena::kChunkBytes);
    }
  }
  for (const Chunk& chunk : needless) UnmapMemory(chunk.memory, Arena::kChunkBytes);
  return small;
}

}  // namespace seerdb
