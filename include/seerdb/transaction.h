// Transaction: reads and writes that take effect together, at one point in the order of all writes, or not at
// all. Optimistic: nothing is locked and nobody waits; whether another writer was faster is found out at
// Commit.
//
//   Result<std::unique_ptr<Transaction>> transaction = db->BeginTransaction();
//   Result<std::optional<PinnedValue>> balance = (*transaction)->Get("alice");
//   ...
//   (*transaction)->Put("alice", reduced);
//   Status status = (*transaction)->Commit();   // kConflict: nothing was written; try anew
//
// or RunTransaction, which tries anew by itself.
//
// Reads see the database as it was at Begin, and above it what the transaction itself has written. Commit
// gives its writes their place among all others, alone if nobody has meanwhile written what it relies on:
//   kSnapshot      every key and range that it wrote, also without reading it, and what GetForUpdate read. Of
//                  two transactions that write the same key and run beside each other, one fails: no update
//                  is lost. Two that read what the other writes may both commit (write skew).
//   kSerializable  also every key that it read, found or not, and every range that its iterators passed over.
//                  It is then as if all such transactions, and all other writes, had run one after
//                  another, in the order of their sequences. It fails more often.
// One that writes nothing always commits, unless it used GetForUpdate: it has read one state of the database,
// that at its Begin, and stands in the order of all writes there. What others count as a write: Put, Delete,
// Merge, Write, DeleteRange, BulkLoad, DropKeyspace and other transactions. What expires or what a compaction
// filter removes is nobody's write.
//
// Ownership: the caller's. Destroying an active one aborts it. It may outlive DB::Close and the DB: every
// call then fails with kShutdown. While it is active, the versions of its snapshot are kept on disk. Thread
// safety: external synchronization, its iterators included; different transactions concurrently. Errors:
// kInvalidArgument/kTransactionAborted after Commit or Abort. kConflict from Commit, with conflicts();
// kConflict/kTransactionTooOld from Commit if more was written since Begin than is remembered
// (Options::transaction_history_bytes), whatever was flushed, or if a write has failed since.
// kInvalidArgument/kMemoryFull if what it holds would exceed TransactionOptions::max_bytes: that call is not
// taken, and it goes on. Those of DB otherwise. A crash leaves all of its writes or none; those of a commit
// that was acknowledged as its WriteOptions say. Memory: its writes as a WriteBatch holds them, and about 100
// bytes and the key for each key that it has written or that is checked; of
// Options::transaction_history_bytes once for all. Cost of Commit: that of a WriteBatch; the check looks at
// what was written since Begin, or, where that is much, takes the cost of a lookup in memory for each key. An
// iterator that is checked costs no more however many keys it passes. Sources: H. T. Kung, J. T. Robinson,
// "On optimistic methods for concurrency control" (TODS 1981), backward validation; H. Berenson et al., "A
// critique of ANSI SQL isolation levels" (SIGMOD 1995); A. Adya, "Weak consistency" (MIT 1999).
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "seerdb/export.h"
#include "seerdb/iterator.h"
#include "seerdb/options.h"
#include "seerdb/pinned_value.h"
#include "seerdb/result.h"
#include "seerdb/slice.h"
#include "seerdb/status.h"
#include "seerdb/types.h"

namespace seerdb {

class DB;
class Keyspace;

enum class IsolationLevel : unsigned char {
  kSnapshot = 0,      // first committer wins; allows write skew
  kSerializable = 1,  // no anomaly
};

struct SEERDB_EXPORT TransactionOptions {
  // Serializable, because what it costs shows (a conflict), and what the other allows does not. kSnapshot
  // where long reads of what others write must not fail a transaction, and no rule spans several keys.
  IsolationLevel isolation = IsolationLevel::kSerializable;
  // Of the commit. `keyspace` must be null, and `ttl_us` 0 (kInvalidArgument).
  WriteOptions write;
  // Most that it may hold in memory. 0 = of writes what a WriteBatch may have, with a memory budget what that
  // allows a batch; and as much again of what it has read and of what finds its writes.
  uint64_t max_bytes = 0;
  // RunTransaction: how often it is tried. At least 1.
  uint32_t max_attempts = 100;
};

// What a commit has met: a write behind the transaction's begin.
struct SEERDB_EXPORT TransactionConflict {
  uint32_t keyspace = 0;  // its id
  std::string key;        // or where the range begins that was written
  bool range = false;     // a range: all keys from `key` up to `end`, or of the rest of the keyspace
  std::optional<std::string> end;
  SequenceNumber sequence = 0;  // of the write
};

class SEERDB_EXPORT Transaction {
 public:
  // Conflicts that are kept.
  static constexpr size_t kMaxConflicts = 16;

  virtual ~Transaction();
  Transaction(const Transaction&) = delete;
  Transaction& operator=(const Transaction&) = delete;

  // Each call without a keyspace is of the default one.

