// DBStats: a reading of a database's counters and shape, as DB::Stats() returns it.
//
// Counters start at zero when the database is opened. Byte counts are bytes handed to the file system.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "seerdb/export.h"

namespace seerdb {

// One line: name, help. A counter exists here and nowhere else.
#define SEERDB_COUNTER_LIST(X)                                                       \
  X(total_puts, "puts acknowledged, also inside batches")                            \
  X(total_deletes, "deletes acknowledged, also inside batches")                      \
  X(total_gets, "keys looked up by Get and MultiGet")                                \
  X(total_gets_found, "keys looked up and found")                                    \
  X(total_iterators, "iterators made")                                               \
  X(total_seeks, "positions that iterators were sent to")                            \
  X(total_scan_entries, "entries that iterators gave")                               \
  X(total_flushes, "memtables written to tables")                                    \
  X(total_compactions, "merging compactions installed")                              \
  X(total_trivial_moves, "tables moved down a level without rewriting")              \
  X(total_dropped_tables, "tables removed whole because nobody needed them")         \
  X(total_shape_changes, "changes of the tree's shape by adaptive compaction")       \
  X(logical_bytes_written, "key and value bytes of acknowledged writes")             \
  X(wal_bytes_written, "bytes appended to logs")                                     \
  X(flush_bytes_written, "bytes of tables written by flush")                         \
  X(compaction_bytes_read, "bytes of tables read by compaction")                     \
  X(compaction_bytes_written, "bytes of tables written by compaction")               \
  X(manifest_bytes_written, "bytes appended to manifests")                           \
  X(wal_syncs, "syncs of a log")                                                     \
  X(write_groups, "commit groups")                                                   \
  X(write_stall_us, "time writers were delayed or waited for background work")       \
  X(filter_negatives, "table lookups answered absent by the filter")                 \
  X(filter_false_positives, "table lookups passed by the filter that found nothing") \
  X(index_model_hits, "table lookups whose block the model bracketed")               \
  X(index_fallbacks, "table lookups that searched the index by comparison alone")    \
  X(cache_hits, "block cache hits")                                                  \
  X(cache_misses, "block cache misses")                                              \
  X(unobserved_iterator_errors, "iterators stopped by an error nobody asked for")

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

struct SEERDB_EXPORT DBStats {
#define SEERDB_DECLARE_COUNTER(name, help) uint64_t name = 0;
  SEERDB_COUNTER_LIST(SEERDB_DECLARE_COUNTER)
#undef SEERDB_DECLARE_COUNTER

  uint64_t memtable_size_bytes = 0;  // active memtable
  uint64_t memtable_capacity_bytes = 0;
  uint64_t memtable_entries = 0;  // active memtable
  uint64_t immutable_memtables = 0;
  uint64_t wal_size_bytes = 0;        // live log segments
  uint64_t total_disk_bytes = 0;      // live tables
  uint64_t block_cache_size = 0;      // bytes
  uint64_t block_cache_capacity = 0;  // bytes
  uint64_t total_sstables = 0;
  std::vector<LevelStats> levels;
  uint64_t last_sequence = 0;
  uint64_t live_snapshots = 0;
  uint64_t uptime_us = 0;
  RecoveryReport recovery;
  // (log + flush + compaction + manifest bytes) / logical bytes; 0 before the first write.
  double write_amplification = 0;

  // One "name value" line each, in the order above, then a picture of the levels, then the losses of
  // recovery.
  std::string ToString() const;
};

}  // namespace seerdb
