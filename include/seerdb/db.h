// DB: an ordered map from byte strings to byte strings, kept in one directory by one process.
//
// Order: keys compare as unsigned bytes, a prefix before its extensions. Keys are 0 .. kMaxKeyBytes, values
// 0 .. kMaxValueBytes; both may hold any byte, and both may be empty.
// Thread safety: every method may be called from any thread at any time, except that no call may start
// after Close() has begun (it fails with kShutdown) or run into the destructor.
// Errors: a failed append, sync or manifest write, or a failed background job that has to be done, stops all
// writes with kReadOnly and the cause's detail; reads go on. If space alone was missing (kNoSpace: ENOSPC,
// EDQUOT), or a descriptor or memory (kNoResources), writes resume by themselves when there is some again,
// see Resume(); after any other cause the database must be reopened. A write that returned an error may or
// may not survive a crash; once writes have resumed it is gone for good.
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "seerdb/bulk_load.h"
#include "seerdb/compaction_filter.h"
#include "seerdb/export.h"
#include "seerdb/health.h"
#include "seerdb/iterator.h"
#include "seerdb/keyspace.h"
#include "seerdb/memory_budget.h"
#include "seerdb/merge_operator.h"
#include "seerdb/options.h"
#include "seerdb/options_for.h"
#include "seerdb/pinned_value.h"
#include "seerdb/repair.h"
#include "seerdb/result.h"
#include "seerdb/scan.h"
#include "seerdb/slice.h"
#include "seerdb/snapshot.h"
#include "seerdb/statistics.h"
#include "seerdb/status.h"
#include "seerdb/transaction.h"
#include "seerdb/types.h"
#include "seerdb/verify.h"
#include "seerdb/write_batch.h"

namespace seerdb {

class TransactionHost;

class SEERDB_EXPORT DB {
 public:
  // Opens the database in directory `path`, creating both if missing and allowed. Replays the log: after a
  // crash everything acknowledged under the sync policy is there. A crash inside Open loses nothing.
  // kBusy/kLocked: another handle has it open, and the message names it. kCorruption names the damaged
  // file; nothing is changed then. A damaged or missing table alone does not fail Open: reads that need it
  // fail.
  // Cost: manifest size, plus replaying and flushing the log after an unclean end.
  static Result<std::unique_ptr<DB>> Open(const Options& options, const std::string& path);
  // With default options.
  static Result<std::unique_ptr<DB>> Open(const std::string& path);

  // Makes a database that opens out of whatever can be read in directory `path`, with CURRENT, manifest,
  // tables or logs damaged or missing. Reads every byte. Damaged files are never changed: what the repaired
  // database does not use is moved to `path`/lost, with the report in text; nothing is deleted but unfinished
  // files of a repair. Interrupted anywhere, it leaves a directory that DB::Open refuses and that the next
  // repair brings to the same end.
  // kBusy/kLocked: it is open. kInvalidArgument: nothing in it belongs to a database. A device that refuses
  // to read data blocks is damage; any other I/O error ends it, with the database as it was.
  // Without a manifest, tables may lie beside those that they were compacted into: merge operands that were
  // combined then cannot be told from those that were not, which is reported as a loss.
  static Result<RepairReport> Repair(const Options& options, const std::string& path);

  // As Close(), ignoring its outcome.
  virtual ~DB() = default;
  DB(const DB&) = delete;
  DB& operator=(const DB&) = delete;

  // Flushes, waits for running background work (compaction is cancelled), releases the lock. Returns the
  // first failure: of this, of an earlier background job, or of an iterator error nobody asked for. The
  // second call returns kShutdown. Iterators and PinnedValues stay readable.
  virtual Status Close() = 0;

  // Stores `value` under `key`, replacing what was there. When it returns OK the write is visible to all
  // readers, and durable as the sync policy or `options` say. One log append.
  virtual Status Put(const WriteOptions& options, Slice key, Slice value) = 0;
  Status Put(Slice key, Slice value) { return Put(WriteOptions(), key, value); }
  // Removes `key`; removing an absent key is not an error.
  virtual Status Delete(const WriteOptions& options, Slice key) = 0;
  Status Delete(Slice key) { return Delete(WriteOptions(), key); }
  // Removes every key in [begin, end), all that is there when the write takes effect, in one step; nullopt:
  // up to the end of the keyspace. What is put there later stays. kInvalidArgument: `end` lies below `begin`;
  // a range that is empty is none. One log append, whatever the range holds; reads and scans respect it at
  // once and step over what it covers. Tables that it covers wholly are removed without being read, once it
  // is flushed and no snapshot sees them; the rest goes with compactions. Until then each key read that is
  // there costs a search among the ranges, in memory: O(log n) of the n range deletes that are not finished.
  // Memory: about a kilobyte each in the memtable, as much in the tree until it is finished.
  virtual Status DeleteRange(const WriteOptions& options, Slice begin, std::optional<Slice> end) = 0;
  Status DeleteRange(Slice begin, std::optional<Slice> end) {
    return DeleteRange(WriteOptions(), begin, end);
  }
  // Changes the value of `key` by `operand`, without reading it: what it becomes is up to the keyspace's
  // merge operator (merge_operator.h), which sees the value that is there, or none. kInvalidArgument: the
  // keyspace has no operator, or it was not given. An operand that the operator refuses makes reads of the
  // key fail until it is put or deleted. One log append; every so often a read of the key, so that few
  // operands stand behind one another, as far as they live equally long.
  virtual Status Merge(const WriteOptions& options, Slice key, Slice operand) = 0;
  Status Merge(Slice key, Slice operand) { return Merge(WriteOptions(), key, operand); }
  // Applies all operations of the batch atomically; an empty batch succeeds.
  virtual Status Write(const WriteOptions& options, const WriteBatch& batch) = 0;
  Status Write(const WriteBatch& batch) { return Write(WriteOptions(), batch); }

