// RecordIndex: finds the newest record of a key of an OrderedTree by the key's hash, in about one cache line.
//
// A lookup in the tree costs a search on each level; here it costs a line of slots and the record itself. The
// price is paid by the writer, so only memtables that are read from have one (Committer decides). Open
// addressing; a slot is a tag, 16 bits of the hash, and the record's address in 48 bits. Of a fixed size:
// when a record finds no place, the index is useless from then on and says so; the tree has everything.
// Sources: side indexes of SplinterDB's memtable and of RocksDB's hash-linked lists, for one writer.
//
// Thread safety: Add by one thread at a time; Find concurrently with it and itself. A reader finds every
// record whose sequence was published before it began.
#pragma once

#include <atomic>
#include <cstdint>

#include "base/arena.h"
#include "memtable/tree_node.h"
#include "seerdb/slice.h"

namespace seerdb {

class RecordIndex {
 public:
  // For about so many records; its memory is the arena's.
  RecordIndex(Arena* arena, uint64_t records);
  // What the arena gives for that.
  static uint64_t BytesFor(uint64_t records);

  // Starts to load what Add or Find will look at.
  void Prefetch(uint64_t hash) const { __builtin_prefetch(&slots_[Home(hash)]); }
  // `record` is newer than all others of its key. `hash`: Hash64 of its key.
  void Add(uint64_t hash, const Record* record);
  // False: unknown. Else *record is the newest record of the key, or null if there is none.
  bool Find(Slice key, uint64_t hash, const Record** record) const {
    if (useless_.load(std::memory_order_acquire)) return false;
    uint64_t at = Home(hash);
    for (uint32_t probe = 0; probe < kMaxProbes; ++probe, at = (at + 1) & mask_) {
      const uint64_t slot = slots_[at].load(std::memory_order_acquire);
      if (slot == 0) {
        *record = nullptr;
        return true;
      }
      if (TagOf(slot) != TagOf(hash)) continue;
      const Record* const found = RecordOf(slot);
      PrefetchRecord(found);
      if (!SameBytes(found->key(), key)) continue;
      *record = found;
      return true;
    }
    return false;
  }

 private:
  // Half of the slots stay empty: a longer way means that the hash has failed, or more records came than
  // were announced.
  static constexpr uint32_t kMaxProbes = 64;
  static constexpr unsigned kTagShift = 48;

  static uint64_t SlotsFor(uint64_t records);
  static uint64_t TagOf(uint64_t slot_or_hash) { return slot_or_hash >> kTagShift; }
  static const Record* RecordOf(uint64_t slot) {
    return reinterpret_cast<const Record*>(slot & ((uint64_t{1} << kTagShift) - 1));
  }
  uint64_t Home(uint64_t hash) const { return hash & mask_; }

  const uint64_t mask_;
  std::atomic<uint64_t>* const slots_;
  std::atomic<bool> useless_{false};
};

}  // namespace seerdb
