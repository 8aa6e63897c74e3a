// MemoryBudget: one limit on the memory of one or several databases. MemoryUsage: what memory is held for.
//
// Counted is the memory that the engine holds and the system cannot take back: memtables, cached blocks,
// blocks and memtables that iterators and pinned values keep readable, indexes and filters held in memory,
// buffers of flush, compaction and bulk load, transactions, and what is dirty in mapped log segments. Clean
// pages of mapped tables are shown apart.
//
// What a limit of M does: memtables, log segments and compaction get shares of M, and options that ask for
// more are cut to them (DBStats::memtable_capacity_bytes); the block cache has what is left below 80 % of M,
// and gives it back when others need it. From 80 % on memtables are flushed before they are full, the largest
// of all databases first. From 95 % on writers wait for memory. Where nothing can free any, because readers
// hold it, a write fails with kBusy/kMemoryFull, and the next one is tried anew. Reads never wait: what they
// pin may go beyond M by what the caller holds on to. A batch of more than M / 4 bytes and a value of more
// than M / 8 are refused with kInvalidArgument/kMemoryFull.
//
// Not counted: the executable, stacks, what the allocator keeps, batches that the caller builds and values
// that are copied for it. Opening takes the log's M / 16 at once: M may be exceeded by it until others flush.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "seerdb/export.h"
#include "seerdb/result.h"

namespace seerdb {

struct SEERDB_EXPORT MemoryUsage {
  uint64_t limit_bytes = 0;  // 0 = none
  // The sum of what follows, up to log_bytes.
  uint64_t total_bytes = 0;
  uint64_t active_memtable_bytes = 0;     // and what is kept for the next one, for seconds
  uint64_t immutable_memtable_bytes = 0;  // waiting for their flush
  uint64_t pinned_memtable_bytes = 0;     // flushed, and held by iterators or pinned values
  uint64_t block_cache_bytes = 0;
  uint64_t pinned_block_bytes = 0;    // held by iterators or pinned values, and not in the cache
  uint64_t table_metadata_bytes = 0;  // indexes, filters and models of open tables, where they are not mapped
  uint64_t bulk_load_bytes = 0;       // for sorting and writing bulk loads
  uint64_t transaction_bytes = 0;     // buffered and tracked by transactions, and their conflict history
  uint64_t job_bytes = 0;             // set aside for running flushes and compactions
  uint64_t log_bytes = 0;             // buffers, and mapped segments that are written to
  // Apart from the sum: clean pages of mapped tables, as far as they are in memory at all.
  uint64_t mapped_bytes = 0;
  uint64_t mapped_obsolete_bytes = 0;  // of tables that are no longer part of the tree, and still held

  // "1234 of 5678 bytes held: active memtable 12, ...", leaving out what is 0.
  std::string ToString() const;
};

// Ownership: shared; lives as long as a database, iterator or pinned value charged to it.
// Thread safety: all methods concurrently.
class SEERDB_EXPORT MemoryBudget {
 public:
  // `limit_bytes`: 8 MiB .. 16 TiB, else kInvalidArgument.
  static Result<std::shared_ptr<MemoryBudget>> Create(uint64_t limit_bytes);

  virtual ~MemoryBudget() = default;
  MemoryBudget(const MemoryBudget&) = delete;
  MemoryBudget& operator=(const MemoryBudget&) = delete;

  virtual uint64_t limit_bytes() const = 0;
  // Of all databases together. Cheap.
  virtual MemoryUsage usage() const = 0;

 protected:
  MemoryBudget() = default;
};

}  // namespace seerdb
