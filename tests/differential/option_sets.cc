#include "tests/differential/option_sets.h"

namespace seerdb::testing {
namespace {

// Small enough that a hundred thousand operations reach the fourth level.
Options Small() {
  Options options;
  options.memtable_capacity = 16 << 10;
  options.wal_segment_bytes = 32 << 10;
  options.base_level_size = 16 << 10;
  options.size_ratio = 3;
  options.target_file_size = 16 << 10;
  options.block_bytes = 1024;
  options.block_cache_capacity = 256 << 10;
  options.wal_sync_policy = SyncPolicy::kNone;
  return options;
}

Options Tiny(uint32_t num_levels, uint32_t size_ratio) {
  Options options = Small();
  options.memtable_capacity = 4 << 10;
  options.wal_segment_bytes = 4 << 10;
  options.target_file_size = 4 << 10;
  options.block_bytes = 64;
  options.num_levels = num_levels;
  options.size_ratio = size_ratio;
  options.bloom_bits_per_key = 4;
  options.learned_index_min_keys = 8;
  options.l0_compaction_trigger = 2;
  return options;
}

// Runs of such a policy alone.
Options Fixed(Options options, CompactionPolicy policy) {
  options.adaptive_compaction = false;
  options.compaction_policy = policy;
  return options;
}

std::vector<OptionSet> MakeOptionSets() {
  std::vector<OptionSet> sets;
  const auto add = [&sets](const char* name, const Options& options) -> OptionSet& {
    sets.push_back({name, options});
    return sets.back();
  };
  add("Tiny", Fixed(Tiny(6, 2), CompactionPolicy::kLeveled));
  add("TinyTwoLevels", Tiny(2, 4)).options.bloom_bits_per_key = 0;
  add("TinyPrefixes", Tiny(4, 3)).options.prefix_filter_bytes = 2;
  Options o = Fixed(Small(), CompactionPolicy::kTiered);
  o.compression = CompressionType::kLz4;
  o.learned_index_min_keys = 32;
  add("Lz4", o);
  o = Fixed(Small(), CompactionPolicy::kLazyLeveling);
  o.compression = CompressionType::kZstd;
  o.table_access = TableAccess::kPread;
  o.prefix_filter_bytes = 5;
  o.wal_sync_policy = SyncPolicy::kBarrier;
  o.barrier_interval_us = 1000;
  add("ZstdPreadBarrier", o);
  o = Small();
  o.table_access = TableAccess::kPread;
  o.block_cache_capacity = 0;
  o.wal_sync_policy = SyncPolicy::kSyncAll;
  o.log_mode = LogMode::kDirect;
  o.index_kind = IndexKind::kPgm;
  add("PreadWithoutCacheSyncAllDirect", o);
  o = Small();
  o.table_access = TableAccess::kPread;
  o.block_cache_capacity = 8 << 10;
  o.max_immutable_memtables = 1;
  o.space_amplification_target = 1.3;
  o.log_mode = LogMode::kMapped;
  o.index_kind = IndexKind::kRadixSpline;
  add("PreadSmallCacheMappedLog", o);
  o = Fixed(Tiny(5, 3), CompactionPolicy::kLeveled);
  o.index_kind = IndexKind::kAlex;
  add("Cooperative", o).cooperative = true;
  o = Options::Embedded();
  o.metrics = true;  // the test counts by them
  o.memtable_capacity = 8 << 10;
  o.wal_segment_bytes = 16 << 10;
  o.base_level_size = 16 << 10;
  o.size_ratio = 4;
  o.target_file_size = 8 << 10;
  o.index_kind = IndexKind::kBinary;
  add("EmbeddedForeground", o);
  o = Small();
  o.memtable_capacity = 64 << 10;
  o.block_bytes = 4096;
  o.target_file_size = 64 << 10;
  o.wal_sync_policy = SyncPolicy::kSyncData;
  o.num_levels = 7;
  add("NearDefault", o);
  o = Small();
  o.table_access = TableAccess::kMapped;
  o.max_background_compactions = 4;
  o.index_kind = IndexKind::kTag;
  add("RealFiles", o).real_files = true;
  o = Small();
  o.compression = CompressionType::kLz4;
  o.table_access = TableAccess::kPread;
  o.max_memory_bytes = 8 << 20;
  o.max_open_files = 16;
  o.min_disk_space_bytes = 1;
  add("SmallBudgetFewFiles", o);
  return sets;
}

}  // namespace

const std::vector<OptionSet>& OptionSets() {
  static const std::vector<OptionSet> sets = MakeOptionSets();
  return sets;
}

}  // namespace seerdb::testing
