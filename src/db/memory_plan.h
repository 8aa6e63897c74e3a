// MemoryPlan: what a limit on memory means for the parts of a database. Decisions without side effects.
#pragma once

#include <cstdint>

#include "seerdb/options.h"

namespace seerdb {

// The shares of a limit. A database without one has what the options ask for.
struct MemoryPlan {
  uint64_t memtable_capacity = 0;
  uint64_t wal_segment_bytes = 0;
  // Of one compaction: the read buffers of its inputs (0 = they grow by themselves), together and each at
  // most, and the index and filter of the table that is being written (0 = not limited).
  uint64_t read_bytes = 0;
  uint64_t read_ahead_bytes = 0;
  uint64_t table_memory_bytes = 0;
  // Largest batch and value that can be written, logged and flushed within the limit.
  uint64_t max_batch_bytes = UINT64_MAX;
  uint64_t max_value_bytes = UINT64_MAX;
};

// `limit_bytes` 0 = none. The memtables, the active one and those that wait, together get at most half.
MemoryPlan PlanMemory(const Options& options, uint64_t limit_bytes);

// About what a flush or a compaction holds while it runs.
uint64_t FlushMemory(uint64_t entries, uint64_t bytes);
// Of each of `inputs`, as CompactionMemory counts it.
uint64_t ReadAhead(const MemoryPlan& plan, uint64_t inputs);
uint64_t CompactionMemory(const MemoryPlan& plan, uint64_t inputs, uint64_t target_file_size);

// What the leader of a commit group finds.
struct MemorySituation {
  uint64_t early_flush_bytes = 0;
  uint64_t stop_bytes = 0;
  uint64_t pressure_bytes = 0;       // SharedBudget::pressure_bytes
  uint64_t needed_bytes = 0;         // by the group
  uint64_t flushing_bytes = 0;       // of pressure_bytes, memtables that wait for their flush
  uint64_t own_active_bytes = 0;     // 0 if it is empty
  uint64_t largest_other_bytes = 0;  // the largest active memtable of another database
  uint64_t worthwhile_bytes = 0;     // a smaller memtable is not flushed early
  bool slot_free = false;            // sealing need not wait
};

enum class MemoryStep : unsigned char {
  kGoOn,
  kSealOwn,   // and look again
  kAskOther,  // and go on
  kWait,      // and look again
};
MemoryStep NextMemoryStep(const MemorySituation& situation);

}  // namespace seerdb
