// IndexedBatch: what a transaction has written, encoded as a batch, and an index to read it by.
//
// The writes of a key form a list from the newest on. A range delete puts a deletion before the list of each
// key in it that was written before, and counts for all other keys of the range: so the list of a key and,
// where it is empty, `deleted()` say all that there is to know.
// Thread safety: external synchronization.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "format/internal_key.h"
#include "iter/merge_chain.h"
#include "seerdb/slice.h"
#include "txn/key_index.h"
#include "txn/key_ranges.h"

namespace seerdb {

class IndexedBatch {
 public:
  // A put, deletion or merge, with its payload as it is to be stored (entry_payload.h). True: the key was not
  // in the index before.
  bool Add(ValueType type, Slice prefix, Slice user_key, Slice payload, KeyNode** node);
  // Requires: begin < end.
  void AddRange(uint32_t keyspace, Slice prefix, Slice begin, std::optional<Slice> end);

  void SetSavepoint();
  // False: there is none.
  bool RollbackToSavepoint();
  bool ReleaseSavepoint();

  KeyIndex& index() { return index_; }
  const KeyIndex& index() const { return index_; }
  // Keys of range deletes.
  const KeyRanges& deleted() const { return deleted_; }

  // What the transaction's own writes make of a key.
  enum class Own : unsigned char {
    kNothing,  // it has not written it
    kValue,
    kAbsent,  // deleted, or expired
    kMerge,   // operands, which may rest on what the database has
  };
  // `node` null: none of it in the index. `value` is set for kValue, until the next write.
  Own Look(const KeyNode* node, Slice key, uint64_t now_us, Slice* value) const;
  // For kMerge: the writes up to the last that matters. If the chain has not ended then, the database's value
  // is next.
  void FillChain(const KeyNode& node, uint64_t now_us, MergeChain* chain) const;

  // The first key with writes in [begin, end) / the last one; null if there is none.
  const KeyNode* FirstWritten(Slice begin, Slice end) const;
  const KeyNode* LastWritten(Slice begin, Slice end) const;
  // Changes with every write and rollback.
  uint64_t version() const { return version_; }
  // How often it has been rolled back: what was deleted may not be any more.
  uint64_t rollbacks() const { return rollbacks_; }

  Slice operations() const { return operations_; }
  uint32_t count() const { return now_.count; }
  uint32_t ranges() const { return now_.ranges; }
  bool only_deletes() const { return now_.additions == 0; }
  uint64_t bytes() const { return operations_.capacity() + index_bytes(); }
  // Of them, what it needs to find its writes.
  uint64_t index_bytes() const {
    return writes_.capacity() * sizeof(Write) + index_.bytes() + deleted_.bytes();
  }

 private:
  struct Write {
    KeyNode* node = nullptr;  // null: a range delete
    size_t payload = 0;       // where it begins in operations_
    uint32_t bytes = 0;       // of the payload
    uint32_t older = 0;       // the write of the key before it, as KeyNode::newest
    ValueType type = ValueType::kDeletion;
  };
  // How far everything has come.
  struct Mark {
    size_t writes = 0;
    size_t bytes = 0;
    uint32_t count = 0;
    uint32_t ranges = 0;
    uint32_t additions = 0;  // puts and merges
  };

  void Push(KeyNode* node, ValueType type, size_t payload, size_t bytes);

  std::string operations_;
  std::vector<Write> writes_;  // KeyNode::newest is the position in it plus one
  std::vector<std::pair<std::string, std::string>> range_deletes_;
  KeyIndex index_;
  KeyRanges deleted_;
  Mark now_;
  std::vector<Mark> savepoints_;
  uint64_t version_ = 0;
  uint64_t rollbacks_ = 0;
};

}  // namespace seerdb