  // A transaction that reads the database as it is now; see transaction.h. Cheap while others are active; the
  // first one waits for the writes that are under way.
  Result<std::unique_ptr<Transaction>> BeginTransaction(const TransactionOptions& options);
  Result<std::unique_ptr<Transaction>> BeginTransaction() { return BeginTransaction(TransactionOptions()); }

  // The keyspace `name`, made if it is not there; see keyspace.h. With `options`, they are its options from
  // now on; without, it keeps those that it has. "default" names the keyspace of the calls that name none.
  // kInvalidArgument: the name is empty or over kMaxKeyspaceNameBytes, or an option is out of range.
  // A crash leaves it made or not made. It is durable when this returns, whatever the policy; writes that
  // came before need not be. Cost: one synced manifest edit if anything is new, else none.
  virtual Result<Keyspace> OpenKeyspace(Slice name, const std::optional<KeyspaceOptions>& options) = 0;
  Result<Keyspace> OpenKeyspace(Slice name) { return OpenKeyspace(name, std::nullopt); }
  // The same, and kInvalidArgument/kNotFound if it is not there.
  virtual Result<Keyspace> FindKeyspace(Slice name) = 0;
  // All of them, in the order in which they were made, the default one first.
  virtual std::vector<KeyspaceInfo> ListKeyspaces() = 0;
  // Removes the keyspace with all its keys, at once and for good: when it returns OK, no read finds any of
  // them, in this life or a later one, whatever the policy, and the name is free. Iterators and pinned values
  // from before stay readable; a write that is under way meanwhile may return OK and is gone. Tables that
  // hold nothing else are removed by the next compactions, the other bytes when their tables are compacted.
  // kInvalidArgument: the default keyspace. Cost: one synced manifest edit, whatever it holds.
  virtual Status DropKeyspace(const Keyspace& keyspace) = 0;

  // Stores all entries of `source` as if they were put at once at the end of the call; of a key that comes
  // again the last one wins; they never expire, whatever the keyspace's default. What is there is replaced,
  // and what others write meanwhile as well. All or nothing, also across a crash; durable when it returns OK,
  // whatever the policy, as are earlier writes. Snapshots and iterators from before do not see it. Writes go
  // on but at the end, while memtables are flushed, the compaction that runs ends, and about a page a table
  // is written. Older entries in L0 that would keep more than a few tables there are compacted first.
  // kInvalidArgument: an option, an entry over the limits of Put, or one out of order with already_sorted,
  // named by its number from 1. kIoError/kDiskSpaceFull: the disk guard, asked before and during the load.
  // kBusy/kMemoryFull: the budget has no room to sort in. kShutdown: Close() began meanwhile; it waits until
  // the load has ended, so neither source nor progress may call it. After an error nothing is changed and the
  // files are gone, or go at the next open; but after a failed manifest write the next open may bring the
  // load into force, whole, and writes stop as after every such failure. Cost: with already_sorted each entry
  // is written once; otherwise twice, or once more for each 64-fold of memory_bytes.
  virtual Result<BulkLoadStats> BulkLoad(const BulkLoadOptions& options, BulkLoadSource& source) = 0;
  Result<BulkLoadStats> BulkLoad(const BulkLoadOptions& options,
                                 std::span<const std::pair<std::string, std::string>> entries) {
    BulkLoadRange source(entries.begin(), entries.end());
    return BulkLoad(options, source);
  }

