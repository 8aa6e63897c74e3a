// MemTable: the newest entries, in memory, ordered; one writer, many readers without locks.
//
// The writer role belongs to the leader of the commit group (docs/concurrency.md). An entry added with
// sequence s may be read once the caller has published a visible sequence >= s with release order and the
// reader has loaded it with acquire order. Entries are added in increasing order of sequence. Nothing is
// ever removed; memory is given back when the memtable is destroyed.
// Thread safety: Add by one thread at a time; all const methods concurrently with it and one another.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>

#include "format/internal_key.h"
#include "format/lookup.h"
#include "iter/internal_iterator.h"
#include "iter/range_tombstone_map.h"
#include "memtable/ordered_tree.h"
#include "memtable/record_index.h"
#include "seerdb/slice.h"

namespace seerdb {

class MemTable {
 public:
  // Its memory is charged to `account`, as an active memtable's until SetClass, and comes from `pool`. Both
  // may be null. `secret`: see RangeTombstoneMap.
  // `indexed`: about how many records a RecordIndex shall be able to find, see there; 0: none.
  explicit MemTable(std::shared_ptr<MemoryAccount> account = nullptr,
                    std::shared_ptr<ChunkPool> pool = nullptr, uint64_t secret = 0, uint64_t indexed = 0);

  // Cannot fail: running out of memory ends the process, as everywhere.
  void Add(SequenceNumber sequence, ValueType type, Slice key, Slice value);
  // A range tombstone. Requires: begin < end.
  void AddRange(SequenceNumber sequence, Slice begin, Slice end);

  // The newest version of lookup.key with sequence <= lookup.sequence, or kAbsent. `owner` stays null:
  // the value lives as long as this memtable. Range tombstones are not looked at.
  // Requires, if wants_hash(): lookup.hash is set.
  void Get(const LookupKey& lookup, Lookup* result) const;
  bool wants_hash() const { return index_.has_value() && index_->in_use(); }

  // Sees at least the entries published before it is positioned, and possibly newer ones: filter by
  // sequence. Must not outlive the memtable.
  std::unique_ptr<InternalIterator> NewIterator() const;

  // The range tombstones added so far; null if there is none. Has at least those published.
  const RangeTombstoneMap* range_tombstones() const { return ranges_.load(std::memory_order_acquire); }

  // How many point entries have keys in [begin, end), counted up to `most`: what it costs.
  uint64_t CountBetween(Slice begin, Slice end, uint64_t most) const;

  // Memory in use by entries and nodes: what a capacity is compared with. Readable at any time.
  uint64_t bytes() const;
  // Memory taken from the system for it, used or not: at least bytes(). Readable at any time.
  uint64_t memory_bytes() const;
  // What it would take from the system to add entries of about `bytes`. For the thread that adds.
  uint64_t BytesToReserve(uint64_t bytes) const { return tree_.BytesToReserve(bytes); }
  // What the memory counts as from now on. Not beside Add or itself.
  void SetClass(MemoryClass what) { tree_.charge().MoveTo(what); }
  // Range tombstones are entries, too.
  uint64_t entries() const { return entries_.load(std::memory_order_relaxed); }
  uint64_t tombstones() const { return tombstones_.load(std::memory_order_relaxed); }
  // Sequences of the first and last entry; 0 when empty.
  SequenceNumber first_sequence() const { return first_sequence_.load(std::memory_order_relaxed); }
  SequenceNumber last_sequence() const { return last_sequence_.load(std::memory_order_relaxed); }
  bool empty() const { return entries() == 0; }

 private:
  void Count(SequenceNumber sequence);
  // The newest record of lookup.key that the lookup may see; null: none.
  const Record* Find(const LookupKey& lookup) const;

  OrderedTree tree_;
  std::optional<RecordIndex> index_;
  const uint64_t secret_;
  std::unique_ptr<RangeTombstoneMap> owned_ranges_;  // the writer's; made for the first one
  std::atomic<const RangeTombstoneMap*> ranges_{nullptr};
  std::atomic<uint64_t> entries_{0};
  std::atomic<uint64_t> tombstones_{0};
  std::atomic<SequenceNumber> first_sequence_{0};
  std::atomic<SequenceNumber> last_sequence_{0};
};

}  // namespace seerdb
