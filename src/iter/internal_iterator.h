// InternalIterator: walks entries (engine key, trailer, value) in the order of internal_key.h, both ways.
//
// Positioning is virtual; reading the present entry is not: what reads entries shows its own_, and what
// stands on other iterators shows the entry that one of them shows, without copying it. key() and value()
// stay valid until the next positioning call. After an error the iterator is not valid and status() says why;
// an error never looks like the end. Thread safety: external synchronization.
#pragma once

#include <cstdint>

#include "format/internal_key.h"
#include "seerdb/slice.h"
#include "seerdb/status.h"

namespace seerdb {

struct InternalEntry {
  Slice key;
  uint64_t trailer = 0;
  Slice value;
  // The bytes of the value stay where they are as long as what the iterator reads is held: moving on, or even
  // destroying the iterator, does not take them.
  bool value_lasts = false;
};

class InternalIterator {
 public:
  virtual ~InternalIterator() = default;
  InternalIterator(const InternalIterator&) = delete;
  InternalIterator& operator=(const InternalIterator&) = delete;

  bool Valid() const { return shown_ != nullptr; }
  // The present entry, or null.
  const InternalEntry* entry() const { return shown_; }
  // Requires: Valid().
  Slice key() const { return shown_->key; }
  uint64_t trailer() const { return shown_->trailer; }
  SequenceNumber sequence() const { return TrailerSequence(trailer()); }
  ValueType type() const { return TrailerType(trailer()); }
  Slice value() const { return shown_->value; }

  virtual void SeekToFirst() = 0;
  virtual void SeekToLast() = 0;
  // To the first entry at or after (key, trailer) / the last entry at or before it.
  virtual void Seek(Slice key, uint64_t trailer) = 0;
  virtual void SeekForPrev(Slice key, uint64_t trailer) = 0;
  // For who seeks in several iterators, so that their waits for memory overlap: before the first Seek, each
  // of them takes step 0, then each step 1, and so on. A step starts to load what the next one looks at. All
  // are followed by Seek to `key`; until then the iterator may not be read. A table that could not be opened
  // is tried again.
  static constexpr int kSeekSteps = 3;
  virtual void PrepareSeek(Slice /*key*/, int /*step*/) {}
  // Requires: Valid().
  virtual void Next() = 0;
  virtual void Prev() = 0;
  virtual Status status() const = 0;

 protected:
  InternalIterator() = default;

  const InternalEntry* shown_ = nullptr;  // null: not valid
  InternalEntry own_;
};

}  // namespace seerdb
