#include "level_picture.h"

#include <algorithm>
#include <cinttypes>
#include <cmath>
#include <cstdio>

#include "byte_text.h"

namespace seerdb::cli {
namespace {

constexpr double kBarCells = 40;

std::string Bar(const LevelStats& level, uint64_t most_bytes) {
  if (level.bytes == 0 || most_bytes == 0) return "";
  const double cells = kBarCells * static_cast<double>(level.bytes) / static_cast<double>(most_bytes);
  const auto length = std::max<size_t>(1, static_cast<size_t>(std::llround(cells)));
  const double dead =
      level.entries == 0 ? 0 : static_cast<double>(level.tombstones) / static_cast<double>(level.entries);
  const auto dead_cells =
      std::min(length, static_cast<size_t>(std::llround(static_cast<double>(length) * dead)));
  return std::string(length - dead_cells, '#') + std::string(dead_cells, '-');
}

std::string Row(const std::string& name, const LevelStats& level, const std::string& bar) {
  char text[160];
  std::snprintf(text, sizeof text, "%-5s %5u %6u %12" PRIu64 " %12" PRIu64 " %11s  ", name.c_str(),
                level.runs, level.files, level.entries, level.tombstones, HumanBytes(level.bytes).c_str());
  std::string row = text + bar;
  row.erase(row.find_last_not_of(' ') + 1);
  return row + "\n";
}

}  // namespace

std::string LevelPicture(const DBStats& stats) {
  std::string picture = "level  runs  files      entries   tombstones       bytes\n";
  LevelStats sum;
  uint64_t most_bytes = 0;
  size_t levels = 0;
  for (size_t i = 0; i < stats.levels.size(); ++i) {
    most_bytes = std::max(most_bytes, stats.levels[i].bytes);
    if (stats.levels[i].files > 0) levels = i + 1;
  }
  for (size_t i = 0; i < levels; ++i) {
    const LevelStats& level = stats.levels[i];
    picture += Row("L" + std::to_string(i), level, Bar(level, most_bytes));
    sum.runs += level.runs;
    sum.files += level.files;
    sum.bytes += level.bytes;
    sum.entries += level.entries;
    sum.tombstones += level.tombstones;
  }
  picture += Row("all", sum, "");
  if (stats.memtable_entries > 0) {
    picture += "memtable: " + std::to_string(stats.memtable_entries) + " entries, " +
               HumanBytes(stats.memtable_size_bytes) + " not in tables yet\n";
  }
  return picture;
}

}  // namespace seerdb::cli
