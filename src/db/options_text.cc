// Options::ToString: every option as a line of text.
#include <cstdio>
#include <initializer_list>
#include <string>

#include "seerdb/merge_operator.h"
#include "seerdb/options.h"

namespace seerdb {
namespace {

struct Unit {
  uint64_t size;
  const char* name;
};

// In the largest of the units (largest first) that it is a multiple of, so that nothing is rounded.
std::string InUnits(uint64_t value, std::initializer_list<Unit> units) {
  for (const Unit& unit : units) {
    if (value != 0 && value % unit.size == 0) return std::to_string(value / unit.size) + " " + unit.name;
  }
  return std::to_string(value);
}

std::string Bytes(uint64_t bytes) {
  return InUnits(bytes, {{uint64_t{1} << 40, "TiB"},
                         {uint64_t{1} << 30, "GiB"},
                         {uint64_t{1} << 20, "MiB"},
                         {uint64_t{1} << 10, "KiB"},
                         {1, "B"}});
}
std::string Micros(uint64_t us) { return InUnits(us, {{1'000'000, "s"}, {1'000, "ms"}, {1, "us"}}); }
std::string Seconds(uint64_t s) { return InUnits(s, {{24 * 3600, "d"}, {3600, "h"}, {60, "min"}, {1, "s"}}); }
std::string Bool(bool value) { return value ? "true" : "false"; }
std::string Number(double value) {
  char text[32];
  std::snprintf(text, sizeof(text), "%.6g", value);
  return text;
}
// What 0 stands for follows it.
template <typename T>
std::string OrZero(T value, const std::string& text, const char* meaning) {
  return value != 0 ? text : std::string("0 (") + meaning + ")";
}
std::string OrZero(uint64_t value, const char* meaning) {
  return OrZero(value, std::to_string(value), meaning);
}
// What a value that is not a number is.
std::string Given(bool given, const char* otherwise) { return given ? "given" : otherwise; }

const char* Name(RecoveryMode mode) {
  switch (mode) {
    case RecoveryMode::kTolerateTornTail:
      return "tolerate_torn_tail";
    case RecoveryMode::kAbsoluteConsistency:
      return "absolute_consistency";
    case RecoveryMode::kPointInTime:
      return "point_in_time";
    case RecoveryMode::kSalvage:
      return "salvage";
  }
  return "unknown";
}

const char* Name(SyncPolicy policy) {
  switch (policy) {
    case SyncPolicy::kNone:
      return "none";
    case SyncPolicy::kBarrier:
      return "barrier";
    case SyncPolicy::kSyncData:
      return "sync_data";
    case SyncPolicy::kSyncAll:
      return "sync_all";
  }
  return "unknown";
}

const char* Name(CompressionType type) {
  switch (type) {
    case CompressionType::kNone:
      return "none";
    case CompressionType::kLz4:
      return "lz4";
    case CompressionType::kZstd:
      return "zstd";
  }
  return "unknown";
}

const char* Name(TableAccess access) {
  switch (access) {
    case TableAccess::kAuto:
      return "auto";
    case TableAccess::kMapped:
      return "mapped";
    case TableAccess::kPread:
      return "pread";
  }
  return "unknown";
}

#define SEERDB_OPTION_LINE(field, value) *out += std::string(#field " ") + (value) + "\n"

// In the order of options.h.
void AddOpeningAndWriting(const Options& o, std::string* out) {
  SEERDB_OPTION_LINE(create_if_missing, Bool(o.create_if_missing));
  SEERDB_OPTION_LINE(error_if_exists, Bool(o.error_if_exists));
  SEERDB_OPTION_LINE(recovery_mode, Name(o.recovery_mode));

  SEERDB_OPTION_LINE(memtable_capacity, Bytes(o.memtable_capacity));
  SEERDB_OPTION_LINE(max_immutable_memtables, std::to_string(o.max_immutable_memtables));
  SEERDB_OPTION_LINE(wal_sync_policy, Name(o.wal_sync_policy));
  SEERDB_OPTION_LINE(barrier_interval_us, Micros(o.barrier_interval_us));
  SEERDB_OPTION_LINE(group_commit_delay_us, Micros(o.group_commit_delay_us));
  SEERDB_OPTION_LINE(group_commit_max_batch_size, std::to_string(o.group_commit_max_batch_size));
  SEERDB_OPTION_LINE(skip_wal, Bool(o.skip_wal));
  SEERDB_OPTION_LINE(transaction_history_bytes, Bytes(o.transaction_history_bytes));
  SEERDB_OPTION_LINE(log_mode, LogModeName(o.log_mode));
  SEERDB_OPTION_LINE(wal_segment_bytes, Bytes(o.wal_segment_bytes));
}

void AddTree(const Options& o, std::string* out) {
  SEERDB_OPTION_LINE(num_levels, std::to_string(o.num_levels));
  SEERDB_OPTION_LINE(base_level_size, Bytes(o.base_level_size));
  SEERDB_OPTION_LINE(size_ratio, std::to_string(o.size_ratio));
  SEERDB_OPTION_LINE(target_file_size, Bytes(o.target_file_size));
  SEERDB_OPTION_LINE(l0_compaction_trigger, std::to_string(o.l0_compaction_trigger));
  SEERDB_OPTION_LINE(l0_slowdown_writes_trigger, std::to_string(o.l0_slowdown_writes_trigger));
  SEERDB_OPTION_LINE(l0_stop_writes_trigger, std::to_string(o.l0_stop_writes_trigger));
  SEERDB_OPTION_LINE(compaction_policy, CompactionPolicyName(o.compaction_policy));
  SEERDB_OPTION_LINE(adaptive_compaction, Bool(o.adaptive_compaction));
  SEERDB_OPTION_LINE(space_amplification_target,
                     OrZero(o.space_amplification_target, Number(o.space_amplification_target), "no target"));
  SEERDB_OPTION_LINE(tombstone_density_trigger,
                     OrZero(o.tombstone_density_trigger, Number(o.tombstone_density_trigger), "never"));
  SEERDB_OPTION_LINE(tombstone_max_age_s,
                     OrZero(o.tombstone_max_age_s, Seconds(o.tombstone_max_age_s), "never"));
  SEERDB_OPTION_LINE(max_background_compactions, OrZero(o.max_background_compactions, "by processors"));
  SEERDB_OPTION_LINE(
      compaction_bytes_per_second,
      OrZero(o.compaction_bytes_per_second, Bytes(o.compaction_bytes_per_second) + "/s", "by need"));
  SEERDB_OPTION_LINE(background_flush, Bool(o.background_flush));
  SEERDB_OPTION_LINE(background_compaction, Bool(o.background_compaction));
}

void AddDataModel(const Options& o, std::string* out) {
  SEERDB_OPTION_LINE(merge_operator, o.merge_operator != nullptr ? o.merge_operator->Name() : "none");
  SEERDB_OPTION_LINE(merge_operators, OrZero(uint64_t{o.merge_operators.size()}, "the built-in ones alone"));
  SEERDB_OPTION_LINE(default_ttl_us, OrZero(o.default_ttl_us, Micros(o.default_ttl_us), "for ever"));
  SEERDB_OPTION_LINE(compaction_filter, Given(o.compaction_filter != nullptr, "none"));
}

void AddTablesAndRest(const Options& o, std::string* out) {
  SEERDB_OPTION_LINE(separation_bytes, o.separation_bytes == 0 ? "0 (none)" : Bytes(o.separation_bytes));
  SEERDB_OPTION_LINE(value_segment_bytes, Bytes(o.value_segment_bytes));
  SEERDB_OPTION_LINE(compression, Name(o.compression));
  SEERDB_OPTION_LINE(block_bytes, Bytes(o.block_bytes));
  SEERDB_OPTION_LINE(bloom_bits_per_key, OrZero(o.bloom_bits_per_key, "no filter"));
  SEERDB_OPTION_LINE(prefix_filter_bytes, OrZero(o.prefix_filter_bytes, "no prefixes"));
  SEERDB_OPTION_LINE(index_kind, IndexKindName(o.index_kind));
  SEERDB_OPTION_LINE(learned_index_min_keys, OrZero(o.learned_index_min_keys, "no learned index"));
  SEERDB_OPTION_LINE(table_access, Name(o.table_access));
  SEERDB_OPTION_LINE(block_cache_capacity,
                     OrZero(o.block_cache_capacity, Bytes(o.block_cache_capacity), "no cache"));

  SEERDB_OPTION_LINE(max_memory_bytes, OrZero(o.max_memory_bytes, Bytes(o.max_memory_bytes), "no limit"));
  SEERDB_OPTION_LINE(memory_budget, Given(o.memory_budget != nullptr, "its own"));
  SEERDB_OPTION_LINE(min_disk_space_bytes,
                     OrZero(o.min_disk_space_bytes, Bytes(o.min_disk_space_bytes), "no guard"));
  SEERDB_OPTION_LINE(max_open_files, OrZero(o.max_open_files, "by the limit of the process"));

  SEERDB_OPTION_LINE(metrics, Bool(o.metrics));
  SEERDB_OPTION_LINE(logger, Given(o.logger != nullptr, "none"));

  SEERDB_OPTION_LINE(file_system, Given(o.file_system != nullptr, "of the system"));
  SEERDB_OPTION_LINE(clock, Given(o.clock != nullptr, "of the system"));
  SEERDB_OPTION_LINE(executor, Given(o.executor != nullptr, "its own"));
  SEERDB_OPTION_LINE(seed, OrZero(o.seed, "of the system"));
}

#undef SEERDB_OPTION_LINE

}  // namespace

std::string Options::ToString() const {
  std::string out;
  AddOpeningAndWriting(*this, &out);
  AddTree(*this, &out);
  AddDataModel(*this, &out);
  AddTablesAndRest(*this, &out);
  return out;
}

}  // namespace seerdb
