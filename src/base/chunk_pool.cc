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
    const Chunk chunk = MapFilled(gauge_->Choose());
    if (chunk.memory == nullptr) return;
    if (!Give(chunk)) UnmapMemory(chunk.memory, Arena::kChunkBytes);
  }
}

ChunkPool::Chunk ChunkPool::MapFilled(bool large_pages) {
  const LargePageGauge::Fill fill(gauge_.get(), large_pages);
  const Chunk chunk{MapMemory(Arena::kChunkBytes, large_pages), large_pages};
  if (chunk.memory != nullptr) PopulateMemory(chunk.memory, Arena::kChunkBytes);
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

bool ChunkPool::Renew() {
  const auto small = [](const Chunk& chunk) { return !chunk.large_pages; };
  {
    MutexLock lock(&mu_);
    if (std::none_of(chunks_.begin(), chunks_.end(), small)) return false;
  }
  if (!gauge_->Choose()) return false;
  Chunk chunk = MapFilled(true);
  if (chunk.memory == nullptr) return false;
  {
    MutexLock lock(&mu_);
    const auto old = std::find_if(chunks_.begin(), chunks_.end(), small);
    if (old != chunks_.end()) std::swap(*old, chunk);
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

void ChunkPool::Trim() {
  for (size_t renewed = 0; renewed < kSpares && Renew(); ++renewed) {
  }
  std::vector<Chunk> needless;
  {
    MutexLock lock(&mu_);
    if (++trims_ < kPatience) return;
    trims_ = 0;
    needless.assign(chunks_.end() - static_cast<ptrdiff_t>(least_), chunks_.end());
    chunks_.resize(chunks_.size() - least_);
    least_ = chunks_.size();
    charge_.Set(chunks_.size() * Arena::kChunkBytes);
  }
  for (const Chunk& chunk : needless) UnmapMemory(chunk.memory, Arena::kChunkBytes);
}

}  // namespace seerdb
