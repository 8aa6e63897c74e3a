// Options: how a database is opened, read and written. Plain data; copy freely, reuse for many databases.
//
// Names follow the Rust crate seerdb; docs/options.md lists every default that differs, with the reason.
// DB::Open checks every field and fails with kInvalidArgument naming the field, its value and its range.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "seerdb/clock.h"
#include "seerdb/executor.h"
#include "seerdb/export.h"
#include "seerdb/file_system.h"
#include "seerdb/slice.h"

namespace seerdb {

class CompactionFilter;
class Keyspace;
class MemoryBudget;
class MergeOperator;
class Snapshot;

// What an acknowledged write survives. In every policy it is in the kernel when acknowledged, so it
// survives a crash of the process.
enum class SyncPolicy : unsigned char {
  kNone = 0,      // power cut: some prefix of the writes survives
  kBarrier = 1,   // as kNone, and at most barrier_interval_us of acknowledged writes are at risk
  kSyncData = 2,  // power cut: every acknowledged write survives (fdatasync)
  kSyncAll = 3,   // the same through fsync
};

enum class CompressionType : unsigned char { kNone = 0, kLz4 = 1, kZstd = 2 };

// How tables and values are read. All load from the device what a read needs and no more, the blocks of a
// MultiGet side by side, and blocks that a scan takes in order before it comes to them.
enum class TableAccess : unsigned char {
  kAuto = 0,    // kPread from where tables and values have two thirds of memory, else mapped
  kMapped = 1,  // mmap; a device error or outside truncation under a mapping raises SIGBUS
  kPread = 2,   // read calls and the block cache; errors come back as Status
};

// What finds a key in a table. Each answers exactly for every key, and every database reads the tables of
// all; they differ in memory, in time, and in what a table costs to write and to open. docs/learned.md has
// the figures.
enum class IndexKind : unsigned char {
  // The tag index, a learned index over all keys with tags of their hashes, for the tables where it pays, as
  // learned_index_min_keys says; for the others a filter, tags in blocks, and an index of blocks that is
  // searched
  // by a piecewise-linear model.
  kAuto = 0,
  // The tag index for all tables, whatever it takes, but for those with keys of more than 1 KiB or that
  // hardly
  // differ in eight bytes; prefix_filter_bytes excludes it.
  kTag = 1,
  // No tag index, and the index of blocks is searched by a PGM-index, a RadixSpline, an ALEX tree that is
  // built
  // whenever the table is opened, or by halving.
  kPgm = 2,
  kRadixSpline = 3,
  kAlex = 4,
  kBinary = 5,
};
// "auto", "tag", "pgm", "radix_spline", "alex", "binary".
SEERDB_EXPORT const char* IndexKindName(IndexKind kind);

// How many sorted runs a level of the tree may have before they are merged. More runs: each byte is rewritten
// less often, and a read looks into more tables. Source: N. Dayan, S. Idreos, "Dostoevsky" (SIGMOD 2018).
enum class CompactionPolicy : unsigned char {
  kLeveled = 0,       // one run a level: least space, cheapest reads
  kTiered = 1,        // size_ratio - 1 runs in every level: cheapest writes; up to three times what is live
  kLazyLeveling = 2,  // size_ratio - 1 runs in the upper levels, one in the last
};
// "leveled", ...
SEERDB_EXPORT const char* CompactionPolicyName(CompactionPolicy policy);

// What Open does with a log that is torn or damaged. Tables and manifest are the same in all modes.
enum class RecoveryMode : unsigned char {
  // An unfinished tail, as a crash leaves it, is dropped; a record that had been durable and cannot be read
  // is kCorruption.
  kTolerateTornTail = 0,
  // An unfinished tail of the log or the manifest is kCorruption too.
  kAbsoluteConsistency = 1,
  // Replay ends at the first record that cannot be read, durable or not: the database is as it was then.
  kPointInTime = 2,
  // Records that cannot be read are left out, and every intact one behind them is applied. Operations may
  // be missing from the middle of the history.
  kSalvage = 3,
};

struct SEERDB_EXPORT Options {
  // --- opening -------------------------------------------------------------------------------------
  bool create_if_missing = true;
  bool error_if_exists = false;
  // The last two modes report what they left out to `logger` and in DBStats::recovery, and open the database
  // for good: the old logs are deleted. Copy the directory first if another attempt may follow.
  RecoveryMode recovery_mode = RecoveryMode::kTolerateTornTail;

