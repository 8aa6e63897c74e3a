// Iterator: walks the keys of one consistent view of the database, in unsigned byte order, both ways.
//
//   for (it->SeekToFirst(); it->Valid(); it->Next()) use(it->key(), it->value());
//   if (!it->status().ok()) ...
//
// Every key appears once, with its newest value as of the view; deleted keys never appear. The view is
// fixed when the iterator is made: writes after that are not seen. An error also ends the loop, so status()
// must be asked: if an iterator stops on an error and is destroyed or moved on without status() having been
// called, the error is kept, counted in Stats().unobserved_iterator_errors and returned by DB::Close().
// DB::Scan() is the form in which an error cannot be overlooked at all.
//
// With ReadOptions::max_skipped a call may stop early, not valid, with kBusy/kSkipLimit: what it has passed
// is hidden, what is behind is not known. Next() (Prev() if it was walking backward) then goes on from there.
//
// Ownership: holds the memtables and tables of its view (memory and disk space are kept) until destroyed; may
// outlive DB::Close(), but not a next open of the directory, which removes files. Thread safety: external
// synchronization for one iterator. Cost: making one and the first Seek is O(number of runs); Next is O(log
// runs), usually O(1).
#pragma once

#include "seerdb/export.h"
#include "seerdb/slice.h"
#include "seerdb/status.h"

namespace seerdb {

class SEERDB_EXPORT Iterator {
 public:
  virtual ~Iterator() = default;
  Iterator(const Iterator&) = delete;
  Iterator& operator=(const Iterator&) = delete;

  // True if positioned at an entry. False at either end and after an error.
  [[nodiscard]] virtual bool Valid() const = 0;
  // OK unless an error stopped the iterator; positioning again clears it.
  virtual Status status() const = 0;

  virtual void SeekToFirst() = 0;
  virtual void SeekToLast() = 0;
  // To the first key >= target / the last key <= target, within the bounds.
  virtual void Seek(Slice target) = 0;
  virtual void SeekForPrev(Slice target) = 0;
  // Requires: Valid(), or kSkipLimit in the same direction.
  virtual void Next() = 0;
  virtual void Prev() = 0;

  // Valid until the next positioning call. Requires: Valid().
  virtual Slice key() const = 0;
  // Empty for a keys-only iterator.
  virtual Slice value() const = 0;

 protected:
  Iterator() = default;
};

}  // namespace seerdb
