#include "db/memory_plan.h"

#include <algorithm>

#include "base/arena.h"
#include "base/mutant.h"
#include "base/units.h"

namespace seerdb {
namespace {

// Inputs that a compaction has as a rule: so many read buffers share half of what it gets.
constexpr uint64_t kUsualInputs = 8;
constexpr uint64_t kMaxReadAheadBytes = kMiB;  // what SequentialBlocks grows to
// A table that is written holds a chunk of its file, and a hash and bits of the filter for each key.
constexpr uint64_t kChunkBytes = kMiB / 2;
constexpr uint64_t kBytesPerEntry = 28;
constexpr uint64_t kBytesPerIndexByte = 32;

}  // namespace

MemoryPlan PlanMemory(const Options& options, uint64_t limit_bytes) {
  MemoryPlan plan;
  plan.memtable_capacity = options.memtable_capacity;
  plan.wal_segment_bytes = options.wal_segment_bytes;
  if (limit_bytes == 0) return plan;
  const uint64_t memtable_bytes = limit_bytes / 2 / (1 + options.max_immutable_memtables);
  // A group is added whole to a memtable that is not full: a margin for it.
  const uint64_t capacity = Arena::CapacityOf(memtable_bytes) / 16 * 15;
  plan.memtable_capacity = std::min(plan.memtable_capacity, std::max(capacity, 4 * kKiB));
  plan.wal_segment_bytes = std::min(plan.wal_segment_bytes, limit_bytes / 32 / (4 * kKiB) * (4 * kKiB));
  const uint64_t jobs = options.max_background_compactions == 0 ? 2 : options.max_background_compactions;
  const uint64_t job_bytes = limit_bytes / 8 / jobs;
  plan.read_ahead_bytes = std::clamp(job_bytes / 2 / kUsualInputs, 16 * kKiB, kMaxReadAheadBytes);
  plan.read_bytes = std::max(job_bytes / 2, limit_bytes / 16);
  plan.table_memory_bytes = std::max(job_bytes / 2, 512 * kKiB);
  plan.max_batch_bytes = limit_bytes / 4;
  plan.max_value_bytes = limit_bytes / 8;
  return plan;
}

uint64_t FlushMemory(uint64_t entries, uint64_t bytes) {
  return kChunkBytes + entries * kBytesPerEntry + bytes / kBytesPerIndexByte;
}

uint64_t ReadAhead(const MemoryPlan& plan, uint64_t inputs) {
  if (plan.read_ahead_bytes == 0 || inputs == 0) return plan.read_ahead_bytes;
  return std::clamp(plan.read_bytes / inputs, 4 * kKiB, plan.read_ahead_bytes);
}

uint64_t CompactionMemory(const MemoryPlan& plan, uint64_t inputs, uint64_t target_file_size) {
  const uint64_t read_bytes = plan.read_ahead_bytes != 0 ? ReadAhead(plan, inputs) : kMaxReadAheadBytes;
  const uint64_t table_bytes = plan.table_memory_bytes != 0 ? plan.table_memory_bytes : target_file_size / 8;
  return inputs * read_bytes + kChunkBytes + table_bytes;
}

MemoryStep NextMemoryStep(const MemorySituation& s) {
  const uint64_t bytes = s.pressure_bytes + s.needed_bytes;
  if (bytes < s.early_flush_bytes) return MemoryStep::kGoOn;
  // What is being flushed is on its way back.
  const bool enough_is_coming = bytes - std::min(s.flushing_bytes, bytes) < s.early_flush_bytes;
  if (bytes < s.stop_bytes || SEERDB_MUTANT("memory-limit-not-kept")) {
    if (enough_is_coming) return MemoryStep::kGoOn;
    if (std::max(s.own_active_bytes, s.largest_other_bytes) < s.worthwhile_bytes) return MemoryStep::kGoOn;
    if (s.own_active_bytes < s.largest_other_bytes) return MemoryStep::kAskOther;
    return s.slot_free ? MemoryStep::kSealOwn : MemoryStep::kGoOn;
  }
  return s.own_active_bytes > 0 && !enough_is_coming ? MemoryStep::kSealOwn : MemoryStep::kWait;
}

}  // namespace seerdb