  // --- writing -------------------------------------------------------------------------------------
  // Bytes of one memtable before it is sealed and flushed. 4 KiB .. 64 GiB.
  uint64_t memtable_capacity = uint64_t{64} << 20;
  // Sealed memtables that may wait for their flush before writers wait for one; while the memtable behind the
  // last of them fills, writers are delayed more and more. 1 .. 64.
  uint32_t max_immutable_memtables = 2;
  SyncPolicy wal_sync_policy = SyncPolicy::kSyncData;
  // kBarrier only: longest time between an acknowledged write and the sync that covers it.
  // 1,000 .. 60,000,000.
  uint64_t barrier_interval_us = 100'000;
  // Synced writes: how long the leader of a commit group waits for more writers. 0 .. 1,000,000. Ignored
  // under kNone and kBarrier.
  uint64_t group_commit_delay_us = 0;
  // Writers in one commit group. 1 .. 100,000.
  uint32_t group_commit_max_batch_size = 1'000;
  // No write is logged: all are lost on a crash unless Flush() or Close() succeeded after them.
  bool skip_wal = false;
  // Bytes of what is remembered of writes while transactions are active (transaction.h): each key written
  // takes its own bytes and at most about 100. A transaction behind whose begin more was written fails when
  // it commits. With a memory budget of M at most M / 16. 64 KiB .. 64 GiB.
  uint64_t transaction_history_bytes = uint64_t{16} << 20;
  // How the log is written. kAuto: mapped while writes are not synced, direct while they are, for as long as
  // the file system can, otherwise buffered, as also where what is synced are values with files of their own;
  // a database starts with a buffered segment and moves when it has seen what is written. What cannot be had
  // falls back to kBuffered.
  LogMode log_mode = LogMode::kAuto;
  // Bytes of one log segment. 4 KiB .. 4 GiB. A larger write gets a segment of its own size.
  uint64_t wal_segment_bytes = uint64_t{16} << 20;

  // --- tree ----------------------------------------------------------------------------------------
  // Levels, with L0. 2 .. 16.
  uint32_t num_levels = 7;
  // Bytes of L1 above which it is compacted. 4 KiB .. 16 TiB.
  uint64_t base_level_size = uint64_t{256} << 20;
  // L(n+1) may hold this many times L(n). 2 .. 100.
  uint32_t size_ratio = 10;
  // Bytes at which compaction starts a new table. 4 KiB .. 16 GiB.
  uint64_t target_file_size = uint64_t{64} << 20;
  // L0 tables at which compaction starts (1 .. 1,000) / writes are slowed / writes wait. They must not
  // decrease in this order; at most 100,000. Delays begin halfway between the first two and grow without a
  // step up to the third; halfway there as much is let in as compaction takes out of L0
  // (docs/decisions/0015).
  uint32_t l0_compaction_trigger = 4;
  uint32_t l0_slowdown_writes_trigger = 20;
  uint32_t l0_stop_writes_trigger = 36;
  // The shape of the tree; with adaptive_compaction, where it starts.
  CompactionPolicy compaction_policy = CompactionPolicy::kLazyLeveling;
  // Runs a level and size ratio (4 .. 20; size_ratio is only where it starts) follow what is done with the
  // database: puts, gets, misses, scans. Needs `metrics`; without, the shape stays.
  bool adaptive_compaction = true;
  // Bytes on disk for each byte of live keys and values that the engine may reach, temporary files included;
  // compaction keeps below it by itself, and writers are slowed where it cannot. 0 = no target: then tables
  // may take about three times what is live before old versions are merged away for the sake of space, and
  // writers never wait for that. 1.1 .. 100.
  double space_amplification_target = 0;
  // A table whose tombstones are at least this part of its entries is compacted although its level is not
  // full. 0 = never. 0 .. 1.
  double tombstone_density_trigger = 0.5;
  // The same for a table that has held a tombstone for this long. 0 = never. At most 10 years.
  uint64_t tombstone_max_age_s = uint64_t{7} * 24 * 3600;
  // Compactions that may run at once. 0 = one for each two processors, at least two. 0 .. 64.
  uint32_t max_background_compactions = 0;
  // Bytes of keys and values a second that all compactions together may read, and so about what they write; a
  // limit also for CompactRange, WaitForCompaction and while writers wait. 0 = as much as the tree needs:
  // little while it is in shape, all there is while somebody waits or nobody writes. 0, or 1 MiB .. 1 TiB.
  uint64_t compaction_bytes_per_second = 0;
  // False: the writer that fills a memtable flushes it / compaction runs inside the flush. With both
  // false the database uses no thread of its own, unless wal_sync_policy is kBarrier.
  bool background_flush = true;
  bool background_compaction = true;

