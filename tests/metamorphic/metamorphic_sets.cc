#include "tests/metamorphic/metamorphic_sets.h"

#include <initializer_list>

namespace seerdb::testing {
namespace {

// Every log mode stands here; each is run under each sync policy. The first is the default.
std::vector<MetamorphicSet> LogModes() {
  return {
      {"", {}},
      {"BufferedLog", {SEERDB_SETTING(c.options.log_mode = LogMode::kBuffered)}},
      {"MappedLog", {SEERDB_SETTING(c.options.log_mode = LogMode::kMapped)}},
      {"DirectLog", {SEERDB_SETTING(c.options.log_mode = LogMode::kDirect)}},
  };
}

std::vector<MetamorphicSet> SyncPolicies() {
  return {
      {"None", {SEERDB_SETTING(c.options.wal_sync_policy = SyncPolicy::kNone)}},
      {"Barrier",
       {SEERDB_SETTING(c.options.wal_sync_policy = SyncPolicy::kBarrier),
        SEERDB_SETTING(c.options.barrier_interval_us = 1000)}},
      {"SyncData", {SEERDB_SETTING(c.options.wal_sync_policy = SyncPolicy::kSyncData)}},
      {"SyncAll", {SEERDB_SETTING(c.options.wal_sync_policy = SyncPolicy::kSyncAll)}},
  };
}

std::vector<MetamorphicSet> IndexKinds() {
  return {
      {"IndexTag", {SEERDB_SETTING(c.options.index_kind = IndexKind::kTag)}},
      {"IndexPgm", {SEERDB_SETTING(c.options.index_kind = IndexKind::kPgm)}},
      {"IndexRadixSpline", {SEERDB_SETTING(c.options.index_kind = IndexKind::kRadixSpline)}},
      {"IndexAlex", {SEERDB_SETTING(c.options.index_kind = IndexKind::kAlex)}},
      {"IndexBinary", {SEERDB_SETTING(c.options.index_kind = IndexKind::kBinary)}},
  };
}

Settings Join(std::initializer_list<Settings> parts) {
  Settings all;
  for (const Settings& part : parts) all.insert(all.end(), part.begin(), part.end());
  return all;
}

// Small enough that a few thousand operations flush, rotate logs and fill three levels.
const Settings& Tiny() {
  static const Settings settings = {
      SEERDB_SETTING(c.options.memtable_capacity = 4096), SEERDB_SETTING(c.options.wal_segment_bytes = 4096),
      SEERDB_SETTING(c.options.base_level_size = 8192),   SEERDB_SETTING(c.options.target_file_size = 4096),
      SEERDB_SETTING(c.options.size_ratio = 2),           SEERDB_SETTING(c.options.l0_compaction_trigger = 2),
  };
  return settings;
}

Settings PolicySettings(CompactionPolicy policy, bool adaptive) {
  Settings settings = {SEERDB_SETTING(c.options.adaptive_compaction = true)};
  if (!adaptive) settings = {SEERDB_SETTING(c.options.adaptive_compaction = false)};
  switch (policy) {
    case CompactionPolicy::kLeveled:
      settings.push_back(SEERDB_SETTING(c.options.compaction_policy = CompactionPolicy::kLeveled));
      break;
    case CompactionPolicy::kTiered:
      settings.push_back(SEERDB_SETTING(c.options.compaction_policy = CompactionPolicy::kTiered));
      break;
    case CompactionPolicy::kLazyLeveling:
      settings.push_back(SEERDB_SETTING(c.options.compaction_policy = CompactionPolicy::kLazyLeveling));
      break;
  }
  return settings;
}

std::vector<MetamorphicSet> MakeSets() {
  const Settings foreground = {SEERDB_SETTING(c.options.background_flush = false),
                               SEERDB_SETTING(c.options.background_compaction = false)};
  const Settings cooperative = {SEERDB_SETTING(c.cooperative = true)};
  const Settings small_blocks = {SEERDB_SETTING(c.options.block_bytes = 64)};
  const Settings no_bloom = {SEERDB_SETTING(c.options.bloom_bits_per_key = 0)};
  const Settings no_cache = {SEERDB_SETTING(c.options.block_cache_capacity = 0)};
  const Settings small_cache = {SEERDB_SETTING(c.options.block_cache_capacity = 2048)};
  const Settings mapped = {SEERDB_SETTING(c.options.table_access = TableAccess::kMapped)};
  const Settings pread = {SEERDB_SETTING(c.options.table_access = TableAccess::kPread)};
  const Settings lz4 = {SEERDB_SETTING(c.options.compression = CompressionType::kLz4)};
  const Settings zstd = {SEERDB_SETTING(c.options.compression = CompressionType::kZstd)};
  const Settings four_to_one = {SEERDB_SETTING(c.options.size_ratio = 4)};
  const Settings two_levels = {SEERDB_SETTING(c.options.num_levels = 2)};
  const Settings no_log = {SEERDB_SETTING(c.options.skip_wal = true),
                           SEERDB_SETTING(c.flush_before_crash = true)};

  std::vector<MetamorphicSet> sets = {{"Default", {}}};
  const auto add = [&sets](const std::string& name, std::initializer_list<Settings> parts) {
    sets.push_back({name, Join(parts)});
  };
  for (const MetamorphicSet& policy : SyncPolicies()) {
    add(policy.name, {policy.settings});
    for (const MetamorphicSet& mode : LogModes()) {
      add("Tiny" + policy.name + mode.name, {Tiny(), policy.settings, mode.settings});
      add("TinyCooperative" + policy.name + mode.name, {Tiny(), cooperative, policy.settings, mode.settings});
    }
  }
  add("Foreground", {foreground});
  add("TinyForeground", {Tiny(), foreground});
  add("TinyForegroundCompaction", {Tiny(), {SEERDB_SETTING(c.options.background_compaction = false)}});
  add("TinyForegroundFlush", {Tiny(), {SEERDB_SETTING(c.options.background_flush = false)}});
  add("Cooperative", {cooperative});
  add("SmallBlocks", {small_blocks});
  add("TinySmallBlocks", {Tiny(), foreground, small_blocks});
  add("TinySmallBlocksNoBloom", {Tiny(), foreground, small_blocks, no_bloom});
  add("TinyLargeBlocks", {Tiny(), foreground, {SEERDB_SETTING(c.options.block_bytes = 1 << 20)}});
  add("TinyNoBloom", {Tiny(), foreground, no_bloom});
  add("TinyPrefixFilter", {Tiny(), foreground, {SEERDB_SETTING(c.options.prefix_filter_bytes = 2)}});
  const Settings learned = {SEERDB_SETTING(c.options.learned_index_min_keys = 1)};
  add("TinyLearned", {Tiny(), foreground, learned});
  add("TinyLearnedCooperative", {Tiny(), cooperative, learned});
  add("TinyLearnedSmallBlocks", {Tiny(), foreground, learned, small_blocks});
  add("TinyLearnedLz4Pread", {Tiny(), foreground, learned, lz4, pread});
  add("TinyLearnedFromTen", {Tiny(), foreground, {SEERDB_SETTING(c.options.learned_index_min_keys = 10)}});
  add("TinyNotLearned", {Tiny(), foreground, {SEERDB_SETTING(c.options.learned_index_min_keys = 0)}});
  for (const MetamorphicSet& index : IndexKinds()) {
    add("Tiny" + index.name, {Tiny(), foreground, index.settings});
    add("Tiny" + index.name + "SmallBlocksLz4Pread",
        {Tiny(), cooperative, index.settings, small_blocks, lz4, pread});
  }
  add("TinyWideBloom", {Tiny(), foreground, {SEERDB_SETTING(c.options.bloom_bits_per_key = 32)}});
  add("TinyNoCachePread", {Tiny(), foreground, no_cache, pread});
  add("TinyNoCacheLz4", {Tiny(), foreground, no_cache, lz4});
  add("TinySmallCachePread", {Tiny(), foreground, small_cache, pread, small_blocks});
  add("TinyMapped", {Tiny(), foreground, mapped});
  add("TinyPread", {Tiny(), foreground, pread});
  add("Lz4", {lz4});
  add("TinyLz4Mapped", {Tiny(), foreground, lz4, mapped});
  add("TinyLz4PreadSmallBlocks", {Tiny(), foreground, lz4, pread, small_blocks});
  add("Zstd", {zstd});
  add("TinyZstdMapped", {Tiny(), foreground, zstd, mapped});
  add("TinyZstdPreadSmallCache", {Tiny(), foreground, zstd, pread, small_cache});
  add("TinyTwoLevels", {Tiny(), foreground, two_levels});
  add("TinyTwoLevelsCooperative", {Tiny(), cooperative, two_levels, small_blocks});
  add("TinySixteenLevels", {Tiny(), foreground, {SEERDB_SETTING(c.options.num_levels = 16)}});
  add("TinyWideLevels", {Tiny(), foreground, {SEERDB_SETTING(c.options.size_ratio = 100)}});
  add("TinyDeepL0",
      {Tiny(),
       foreground,
       {SEERDB_SETTING(c.options.l0_compaction_trigger = 12), SEERDB_SETTING(c.options.num_levels = 3)}});
  add("TinyManyImmutable", {Tiny(), cooperative, {SEERDB_SETTING(c.options.max_immutable_memtables = 16)}});
  add("TinyOneImmutable", {Tiny(), {SEERDB_SETTING(c.options.max_immutable_memtables = 1)}});
  add("LargeSegmentsSmallMemtable",
      {Tiny(), foreground, {SEERDB_SETTING(c.options.wal_segment_bytes = 1 << 20)}});
  add("SmallSegmentsLargeMemtable", {{SEERDB_SETTING(c.options.wal_segment_bytes = 4096)}});
  add("TinyGroupOfOne", {Tiny(), {SEERDB_SETTING(c.options.group_commit_max_batch_size = 1)}});
  const CompactionPolicy policies[] = {CompactionPolicy::kLeveled, CompactionPolicy::kTiered,
                                       CompactionPolicy::kLazyLeveling};
  for (const CompactionPolicy policy : policies) {
    const std::string name = CompactionPolicyName(policy);
    const Settings fixed = PolicySettings(policy, false);
    const Settings adaptive = PolicySettings(policy, true);
    add("TinyFixed_" + name, {Tiny(), foreground, fixed});
    add("TinyFixedCooperative_" + name, {Tiny(), cooperative, fixed, four_to_one});
    add("TinyFixedThreads_" + name,
        {Tiny(), fixed, {SEERDB_SETTING(c.options.max_background_compactions = 4)}});
    add("TinyAdaptive_" + name, {Tiny(), foreground, adaptive});
    add("TinySpaceTarget_" + name,
        {Tiny(), cooperative, adaptive, {SEERDB_SETTING(c.options.space_amplification_target = 1.2)}});
  }
  add("TinyManyTombstones",
      {Tiny(), foreground, {SEERDB_SETTING(c.options.tombstone_density_trigger = 0.01)}});
  const Settings transactions = {SEERDB_SETTING(c.transactions = true)};
  add("Transactions", {transactions});
  add("TinyTransactions", {Tiny(), foreground, transactions});
  add("TinyTransactionsCooperative", {Tiny(), cooperative, transactions});
  add("NoLog", {no_log});
  add("TinyNoLog", {Tiny(), foreground, no_log});
  add("TinyNoMetrics", {Tiny(), foreground, {SEERDB_SETTING(c.options.metrics = false)}});
  const Settings budget = {SEERDB_SETTING(c.options.max_memory_bytes = 8 << 20),
                           SEERDB_SETTING(c.options.max_open_files = 16),
                           SEERDB_SETTING(c.options.min_disk_space_bytes = 1)};
  add("SmallBudget", {budget});
  add("TinySmallBudgetPread", {Tiny(), foreground, pread, lz4, budget});
  add("Embedded", {{SEERDB_SETTING(c.options = Options::Embedded())}});
  return sets;
}

}  // namespace

const std::vector<MetamorphicSet>& MetamorphicSets() {
  static const std::vector<MetamorphicSet> sets = MakeSets();
  return sets;
}

}  // namespace seerdb::testing
