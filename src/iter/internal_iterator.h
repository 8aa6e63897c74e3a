// InternalIterator: walks entries (engine key, trailer, value) in the order of internal_key.h, both ways.
//
// Positioning is virtual; reading the present entry is not: an implementation fills the protected fields.
// key() and value() stay valid until the next positioning call. After an error the iterator is not valid
// and status() says why; an error never looks like the end.
// Thread safety: external synchronization.
#pragma once

#include <cstdint>

#include "format/internal_key.h"
#include "seerdb/slice.h"
#include "seerdb/status.h"

namespace seerdb {

class InternalIterator {
 public:
  virtual ~InternalIterator() = default;
  InternalIterator(const InternalIterator&) = delete;
  InternalIterator& operator=(const InternalIterator&) = delete;

  bool Valid() const { return valid_; }
  // Requires: Valid().
  Slice key() const { return key_; }
  uint64_t trailer() const { return trailer_; }
  SequenceNumber sequence() const { return TrailerSequence(trailer_); }
  ValueType type() const { return TrailerType(trailer_); }
  Slice value() const { return value_; }

  virtual void SeekToFirst() = 0;
  virtual void SeekToLast() = 0;
  // To the first entry at or after (key, trailer) / the last entry at or before it.
  virtual void Seek(Slice key, uint64_t trailer) = 0;
  virtual void SeekForPrev(Slice key, uint64_t trailer) = 0;
  // Requires: Valid().
  virtual void Next() = 0;
  virtual void Prev() = 0;
  virtual Status status() const = 0;

 protected:
  InternalIterator() = default;

  bool valid_ = false;
  uint64_t trailer_ = 0;
  Slice key_;
  Slice value_;
};

}  // namespace seerdb