  // --- the data model ------------------------------------------------------------------------------
  // What DB::Merge does in the default keyspace (merge_operator.h). Its name is kept: kInvalidArgument if
  // another one is given later. Null: the one that it has, if that is built in or among merge_operators.
  std::shared_ptr<const MergeOperator> merge_operator;
  // Operators that keyspaces may have, by their names, beside the built-in ones.
  std::vector<std::shared_ptr<const MergeOperator>> merge_operators;
  // How long a put or merge in the default keyspace lives that names no time of its own. 0 = as
  // DB::OpenKeyspace has said, else for ever. Not kept. At most kMaxTtlUs.
  uint64_t default_ttl_us = 0;
  // Looks at the values of the default keyspace during compaction (compaction_filter.h). Null: none.
  std::shared_ptr<const CompactionFilter> compaction_filter;

  // --- large values --------------------------------------------------------------------------------
  // A put value of at least so many bytes is written once, into a value segment; log and tables hold where it
  // lies. Under another threshold all values stay readable: one that lies apart stays so, and one that lies
  // with its key is taken apart when a compaction writes it anew. 0 = none is taken apart. 0, or
  // kMinSeparationBytes .. kMaxValueBytes.
  uint64_t separation_bytes = 4096;
  // A value segment that has so many bytes takes no more. 64 KiB .. 64 GiB.
  uint64_t value_segment_bytes = uint64_t{128} << 20;

  // --- tables --------------------------------------------------------------------------------------
  CompressionType compression = CompressionType::kNone;
  // Uncompressed bytes of a data block. 64 .. 1 MiB. Where it is a multiple of 4096 and a block is not
  // compressed, the block ends with a page of the file if a sixteenth of block_bytes is enough to fill it up:
  // a read that no cache serves then takes one page for a block of one, not two.
  uint32_t block_bytes = 4096;
  // Filter bits a key; 0 = no filter. 0 .. 32.
  uint32_t bloom_bits_per_key = 11;
  // Bytes of a prefix of user keys; 0 = none. Then filters hold, beside its keys, the distinct prefixes of
  // this length that a table's keys begin with, at as many bits each, and an iterator whose
  // ReadOptions::prefix has at least so many bytes passes over tables that have no key with it. May be
  // another at each open: every table knows its own. Pays where most of the prefixes that are asked for are
  // in few of the runs. 0 .. 255. As RocksDB's prefix filters, without their way to lose keys: an iterator
  // never leaves ReadOptions::prefix.
  uint32_t prefix_filter_bytes = 0;
  // What finds a key in a table. May be another at each open: every table knows its own.
  IndexKind index_kind = IndexKind::kAuto;
  // kAuto: a table of the oldest run in its range that will have so many keys gets a learned index over all
  // of them instead of a filter, tags in its blocks and part of its index of blocks, where a trial with its
  // first keys of this number says that the models are smaller than these; `seerdb dump` says which
  // tables have one, and why others have not; DBStats counts them. It takes 16 bits a key where those
  // take 26. An absent key passes it as often as a filter of 11 bits, and takes somewhat longer to turn away.
  // 0 = no table; none either with bloom_bits_per_key of 0 or more than 12, nor with prefix_filter_bytes. At
  // most 2^30. The index of Bourbon (OSDI 2020), with tags as in Swiss tables.
  uint32_t learned_index_min_keys = 2048;
  TableAccess table_access = TableAccess::kAuto;
  // Bytes of the cache of read or decompressed blocks. Uncompressed mapped blocks bypass it. 0 = none.
  // At most 16 TiB.
  uint64_t block_cache_capacity = uint64_t{64} << 20;

  // --- budgets -------------------------------------------------------------------------------------
  // Bytes of memory for memtables, cache, indexes, compaction and what readers pin, together. From 80 % on
  // memtables are flushed early, at 95 % writers wait. 0 = no limit. 0, or 8 MiB .. 16 TiB.
  uint64_t max_memory_bytes = 0;
  // A budget shared with other databases (memory_budget.h). Excludes max_memory_bytes.
  std::shared_ptr<MemoryBudget> memory_budget;
  // Writes that need space fail with kDiskSpaceFull while the file system has less than this free; deletes go
  // on. Flush, compaction and bulk load look too. 0 = no guard.
  uint64_t min_disk_space_bytes = 0;
  // Tables kept open. 0 = three quarters of the process's limit of descriptors. 0, or 16 .. 1,000,000.
  uint32_t max_open_files = 0;

