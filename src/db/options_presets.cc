// The presets of Options, and OptionsFor.
#include <algorithm>

#include "base/mutant.h"
#include "base/units.h"
#include "seerdb/options_for.h"

namespace seerdb {
namespace {

// What a hint chooses. Shares are of the memory limit.
struct HintChoice {
  CompactionPolicy policy;      // where the tree starts
  double memtable_share;        // all memtables together
  double cache_share;           // block cache
  uint32_t waiting_memtables;   // max_immutable_memtables
  uint64_t memtable_max_bytes;  // of one; what Close may have to write, and recovery to hold
  uint32_t l0_trigger;          // l0_compaction_trigger
  double space_target;          // if the disk is known
};

HintChoice ChoiceOf(WorkloadHint hint) {
  switch (hint) {
    case WorkloadHint::kWriteHeavy:
      return {CompactionPolicy::kLazyLeveling, 1.0 / 2, 1.0 / 8, 3, kGiB, 4, 2.0};
    case WorkloadHint::kReadHeavy:
      return {CompactionPolicy::kLeveled, 1.0 / 4, 3.0 / 8, 2, 256 * kMiB, 4, 1.3};
    case WorkloadHint::kScanHeavy:
      return {CompactionPolicy::kLeveled, 1.0 / 4, 3.0 / 8, 2, 256 * kMiB, 4, 1.3};
    case WorkloadHint::kBulk:
      return {CompactionPolicy::kTiered, 1.0 / 2, 1.0 / 8, 3, kGiB, 8, 2.0};
    case WorkloadHint::kMixed:
      break;
  }
  return {CompactionPolicy::kLazyLeveling, 3.0 / 8, 1.0 / 4, 2, 256 * kMiB, 4, 1.5};
}

// Down to what reads well; more never becomes less.
uint64_t Rounded(uint64_t bytes) {
  const uint64_t unit = bytes >= 8 * kMiB ? kMiB : uint64_t{64} << 10;
  return bytes - bytes % unit;
}

uint64_t ShareOf(uint64_t bytes, double share) {
  return static_cast<uint64_t>(static_cast<double>(bytes) * share);
}

void SizeByMemory(uint64_t memory_bytes, const HintChoice& choice, Options* o) {
  constexpr uint64_t kMemtableMin = 512 << 10;
  const uint64_t memtables = SEERDB_MUTANT("memory-split-forgets-waiting") ? 1 : choice.waiting_memtables + 1;
  o->max_memory_bytes = std::clamp(memory_bytes, 8 * kMiB, 16 * kTiB);
  o->memtable_capacity = std::clamp(Rounded(ShareOf(o->max_memory_bytes, choice.memtable_share) / memtables),
                                    kMemtableMin, choice.memtable_max_bytes);
  o->block_cache_capacity = Rounded(ShareOf(o->max_memory_bytes, choice.cache_share));
  o->base_level_size = 4 * o->memtable_capacity;
  o->target_file_size = std::clamp(o->memtable_capacity, kMiB, 64 * kMiB);
  o->wal_segment_bytes = std::clamp(o->memtable_capacity, kMiB, 16 * kMiB);
}

void SizeByDisk(uint64_t disk_bytes, const HintChoice& choice, Options* o) {
  // Tables beyond which opening them all and listing them takes long.
  constexpr uint64_t kTablesWanted = 16'384;
  constexpr uint32_t kLevelsMax = 12;
  o->space_amplification_target = choice.space_target;
  o->target_file_size = std::max(o->target_file_size, Rounded(std::min(disk_bytes / kTablesWanted, kGiB)));
  const uint64_t working_bytes = o->memtable_capacity * (choice.waiting_memtables + 1) +
                                 4 * o->target_file_size + 2 * o->wal_segment_bytes;
  const uint64_t guard = std::min(std::max(disk_bytes / 20, working_bytes), 16 * kGiB);
  o->min_disk_space_bytes = std::max<uint64_t>(Rounded(std::min(guard, disk_bytes / 4)), 1);
  // The last level takes what the others leave, however much; it should not be more than size_ratio times
  // them.
  uint64_t last_level_bytes = o->base_level_size;
  for (uint32_t level = 2; level < o->num_levels; ++level) last_level_bytes *= o->size_ratio;
  for (; last_level_bytes < disk_bytes && o->num_levels < kLevelsMax; ++o->num_levels) {
    last_level_bytes *= o->size_ratio;
  }
}

}  // namespace

const char* WorkloadHintName(WorkloadHint hint) {
  switch (hint) {
    case WorkloadHint::kMixed:
      return "mixed";
    case WorkloadHint::kWriteHeavy:
      return "write_heavy";
    case WorkloadHint::kReadHeavy:
      return "read_heavy";
    case WorkloadHint::kScanHeavy:
      return "scan_heavy";
    case WorkloadHint::kBulk:
      return "bulk";
  }
  return "unknown";
}

Options OptionsFor(uint64_t memory_bytes, uint64_t disk_bytes, WorkloadHint hint) {
  const HintChoice choice = ChoiceOf(hint);
  Options options;
  options.compaction_policy = choice.policy;
  options.adaptive_compaction = true;
  options.max_immutable_memtables = choice.waiting_memtables;
  // Slowdown and stop stand to the trigger as in the defaults.
  options.l0_slowdown_writes_trigger *= choice.l0_trigger / options.l0_compaction_trigger;
  options.l0_stop_writes_trigger *= choice.l0_trigger / options.l0_compaction_trigger;
  options.l0_compaction_trigger = choice.l0_trigger;
  if (memory_bytes != 0) SizeByMemory(memory_bytes, choice, &options);
  if (disk_bytes != 0) SizeByDisk(disk_bytes, choice, &options);
  return options;
}

Options Options::Embedded() {
  Options options;
  options.memtable_capacity = 64 * kMiB;
  options.block_cache_capacity = 16 * kMiB;
  options.metrics = false;
  // It would have nothing to go by.
  options.adaptive_compaction = false;
  options.background_flush = false;
  options.background_compaction = false;
  return options;
}

Options Options::HighThroughput() {
  Options options;
  options.memtable_capacity = 512 * kMiB;
  options.base_level_size = 2 * kGiB;
  options.block_cache_capacity = 256 * kMiB;
  options.adaptive_compaction = true;
  return options;
}

Options Options::LargeScale() {
  Options options;
  options.memtable_capacity = kGiB;
  options.base_level_size = 4 * kGiB;
  options.target_file_size = 256 * kMiB;
  options.block_cache_capacity = 512 * kMiB;
  options.adaptive_compaction = true;
  return options;
}

}  // namespace seerdb
