// EntrySorter: entries in memory that nobody reads before all of them are there, sorted as they are read.
//
// What a memtable is for who only writes it to a table: replay. Adding copies the entry and touches nothing
// else. Many entries are copied to places of their own for each part of the order of keys, and a part is
// sorted when an iterator comes to it, so that what is sorted and read lies in as much memory as a cache
// holds; where parts begin is taken from the first entries. Sorting goes by eight bytes of the keys at a
// time, behind what they share, so that few keys are compared. Memory is given back when the sorter is
// destroyed. Thread safety: external synchronization; iterators of a sealed one may run concurrently.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "base/arena.h"
#include "format/internal_key.h"
#include "iter/internal_iterator.h"
#include "iter/range_tombstone_map.h"
#include "memtable/key_splitters.h"
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

  // Copies key and value. Requires: no entry has the same key and sequence; there is no iterator yet.
  void Add(SequenceNumber sequence, ValueType type, Slice key, Slice value);
  // A range tombstone. Requires: begin < end; the sequences of range tombstones ascend.
  void AddRange(SequenceNumber sequence, Slice begin, Slice end);

  // Each sorts a part at a time, in memory of its own. Must not outlive the sorter.
  std::unique_ptr<InternalIterator> NewIterator() const;

  // Null if there is none.
  const RangeTombstoneMap* range_tombstones() const { return ranges_.get(); }
  bool empty() const { return entries_ == 0 && ranges_ == nullptr; }
  // Of the entries themselves.
  uint64_t entry_bytes() const { return entry_bytes_; }
  // The memory that it needs, with that of one iterator.
  uint64_t bytes() const { return arena_.bytes_used() + 2 * largest_part_ * sizeof(SortItem); }

 private:
  class SortedIterator;
  // So many entries are the sample.
  static constexpr uint64_t kSampleEntries = 16'384;
  // A part of a gibibyte is 4 MiB, and one of a memtable of the usual size a quarter of one.
  static constexpr size_t kParts = 256;
  // What a part takes from the arena at a time: about as much as it has, within these.
  static constexpr size_t kLeastPieceBytes = 1024;
  static constexpr size_t kMostPieceBytes = 16 * 1024;

  // Records that lie next to one another.
  struct Stretch {
    const char* begin;
    const char* end;
  };
  // The entries of one part of the order of keys.
  struct Part {
    std::vector<Stretch> stretches;
    char* next = nullptr;  // free part of the last one
    char* end = nullptr;
    size_t piece_bytes = kLeastPieceBytes;  // the next one
    std::vector<const Record*> sample;      // those that lie in the sample's stretches
    uint64_t entries = 0;
  };

  char* AllocateIn(Part* part, size_t bytes);
  // Calls visit(record) for each of a part, but for its sample.
  template <typename Visit>
  static void VisitRecords(const Part& part, const Visit& visit);
  void Split();

  Arena arena_;
  const uint64_t secret_;
  std::unique_ptr<RangeTombstoneMap> ranges_;
  KeySplitters splitters_;
  std::vector<Part> parts_ = std::vector<Part>(1);
  Part sample_;
  uint64_t entries_ = 0;  // of all parts
  uint64_t entry_bytes_ = 0;
  Slice shared_;               // what all keys begin with
  uint64_t largest_part_ = 0;  // entries
};

}  // namespace seerdb
