#include "compaction/bulk_load_placement.h"

#include <algorithm>

#include "base/mutant.h"
#include "compaction/compaction_plan.h"

namespace seerdb {
namespace {

bool Meets(const Run& run, const TableMeta& table) {
  return !Version::Overlapping(run, table.smallest_key, table.largest_key).empty();
}

bool Meets(const Level& level, const TableMeta& table) {
  return std::any_of(level.runs.begin(), level.runs.end(), [&](const Run& run) { return Meets(run, table); });
}

uint32_t LevelFor(const Version& version, const TableMeta& table, uint32_t deepest) {
  if (SEERDB_MUTANT("bulk-load-below-newer-data")) {
    uint32_t level = deepest;  // as if what lies above did not matter
    while (level > 0 && Meets(version.level(level), table)) --level;
    return level;
  }
  if (deepest == 0 || Meets(version.level(0), table)) return 0;
  uint32_t level = 1;
  if (Meets(version.level(1), table)) return level;
  while (level < deepest && !Meets(version.level(level + 1), table)) ++level;
  return level;
}

}  // namespace

std::vector<LoadPlace> PlaceNewestTables(const Version& version, const std::vector<TableMeta>& tables,
                                         uint32_t target_level) {
  uint32_t deepest = std::min(target_level, version.num_levels() - 1);
  if (version.deepest_level() > 0)
    deepest = std::min(deepest, static_cast<uint32_t>(version.deepest_level()));
  std::vector<LoadPlace> places;
  places.reserve(tables.size());
  for (const TableMeta& table : tables) {
    LoadPlace place;
    place.level = LevelFor(version, table, deepest);
    if (place.level > 0) {
      const std::vector<Run>& runs = version.level(place.level).runs;
      place.run = runs.empty() ? kFirstRun : runs.front().id + (Meets(runs.front(), table) ? 1 : 0);
    }
    places.push_back(place);
  }
  return places;
}

}  // namespace seerdb
