// ChunkPool: keeps the memory of arenas that are gone for those to come, and spares for those that grow.
//
// A writer that fills one memtable after another would have the kernel take back and zero the same memory
// again and again, on its own thread; and the first time as well, which on a virtual machine takes a
// millisecond and more for each chunk. So whoever adds to arenas passes requests for spares on to another
// thread. What nobody has needed for kPatience calls of Trim is given back: with
// one call a second that outlasts a memtable and its flush, whose chunks come and go in one lump.
// Chunks are large pages, and small ones while those are dear (LargePageGauge); small ones are replaced
// later, in the background.
//
// Thread safety: all methods concurrently. mu_ is a leaf lock.
#pragma once

#include <atomic>
#include <cstddef>
#include <memory>
#include <vector>

#include "base/large_page_gauge.h"
#include "base/memory_account.h"
#include "base/mutex.h"

namespace seerdb {

class ChunkPool {
 public:
  static constexpr int kPatience = 16;
  static constexpr size_t kSpares = 4;

  // Arena::kChunkBytes that were mapped.
  struct Chunk {
    void* memory = nullptr;
    bool large_pages = true;
  };

  // Keeps at most `max_chunks`, charged to `account` (may be null) as an active memtable's. By default all
  // are large.
  ChunkPool(size_t max_chunks, std::shared_ptr<MemoryAccount> account,
            std::shared_ptr<LargePageGauge> gauge = std::make_shared<LargePageGauge>(nullptr));
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

  // A chunk with anything in it; its memory is null if there is none. Asks for spares when few are left.
  Chunk Take() EXCLUDES(mu_);
  // Takes over a chunk. False: there are enough, and it stays the caller's.
  bool Give(Chunk chunk) EXCLUDES(mu_);
  // Of a chunk that is mapped because there is none here.
  bool PrefersLargePages() const { return gauge_->PrefersLarge(); }
  // Gives back to the system all that it has now.
  void Clear() EXCLUDES(mu_);
  // Each kPatience-th call gives back to the system what was not needed meanwhile. True if chunks are
  // needed, and some have small pages: time to call Renew on some other thread.
  bool Trim() EXCLUDES(mu_);
  // Puts chunks of large pages in the place of small ones, a few at a time, while those are cheap, and tries
  // one now and then. May take milliseconds.
  void Renew() EXCLUDES(mu_);

 private:
  // A chunk whose pages are there; its memory is null if the system refuses.
  static Chunk MapFilled(LargePageGauge::Fill* fill);
  // False: there was none, or it was not time.
  bool RenewOne() EXCLUDES(mu_);
  // Of small pages, the one that is taken first, or null.
  Chunk* FindSmallLocked() REQUIRES(mu_);
  bool LacksSparesLocked() const REQUIRES(mu_);
  void ExpectLocked() REQUIRES(mu_);

  const size_t max_chunks_;
  const std::shared_ptr<LargePageGauge> gauge_;
  std::atomic<bool> spares_wanted_{false};
  Mutex mu_;
  std::vector<Chunk> chunks_ GUARDED_BY(mu_);
  size_t least_ GUARDED_BY(mu_) = 0;  // kept at any time since something could be given back
  int trims_ GUARDED_BY(mu_) = 0;     // since then
  MemoryCharge charge_ GUARDED_BY(mu_);
};

}  // namespace seerdb
