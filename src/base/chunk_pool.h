// ChunkPool: keeps the memory of arenas that are gone for those to come.
//
// A writer that fills one memtable after another would have the kernel take back and zero the same memory
// again and again, on its own thread. What nobody has needed for kPatience calls of Trim is given back: with
// one call a second that outlasts a memtable and its flush, whose chunks come and go in one lump.
// Thread safety: all methods concurrently. mu_ is a leaf lock.
#pragma once

#include <cstddef>
#include <memory>
#include <vector>

#include "base/memory_account.h"
#include "base/mutex.h"

namespace seerdb {

class ChunkPool {
 public:
  static constexpr int kPatience = 16;

  // Keeps at most `max_chunks`, charged to `account` (may be null) as an active memtable's.
  ChunkPool(size_t max_chunks, std::shared_ptr<MemoryAccount> account);
  ~ChunkPool();
  ChunkPool(const ChunkPool&) = delete;
  ChunkPool& operator=(const ChunkPool&) = delete;

  // A chunk of Arena::kChunkBytes with anything in it; null if there is none.
  void* Take() EXCLUDES(mu_);
  // Takes over a chunk that was mapped. False: there are enough, and it stays the caller's.
  bool Give(void* chunk) EXCLUDES(mu_);
  // Gives back to the system all that it has now.
  void Clear() EXCLUDES(mu_);
  // Each kPatience-th call gives back to the system what was not needed meanwhile.
  void Trim() EXCLUDES(mu_);

 private:
  const size_t max_chunks_;
  Mutex mu_;
  std::vector<void*> chunks_ GUARDED_BY(mu_);
  size_t least_ GUARDED_BY(mu_) = 0;  // kept at any time since something could be given back
  int trims_ GUARDED_BY(mu_) = 0;     // since then
  MemoryCharge charge_ GUARDED_BY(mu_);
};

}  // namespace seerdb
