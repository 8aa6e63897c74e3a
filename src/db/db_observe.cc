// What DbImpl tells about itself: Stats, Health, sizes.
#include "db/db_impl.h"
#include "db/health.h"
#include "db/live_estimate.h"

namespace seerdb {
namespace {

std::vector<LevelStats> LevelsOf(const Version& version) {
  std::vector<LevelStats> levels;
  for (const Level& level : version.levels()) {
    LevelStats& out = levels.emplace_back();
    out.runs = static_cast<uint32_t>(level.runs.size());
    out.bytes = level.bytes();
    out.files = static_cast<uint32_t>(level.table_count());
    for (const Run& run : level.runs) {
      for (const TableMetaPtr& table : run.tables) {
        out.entries += table->entries;
        out.tombstones += table->tombstones;
      }
    }
  }
  return levels;
}

void FillTables(const TreeView& tree, DBStats* stats) {
  stats->total_sstables = tree.version()->table_count();
  for (const std::shared_ptr<TableFile>& file : tree.AllFiles()) {
    const TableReader* const reader = file->reader_if_open();
    if (reader == nullptr) continue;
    const TableProperties& properties = reader->properties();
    stats->learned_tables += properties.lookup == LookupKind::kTagIndex ? 1 : 0;
    stats->unlearnable_tables += properties.lookup == LookupKind::kUnlearnable ? 1 : 0;
    stats->table_index_bytes += properties.index_bytes;
    stats->table_filter_bytes += properties.filter_bytes;
  }
}

}  // namespace

DBStats DbImpl::Stats() {
  DBStats stats;
  stats.uptime_us = clock_->NowMicros() - opened_us_;
  statistics_->Fill(&stats);
  FillMemory(&stats);
  const std::shared_ptr<const ReadView> view = views_->Acquire();
  const MemTable& active = *view->active().memtable;
  stats.memtable_size_bytes = active.bytes();
  stats.memtable_capacity_bytes = options_.memtable_capacity;
  stats.memtable_utilization_pct =
      100 * static_cast<double>(active.bytes()) / static_cast<double>(options_.memtable_capacity);
  stats.memtable_entries = active.entries();
  stats.immutable_memtables = view->immutables().size();
  const Version& version = *view->tree()->version();
  stats.levels = LevelsOf(version);
  FillTables(*view->tree(), &stats);
  stats.range_tombstones = version.ranges() != nullptr ? version.ranges()->size() : 0;
  stats.wal_size_bytes = log_->live_bytes();
  stats.value_segments = value_files_.count();
  stats.value_disk_bytes = value_files_.bytes();
  stats.value_live_bytes = version.value_bytes();
  stats.total_disk_bytes = version.bytes() + stats.value_disk_bytes;
  stats.obsolete_table_bytes = table_files_.remover().obsolete_bytes();
  stats.wal_disk_bytes = log_->file_bytes();
  stats.manifest_size_bytes = versions_->manifest_bytes();
  stats.directory_bytes =
      stats.total_disk_bytes + stats.obsolete_table_bytes + stats.wal_disk_bytes + stats.manifest_size_bytes;
  stats.live_bytes_estimate = static_cast<uint64_t>(EstimateLive(*view->tree()).raw_bytes);
  if (stats.live_bytes_estimate > 0) {
    stats.space_amplification =
        static_cast<double>(stats.directory_bytes) / static_cast<double>(stats.live_bytes_estimate);
  }
  stats.block_cache_size = cache_->bytes();
  stats.block_cache_entries = cache_->entries();
  stats.block_cache_capacity = cache_->capacity_bytes();
  stats.last_sequence = snapshots_->visible();
  stats.live_snapshots = snapshots_->count();
  stats.recovery = recovery_;
  return stats;
}

void DbImpl::FillMemory(DBStats* stats) {
  const MemoryUsage usage = memory_usage();
  stats->memory = usage;
  stats->memory_limit_bytes = usage.limit_bytes;
  stats->memory_total_bytes = usage.total_bytes;
  stats->memory_active_memtable_bytes = usage.active_memtable_bytes;
  stats->memory_immutable_memtable_bytes = usage.immutable_memtable_bytes;
  stats->memory_pinned_memtable_bytes = usage.pinned_memtable_bytes;
  stats->memory_block_cache_bytes = usage.block_cache_bytes;
  stats->memory_pinned_block_bytes = usage.pinned_block_bytes;
  stats->memory_table_metadata_bytes = usage.table_metadata_bytes;
  stats->memory_bulk_load_bytes = usage.bulk_load_bytes;
  stats->memory_transaction_bytes = usage.transaction_bytes;
  stats->memory_job_bytes = usage.job_bytes;
  stats->memory_log_bytes = usage.log_bytes;
  stats->mapped_bytes = usage.mapped_bytes;
  stats->mapped_obsolete_bytes = usage.mapped_obsolete_bytes;
  if (disk_guard_ != nullptr) stats->disk_available_bytes = disk_guard_->available_bytes();
}

MemoryUsage DbImpl::memory_usage() {
  views_->Collect();
  MemoryUsage usage = account_->usage();
  usage.limit_bytes = budget_ != nullptr ? budget_->limit_bytes() : 0;
  return usage;
}

StallReason DbImpl::CurrentStall(const ReadView& view) const {
  StallInputs inputs;
  const Level& level0 = view.tree()->version()->level(0);
  inputs.l0_runs = level0.runs.size();
  // Delays begin before the trigger of the options is reached.
  inputs.l0_slowdown_trigger = static_cast<uint64_t>(LimitsOf(options_).l0_start_runs) + 1;
  inputs.l0_stop_trigger = options_.l0_stop_writes_trigger;
  inputs.l0_bytes = level0.bytes();
  inputs.immutables = view.immutables().size();
  inputs.max_immutables = options_.max_immutable_memtables;
  for (const MemTableSlot& slot : view.immutables()) inputs.immutable_bytes += slot.memtable->bytes();
  inputs.active_full = view.active().memtable->bytes() >= options_.memtable_capacity;
  StallReason reason = FindStall(inputs);
  if (reason.kind == StallKind::kNone && policy_.space_pressure() > 0) {
    reason.kind = StallKind::kSpaceTarget;
    reason.found = view.tree()->version()->bytes() + value_files_.bytes();
    reason.limit =
        static_cast<uint64_t>(options_.space_amplification_target * EstimateLive(*view.tree()).raw_bytes);
  }
  return reason;
}

HealthStatus DbImpl::Health() {
  const std::shared_ptr<const ReadView> view = views_->Acquire();
  HealthInputs inputs;
  inputs.l0_files = view->tree()->version()->level(0).table_count();
  inputs.wal_bytes = log_->live_bytes();
  inputs.memtable_utilization_pct = 100 * static_cast<double>(view->active().memtable->bytes()) /
                                    static_cast<double>(options_.memtable_capacity);
  inputs.put_p99_us = statistics_->Summary(Latency::put_latency).p99_us;
  inputs.get_p99_us = statistics_->Summary(Latency::get_latency).p99_us;
  inputs.background_error = error_->cause();
  inputs.background_resumable = error_->resumable();
  inputs.stall = CurrentStall(*view);
  return CheckHealth(inputs);
}

uint64_t DbImpl::memtable_size() { return views_->Acquire()->active().memtable->bytes(); }
uint64_t DbImpl::memtable_len() { return views_->Acquire()->active().memtable->entries(); }

}  // namespace seerdb
