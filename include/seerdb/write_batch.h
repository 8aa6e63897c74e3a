// WriteBatch: puts, merges and deletes, of ranges too and of several keyspaces, that take effect together, in
// order, or not at all, also across a crash.
//
// A later operation on a key in the batch wins over an earlier one. The batch owns copies of its bytes; it
// may be written several times. Memory: the bytes of keys and values plus about 4 bytes an operation.
// Thread safety: external synchronization; DB::Write only reads it.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "seerdb/export.h"
#include "seerdb/slice.h"
#include "seerdb/status.h"

namespace seerdb {

class Keyspace;
struct KeyspaceState;

class SEERDB_EXPORT WriteBatch {
 public:
  WriteBatch();
  // Reserves room for `bytes` of keys and values.
  explicit WriteBatch(size_t bytes);

  // Key and value sizes are checked by DB::Write, which rejects the whole batch if one is out of range.
  void Put(Slice key, Slice value);
  void Delete(Slice key);
  // In a keyspace of the database that the batch is written to; DB::Write rejects the whole batch with
  // kInvalidArgument if it is of another one, or dropped.
  void Put(const Keyspace& keyspace, Slice key, Slice value);
  void Delete(const Keyspace& keyspace, Slice key);
  // As DB::Merge.
  void Merge(Slice key, Slice operand);
  void Merge(const Keyspace& keyspace, Slice key, Slice operand);
  // As DB::DeleteRange: what this batch has put into the range before goes as well, what it puts there later
  // stays. An `end` below `begin`, or more than kMaxRangeDeletesPerBatch, make DB::Write fail with
  // kInvalidArgument; an empty range adds nothing.
  void DeleteRange(Slice begin, std::optional<Slice> end);
  void DeleteRange(const Keyspace& keyspace, Slice begin, std::optional<Slice> end);
  // A put that lives for `ttl_us` from the moment in which the batch is written; see WriteOptions::ttl_us.
  void PutWithTtl(Slice key, Slice value, uint64_t ttl_us);
  void PutWithTtl(const Keyspace& keyspace, Slice key, Slice value, uint64_t ttl_us);

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
    // `keyspace` is its id; that of the default one is 0.
    virtual void Put(uint32_t keyspace, Slice key, Slice value) = 0;
    virtual void Delete(uint32_t keyspace, Slice key) = 0;
    virtual void Merge(uint32_t keyspace, Slice key, Slice operand) = 0;
    virtual void PutWithTtl(uint32_t keyspace, Slice key, Slice value, uint64_t ttl_us) = 0;
    virtual void DeleteRange(uint32_t keyspace, Slice begin, std::optional<Slice> end) = 0;
  };
  void Iterate(Handler* handler) const;

  // The encoded operations (docs/format/log.md), with times still to be filled in. Valid until the batch
  // changes.
  Slice rep() const { return rep_; }

 private:
  // Notes the keyspace and returns its id.
  uint32_t Use(const Keyspace& keyspace);
  void AddPut(uint32_t keyspace, Slice key, Slice value);
  void AddDelete(uint32_t keyspace, Slice key);
  void AddMerge(uint32_t keyspace, Slice key, Slice operand);
  void AddDeleteRange(uint32_t keyspace, Slice begin, std::optional<Slice> end);
  void AddPutWithTtl(uint32_t keyspace, Slice key, Slice value, uint64_t ttl_us);

  std::string rep_;
  uint32_t count_ = 0;
  uint64_t largest_key_bytes_ = 0;
  uint64_t largest_value_bytes_ = 0;
  uint32_t range_count_ = 0;  // of the operations, those that delete a range
  bool inverted_range_ = false;
  bool unfinished_ = false;  // an operation wants its keyspace or the time when it is written
  // Of the operations, each at least once; null for an invalid handle. Empty: all are in the default one.
  std::vector<std::shared_ptr<const KeyspaceState>> keyspaces_;
  friend struct WriteBatchAccess;  // reads the maxima; the one friend, see src/format/batch_codec.h
};

}  // namespace seerdb
