#include "base/arena.h"

#include <algorithm>
#include <new>

#include "base/assert.h"
#include "base/system_memory.h"

namespace seerdb {
namespace {

// Above this an allocation gets a chunk of its own, so that it never wastes the rest of the current one.
constexpr size_t kBigBytes = Arena::kChunkBytes / 8;
// An arena that takes a chunk of this size is likely to need those of the pool soon.
constexpr size_t kSpareNoticeBytes = Arena::kChunkBytes / 4;
static_assert(Arena::kChunkBytes == kHugePageBytes);

}  // namespace

Arena::~Arena() {
  for (const Chunk& chunk : chunks_) {
    if (!chunk.mapped) {
      ::operator delete (chunk.memory, std::align_val_t{kMaxAlignment});
    } else if (pool_ == nullptr || chunk.bytes != kChunkBytes ||
               !pool_->Give({chunk.memory, chunk.large_pages})) {
      UnmapMemory(chunk.memory, chunk.bytes);
    }
  }
}

char* Arena::AllocateSlow(size_t bytes, size_t alignment) {
  SEERDB_ASSERT(alignment <= kMaxAlignment && (alignment & (alignment - 1)) == 0);
  if (bytes > kBigBytes) {
    const Chunk chunk = NewChunk(bytes);
    AddUsed(bytes);
    return static_cast<char*>(chunk.memory);
  }
  const Chunk chunk = NewChunk(std::max(next_chunk_bytes_, RoundUp(bytes, kSystemPageBytes)));
  next_chunk_bytes_ = std::min(kChunkBytes, next_chunk_bytes_ * 2);
  next_ = reinterpret_cast<uintptr_t>(chunk.memory);
  end_ = next_ + chunk.bytes;
  AddUsed(bytes);
  next_ += bytes;
  return static_cast<char*>(chunk.memory);
}

Arena::Chunk Arena::NewChunk(size_t bytes) {
  Chunk chunk{nullptr, RoundUp(bytes, kSystemPageBytes), true};
  SEERDB_ASSERT(chunk.bytes >= bytes);
  if (pool_ != nullptr) {
    if (chunk.bytes == kChunkBytes) {
      const ChunkPool::Chunk pooled = pool_->Take();
      chunk.memory = pooled.memory;
      chunk.large_pages = pooled.memory != nullptr ? pooled.large_pages : pool_->PrefersLargePages();
    }
    if (chunk.bytes == kSpareNoticeBytes) pool_->Expect();
  }
  if (chunk.memory == nullptr && chunk.bytes >= kChunkBytes) {
    chunk.memory = MapMemory(chunk.bytes, chunk.large_pages);
  }
  if (chunk.memory == nullptr) {
    chunk.mapped = false;
    chunk.memory = ::operator new (chunk.bytes, std::align_val_t{kMaxAlignment}, std::nothrow);
    SEERDB_ASSERT(chunk.memory != nullptr);
  }
  chunks_.push_back(chunk);
  bytes_reserved_.store(bytes_reserved_.load(std::memory_order_relaxed) + chunk.bytes,
                        std::memory_order_relaxed);
  charge_.Add(chunk.bytes);
  return chunk;
}

uint64_t Arena::CapacityOf(uint64_t reserved_bytes) {
  uint64_t sum = 0;
  for (uint64_t chunk = kFirstChunkBytes; sum + chunk <= reserved_bytes;) {
    sum += chunk;
    if (chunk == kChunkBytes) return sum + (reserved_bytes - sum) / kChunkBytes * kChunkBytes;
    chunk *= 2;
  }
  return sum;
}

}  // namespace seerdb
