#include "base/arena.h"

#include <sys/mman.h>

#include <algorithm>
#include <new>

#include "base/assert.h"

namespace seerdb {
namespace {

constexpr size_t kPageBytes = 4096;
// Above this an allocation gets a chunk of its own, so that it never wastes the rest of the current one.
constexpr size_t kBigBytes = Arena::kChunkBytes / 8;

size_t RoundUp(size_t bytes, size_t unit) { return (bytes + unit - 1) / unit * unit; }

// `bytes` of anonymous memory aligned to `alignment`; null if the system refuses.
void* MapAligned(size_t bytes, size_t alignment) {
  const size_t mapped_bytes = bytes + alignment - kPageBytes;
  void* mapped = mmap(nullptr, mapped_bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (mapped == MAP_FAILED) return nullptr;
  const uintptr_t begin = reinterpret_cast<uintptr_t>(mapped);
  const uintptr_t aligned = RoundUp(begin, alignment);
  if (aligned > begin) munmap(mapped, aligned - begin);
  const uintptr_t tail = begin + mapped_bytes - (aligned + bytes);
  if (tail > 0) munmap(reinterpret_cast<void*>(aligned + bytes), tail);
  return reinterpret_cast<void*>(aligned);
}

}  // namespace

Arena::~Arena() {
  for (const Chunk& chunk : chunks_) {
    if (!chunk.mapped) {
      ::operator delete (chunk.memory, std::align_val_t{kMaxAlignment});
    } else if (pool_ == nullptr || chunk.bytes != kChunkBytes || !pool_->Give(chunk.memory)) {
      munmap(chunk.memory, chunk.bytes);
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
  const Chunk chunk = NewChunk(std::max(next_chunk_bytes_, RoundUp(bytes, kPageBytes)));
  next_chunk_bytes_ = std::min(kChunkBytes, next_chunk_bytes_ * 2);
  next_ = reinterpret_cast<uintptr_t>(chunk.memory);
  end_ = next_ + chunk.bytes;
  AddUsed(bytes);
  next_ += bytes;
  return static_cast<char*>(chunk.memory);
}

Arena::Chunk Arena::NewChunk(size_t bytes) {
  Chunk chunk{nullptr, RoundUp(bytes, kPageBytes), true};
  SEERDB_ASSERT(chunk.bytes >= bytes);
  if (chunk.bytes == kChunkBytes && pool_ != nullptr) chunk.memory = pool_->Take();
  if (chunk.memory == nullptr && chunk.bytes >= kChunkBytes) {
    const bool huge = chunk.bytes % kChunkBytes == 0;
    chunk.memory = MapAligned(chunk.bytes, huge ? kChunkBytes : kPageBytes);
    if (chunk.memory != nullptr && huge) {
      madvise(chunk.memory, chunk.bytes, MADV_HUGEPAGE);  // only a hint: refusal costs nothing but speed
    }
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
