// ChunkPool: keeps the memory of arenas that are gone for those to come, and spares for those that grow.
//
// A writer that fills one memtable after another would have the kernel take back and zero the same memory
// again and again, on its own thread; and the first time as well, which on a virtual machine takes a
// millisecond and more for each chunk. So whoever adds to arenas passes requests for spares on to another
// thread. What nobody has needed for kPatience calls of Trim is given back: with
// one call a second that outlasts a memtable and its flush, whose chunks come and go in one lump.
// Thread safety: all methods concurrently. mu_ is a leaf lock.
#pragma once

#include <atomic>
#include <cstddef>
#include <memory>
#include <vector>

#include "base/memory_account.h"
#include "base/mutex.h"

namespace seerdb {

class ChunkPool {
 public:
  static constexpr int kPatience = 16;
  static constexpr size_t kSpares = 4;

  // Keeps at most `max_chunks`, charged to `account` (may be null) as an active memtable's.
  ChunkPool(size_t max_chunks, std::shared_ptr<MemoryAccount> account);
  ~ChunkPool();
  ChunkPool(const ChunkPool&) = delete;
  ChunkPool& operator=(const ChunkPool&) = delete;

  // Chunks will be taken soon. Asks for spares unless there are enough.
  void Expect() EXCLUDES(mu_);
  // True once for each time that spares have become few: time to call PrepareSpares on some other thread.
  bool TakeSpareRequest() {
    return spares_wanted_.load(std::memory_order_relaxed) && spares_wanted_.exchange(false);
  }
  // Takes chunks from the system until there are kSpares, or as many as the pool keeps.
  void PrepareSpares() EXCLUDES(mu_);

  // A chunk of Arena::kChunkBytes with anything in it; null if there is none. Asks for spares when few are
  // left.
  void* Take() EXCLUDES(mu_);
  // Takes over a chunk that was mapped. False: there are enough, and it stays the caller's.
  bool Give(void* chunk) EXCLUDES(mu_);
  // Gives back to the system all that it has now.
  void Clear() EXCLUDES(mu_);
  // Each kPatience-th call gives back to the system what was not needed meanwhile.
  void Trim() EXCLUDES(mu_);

 private:
  bool LacksSparesLocked() const REQUIRES(mu_);
  void ExpectLocked() REQUIRES(mu_);

  const size_t max_chunks_;
  std::atomic<bool> spares_wanted_{false};
  Mutex mu_;
  std::vector<void*> chunks_ GUARDED_BY(mu_);
  size_t least_ GUARDED_BY(mu_) = 0;  // kept at any time since something could be given back
  int trims_ GUARDED_BY(mu_) = 0;     // since then
  MemoryCharge charge_ GUARDED_BY(mu_);
};

}  // namespace seerdb
