#include "db/tree_policy.h"

#include <algorithm>
#include <cmath>
#include <utility>

namespace seerdb {
namespace {

// Merges that can be done in parts take parts of this many tables.
constexpr uint64_t kFilesPerMerge = 16;
// With a space target a table of more than these is not moved, if merges are smaller.
constexpr uint64_t kFilesPerMove = 4;
constexpr uint64_t kToleratedBaseLevels = 4;
// Range tombstones that are not finished may have one of so many parts of the memory, at so much each.
constexpr uint64_t kPartForRanges = 16;
constexpr uint64_t kRangeBytes = 1536;

constexpr uint64_t kRoomForRunsBytes = uint64_t{64} << 20;

uint64_t MostRanges(uint64_t memory_limit_bytes) {
  const uint64_t most = PickerOptions().max_range_tombstones;
  return memory_limit_bytes == 0 ? most : std::min(most, memory_limit_bytes / kPartForRanges / kRangeBytes);
}

uint64_t Saturating(uint64_t a, uint64_t b) { return b != 0 && a > UINT64_MAX / b ? UINT64_MAX : a * b; }

// What has been counted since `*last`, which becomes the present count.
double Since(uint64_t* last, uint64_t now) {
  const uint64_t before = std::exchange(*last, now);
  return now > before ? static_cast<double>(now - before) : 0;
}

uint64_t ValueBytesOf(const Run& run) {
  uint64_t bytes = 0;
  for (const TableMetaPtr& table : run.tables) bytes += TotalBytes(table->values);
  return bytes;
}

double AverageL0Run(const Version& version) {
  const Level& level0 = version.level(0);
  return level0.empty() ? 0 : static_cast<double>(level0.bytes()) / static_cast<double>(level0.runs.size());
}

// Of the values of an L0 run.
double AverageL0Values(const Version& version) {
  double bytes = 0;
  for (const Run& run : version.level(0).runs) bytes += static_cast<double>(ValueBytesOf(run));
  return bytes / std::max<double>(1, static_cast<double>(version.level(0).runs.size()));
}

double AverageEntry(const Version& version) {
  double entries = 0;
  for (const Level& level : version.levels()) {
    for (const Run& run : level.runs) {
      for (const TableMetaPtr& table : run.tables) entries += static_cast<double>(table->entries);
    }
  }
  return entries == 0 ? 0 : static_cast<double>(version.bytes()) / entries;
}

uint64_t OldestRun(const Version& version) {
  for (uint32_t level = version.num_levels(); level-- > 0;) {
    if (version.level(level).empty()) continue;
    const Run& oldest = version.level(level).runs.back();
    return oldest.bytes() + ValueBytesOf(oldest);
  }
  return 0;
}

}  // namespace

TreePolicy::TreePolicy(const Options& options, uint64_t memory_limit_bytes,
                       std::shared_ptr<Statistics> statistics)
    : options_(options),
      memory_limit_bytes_(memory_limit_bytes),
      max_range_tombstones_(MostRanges(memory_limit_bytes)),
      statistics_(std::move(statistics)) {
  uint32_t ratio = options_.size_ratio;
  if (options_.adaptive_compaction) ratio = std::clamp<uint32_t>(ratio, 4, 20);
  MutexLock lock(&mu_);
  tuner_.shape = ShapeOf(options_.compaction_policy, ratio);
}

TreeShape TreePolicy::shape() const {
  MutexLock lock(&mu_);
  return tuner_.shape;
}

double TreePolicy::NoteDisk(uint64_t disk_bytes) {
  MutexLock lock(&mu_);
  space_.disk_bytes = disk_bytes;
  const double pressure = SpacePressure(space_);
  space_pressure_.store(pressure, std::memory_order_relaxed);
  return pressure;
}

bool TreePolicy::wants_ticks() const {
  return options_.adaptive_compaction || options_.space_amplification_target != 0 ||
         options_.tombstone_max_age_s != 0;
}

WorkloadSample TreePolicy::TakeSampleLocked(const Version& version) {
  WorkloadSample sample;
  const auto count = [this](Counter counter) { return statistics_->Get(counter); };
  sample.puts = Since(
      &puts_, count(Counter::total_puts) + count(Counter::total_deletes) + count(Counter::total_merges));
  sample.put_bytes = Since(&put_bytes_, count(Counter::logical_bytes_written));
  const double gets = Since(&gets_, count(Counter::total_gets));
  sample.gets_found = std::min(gets, Since(&found_, count(Counter::total_gets_found)));
  sample.gets_missing = gets - sample.gets_found;
  sample.scans = Since(&seeks_, count(Counter::total_seeks));
  sample.scanned_entries = Since(&entries_, count(Counter::total_scan_entries));
  sample.passed_entries = Since(&passed_, count(Counter::scan_entries_skipped));
  sample.entry_bytes = AverageEntry(version);
  return sample;
}

TreeFacts TreePolicy::FactsOfLocked(const Version& version, const SpacePlan& space) {
  if (const double bytes = AverageL0Run(version); bytes > 0) l0_run_bytes_ = bytes;
  TreeFacts facts;
  facts.bytes = static_cast<double>(version.bytes());
  facts.base_bytes = static_cast<double>(std::min(options_.base_level_size, space.base_level_size));
  // Not where memory is small: each run more is a buffer of the merge and an index more.
  if (memory_limit_bytes_ == 0 || memory_limit_bytes_ >= kRoomForRunsBytes) {
    facts.run_bytes = options_.l0_compaction_trigger * l0_run_bytes_;
  }
  facts.block_bytes = options_.block_bytes;
  facts.l0_runs = options_.l0_compaction_trigger;
  facts.filter_miss = options_.bloom_bits_per_key == 0 ? 1 : std::pow(0.6185, options_.bloom_bits_per_key);
  facts.bounded_space = space.limited;
  facts.one_run_a_level = space.one_run_a_level;
  facts.least_size_ratio = space.least_size_ratio;
  return facts;
}

LiveEstimate TreePolicy::LiveOnce(const TreeView& tree) {
  {
    MutexLock lock(&mu_);
    if (estimated_ == tree.version()) return live_;
  }
  const LiveEstimate live = EstimateLive(tree);
  MutexLock lock(&mu_);
  estimated_ = tree.version();
  live_ = live;
  return live;
}

TreePolicy::Settings TreePolicy::Decide(const TreeView& tree, uint64_t disk_bytes) {
  const Version& version = *tree.version();
  SpaceFacts space;
  space.target = options_.space_amplification_target;
  space.disk_bytes = disk_bytes;
  space.l0_run_bytes = AverageL0Run(version) + AverageL0Values(version);
  space.table_bytes = version.bytes();
  space.value_bytes = version.value_bytes();
  space.oldest_run_bytes = OldestRun(version);
  space.tolerated_bytes = Saturating(options_.base_level_size, kToleratedBaseLevels);
  // With a target anew each time: a table that could not be read for a while is live again.
  if (space.target != 0) space.live = EstimateLive(tree);
  if (MayHoldTooMuchDead(space)) space.live = LiveOnce(tree);
  Settings settings;
  settings.space = PlanSpace(space);
  space_pressure_.store(settings.space.pressure, std::memory_order_relaxed);
  memtable_value_bytes_.store(settings.space.memtable_value_bytes, std::memory_order_relaxed);
  dead_urgency_.store(settings.space.dead_urgency, std::memory_order_relaxed);
  PickerOptions& picker = settings.picker;
  bool merge_l0 = false;
  {
    MutexLock lock(&mu_);
    const TreeFacts facts = FactsOfLocked(version, settings.space);
    if (options_.adaptive_compaction) {
      const TreeShape before = tuner_.shape;
      tuner_ = NextState(tuner_, TakeSampleLocked(version), version, facts);
      merge_l0 = tuner_.merge_l0;
      if (tuner_.shape != before) statistics_->Add(Counter::total_shape_changes);
    }
    picker.shape = BoundedShape(tuner_.shape, facts);
    merges_of_a_byte_.store(MergesOfAByte(picker.shape, facts), std::memory_order_relaxed);
    space_ = space;
  }
  picker.l0_compaction_trigger =
      merge_l0 ? 1 : std::min(options_.l0_compaction_trigger, settings.space.l0_compaction_trigger);
  picker.base_level_size = std::min(options_.base_level_size, settings.space.base_level_size);
  settings.target_file_size = std::min(options_.target_file_size, settings.space.target_file_size);
  picker.merge_bytes =
      std::min(Saturating(settings.target_file_size, kFilesPerMerge), settings.space.merge_bytes);
  if (settings.space.limited) {
    // Not those that would be as large again.
    picker.largest_move_bytes = std::max(picker.merge_bytes, kFilesPerMove * settings.target_file_size);
  }
  picker.tombstone_density_trigger = options_.tombstone_density_trigger;
  picker.tombstone_max_age_s = options_.tombstone_max_age_s;
  picker.max_range_tombstones = max_range_tombstones_;
  return settings;
}

}  // namespace seerdb
