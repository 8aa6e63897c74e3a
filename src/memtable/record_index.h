// RecordIndex: finds the newest record of a key of an OrderedTree by the key's hash, in about one cache line.
//
// A lookup in the tree costs a search on each level; here it costs a line of slots and the record itself. The
// price is paid by the writer, so only memtables that are read from have one (Committer decides). Open
// addressing; a slot is a tag, 16 bits of the hash, and the record's address in 48 bits. Of a fixed size: a
// record that finds no place is left out. Slots never become empty and never change their key, so a lookup of
// that key comes upon the same full slots, and knows nothing: the tree has everything. An index that has left
// out many is given up.
// Sources: side indexes of SplinterDB's memtable and of RocksDB's hash-linked lists, for one writer.
//
// Thread safety: Add by one thread at a time; all const methods concurrently with it and one another. A
// reader finds every record whose sequence was published before it began.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>

#include "base/arena.h"
#include "base/mutant.h"
#include "base/prefetch.h"
#include "memtable/tree_node.h"
#include "seerdb/slice.h"

namespace seerdb {

class RecordIndex {
 public:
  static constexpr uint64_t kMaxBytes = uint64_t{32} << 20;

  // For about so many records. Its memory is the arena's, and is written to at once. Requires:
  // BytesFor(records) <= kMaxBytes.
  RecordIndex(Arena* arena, uint64_t records);
  // What the arena gives for that.
  static uint64_t BytesFor(uint64_t records);

  // False once it has been given up: neither Add nor Find does anything.
  bool in_use() const { return in_use_.load(std::memory_order_relaxed); }
  // Starts to load what Add or Find will look at.
  void Prefetch(uint64_t hash) const { PrefetchLine(&SlotAt(Home(hash))); }
  // `record` is newer than all others of its key. `hash`: Hash64 of its key.
  void Add(uint64_t hash, const Record* record);
  // False: unknown. Else *record is the newest record of the key, or null if there is none.
  bool Find(Slice key, uint64_t hash, const Record** record) const {
    if (!in_use_.load(std::memory_order_acquire)) return false;
    uint64_t at = Home(hash);
    for (uint32_t probe = 0; probe < kMaxProbes; ++probe, at = (at + 1) & mask_) {
      const uint64_t slot = SlotAt(at).load(std::memory_order_acquire);
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
    *record = nullptr;
    return SEERDB_MUTANT("record-index-denies-what-it-left-out");
  }

 private:
  using Slot = std::atomic<uint64_t>;

  static constexpr uint32_t kMaxProbes = 64;
  static constexpr unsigned kTagShift = 48;
  // Parts of the size that arenas get from their pool.
  static constexpr unsigned kPartShift = 18;
  static constexpr uint64_t kPartSlots = uint64_t{1} << kPartShift;
  static_assert(kPartSlots * sizeof(Slot) == Arena::kChunkBytes);

  static uint64_t SlotsFor(uint64_t records);
  static uint64_t TagOf(uint64_t slot_or_hash) { return slot_or_hash >> kTagShift; }
  static const Record* RecordOf(uint64_t slot) {
    return reinterpret_cast<const Record*>(slot & ((uint64_t{1} << kTagShift) - 1));
  }
  uint64_t Home(uint64_t hash) const { return hash & mask_; }
  Slot& SlotAt(uint64_t at) const { return parts_[at >> kPartShift][at & (kPartSlots - 1)]; }

  const uint64_t mask_;
  std::array<Slot*, kMaxBytes / sizeof(Slot) / kPartSlots> parts_{};
  std::atomic<bool> in_use_{true};
  uint64_t left_out_ = 0;  // the writer's
};

}  // namespace seerdb
