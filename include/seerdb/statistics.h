// DBStats: a reading of a database's counters, latencies and shape, as DB::Stats() returns it.
//
// Counters start at zero when the database is opened. Byte counts are bytes handed to the file system or
// taken from it. docs/observing.md says what to look at.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "seerdb/export.h"
#include "seerdb/memory_budget.h"

namespace seerdb {

// One line: name, help. A counter exists here and nowhere else.
#define SEERDB_COUNTER_LIST(X)                                                                              \
  X(total_puts, "puts acknowledged, also inside batches")                                                   \
  X(total_deletes, "deletes acknowledged, also inside batches")                                             \
  X(total_gets, "keys looked up by Get and MultiGet")                                                       \
  X(total_gets_found, "keys looked up and found")                                                           \
  X(total_iterators, "iterators made")                                                                      \
  X(total_seeks, "positions that iterators were sent to")                                                   \
  X(total_scan_entries, "entries that iterators gave")                                                      \
  X(scan_entries_skipped, "hidden entries that iterators passed over: deleted, expired, older versions")    \
  X(total_merges, "merges acknowledged, also inside batches")                                               \
  X(total_range_deletes, "range deletes acknowledged, also inside batches")                                 \
  X(transaction_commits, "transactions committed that had written something")                               \
  X(transaction_conflicts,                                                                                  \
    "transactions that failed to commit because of a conflict, or for want of history")                     \
  X(total_flushes, "memtables written to tables")                                                           \
  X(total_compactions, "merging compactions installed")                                                     \
  X(total_trivial_moves, "tables moved down a level without rewriting")                                     \
  X(total_dropped_tables, "tables removed whole because nobody needed them")                                \
  X(total_shape_changes, "changes of the tree's shape by adaptive compaction")                              \
  X(logical_bytes_written, "key and value bytes of acknowledged writes and loads")                          \
  X(wal_bytes_written, "bytes appended to logs")                                                            \
  X(value_bytes_written, "bytes appended to value segments by writes")                                      \
  X(value_gc_bytes_written, "bytes of value segments written by compaction, recovery and loads")            \
  X(wal_bytes_prepared, "bytes written into log files before their use, as direct logs need")               \
  X(flush_bytes_written, "bytes of tables written by flush and recovery")                                   \
  X(compaction_bytes_read, "bytes of tables read by compaction")                                            \
  X(compaction_bytes_written, "bytes of tables written by compaction")                                      \
  X(total_bulk_loads, "bulk loads installed")                                                               \
  X(bulk_load_bytes_written, "bytes of tables written by bulk loads, and of runs sorted for them")          \
  X(manifest_bytes_written, "bytes appended to manifests")                                                  \
  X(wal_syncs, "syncs of a log")                                                                            \
  X(write_groups, "commit groups")                                                                          \
  X(write_stalls, "times that a writer was delayed or waited for background work")                          \
  X(write_stall_us, "time writers were delayed or waited for background work")                              \
  X(blocks_read, "data blocks that Get and MultiGet looked into, wherever they came from")                  \
  X(iterator_blocks_read, "data blocks that iterators looked into, wherever they came from")                \
  X(table_bytes_read, "bytes of tables taken by read calls, by reads and to open them; without compaction") \
  X(disk_guard_refusals, "writes and loads refused for want of min_disk_space_bytes")                       \
  X(disk_guard_delays, "compactions put off for want of min_disk_space_bytes")                              \
  X(memory_stalls, "commit groups that waited for the memory budget")                                       \
  X(memory_flushes, "memtables flushed early for the memory budget")                                        \
  X(filter_negatives, "table lookups answered absent by the filter")                                        \
  X(prefix_filter_negatives, "tables that iterators passed over by the filter")                             \
  X(filter_false_positives, "table lookups passed by the filter that found nothing")                        \
  X(index_model_hits, "table lookups whose block the model bracketed")                                      \
  X(index_fallbacks, "table lookups that searched the index by comparison alone")                           \
  X(cache_hits, "block cache hits")                                                                         \
  X(cache_misses, "block cache misses")                                                                     \
  X(cache_inserts, "blocks added to the block cache")                                                       \
  X(cache_evictions, "blocks evicted from the block cache")                                                 \
  X(table_files_opened, "descriptors of tables opened")                                                     \
  X(table_files_evicted, "descriptors of tables given up for max_open_files")                               \
  X(unobserved_iterator_errors, "iterators stopped by an error nobody asked for")

// One line: name, help. Failed operations count too. Of those called sampled one in kLatencySampling is
// timed, chosen at random whatever the operation, so that percentiles are those of all; of threads beyond 64
// at one time none is. The others are timed always.
#define SEERDB_LATENCY_LIST(X)                                               \
  X(put_latency, "Put, from call to return; sampled")                        \
  X(get_latency, "Get; sampled")                                             \
  X(delete_latency, "Delete; sampled")                                       \
  X(write_latency, "Write of a batch; sampled")                              \
  X(seek_latency, "seeks of iterators; sampled")                             \
  X(flush_latency, "flush of a memtable, from its start to its install")     \
  X(compaction_latency, "merging compaction, from its start to its install") \
  X(wal_sync_latency, "sync of a log, also as part of a write")              \
  X(write_stall_latency, "delay or wait of the leader of a commit group for background work")

inline constexpr uint32_t kLatencySampling = 64;

// Percentiles are within 1.6 % of the exact ones (half a bucket); from 137 s on they are not told apart.
// All are 0 while count is 0.
struct SEERDB_EXPORT LatencySummary {
  uint64_t count = 0;  // operations timed
  double mean_us = 0;  // exact
  double p50_us = 0;
  double p95_us = 0;
  double p99_us = 0;
  double p999_us = 0;
  double max_us = 0;  // exact, of those timed
};

// One line: type, name, help. What is neither counted nor timed: the state when it was asked for, and what
// follows from counters.
#define SEERDB_GAUGE_LIST(X)                                                                                 \
  X(uint64_t, memtable_size_bytes, "bytes of the active memtable")                                           \
  X(uint64_t, memtable_capacity_bytes, "bytes at which a memtable is sealed")                                \
  X(double, memtable_utilization_pct, "bytes of the active memtable in percent of its capacity")             \
  X(uint64_t, memtable_entries, "entries of the active memtable")                                            \
  X(uint64_t, immutable_memtables, "sealed memtables that wait for their flush")                             \
  X(uint64_t, wal_size_bytes, "bytes written to live log segments")                                          \
  X(uint64_t, total_disk_bytes, "bytes of live tables and value segments")                                   \
  X(uint64_t, value_segments, "value segments")                                                              \
  X(uint64_t, value_disk_bytes, "bytes of them")                                                             \
  X(uint64_t, value_live_bytes, "of these, bytes that tables point to; the rest is garbage, or new")         \
  X(uint64_t, obsolete_table_bytes,                                                                          \
    "bytes of replaced tables that readers still hold or that are about to be removed")                      \
  X(uint64_t, wal_disk_bytes,                                                                                \
    "bytes of log files: live ones as allocated, spare ones, those kept for reuse")                          \
  X(uint64_t, manifest_size_bytes, "bytes of the manifest in use")                                           \
  X(uint64_t, directory_bytes,                                                                               \
    "total_disk_bytes, obsolete_table_bytes, wal_disk_bytes and manifest_size_bytes: everything on disk")    \
  X(uint64_t, live_bytes_estimate, "bytes of keys and values that readers can reach; 0 = not known")         \
  X(uint64_t, physical_bytes_written, "bytes written to logs, tables and manifests")                         \
  X(double, write_amplification, "physical_bytes_written / logical_bytes_written; 0 before the first write") \
  X(double, read_amplification, "blocks_read / total_gets; 0 before the first get")                          \
  X(double, space_amplification, "directory_bytes / live_bytes_estimate; 0 while that is not known")         \
  X(double, writes_per_sec, "total_puts / uptime")                                                           \
  X(double, reads_per_sec, "total_gets / uptime")                                                            \
  X(double, deletes_per_sec, "total_deletes / uptime")                                                       \
  X(double, cache_hit_rate, "cache_hits / (cache_hits + cache_misses), 0 .. 1; 0 before the first lookup")   \
  X(uint64_t, block_cache_size, "bytes in the block cache")                                                  \
  X(uint64_t, block_cache_entries, "blocks in the block cache")                                              \
  X(uint64_t, block_cache_capacity, "bytes the block cache may hold")                                        \
  X(uint64_t, total_sstables, "live tables")                                                                 \
  X(uint64_t, learned_tables, "of them, those with a learned index over all keys")                           \
  X(uint64_t, unlearnable_tables, "of them, those whose keys a trial found not worth one")                   \
  X(uint64_t, table_index_bytes, "bytes of their indexes")                                                   \
  X(uint64_t, table_filter_bytes, "bytes of their filters")                                                  \
  X(uint64_t, range_tombstones, "range deletes in tables that may still hide something")                     \
  X(uint64_t, disk_available_bytes, "free space as the disk guard knows it; 0 without min_disk_space_bytes") \
  X(uint64_t, memory_limit_bytes, "limit of the memory budget; 0 = none")                                    \
  X(uint64_t, memory_total_bytes, "memory held by this database")                                            \
  X(uint64_t, memory_active_memtable_bytes, "of it, the active memtable")                                    \
  X(uint64_t, memory_immutable_memtable_bytes, "of it, memtables that wait for their flush")                 \
  X(uint64_t, memory_pinned_memtable_bytes, "of it, flushed memtables in use by readers")                    \
  X(uint64_t, memory_block_cache_bytes, "of it, blocks in the cache")                                        \
  X(uint64_t, memory_pinned_block_bytes, "of it, blocks in use by readers and in no cache")                  \
  X(uint64_t, memory_table_metadata_bytes, "of it, indexes and filters that are not mapped")                 \
  X(uint64_t, memory_bulk_load_bytes, "of it, for sorting and writing bulk loads")                           \
  X(uint64_t, memory_transaction_bytes, "of it, for transactions and their conflict history")                \
  X(uint64_t, memory_job_bytes, "of it, set aside for running flushes and compactions")                      \
  X(uint64_t, memory_log_bytes, "of it, buffers and mapped segments of the log")                             \
  X(uint64_t, mapped_bytes, "bytes of mapped tables; not part of memory_total_bytes")                        \
  X(uint64_t, mapped_obsolete_bytes, "bytes of mapped tables that are no longer in the tree; likewise")      \
  X(uint64_t, last_sequence, "sequence of the newest visible write")                                         \
  X(uint64_t, live_snapshots, "snapshots not released")                                                      \
  X(uint64_t, uptime_us, "time since the database was opened")

struct SEERDB_EXPORT LevelStats {
  uint32_t runs = 0;
  uint32_t files = 0;
  uint64_t bytes = 0;
  uint64_t entries = 0;
  uint64_t tombstones = 0;
};

// Records of the log that Open looked for and did not apply.
struct SEERDB_EXPORT RecoveryLoss {
  std::string file;
  uint64_t offset = 0;        // where the first of them belongs
  uint64_t first_record = 0;  // the number of its record
  uint64_t records = 0;       // 0: not known
  std::string reason;

