#include "compaction/bulk_load_placement.h"

#include <algorithm>

#include "base/mutant.h"

namespace seerdb {
namespace {

bool Meets(const Level& level, const TableMeta& table) {
  return std::any_of(level.runs.begin(), level.runs.end(), [&](const Run& run) {
    return !Version::Overlapping(run, table.smallest_key, table.largest_key).empty();
  });
}

}  // namespace

std::vector<uint32_t> PlaceNewestTables(const Version& version, const std::vector<TableMeta>& tables,
                                        uint32_t target_level) {
  const uint32_t deepest = std::min(target_level, version.num_levels() - 1);
  std::vector<uint32_t> places;
  places.reserve(tables.size());
  for (const TableMeta& table : tables) {
    uint32_t level = 0;
    if (SEERDB_MUTANT("bulk-load-below-newer-data")) {
      // As deep as the ranges within each level alone allow.
      level = deepest;
      while (level > 0 && Meets(version.level(level), table)) --level;
    } else if (!Meets(version.level(0), table)) {
      while (level < deepest && !Meets(version.level(level + 1), table)) ++level;
    }
    places.push_back(level);
  }
  return places;
}

uint64_t NewestRun(const Version& version, uint32_t level, uint64_t otherwise) {
  const std::vector<Run>& runs = version.level(level).runs;
  return runs.empty() ? otherwise : runs.front().id;
}

}  // namespace seerdb
