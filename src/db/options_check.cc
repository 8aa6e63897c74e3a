#include "db/options_check.h"

#include <string>

#include "base/status_macros.h"
#include "base/units.h"
#include "seerdb/types.h"

namespace seerdb {
namespace {

Status OutOfRange(const char* field, uint64_t value, uint64_t low, uint64_t high) {
  return Status::InvalidArgument("option " + std::string(field) + " is " + std::to_string(value) +
                                 ", expected " + std::to_string(low) + " .. " + std::to_string(high));
}

Status OutOfRange(const char* field, double value, const char* range) {
  return Status::InvalidArgument("option " + std::string(field) + " is " + std::to_string(value) +
                                 ", expected " + range);
}

}  // namespace

const char* CompactionPolicyName(CompactionPolicy policy) {
  switch (policy) {
    case CompactionPolicy::kLeveled:
      return "leveled";
    case CompactionPolicy::kTiered:
      return "tiered";
    case CompactionPolicy::kLazyLeveling:
      return "lazy_leveling";
  }
  return "unknown";
}

const char* IndexKindName(IndexKind kind) {
  switch (kind) {
    case IndexKind::kAuto:
      return "auto";
    case IndexKind::kTag:
      return "tag";
    case IndexKind::kPgm:
      return "pgm";
    case IndexKind::kRadixSpline:
      return "radix_spline";
    case IndexKind::kAlex:
      return "alex";
    case IndexKind::kBinary:
      return "binary";
  }
  return "unknown";
}

Status CheckOptions(const Options& o) {
  struct Range {
    const char* field;
    uint64_t value;
    uint64_t low;
    uint64_t high;
  };
  const Range ranges[] = {
      {"recovery_mode", static_cast<uint64_t>(o.recovery_mode), 0, 3},
      {"memtable_capacity", o.memtable_capacity, 4 * kKiB, 64 * kGiB},
      {"max_immutable_memtables", o.max_immutable_memtables, 1, 64},
      {"wal_sync_policy", static_cast<uint64_t>(o.wal_sync_policy), 0, 3},
      {"barrier_interval_us", o.barrier_interval_us, 1'000, 60'000'000},
      {"group_commit_delay_us", o.group_commit_delay_us, 0, 1'000'000},
      {"group_commit_max_batch_size", o.group_commit_max_batch_size, 1, 100'000},
      {"transaction_history_bytes", o.transaction_history_bytes, 64 * kKiB, 64 * kGiB},
      {"log_mode", static_cast<uint64_t>(o.log_mode), 0, 3},
      {"wal_segment_bytes", o.wal_segment_bytes, 4 * kKiB, 4 * kGiB},
      {"num_levels", o.num_levels, 2, 16},
      {"base_level_size", o.base_level_size, 4 * kKiB, 16 * kTiB},
      {"size_ratio", o.size_ratio, 2, 100},
      {"target_file_size", o.target_file_size, 4 * kKiB, 16 * kGiB},
      {"l0_compaction_trigger", o.l0_compaction_trigger, 1, 1'000},
      {"l0_slowdown_writes_trigger", o.l0_slowdown_writes_trigger, o.l0_compaction_trigger, 100'000},
      {"l0_stop_writes_trigger", o.l0_stop_writes_trigger, o.l0_slowdown_writes_trigger, 100'000},
      {"compaction_policy", static_cast<uint64_t>(o.compaction_policy), 0, 2},
      {"tombstone_max_age_s", o.tombstone_max_age_s, 0, uint64_t{3650} * 24 * 3600},
      {"max_background_compactions", o.max_background_compactions, 0, 64},
      {"default_ttl_us", o.default_ttl_us, 0, kMaxTtlUs},
      {"value_segment_bytes", o.value_segment_bytes, 64 * kKiB, 64 * kGiB},
      {"compression", static_cast<uint64_t>(o.compression), 0, 2},
      {"block_bytes", o.block_bytes, 64, kMiB},
      {"bloom_bits_per_key", o.bloom_bits_per_key, 0, 32},
      {"prefix_filter_bytes", o.prefix_filter_bytes, 0, 255},
      {"index_kind", static_cast<uint64_t>(o.index_kind), 0, 5},
      {"learned_index_min_keys", o.learned_index_min_keys, 0, 1 << 30},
      {"table_access", static_cast<uint64_t>(o.table_access), 0, 2},
      {"block_cache_capacity", o.block_cache_capacity, 0, 16 * kTiB},
  };
  for (const Range& range : ranges) {
    if (range.value < range.low || range.value > range.high) {
      return OutOfRange(range.field, range.value, range.low, range.high);
    }
  }
  // Zero stands for "none" or "by itself"; a value has a range of its own.
  const Range given[] = {
      {"compaction_bytes_per_second", o.compaction_bytes_per_second, kMiB, kTiB},
      {"separation_bytes", o.separation_bytes, kMinSeparationBytes, kMaxValueBytes},
      {"max_memory_bytes", o.max_memory_bytes, 8 * kMiB, 16 * kTiB},
      {"min_disk_space_bytes", o.min_disk_space_bytes, 1, uint64_t{1} << 60},
      {"max_open_files", o.max_open_files, 16, 1'000'000},
  };
  for (const Range& range : given) {
    if (range.value != 0 && (range.value < range.low || range.value > range.high)) {
      return OutOfRange(range.field, range.value, range.low, range.high);
    }
  }
  const bool no_target = o.space_amplification_target == 0;
  if (!no_target && !(o.space_amplification_target >= 1.1 && o.space_amplification_target <= 100)) {
    return OutOfRange("space_amplification_target", o.space_amplification_target, "0, or 1.1 .. 100");
  }
  if (!(o.tombstone_density_trigger >= 0 && o.tombstone_density_trigger <= 1)) {
    return OutOfRange("tombstone_density_trigger", o.tombstone_density_trigger, "0 .. 1");
  }
  if (o.memory_budget != nullptr && o.max_memory_bytes != 0) {
    return Status::InvalidArgument("options max_memory_bytes and memory_budget are both set, expected one");
  }
  return {};
}

Status CheckReadOptions(const ReadOptions& options) {
  if (options.read_ahead_bytes > 16 * kMiB) {
    return OutOfRange("read_ahead_bytes", options.read_ahead_bytes, 0, 16 * kMiB);
  }
  return {};
}

}  // namespace seerdb
