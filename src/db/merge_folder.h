// MergeFolder: keeps the operands that stand behind one another in a memtable few, so that reading a key that
// is merged into all the time stays cheap.
//
// Of the keys merged into lately it counts operands. When a key has some, and they are worth a copy of its
// value, the next merge is stored as the value that it leads to. What the log holds is the operand all the
// same. A fold that cannot be had, for whatever cause, leaves the operand as it is.
// Source of the idea: RocksDB's max_successive_merges, there for each write beyond it.
// Thread safety: the leader of the commit group alone.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "db/keyspaces.h"
#include "db/read_view.h"
#include "iter/merge_chain.h"
#include "seerdb/clock.h"

namespace seerdb {

// Adds one version, with its value if that lies apart. Whether the chain wants older ones.
Result<bool> AddVersion(const ReadView& view, uint64_t trailer, Slice payload, MergeChain* chain);
// Adds to `chain` the versions of lookup->key with sequences up to lookup->sequence, newest first, until it
// wants no more or there are no more. Changes lookup->sequence. Requires: the chain wants older versions.
Status CollectOlder(const ReadView& view, const TableReadFlags& flags, LookupKey* lookup, MergeChain* chain);

class MergeFolder {
 public:
  // Borrows all. No value of more than `max_value_bytes` is made.
  MergeFolder(const Keyspaces* keyspaces, ReadViewHolder* views, Clock* clock, uint64_t max_value_bytes)
      : keyspaces_(keyspaces), views_(views), clock_(clock), max_value_bytes_(max_value_bytes) {}

  // Counts a merge of `operand_bytes` into the key. True if it should be folded.
  bool Count(Slice engine_key, uint64_t operand_bytes);
  // After Count was true: the entry to be stored in its place; nullopt if there is none, and then the next
  // try comes after twice as many. Reads the key.
  std::optional<MergeChain::Entry> Fold(Slice engine_key, SequenceNumber sequence, ValueType type,
                                        Slice payload);

 private:
  struct Slot {
    uint64_t hash = 0;
    uint64_t operand_bytes = 0;  // since the last fold
    uint64_t value_bytes = 0;    // of that fold
    uint32_t operands = 0;
    uint32_t folds = 0;  // lately, in a way: what keeps the slot for its key
    uint32_t due = 0;    // operands before the next try; more after each that failed
  };
  std::optional<MergeChain::Entry> TryFold(Slice engine_key, SequenceNumber sequence, ValueType type,
                                           Slice payload) const;
  // That of the key; which may take the place of another one's.
  Slot* SlotOf(Slice engine_key);

  const Keyspaces* const keyspaces_;
  ReadViewHolder* const views_;
  Clock* const clock_;
  const uint64_t max_value_bytes_;
  std::vector<Slot> slots_;  // sets of a few, by hash. Made at the first merge.
};

}  // namespace seerdb
