#include "metrics/statistics.h"

#include <cinttypes>
#include <cstdio>

namespace seerdb {

size_t Statistics::ShardIndex() {
  static std::atomic<size_t> next{0};
  static thread_local const size_t index = next.fetch_add(1, std::memory_order_relaxed) % kShards;
  return index;
}

uint64_t Statistics::Get(Counter counter) const {
  uint64_t sum = 0;
  for (const Shard& shard : shards_) {
    sum += shard.cells[static_cast<size_t>(counter)].load(std::memory_order_relaxed);
  }
  return sum;
}

void Statistics::Fill(DBStats* stats) const {
#define SEERDB_FILL_COUNTER(name, help) stats->name = Get(Counter::name);
  SEERDB_COUNTER_LIST(SEERDB_FILL_COUNTER)
#undef SEERDB_FILL_COUNTER
  const uint64_t physical = stats->wal_bytes_written + stats->flush_bytes_written +
                            stats->compaction_bytes_written + stats->manifest_bytes_written;
  if (stats->logical_bytes_written > 0) {
    stats->write_amplification =
        static_cast<double>(physical) / static_cast<double>(stats->logical_bytes_written);
  }
}

std::string RecoveryLoss::ToString() const {
  std::string out = file + " @" + std::to_string(offset) + ": record";
  if (records > 1) {
    out += "s " + std::to_string(first_record) + " to " + std::to_string(first_record + records - 1);
  } else {
    out += " " + std::to_string(first_record) + (records == 0 ? " and what follows" : "");
  }
  return out + ": " + reason;
}

std::string DBStats::ToString() const {
  std::string out;
  char line[160];
  const auto add = [&](const char* name, uint64_t value) {
    std::snprintf(line, sizeof line, "%-32s %" PRIu64 "\n", name, value);
    out += line;
  };
#define SEERDB_PRINT_COUNTER(name, help) add(#name, name);
  SEERDB_COUNTER_LIST(SEERDB_PRINT_COUNTER)
#undef SEERDB_PRINT_COUNTER
  add("memtable_size_bytes", memtable_size_bytes);
  add("memtable_capacity_bytes", memtable_capacity_bytes);
  add("memtable_entries", memtable_entries);
  add("immutable_memtables", immutable_memtables);
  add("wal_size_bytes", wal_size_bytes);
  add("total_disk_bytes", total_disk_bytes);
  add("block_cache_size", block_cache_size);
  add("block_cache_capacity", block_cache_capacity);
  add("total_sstables", total_sstables);
  add("disk_available_bytes", disk_available_bytes);
  add("memory_limit_bytes", memory.limit_bytes);
  add("memory_total_bytes", memory.total_bytes);
  add("memory_active_memtable_bytes", memory.active_memtable_bytes);
  add("memory_immutable_memtable_bytes", memory.immutable_memtable_bytes);
  add("memory_pinned_memtable_bytes", memory.pinned_memtable_bytes);
  add("memory_block_cache_bytes", memory.block_cache_bytes);
  add("memory_pinned_block_bytes", memory.pinned_block_bytes);
  add("memory_table_metadata_bytes", memory.table_metadata_bytes);
  add("memory_job_bytes", memory.job_bytes);
  add("memory_log_bytes", memory.log_bytes);
  add("mapped_bytes", memory.mapped_bytes);
  add("mapped_obsolete_bytes", memory.mapped_obsolete_bytes);
  add("last_sequence", last_sequence);
  add("live_snapshots", live_snapshots);
  add("uptime_us", uptime_us);
  add("recovery_records_replayed", recovery.records_replayed);
  add("recovery_torn_tail", recovery.torn_tail ? 1 : 0);
  add("recovery_losses", recovery.losses.size());
  add("recovery_intact_dropped", recovery.intact_records_dropped);
  std::snprintf(line, sizeof line, "%-32s %.3f\n", "write_amplification", write_amplification);
  out += line;
  uint64_t most = 1;
  for (const LevelStats& level : levels) most = level.bytes > most ? level.bytes : most;
  out += "level  runs  files      entries          bytes\n";
  for (size_t i = 0; i < levels.size(); ++i) {
    const LevelStats& level = levels[i];
    std::snprintf(line, sizeof line, "L%-4zu %5u %6u %12" PRIu64 " %14" PRIu64 "  ", i, level.runs,
                  level.files, level.entries, level.bytes);
    out += line;
    out.append(static_cast<size_t>(40 * level.bytes / most), '#');
    if (level.bytes > 0 && 40 * level.bytes / most == 0) out += '.';
    out += '\n';
  }
  for (const RecoveryLoss& loss : recovery.losses) out += "lost at open: " + loss.ToString() + "\n";
  return out;
}

}  // namespace seerdb
