// AlexLeaf: a leaf of an AlexTree: a gapped array of keys and payloads, and the line that predicts slots.
//
// A bitmap says which slots are occupied; the keys of all slots ascend. A gap holds a key that is greater
// than that of the occupied slot before it and not greater than that of the one behind it: so of the slots
// whose key is at most k the last one is occupied by k, or k is absent; a search compares keys alone. An
// erased key stays behind in its gap. Source: J. Ding et al. (SIGMOD 2020). Thread safety: external
// synchronization; const methods may be called concurrently.
#pragma once

#include <bit>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "learned/alex_fit.h"
#include "learned/alex_node.h"

namespace seerdb {

class AlexLeaf : public AlexNode {
 public:
  static constexpr uint32_t kNoSlot = UINT32_MAX;
  enum class Outcome { kInserted, kPresent, kFull };
  struct Insertion {
    Outcome outcome;
    uint32_t slot;  // of the key, but if full
  };

  AlexLeaf() : AlexNode(true) {}

  uint32_t count() const { return count_; }
  uint32_t capacity() const { return capacity_; }
  AlexLeaf* prev() const { return prev_; }
  AlexLeaf* next() const { return next_; }
  const AlexFit& fit() const { return fit_; }
  uint64_t slots_moved() const { return slots_moved_; }
  size_t memory_bytes() const;

  // Replaces what is in it. Counts begin anew. Requires: keys strictly ascend; entries.size() < capacity.
  void Build(std::span<const AlexEntry> entries, uint32_t capacity, const AlexFit& fit);
  void Build(std::span<const AlexEntry> entries);
  void AppendEntriesTo(std::vector<AlexEntry>* out) const;

  // kNoSlot if it is absent.
  uint32_t Find(uint64_t key) const {
    const uint32_t slot = UpperBound(key, fit_.line.Predict(key, capacity_)) - 1;
    return slot < capacity_ && slots_[slot].key == key && IsOccupied(slot) ? slot : kNoSlot;
  }
  // The occupied slot of the first key that is not less, or capacity().
  uint32_t LowerBound(uint64_t key) const;
  // The first occupied slot from `slot` on, or capacity().
  uint32_t NextOccupied(uint32_t slot) const;
  // Require: count() > 0.
  uint64_t First() const { return slots_[NextOccupied(0)].key; }
  uint64_t Last() const { return slots_[PrevOccupied(capacity_)].key; }
  // Requires: the slot is occupied.
  const AlexEntry& At(uint32_t slot) const { return slots_[slot]; }
  void SetPayload(uint32_t slot, uint64_t payload) { slots_[slot].payload = payload; }

  // Full: MakeRoom, or split it, first. A leaf holds at most `max_keys`.
  Insertion Insert(uint64_t key, uint64_t payload, uint32_t max_keys);
  // False if it is absent.
  bool Erase(uint64_t key);

  // More slots, with the line as it is but for its scale. A leaf whose keys come in order, mostly, gets them
  // where they come. Spends time in proportion to its capacity.
  void MakeRoom();
  // What inserts have cost since it was built is far from what was expected.
  bool Deviates() const;
  // The same, and so far that it must be built anew, or split, before it is full.
  bool IsOverworked() const { return slots_moved_ > capacity_ + kMovesAnInsert * uint64_t{inserts_}; }
  bool IsSparse() const { return capacity_ > kSparseCapacity && count_ < capacity_ / 4; }

  // Puts it into the chain behind `prev`, or at the front, before `next`.
  void Link(AlexLeaf* prev, AlexLeaf* next);
  void Unlink();

  // What is broken of the invariants above, or "".
  const char* Broken() const;

 private:
  static constexpr uint32_t kSparseCapacity = 16;
  static constexpr uint32_t kMovesAnInsert = 32;

  bool IsOccupied(uint32_t slot) const { return (bitmap_[slot / 64] >> (slot % 64) & 1) != 0; }
  void SetOccupied(uint32_t slot) { bitmap_[slot / 64] |= uint64_t{1} << (slot % 64); }
  // The first slot whose key is greater, or capacity(). Starts at `hint`, and ends in as many steps as the
  // logarithm of the distance. Requires: hint < capacity().
  uint32_t UpperBound(uint64_t key, uint32_t hint) const;
  // The last occupied slot before `slot`, or kNoSlot.
  uint32_t PrevOccupied(uint32_t slot) const;
  // The gaps that are nearest to `slot`: not before it, or capacity(); before it, or kNoSlot.
  uint32_t NextGap(uint32_t slot) const;
  uint32_t PrevGap(uint32_t slot) const;
  // A slot for the key, whose upper bound is `bound`: one of the gaps around it, or one made by a shift.
  uint32_t TakeGap(uint64_t key, uint32_t bound, uint32_t hint);
  uint32_t MakeGap(uint32_t bound);
  // Whether most inserts were of keys above all others, or below.
  bool Appends() const { return inserts_ > 0 && appends_ >= inserts_ - inserts_ / 4 && high_ != UINT64_MAX; }
  bool Prepends() const { return inserts_ > 0 && prepends_ >= inserts_ - inserts_ / 4; }
  // More slots at an end.
  void Extend(uint32_t before, uint32_t behind);
  void Allocate(uint32_t capacity);
  void ForgetCounts();

  // What a search reads stands first.
  std::unique_ptr<AlexEntry[]> slots_;
  std::unique_ptr<uint64_t[]> bitmap_;
  uint32_t capacity_ = 0;
  uint32_t count_ = 0;
  AlexFit fit_;
  AlexLeaf* prev_ = nullptr;
  AlexLeaf* next_ = nullptr;
  uint64_t low_ = UINT64_MAX;  // the keys it has had since it was built lie in [low_, high_]
  uint64_t high_ = 0;
  // Since it was built.
  uint64_t iterations_ = 0;
  uint64_t slots_moved_ = 0;
  uint32_t inserts_ = 0;
  uint32_t appends_ = 0;
  uint32_t prepends_ = 0;
};

}  // namespace seerdb