  // --- observing -----------------------------------------------------------------------------------
  // False: counters and latencies are not kept, and Stats() reports zeros for them.
  bool metrics = true;
  // Receives one line, "event=NAME key=value ...", for each open, flush, compaction, stall, error and close
  // (docs/observing.md); called from any thread, never concurrently. Nothing is written anywhere unless this
  // is set.
  std::function<void(Slice line)> logger;

  // --- seams ---------------------------------------------------------------------------------------
  // Null: PosixFileSystem(), SystemClock(), a private NewThreadPoolExecutor().
  std::shared_ptr<FileSystem> file_system;
  std::shared_ptr<Clock> clock;
  std::shared_ptr<Executor> executor;
  // Seed of all randomness (database id, log epochs); 0 = from the operating system.
  uint64_t seed = 0;

  // Every field and its value, one "name value" line each, in the order above. Sizes and times have a unit
  // and are exact; a 0 that stands for something says for what. Of the seams, whether they are given.
  std::string ToString() const;

  // Presets of the Rust crate, with its values where the field exists. OptionsFor (options_for.h) chooses
  // from memory, disk and workload instead.
  static Options Default() { return {}; }
  // Small footprint, no threads: 64 MiB memtable, 16 MiB cache, foreground work; metrics and, for want of
  // them, adaptive compaction off.
  static Options Embedded();
  // 512 MiB memtable, 2 GiB base level, 256 MiB cache.
  static Options HighThroughput();
  // For more than 10^9 keys, 100 GB and more: 1 GiB memtable, 4 GiB base level, 256 MiB tables, 512 MiB
  // cache.
  static Options LargeScale();
};

struct SEERDB_EXPORT ReadOptions {
  // Read as of this snapshot; null = the latest writes. Must outlive the call, or the iterator.
  const Snapshot* snapshot = nullptr;
  // Read in this keyspace (keyspace.h); null = the default one. Must outlive the call; an iterator does not
  // need it.
  const Keyspace* keyspace = nullptr;
  // Blocks read by this operation are not added to the block cache.
  bool no_cache = false;
  // Check the checksum of every block touched, also of those already checked.
  bool verify_checksums = false;

  // Iterators only. Bounds: lower_bound <= keys < upper_bound; an empty upper bound means none. `prefix`
  // narrows the bounds to the keys that start with it. The bytes are copied.
  std::string lower_bound;
  std::string upper_bound;
  std::string prefix;
  // Values are not read, and operands not merged; Iterator::value() is empty.
  bool keys_only = false;
  // > 0: a call that has passed over so many hidden entries (deleted, expired, older versions) before it
  // found one to show stops with kBusy/kSkipLimit; see Iterator. 0: no limit.
  uint64_t max_skipped = 0;
  // > 0: the iterator reads tables through read calls of this many bytes, past mapping and cache, for a long
  // scan over data that is not in memory. 0: as other reads. At most 16 MiB.
  uint64_t read_ahead_bytes = 0;

  static ReadOptions NoCache() {
    ReadOptions o;
    o.no_cache = true;
    return o;
  }
  static ReadOptions Verify() {
    ReadOptions o;
    o.verify_checksums = true;
    return o;
  }
};

enum class WriteSync : unsigned char {
  kByPolicy = 0,  // as Options::wal_sync_policy says
  kSync = 1,      // durable when acknowledged, whatever the policy
  kNoSync = 2,    // in the kernel when acknowledged, whatever the policy
};

struct SEERDB_EXPORT WriteOptions {
  WriteSync sync = WriteSync::kByPolicy;
  // Not logged: lost on a crash unless a flush covers it. Contradicts kSync (kInvalidArgument).
  bool skip_wal = false;
  // Write in this keyspace (keyspace.h); null = the default one. Must outlive the call. Not for a WriteBatch,
  // which names one for each operation (kInvalidArgument).
  const Keyspace* keyspace = nullptr;
  // What is put or merged lives for so long, by the wall clock (Clock::WallMicros) of this moment, and is
  // hidden then, also from snapshots; compaction drops it. 0 = as the keyspace says; kNoTtl = for ever; at
  // most kMaxTtlUs. Of a WriteBatch, each put and merge that names none.
  uint64_t ttl_us = 0;

  static WriteOptions Sync() {
    WriteOptions o;
    o.sync = WriteSync::kSync;
    return o;
  }
  static WriteOptions NoSync() {
    WriteOptions o;
    o.sync = WriteSync::kNoSync;
    return o;
  }
  static WriteOptions SkipWal() {
    WriteOptions o;
    o.skip_wal = true;
    return o;
  }
  static WriteOptions Ttl(uint64_t ttl_us) {
    WriteOptions o;
    o.ttl_us = ttl_us;
    return o;
  }
};

}  // namespace seerdb
