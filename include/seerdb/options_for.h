// OptionsFor: options from what there is and what it is for, instead of knobs. docs/tuning.md is its page.
//
// A pure function: it looks at no machine, file or clock, and the same arguments give the same options.
// Thread safety: callable concurrently.
#pragma once

#include <cstdint>

#include "seerdb/export.h"
#include "seerdb/options.h"

namespace seerdb {

// What a database will mostly do. It chooses where the tree starts and how memory is split, never what a
// write or a read promises; with adaptive compaction, which stays on, a wrong hint costs some time.
enum class WorkloadHint : unsigned char {
  kMixed = 0,       // or not known
  kWriteHeavy = 1,  // mostly puts and deletes
  kReadHeavy = 2,   // mostly gets
  kScanHeavy = 3,   // mostly iterators and scans
  kBulk = 4,        // much is loaded, then mostly read
};
// "mixed", "write_heavy", ...
SEERDB_EXPORT const char* WorkloadHintName(WorkloadHint hint);

// Options for a database that may take `memory_bytes` of memory and has `disk_bytes` of disk to itself. The
// result always passes the checks of DB::Open. What is not named here has its default, the sync policy too.
//
// `memory_bytes` becomes max_memory_bytes (at least 8 MiB, at most 16 TiB) and is split between the
// memtables, each of those that wait included, and the block cache; the rest is for indexes, compaction and
// readers. Level, table and log segment sizes follow the memtable. 0: no limit, and these have their
// defaults. More memory never gives a smaller memtable, cache or level.
//
// `disk_bytes`, what the file system that holds the database has for it, becomes
//   min_disk_space_bytes: a twentieth of it, at least room to empty all memtables and to end a compaction, at
//   most
//     a quarter of it and 16 GiB;
//   space_amplification_target: 1.5; 1.3 for kReadHeavy and kScanHeavy, whose tree is compact anyhow, 2 for
//     kWriteHeavy and kBulk, so that writing is not spent on space;
//   more levels and larger tables where the defaults suit only smaller trees.
// It does not bound the database: nothing is refused until the disk itself runs short. 0: not known, no
// guard, no target.
SEERDB_EXPORT Options OptionsFor(uint64_t memory_bytes, uint64_t disk_bytes,
                                 WorkloadHint hint = WorkloadHint::kMixed);

}  // namespace seerdb
