// CommitCheck: what a write wants to be sure of before it is given its place in the order of writes.
//
// Carried by a WriteRequest; asked under leadership of the write queue, by the leader's thread, while the
// writer waits. All keys are engine keys.
#pragma once

#include <cstdint>
#include <functional>

#include "seerdb/slice.h"
#include "seerdb/types.h"

namespace seerdb {

// Hashes of keys, in a few words: may say yes of a key that was not added, never no of one that was.
class KeyFilter {
 public:
  void Add(uint32_t hash) { words_[Word(hash)] |= Bit(hash); }
  bool MayHold(uint32_t hash) const { return (words_[Word(hash)] & Bit(hash)) != 0; }

 private:
  static constexpr uint32_t kWords = 16;
  static uint32_t Word(uint32_t hash) { return (hash >> 6) % kWords; }
  static uint64_t Bit(uint32_t hash) { return uint64_t{1} << (hash % 64); }

  uint64_t words_[kWords] = {};
};

// Of a key, for KeyFilter.
uint32_t FilterHash(Slice key);

// A write that the check was not to find.
struct FoundWrite {
  Slice key;  // or where a range begins
  Slice end;  // of a range
  bool range = false;
  SequenceNumber sequence = 0;
};

class CommitCheck {
 public:
  virtual ~CommitCheck() = default;

  // Nobody may have written what it touches with a sequence above this one.
  virtual SequenceNumber start() const = 0;
  // Of all keys that it touches; null: it touches ranges as well.
  virtual const KeyFilter* filter() const = 0;
  virtual bool Touches(Slice key) const = 0;
  virtual bool TouchesRange(Slice begin, Slice end) const = 0;
  // What it touches, until the function returns false.
  virtual void ForEachKey(const std::function<bool(Slice key)>& function) const = 0;
  virtual void ForEachRange(const std::function<bool(Slice begin, Slice end)>& function) const = 0;
  // Called for each write found. False: it need not know of more.
  virtual bool Found(const FoundWrite& write) = 0;
  // Nothing was found: the write's sequences begin with `base`.
  virtual void Placed(SequenceNumber base) = 0;
};

}  // namespace seerdb
