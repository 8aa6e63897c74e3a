// WriteBatch: puts and deletes that take effect together, in order, or not at all, also across a crash.
//
// A later operation on a key in the batch wins over an earlier one. The batch owns copies of its bytes; it
// may be written several times. Memory: the bytes of keys and values plus about 4 bytes an operation.
// Thread safety: external synchronization; DB::Write only reads it.
#pragma once

#include <cstdint>
#include <string>

#include "seerdb/export.h"
#include "seerdb/slice.h"
#include "seerdb/status.h"

namespace seerdb {

class SEERDB_EXPORT WriteBatch {
 public:
  WriteBatch();
  // Reserves room for `bytes` of keys and values.
  explicit WriteBatch(size_t bytes);

  // Key and value sizes are checked by DB::Write, which rejects the whole batch if one is out of range.
  void Put(Slice key, Slice value);
  void Delete(Slice key);

  // Removes all operations; keeps the memory.
  void Clear();
  // Number of operations.
  uint32_t size() const { return count_; }
  bool empty() const { return count_ == 0; }
  // Bytes of the encoded operations.
  size_t bytes() const { return rep_.size(); }

  // Receives the operations of a batch in the order in which they were added.
  class SEERDB_EXPORT Handler {
   public:
    virtual ~Handler() = default;
    virtual void Put(Slice key, Slice value) = 0;
    virtual void Delete(Slice key) = 0;
  };
  void Iterate(Handler* handler) const;

  // The encoded operations (docs/format/log.md). Valid until the batch changes.
  Slice rep() const { return rep_; }

 private:
  std::string rep_;
  uint32_t count_ = 0;
  uint64_t largest_key_bytes_ = 0;
  uint64_t largest_value_bytes_ = 0;
  friend struct WriteBatchAccess;  // reads the maxima; the one friend, see src/format/batch_codec.h
};

}  // namespace seerdb