  // As DB::Get at the begin of the transaction, with what it has written itself. kSerializable: checked at
  // Commit, unless what it has written answers alone.
  Result<std::optional<PinnedValue>> Get(Slice key) { return DoGet(nullptr, key, false); }
  Result<std::optional<PinnedValue>> Get(const Keyspace& keyspace, Slice key) {
    return DoGet(&keyspace, key, false);
  }
  // The same, and checked at Commit under either level, also if the transaction writes nothing.
  Result<std::optional<PinnedValue>> GetForUpdate(Slice key) { return DoGet(nullptr, key, true); }
  Result<std::optional<PinnedValue>> GetForUpdate(const Keyspace& keyspace, Slice key) {
    return DoGet(&keyspace, key, true);
  }
  // As DB::NewIterator at the begin of the transaction, with what it has written itself, also after the
  // iterator was made, as far as that lies ahead. `options.keyspace` as in DB; `options.snapshot` must be
  // null. Once the transaction is no longer active it is not valid and its status is kTransactionAborted; it
  // may outlive it. kSerializable: what lies between where it was positioned and where it came to is checked
  // at Commit; where it stops, at an end or because it skipped enough (ReadOptions::max_skipped), what lies
  // up to its bound. If it stops on an error and is not asked for status(), Commit fails with that error.
  virtual std::unique_ptr<Iterator> NewIterator(const ReadOptions& options) = 0;
  std::unique_ptr<Iterator> NewIterator() { return NewIterator(ReadOptions()); }

  // As the methods of WriteBatch, checked at once as DB's. Times to live count from this call.
  Status Put(Slice key, Slice value) { return DoPut(nullptr, key, value, 0); }
  Status Put(const Keyspace& keyspace, Slice key, Slice value) { return DoPut(&keyspace, key, value, 0); }
  Status PutWithTtl(Slice key, Slice value, uint64_t ttl_us) { return DoPut(nullptr, key, value, ttl_us); }
  Status PutWithTtl(const Keyspace& keyspace, Slice key, Slice value, uint64_t ttl_us) {
    return DoPut(&keyspace, key, value, ttl_us);
  }
  Status Delete(Slice key) { return DoDelete(nullptr, key); }
  Status Delete(const Keyspace& keyspace, Slice key) { return DoDelete(&keyspace, key); }
  // A write like the others: also two merges of one key conflict.
  Status Merge(Slice key, Slice operand) { return DoMerge(nullptr, key, operand); }
  Status Merge(const Keyspace& keyspace, Slice key, Slice operand) {
    return DoMerge(&keyspace, key, operand);
  }
  // What others write into the range conflicts.
  Status DeleteRange(Slice begin, std::optional<Slice> end) { return DoDeleteRange(nullptr, begin, end); }
  Status DeleteRange(const Keyspace& keyspace, Slice begin, std::optional<Slice> end) {
    return DoDeleteRange(&keyspace, begin, end);
  }

  // Marks where the writes stand. Savepoints nest.
  virtual Status SetSavepoint() = 0;
  // Takes back what was written since the newest savepoint, and removes that. What was read stays checked.
  // kInvalidArgument/kNotFound: there is none. So do iterators see it from their next call on.
  virtual Status RollbackToSavepoint() = 0;
  // Removes the newest savepoint and keeps the writes.
  virtual Status ReleaseSavepoint() = 0;

  // Ends the transaction, whatever it returns. OK: all writes are in the database, as after DB::Write. After
  // kConflict nothing was written. After another error as after one of DB::Write.
  virtual Status Commit() = 0;
  // Ends it and drops the writes. kInvalidArgument/kTransactionAborted if it has ended.
  virtual Status Abort() = 0;

  // Neither committed nor aborted.
  virtual bool is_active() const = 0;
  virtual IsolationLevel isolation() const = 0;
  // Operations that Commit would write.
  virtual uint32_t write_count() const = 0;
  // Keys and ranges that were read and are checked at Commit.
  virtual uint64_t read_count() const = 0;
  // The sequence of the newest write that its reads see.
  virtual SequenceNumber snapshot_sequence() const = 0;
  // That of the last of its writes, once Commit has returned OK; 0 before, and if it wrote nothing.
  virtual SequenceNumber commit_sequence() const = 0;
  // Of a Commit that returned kConflict: what it met, at most kMaxConflicts of it, newest first as far as
  // that was known; empty after kTransactionTooOld. Valid as long as the transaction.
  virtual const std::vector<TransactionConflict>& conflicts() const = 0;

 protected:
  Transaction() = default;

 private:
  virtual Result<std::optional<PinnedValue>> DoGet(const Keyspace* keyspace, Slice key, bool for_update) = 0;
  virtual Status DoPut(const Keyspace* keyspace, Slice key, Slice value, uint64_t ttl_us) = 0;
  virtual Status DoDelete(const Keyspace* keyspace, Slice key) = 0;
  virtual Status DoMerge(const Keyspace* keyspace, Slice key, Slice operand) = 0;
  virtual Status DoDeleteRange(const Keyspace* keyspace, Slice begin, std::optional<Slice> end) = 0;
};

// Runs `work` in a transaction and commits it; anew, at most options.max_attempts times in all, while Commit,
// or `work` itself, returns kConflict. Between attempts it waits a little, for a random time that grows to
// some milliseconds. `work` may run several times and must leave no other traces; an error that it returns
// aborts the transaction and is returned, as is the last kConflict. It may not commit itself; if it aborts,
// and returns OK, nothing is written and that is the end.
SEERDB_EXPORT Status RunTransaction(DB* db, const TransactionOptions& options,
                                    const std::function<Status(Transaction&)>& work);

}  // namespace seerdb
