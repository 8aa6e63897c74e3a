// RangeTombstoneMap: which range tombstone covers a key, asked as of any sequence; one writer, many readers
// without locks.
//
// A tombstone that is added is newer than all before, so it alone counts for the keys of its range from then
// on. The map is a tree over the boundaries at which the answer changes, and each Add makes a new state of it
// that shares all but a path with the one before (a persistent treap). States are kept, so that a read as of
// an old sequence finds the state it needs, through a chain with jumps. All of it, however ranges are nested
// or repeated, is O(log n) a tombstone; nothing is ever fragmented anew, and a read never builds anything.
// Memory: about a kilobyte and the bytes of both keys for each tombstone, from the arena.
// Sources of the ideas: persistent trees by path copying (Driscoll et al. 1989), jump pointers (Myers 1983).
// Thread safety: Add by one thread at a time; all const methods concurrently with it and one another.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>

#include "base/arena.h"
#include "seerdb/slice.h"
#include "seerdb/types.h"

namespace seerdb {

// Keys next to one another for which the answer is the same: begin <= key < end.
struct CoveredStretch {
  SequenceNumber sequence = 0;  // of the newest tombstone that covers them; 0: none does
  Slice begin;
  Slice end;
  bool has_end = false;  // else it goes on for ever
};

class RangeTombstoneMap {
 public:
  // Borrows the arena, which only the writer allocates from. Whoever chooses the keys must not know `secret`:
  // with it keys can be chosen for which the tree is a list.
  explicit RangeTombstoneMap(Arena* arena, uint64_t secret = 0) : arena_(arena), secret_(secret) {}
  RangeTombstoneMap(const RangeTombstoneMap&) = delete;
  RangeTombstoneMap& operator=(const RangeTombstoneMap&) = delete;

  // Copies the keys. Requires: begin < end; no sequence descends. A reader who asks as of `sequence` must
  // not run before it.
  void Add(SequenceNumber sequence, Slice begin, Slice end);

  // Sequence of the newest tombstone, of those up to `at`, that covers `key`; 0 if none does.
  SequenceNumber Find(Slice key, SequenceNumber at) const;
  // The same with the keys around it that have the same answer. Valid as long as the map.
  CoveredStretch StretchAt(Slice key, SequenceNumber at) const;
  // Every stretch that a tombstone covers as of `at`, ascending.
  void Visit(SequenceNumber at, const std::function<void(const CoveredStretch&)>& visit) const;
  // Every tombstone as it was added, the newest first.
  void VisitAll(const std::function<void(SequenceNumber sequence, Slice begin, Slice end)>& visit) const;

  bool empty() const { return head_.load(std::memory_order_acquire) == nullptr; }
  // Sequence of the newest one, of those up to `at`; 0 if there is none.
  SequenceNumber NewestAt(SequenceNumber at) const;
  // Sequence of the last one added; 0 if there is none.
  SequenceNumber last_sequence() const;
  uint64_t count() const { return count_.load(std::memory_order_relaxed); }

 private:
  struct Node {
    Slice boundary;           // from here on ...
    SequenceNumber sequence;  // ... up to the next boundary
    const Node* left;
    const Node* right;
    uint64_t priority;  // of a heap: parents have more
    uint64_t addition;  // in which it was made
  };
  struct State {
    SequenceNumber sequence;
    Slice begin;  // of the tombstone that led to it
    Slice end;
    const Node* root;
    const State* previous;
    const State* jump;  // far behind
    uint64_t depth;
  };
  struct Halves {
    const Node* below;  // boundaries < the key
    const Node* at_least;
  };

  // The newest state up to `at`; null if there is none.
  const State* StateAt(SequenceNumber at) const;
  // The last boundary at or before `key`; null if there is none.
  static const Node* Floor(const Node* root, Slice key);
  Slice Copy(Slice key);
  Node* NewNode(Slice boundary, SequenceNumber sequence);
  // The node itself if this addition made it, else a copy that may be changed.
  Node* Own(const Node* node);
  Halves Split(const Node* root, Slice key);
  const Node* Join(const Node* left, const Node* right);

  Arena* const arena_;
  const uint64_t secret_;
  std::atomic<const State*> head_{nullptr};
  std::atomic<uint64_t> count_{0};
  uint64_t nodes_ = 0;
};

}  // namespace seerdb
