#include "compaction/older_data.h"

#include <algorithm>
#include <set>

#include "base/mutant.h"

namespace seerdb {

OlderData::OlderData(const Version& version, const CompactionPlan& plan) {
  const KeyRange hull = plan.hull();
  std::set<uint64_t> inputs;
  uint32_t top = plan.output_level;
  for (const CompactionPlan::Input& input : plan.inputs) {
    inputs.insert(input.table->number);
    top = std::min(top, input.level);
  }
  // From the level below the uppermost input on: what lies between the inputs and the output counts as well.
  const uint32_t first = std::min(top + 1, plan.output_level);
  for (uint32_t level = first; level < version.num_levels(); ++level) {
    for (const Run& run : version.level(level).runs) {
      if (level == plan.output_level && run.id >= plan.output_run) continue;  // newer, or beside
      Cursor cursor;
      for (const TableMetaPtr& table : Version::Overlapping(run, hull.smallest, hull.largest)) {
        if (!inputs.contains(table->number)) cursor.tables.push_back(table.get());
      }
      if (!cursor.tables.empty()) runs_.push_back(std::move(cursor));
    }
  }
}

bool OlderData::MayHold(Slice key) {
  for (Cursor& run : runs_) {
    while (run.next < run.tables.size() && Slice(run.tables[run.next]->largest_key) < key) ++run.next;
    if (run.next == run.tables.size()) continue;
    const Slice smallest = run.tables[run.next]->smallest_key;
    if (SEERDB_MUTANT("below-misses-smallest-key") && smallest == key) continue;
    if (smallest <= key) return true;
  }
  return false;
}

}  // namespace seerdb
