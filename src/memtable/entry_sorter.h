// EntrySorter: entries in memory that nobody reads before all of them are there, then sorted at once.
//
// What a memtable is for who only writes it to a table: replay. Adding copies the entry and touches nothing
// else; sorting goes by eight bytes of the keys at a time, behind what they share, so that few keys are
// compared. Memory is given back when the sorter is destroyed.
// Thread safety: external synchronization; iterators of a sorted one may run concurrently.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "base/arena.h"
#include "format/internal_key.h"
#include "iter/internal_iterator.h"
#include "iter/range_tombstone_map.h"
#include "memtable/sorted_records.h"
#include "seerdb/slice.h"

namespace seerdb {

class EntrySorter {
 public:
  // `pool`: see Arena. `secret`: see RangeTombstoneMap.
  explicit EntrySorter(std::shared_ptr<ChunkPool> pool = nullptr, uint64_t secret = 0)
      : arena_(nullptr, std::move(pool)), secret_(secret) {}
  EntrySorter(const EntrySorter&) = delete;
  EntrySorter& operator=(const EntrySorter&) = delete;

  // Copies key and value. Requires: Sort was not called; no entry has the same key and sequence.
  void Add(SequenceNumber sequence, ValueType type, Slice key, Slice value);
  // A range tombstone. Requires: begin < end; the sequences of range tombstones ascend.
  void AddRange(SequenceNumber sequence, Slice begin, Slice end);

  // Puts the entries in order. Call once.
  void Sort();
  // Null: no Sort yet. Must not outlive the sorter.
  std::unique_ptr<InternalIterator> NewIterator() const;

  // Null if there is none.
  const RangeTombstoneMap* range_tombstones() const { return ranges_.get(); }
  bool empty() const { return entries_ == 0 && ranges_ == nullptr; }
  // Of the entries themselves.
  uint64_t entry_bytes() const { return entry_bytes_; }
  // The memory that it needs, with what Sort takes.
  uint64_t bytes() const { return sorted_ ? arena_.bytes_used() : arena_.bytes_used() + BytesToSort(); }

 private:
  // Records that lie next to one another.
  struct Stretch {
    const char* begin;
    const char* end;
  };

  // Of many entries whole chunks, which the arena has the kernel back by huge pages.
  uint64_t BytesToSort() const {
    constexpr uint64_t kManyBytes = 4 * Arena::kChunkBytes;
    const uint64_t bytes = 2 * entries_ * sizeof(SortItem);
    return bytes < kManyBytes ? bytes : (bytes + Arena::kChunkBytes - 1) & ~(Arena::kChunkBytes - 1);
  }

  Arena arena_;
  const uint64_t secret_;
  std::unique_ptr<RangeTombstoneMap> ranges_;
  std::vector<Stretch> stretches_;
  uint64_t entries_ = 0;
  uint64_t entry_bytes_ = 0;
  Slice shared_;  // what all keys begin with
  SortItem* items_ = nullptr;
  bool sorted_ = false;
};

}  // namespace seerdb