  // "FILE @64: records 7 to 9: REASON".
  std::string ToString() const;
};

// What Open did with the log.
struct SEERDB_EXPORT RecoveryReport {
  uint64_t records_replayed = 0;
  // An unfinished tail was dropped.
  bool torn_tail = false;
  // Only with RecoveryMode::kPointInTime and kSalvage, in the order of the log.
  std::vector<RecoveryLoss> losses;
  // kPointInTime: intact records behind the first loss.
  uint64_t intact_records_dropped = 0;
};

// Plain data. Field names follow the Rust crate seerdb; what is a function here is a field there. With
// Options::metrics off counters and latencies are zeros, and so is what follows from them.
struct SEERDB_EXPORT DBStats {
#define SEERDB_DECLARE_COUNTER(name, help) uint64_t name = 0;
  SEERDB_COUNTER_LIST(SEERDB_DECLARE_COUNTER)
#undef SEERDB_DECLARE_COUNTER
#define SEERDB_DECLARE_LATENCY(name, help) LatencySummary name;
  SEERDB_LATENCY_LIST(SEERDB_DECLARE_LATENCY)
#undef SEERDB_DECLARE_LATENCY
#define SEERDB_DECLARE_GAUGE(type, name, help) type name = 0;
  SEERDB_GAUGE_LIST(SEERDB_DECLARE_GAUGE)
#undef SEERDB_DECLARE_GAUGE
  // What this database holds; the limit is that of the budget, which others may share (MemoryBudget::usage).
  MemoryUsage memory;
  std::vector<LevelStats> levels;
  RecoveryReport recovery;

  double put_latency_p50_us() const { return put_latency.p50_us; }
  double put_latency_p95_us() const { return put_latency.p95_us; }
  double put_latency_p99_us() const { return put_latency.p99_us; }
  double put_latency_p999_us() const { return put_latency.p999_us; }
  double get_latency_p50_us() const { return get_latency.p50_us; }
  double get_latency_p95_us() const { return get_latency.p95_us; }
  double get_latency_p99_us() const { return get_latency.p99_us; }
  double get_latency_p999_us() const { return get_latency.p999_us; }
  double delete_latency_p50_us() const { return delete_latency.p50_us; }
  double delete_latency_p95_us() const { return delete_latency.p95_us; }
  double delete_latency_p99_us() const { return delete_latency.p99_us; }
  uint64_t uptime_seconds() const { return uptime_us / 1'000'000; }
  // One number a level, L0 first.
  std::vector<uint64_t> sstables_per_level() const;
  std::vector<uint64_t> level_sizes_bytes() const;

  // One "name value" line each, in the order above, then a line for each latency that has been timed, a
  // picture of the levels, and the losses of recovery.
  std::string ToString() const;
};

}  // namespace seerdb
