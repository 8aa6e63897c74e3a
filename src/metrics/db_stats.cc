// DBStats in words.
#include <cinttypes>
#include <cstdio>

#include "seerdb/statistics.h"

namespace seerdb {
namespace {

void AddLine(std::string* out, const char* name, uint64_t value) {
  char line[160];
  std::snprintf(line, sizeof line, "%-28s %" PRIu64 "\n", name, value);
  *out += line;
}

void AddLine(std::string* out, const char* name, double value) {
  char line[160];
  std::snprintf(line, sizeof line, "%-28s %.3f\n", name, value);
  *out += line;
}

void AddLine(std::string* out, const char* name, const LatencySummary& latency) {
  if (latency.count == 0) return;
  char line[256];
  std::snprintf(line, sizeof line,
                "%-28s count %" PRIu64
                " mean_us %.1f p50_us %.1f p95_us %.1f p99_us %.1f p999_us %.1f max_us %.1f\n",
                name, latency.count, latency.mean_us, latency.p50_us, latency.p95_us, latency.p99_us,
                latency.p999_us, latency.max_us);
  *out += line;
}

void AddLevels(std::string* out, const std::vector<LevelStats>& levels) {
  constexpr uint64_t kBarCells = 40;
  uint64_t most = 1;
  for (const LevelStats& level : levels) most = level.bytes > most ? level.bytes : most;
  *out += "level  runs  files      entries          bytes\n";
  char line[160];
  for (size_t i = 0; i < levels.size(); ++i) {
    const LevelStats& level = levels[i];
    std::snprintf(line, sizeof line, "L%-4zu %5u %6u %12" PRIu64 " %14" PRIu64 "  ", i, level.runs,
                  level.files, level.entries, level.bytes);
    *out += line;
    out->append(static_cast<size_t>(kBarCells * level.bytes / most), '#');
    if (level.bytes > 0 && kBarCells * level.bytes / most == 0) *out += '.';
    *out += '\n';
  }
}

}  // namespace

std::string RecoveryLoss::ToString() const {
  std::string out = file + " @" + std::to_string(offset) + ": record";
  if (records > 1) {
    out += "s " + std::to_string(first_record) + " to " + std::to_string(first_record + records - 1);
  } else {
    out += " " + std::to_string(first_record) + (records == 0 ? " and what follows" : "");
  }
  return out + ": " + reason;
}

std::vector<uint64_t> DBStats::sstables_per_level() const {
  std::vector<uint64_t> files;
  for (const LevelStats& level : levels) files.push_back(level.files);
  return files;
}

std::vector<uint64_t> DBStats::level_sizes_bytes() const {
  std::vector<uint64_t> bytes;
  for (const LevelStats& level : levels) bytes.push_back(level.bytes);
  return bytes;
}

std::string DBStats::ToString() const {
  std::string out;
#define SEERDB_PRINT_COUNTER(name, help) AddLine(&out, #name, name);
  SEERDB_COUNTER_LIST(SEERDB_PRINT_COUNTER)
#undef SEERDB_PRINT_COUNTER
#define SEERDB_PRINT_GAUGE(type, name, help) AddLine(&out, #name, name);
  SEERDB_GAUGE_LIST(SEERDB_PRINT_GAUGE)
#undef SEERDB_PRINT_GAUGE
  AddLine(&out, "recovery_records_replayed", recovery.records_replayed);
  AddLine(&out, "recovery_torn_tail", uint64_t{recovery.torn_tail});
  AddLine(&out, "recovery_losses", uint64_t{recovery.losses.size()});
  AddLine(&out, "recovery_intact_dropped", recovery.intact_records_dropped);
#define SEERDB_PRINT_LATENCY(name, help) AddLine(&out, #name, name);
  SEERDB_LATENCY_LIST(SEERDB_PRINT_LATENCY)
#undef SEERDB_PRINT_LATENCY
  AddLevels(&out, levels);
  for (const RecoveryLoss& loss : recovery.losses) out += "lost at open: " + loss.ToString() + "\n";
  return out;
}

}  // namespace seerdb