  // The newest value of `key`, or nullopt if it has none. An error never stands for absence.
  virtual Result<std::optional<PinnedValue>> Get(const ReadOptions& options, Slice key) = 0;
  Result<std::optional<PinnedValue>> Get(Slice key) { return Get(ReadOptions(), key); }
  // Bytes [offset, offset + bytes) of the newest value of `key`, fewer where it ends before; nullopt if it
  // has none. Of a value that lies apart (Options::separation_bytes) only those are read, and checked, and
  // what shares one of its 64 KiB chunks with them.
  virtual Result<std::optional<PinnedValue>> GetRange(const ReadOptions& options, Slice key, uint64_t offset,
                                                      uint64_t bytes) = 0;
  Result<std::optional<PinnedValue>> GetRange(Slice key, uint64_t offset, uint64_t bytes) {
    return GetRange(ReadOptions(), key, offset, bytes);
  }
  // The bytes of the newest value of `key`, or nullopt if it has none. A value that lies apart is not read.
  virtual Result<std::optional<uint64_t>> GetSize(const ReadOptions& options, Slice key) = 0;
  Result<std::optional<uint64_t>> GetSize(Slice key) { return GetSize(ReadOptions(), key); }
  // One answer a key, in the order of `keys`, all from one consistent view. The lookups go through the tables
  // side by side, so that their waits for memory overlap (group prefetching: Chen et al., ICDE 2004). Of keys
  // that lie in a damaged table these answers alone are errors.
  virtual std::vector<Result<std::optional<PinnedValue>>> MultiGet(const ReadOptions& options,
                                                                   std::span<const Slice> keys) = 0;

  // Never null. A bad option shows in status(), with Valid() false.
  virtual std::unique_ptr<Iterator> NewIterator(const ReadOptions& options) = 0;
  std::unique_ptr<Iterator> NewIterator() { return NewIterator(ReadOptions()); }
  // See scan.h. `Scan().Range(a, b)`, `Scan().Prefix(p).Reverse()`, ...
  seerdb::Scan Scan(ReadOptions options = {}) { return seerdb::Scan(this, std::move(options)); }
  // For each prefix the list of its keys and values, all from one consistent view; everything is copied.
  Result<std::vector<std::vector<std::pair<std::string, std::string>>>> ScanPrefixes(
      const ReadOptions& options, std::span<const Slice> prefixes);

  // The state after every write acknowledged so far.
  virtual Snapshot GetSnapshot() = 0;

  // Writes all memtables to tables; when it returns OK, everything acknowledged before the call is durable
  // whatever the policy, writes with skip_wal included.
  virtual Status Flush() = 0;
  // If writes have stopped for want of space, descriptors or memory, tries at once to go on: flushes all
  // memtables, leaves the log that failed behind, starts another. OK if writes are possible again, or were
  // all the time; otherwise kReadOnly with the cause, and Status::MayPass if another attempt may succeed.
  // Needless as a rule: the first write after space has returned tries as well, and so does a timer. Needs
  // about as much space as the memtables.
  virtual Status Resume() = 0;
  // Flushes, then merges every entry in [begin, end] (nullopt = open), of the default keyspace, or with both
  // open of all, into the deepest level that holds part of the range, dropping what no snapshot needs, there
  // too. Rewrites that much data; tables that nothing above overlaps and that hold neither tombstones nor
  // older versions stay as they are.
  virtual Status CompactRange(std::optional<Slice> begin, std::optional<Slice> end) = 0;
  // The same for keys of one keyspace.
  virtual Status CompactRange(const Keyspace& keyspace, std::optional<Slice> begin,
                              std::optional<Slice> end) = 0;
  Status CompactRange() { return CompactRange(std::nullopt, std::nullopt); }
  // Waits until no flush and no compaction is due or runs. Others may write meanwhile, and it then waits for
  // what their writes make due as well. Files of replaced tables that nobody holds are gone then; while
  // nobody waits they are removed over some seconds. The background error if there is one.
  virtual Status WaitForCompaction() = 0;
  // Reads every block of every live table and checks checksums, order and properties, and every value that
  // they point to. Stops at the first error, which names file and offset. Changes nothing.
  virtual Result<VerifyResult> Verify() = 0;

  // Counters, latencies and shape. Cost: that of looking at every table's metadata; no I/O.
  virtual DBStats Stats() = 0;
  // Whether the database is well, and if not, why and what helps (health.h). Works also when writes have
  // stopped. No I/O.
  virtual HealthStatus Health() = 0;
  // Bytes / entries of the active memtable.
  virtual uint64_t memtable_size() = 0;
  virtual uint64_t memtable_len() = 0;
  // Memory that this database holds, by what it is for; see memory_budget.h. Cheap.
  virtual MemoryUsage memory_usage() = 0;
  // The total of it.
  uint64_t estimate_memory_usage() { return memory_usage().total_bytes; }
  // Estimated bytes of tables that hold keys in [begin, end) of the default keyspace, or of the one named; 0
  // for one that is dropped. Memtables are not counted.
  virtual uint64_t ApproximateSize(Slice begin, Slice end) = 0;
  virtual uint64_t ApproximateSize(const Keyspace& keyspace, Slice begin, Slice end) = 0;

 protected:
  DB() = default;

 private:
  // What transactions need of the engine.
  virtual TransactionHost* transaction_host() = 0;
};

// Deletes the database in directory `path`: its files by name, then the directory if nothing else is left
// in it. kBusy if it is open. Not undoable.
SEERDB_EXPORT Status DestroyDatabase(const Options& options, const std::string& path);

// The smallest key greater than every key that starts with `prefix`; empty if there is none.
SEERDB_EXPORT std::string PrefixSuccessor(Slice prefix);

}  // namespace seerdb
