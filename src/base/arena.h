// Arena: memory handed out piece by piece and given back all at once, when the arena is destroyed.
//
// The first chunks are small and grow, so that a small owner stays small; later chunks are 2 MiB, aligned,
// and offered to the kernel as huge pages. Memory is not zeroed. Running out of memory ends the process.
// Thread safety: Allocate and charge() by one thread at a time; the counters by any thread at any time.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "base/chunk_pool.h"
#include "base/memory_account.h"

namespace seerdb {

class Arena {
 public:
  static constexpr size_t kFirstChunkBytes = 16 * 1024;
  static constexpr size_t kChunkBytes = 2 * 1024 * 1024;
  static constexpr size_t kMaxAlignment = 4096;

  // What it takes from the system is charged to `account`, as an active memtable's; null: to nobody. Large
  // chunks come from `pool` and go back there; null: from and to the system.
  explicit Arena(std::shared_ptr<MemoryAccount> account = nullptr, std::shared_ptr<ChunkPool> pool = nullptr)
      : pool_(std::move(pool)), charge_(std::move(account), MemoryClass::kActiveMemTable) {}
  ~Arena();
  Arena(const Arena&) = delete;
  Arena& operator=(const Arena&) = delete;

  // Requires: bytes > 0; alignment is a power of two, at most kMaxAlignment. Never null; lives as long as the
  // arena.
  char* Allocate(size_t bytes, size_t alignment = 8) {
    const uintptr_t start = (next_ + alignment - 1) & ~(uintptr_t{alignment} - 1);
    if (start + bytes > end_ || start + bytes < start) return AllocateSlow(bytes, alignment);
    AddUsed(start + bytes - next_);
    next_ = start + bytes;
    return reinterpret_cast<char*>(start);
  }

  // Bytes handed out, padding for alignment included.
  uint64_t bytes_used() const { return bytes_used_.load(std::memory_order_relaxed); }
  // Bytes taken from the system.
  uint64_t bytes_reserved() const { return bytes_reserved_.load(std::memory_order_relaxed); }

  // What it would take from the system to hand out so many bytes more.
  uint64_t BytesToReserve(uint64_t bytes) const {
    return bytes <= end_ - next_ ? 0 : std::max<uint64_t>(bytes, next_chunk_bytes_);
  }
  // The most bytes that can be had of a new arena, in pieces much smaller than a chunk, while it reserves at
  // most `reserved_bytes`.
  static uint64_t CapacityOf(uint64_t reserved_bytes);
  MemoryCharge& charge() { return charge_; }

 private:
  struct Chunk {
    void* memory;
    size_t bytes;
    bool mapped;  // by mmap, else by operator new
    bool large_pages = true;
  };

  char* AllocateSlow(size_t bytes, size_t alignment);
  // A chunk of at least `bytes`, aligned to kMaxAlignment or better.
  Chunk NewChunk(size_t bytes);
  // One thread writes, so no read-modify-write is needed.
  void AddUsed(uint64_t bytes) {
    bytes_used_.store(bytes_used_.load(std::memory_order_relaxed) + bytes, std::memory_order_relaxed);
  }

  const std::shared_ptr<ChunkPool> pool_;
  uintptr_t next_ = 0;  // free part of the current chunk
  uintptr_t end_ = 0;
  size_t next_chunk_bytes_ = kFirstChunkBytes;
  std::vector<Chunk> chunks_;
  MemoryCharge charge_;
  std::atomic<uint64_t> bytes_used_{0};
  std::atomic<uint64_t> bytes_reserved_{0};
};

}  // namespace seerdb
