// BlockMemory: memory for cached blocks, in slots of many sizes, cut from huge pages.
//
// Blocks come and go by the thousand in a second, of a few sizes. From the heap each would have a page or
// two that nothing has touched yet, and where memory is touched first a hypervisor takes longer than a
// device needs for the block. So memory is taken from the system in regions of one huge page, and cut into
// spans, and a span into slots of one size (as in jemalloc and tcmalloc); a slot that is given back is the
// next one to be handed out. A span whose slots are all free serves any size, and a region whose spans are
// all free goes back to the system, but for one that is kept.
// Thread safety: all methods concurrently. mu_ is a leaf lock.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

#include "base/mutex.h"
#include "seerdb/slice.h"

namespace seerdb {

class BlockMemory {
 public:
  // What is smaller or larger comes from the heap.
  static constexpr size_t kLeastSlotBytes = 512;
  static constexpr size_t kMostSlotBytes = size_t{32} << 10;
  static constexpr size_t kSpanBytes = size_t{128} << 10;

  // While more than `most_idle_bytes` are idle, spans that become free go back to the system one by one.
  explicit BlockMemory(uint64_t most_idle_bytes = UINT64_MAX) : most_idle_bytes_(most_idle_bytes) {}
  // Requires: all slots were given back.
  ~BlockMemory();
  BlockMemory(const BlockMemory&) = delete;
  BlockMemory& operator=(const BlockMemory&) = delete;

  struct Span;
  struct Slot {
    char* data = nullptr;
    size_t bytes = 0;      // a tenth more than was asked for, and a third above 8 KiB, at most
    Span* span = nullptr;  // null: of the heap
  };
  // A slot for so many bytes, with anything in it. Running out of memory ends the process.
  Slot Take(size_t bytes) EXCLUDES(mu_);
  void Give(const Slot& slot) EXCLUDES(mu_);
  static Slot TakeFromHeap(size_t bytes);
  static void GiveToHeap(const Slot& slot);

  // Taken from the system and not given back, and in no slot that is handed out.
  uint64_t idle_bytes() const { return idle_bytes_.load(std::memory_order_relaxed); }

 private:
  struct Region;
  static constexpr size_t kStepsADoubling = 16;
  static constexpr size_t kSizes = 6 * kStepsADoubling + 1;  // kLeastSlotBytes, and six doublings

  static size_t SizeIndex(size_t bytes);
  static size_t SlotBytes(size_t size_index);
  // False: a region is needed.
  bool TryTake(size_t size_index, Slot* slot) EXCLUDES(mu_);
  // A span with free slots of that size; null if no region has one.
  Span* SpanFor(size_t size_index) REQUIRES(mu_);
  // False: the system has no memory.
  bool AddRegion() EXCLUDES(mu_);
  // Makes a span without slots in use free for any size. The region, to be given back, or null.
  Region* FreeSpan(Span* span) REQUIRES(mu_);
  static void Unmap(Region* region);

  const uint64_t most_idle_bytes_;
  Mutex mu_;
  // Of each size, the spans that have slots free and slots in use.
  std::array<std::vector<Span*>, kSizes> roomy_spans_ GUARDED_BY(mu_);
  // Those that have spans free; the others are known to their slots alone.
  std::vector<Region*> roomy_regions_ GUARDED_BY(mu_);
  size_t empty_regions_ GUARDED_BY(mu_) = 0;
  std::atomic<uint64_t> idle_bytes_{0};
};

// The bytes of one block, in a slot or on the heap. Movable; what was moved from can be destroyed.
// Thread safety: external synchronization.
class BlockBuffer {
 public:
  // `memory` null: the heap.
  explicit BlockBuffer(std::shared_ptr<BlockMemory> memory = nullptr) : memory_(std::move(memory)) {}
  ~BlockBuffer() { Release(); }
  BlockBuffer(BlockBuffer&& other) noexcept;
  BlockBuffer& operator=(BlockBuffer&& other) noexcept;

  // Room for `bytes` with anything in it; what it held is gone.
  char* Resize(size_t bytes);
  // Keeps the first `bytes`. Requires: there are as many.
  void Truncate(size_t bytes) { SetSize(bytes); }

  Slice bytes() const { return Slice(slot_.data, size_); }
  // Of memory.
  size_t held_bytes() const { return slot_.bytes; }

 private:
  void Release();
  void SetSize(size_t bytes);

  std::shared_ptr<BlockMemory> memory_;
  BlockMemory::Slot slot_;
  size_t size_ = 0;
};

}  // namespace seerdb
