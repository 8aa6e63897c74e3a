#include "compaction/leveled_picker.h"

#include <algorithm>
#include <set>
#include <string>

#include "base/mutant.h"

namespace seerdb {
namespace {

// An inclusive range of engine keys that grows.
struct KeyRange {
  std::string smallest;
  std::string largest;
  bool empty = true;

  void Include(const TableMeta& table) {
    if (empty || Slice(table.smallest_key) < Slice(smallest)) smallest = table.smallest_key;
    if (empty || Slice(table.largest_key) > Slice(largest)) largest = table.largest_key;
    empty = false;
  }
  bool Meets(const TableMeta& table) const {
    return !empty && Slice(table.smallest_key) <= Slice(largest) &&
           Slice(table.largest_key) >= Slice(smallest);
  }
};

// Tables of `level` (>= 1) that meet the range, ascending by key.
std::vector<TableMetaPtr> OverlappingInLevel(const Version& version, uint32_t level, const KeyRange& range) {
  std::vector<TableMetaPtr> tables;
  if (range.empty) return tables;
  for (const Run& run : version.level(level).runs) {
    for (TableMetaPtr& table : Version::Overlapping(run, range.smallest, range.largest)) {
      tables.push_back(std::move(table));
    }
  }
  return tables;
}

bool AllAvailable(const CompactionPlan& plan, const TableNumberSet& unavailable) {
  return std::none_of(plan.inputs.begin(), plan.inputs.end(), [&](const CompactionPlan::Input& input) {
    return unavailable.contains(input.table->number);
  });
}

// L0 tables, oldest first.
std::vector<TableMetaPtr> OldestFirst(const Level& level0) {
  std::vector<TableMetaPtr> tables;
  for (auto run = level0.runs.rbegin(); run != level0.runs.rend(); ++run) {
    tables.insert(tables.end(), run->tables.begin(), run->tables.end());
  }
  return tables;
}

// The longest row of oldest L0 tables that overlap neither each other nor L1: they can go down as they are.
std::optional<CompactionPlan> PlanL0Move(const Version& version, const TableNumberSet& unavailable) {
  CompactionPlan plan;
  plan.kind = CompactionPlan::Kind::kMove;
  plan.output_level = 1;
  plan.reason = "L0 tables overlap nothing in L1";
  std::vector<KeyRange> taken;
  for (const TableMetaPtr& table : OldestFirst(version.level(0))) {
    KeyRange range;
    range.Include(*table);
    const bool meets_taken =
        std::any_of(taken.begin(), taken.end(), [&](const KeyRange& other) { return other.Meets(*table); });
    if (meets_taken || unavailable.contains(table->number) ||
        !OverlappingInLevel(version, 1, range).empty()) {
      break;
    }
    plan.inputs.push_back({0, table});
    taken.push_back(std::move(range));
  }
  if (plan.inputs.empty()) return std::nullopt;
  return plan;
}

// Every L0 table that is wanted, with each older one that overlaps the growing range, and the overlap in L1.
std::optional<CompactionPlan> PlanL0Merge(const Version& version, const KeyRange* wanted,
                                          const TableNumberSet& unavailable) {
  CompactionPlan plan;
  plan.output_level = 1;
  KeyRange range;
  // Newest first: a table joins when it is wanted or overlaps a newer one that joined.
  for (const Run& run : version.level(0).runs) {
    for (const TableMetaPtr& table : run.tables) {
      const bool joins = range.Meets(*table) && !SEERDB_MUTANT("l0-merge-leaves-older-overlap");
      if (wanted != nullptr && !wanted->Meets(*table) && !joins) continue;
      plan.inputs.push_back({0, table});
      range.Include(*table);
    }
  }
  if (plan.inputs.empty()) return std::nullopt;
  for (TableMetaPtr& table : OverlappingInLevel(version, 1, range)) {
    plan.inputs.push_back({1, std::move(table)});
  }
  if (!AllAvailable(plan, unavailable)) return std::nullopt;
  return plan;
}

// Where an unavailable table is in the way of merging all of L0: tables of L0, connected by overlap, that
// need not pass it, with the overlap in L1. What is newer than a table that must stay, and overlaps it,
// stays too.
std::optional<CompactionPlan> PlanL0Around(const Version& version, const TableNumberSet& unavailable) {
  std::vector<TableMetaPtr> free;
  std::vector<KeyRange> staying;
  for (TableMetaPtr& table : OldestFirst(version.level(0))) {
    const bool stays = unavailable.contains(table->number) ||
                       std::any_of(staying.begin(), staying.end(),
                                   [&](const KeyRange& range) { return range.Meets(*table); });
    if (stays) {
      if (!SEERDB_MUTANT("l0-passes-damaged-table")) staying.emplace_back().Include(*table);
    } else {
      free.push_back(std::move(table));
    }
  }
  std::set<uint64_t> tried;
  for (const TableMetaPtr& seed : free) {
    if (tried.contains(seed->number)) continue;
    KeyRange range;
    range.Include(*seed);
    std::set<uint64_t> group = {seed->number};
    for (size_t before = 0; before != group.size();) {
      before = group.size();
      for (const TableMetaPtr& table : free) {
        if (range.Meets(*table) && group.insert(table->number).second) range.Include(*table);
      }
    }
    tried.insert(group.begin(), group.end());
    CompactionPlan plan;
    plan.output_level = 1;
    for (auto table = free.rbegin(); table != free.rend(); ++table) {
      if (group.contains((*table)->number)) plan.inputs.push_back({0, *table});
    }
    for (TableMetaPtr& table : OverlappingInLevel(version, 1, range)) {
      plan.inputs.push_back({1, std::move(table)});
    }
    if (AllAvailable(plan, unavailable)) return plan;
  }
  return std::nullopt;
}

// The table of `level` whose rewrite costs least for the bytes it moves down.
std::optional<CompactionPlan> PlanLevelStep(const Version& version, uint32_t level,
                                            const TableNumberSet& unavailable) {
  std::optional<CompactionPlan> best;
  double best_cost = 0;
  for (const Run& run : version.level(level).runs) {
    for (const TableMetaPtr& table : run.tables) {
      KeyRange range;
      range.Include(*table);
      CompactionPlan plan;
      plan.output_level = level + 1;
      plan.inputs.push_back({level, table});
      uint64_t overlap_bytes = 0;
      for (TableMetaPtr& below : OverlappingInLevel(version, level + 1, range)) {
        overlap_bytes += below->bytes;
        plan.inputs.push_back({level + 1, std::move(below)});
      }
      if (!AllAvailable(plan, unavailable)) continue;
      // Tombstones weigh in: pushing them down gives space back.
      const double gain = static_cast<double>(table->bytes) *
                          (1.0 + static_cast<double>(table->tombstones) /
                                     static_cast<double>(std::max<uint64_t>(1, table->entries)));
      const double cost = static_cast<double>(overlap_bytes) / std::max(1.0, gain);
      if (best && cost >= best_cost) continue;
      best_cost = cost;
      if (plan.inputs.size() == 1) plan.kind = CompactionPlan::Kind::kMove;
      best = std::move(plan);
    }
  }
  return best;
}

std::optional<CompactionPlan> PlanForLevel(const LeveledPickerOptions& options, const Version& version,
                                           uint32_t level, const TableNumberSet& unavailable) {
  if (level == 0) {
    if (auto plan = PlanL0Move(version, unavailable)) return plan;
    auto plan = PlanL0Merge(version, nullptr, unavailable);
    if (!plan && !unavailable.empty()) plan = PlanL0Around(version, unavailable);
    if (plan) {
      plan->reason = "L0 runs " + std::to_string(version.level(0).runs.size()) +
                     " >= " + std::to_string(options.l0_compaction_trigger);
    }
    return plan;
  }
  auto plan = PlanLevelStep(version, level, unavailable);
  if (plan) {
    plan->reason = "L" + std::to_string(level) + " bytes " + std::to_string(version.level(level).bytes()) +
                   " >= " + std::to_string(LevelTargetBytes(options, level));
  }
  return plan;
}

}  // namespace

uint64_t LevelTargetBytes(const LeveledPickerOptions& options, uint32_t level) {
  uint64_t target = options.base_level_size;
  for (uint32_t i = 1; i < level; ++i) {
    if (target > UINT64_MAX / options.size_ratio) return UINT64_MAX;
    target *= options.size_ratio;
  }
  return target;
}

double LevelScore(const LeveledPickerOptions& options, const Version& version, uint32_t level) {
  if (level + 1 >= version.num_levels()) return 0;
  if (level == 0) {
    return static_cast<double>(version.level(0).runs.size()) /
           static_cast<double>(options.l0_compaction_trigger);
  }
  return static_cast<double>(version.level(level).bytes()) /
         static_cast<double>(LevelTargetBytes(options, level));
}

uint64_t DebtBytes(const LeveledPickerOptions& options, const Version& version) {
  uint64_t debt_bytes = 0;
  for (uint32_t level = 1; level + 1 < version.num_levels(); ++level) {
    const uint64_t bytes = version.level(level).bytes();
    debt_bytes += bytes - std::min(bytes, LevelTargetBytes(options, level));
  }
  return debt_bytes;
}

std::optional<CompactionPlan> PickLeveledCompaction(const LeveledPickerOptions& options,
                                                    const Version& version,
                                                    const TableNumberSet& unavailable) {
  std::vector<std::pair<double, uint32_t>> due;
  for (uint32_t level = 0; level + 1 < version.num_levels(); ++level) {
    const double score = LevelScore(options, version, level);
    if (score >= 1) due.emplace_back(score, level);
  }
  // Most urgent first; on equal scores the upper level, which stalls writers first.
  std::sort(due.begin(), due.end(), [](const auto& a, const auto& b) {
    return a.first != b.first ? a.first > b.first : a.second < b.second;
  });
  for (const auto& [score, level] : due) {
    if (auto plan = PlanForLevel(options, version, level, unavailable)) return plan;
  }
  return std::nullopt;
}

std::optional<CompactionPlan> PlanRangeCompaction(const Version& version, uint32_t level, Slice smallest,
                                                  Slice largest, const TableNumberSet& unavailable) {
  KeyRange wanted;
  wanted.smallest = std::string(smallest);
  wanted.largest = std::string(largest);
  wanted.empty = false;
  const std::string reason = "range compaction of L" + std::to_string(level);
  if (level == 0) {
    auto plan = PlanL0Merge(version, &wanted, unavailable);
    if (plan) plan->reason = reason;
    return plan;
  }
  CompactionPlan plan;
  plan.reason = reason;
  const bool last = level + 1 >= version.num_levels();
  plan.output_level = last ? level : level + 1;
  KeyRange range;
  for (TableMetaPtr& table : OverlappingInLevel(version, level, wanted)) {
    range.Include(*table);
    plan.inputs.push_back({level, std::move(table)});
  }
  if (plan.inputs.empty()) return std::nullopt;
  if (!last) {
    for (TableMetaPtr& table : OverlappingInLevel(version, level + 1, range)) {
      plan.inputs.push_back({level + 1, std::move(table)});
    }
  }
  if (!AllAvailable(plan, unavailable)) return std::nullopt;
  return plan;
}

std::vector<CompactionPlan> PlanRewrites(const Version& version, uint32_t level, Slice smallest,
                                         Slice largest, const std::function<bool(const TableMetaPtr&)>& stale,
                                         const TableNumberSet& unavailable) {
  std::vector<CompactionPlan> plans;
  for (const Run& run : version.level(level).runs) {
    bool extend = false;  // the table before went into the last plan
    for (const TableMetaPtr& table : Version::Overlapping(run, smallest, largest)) {
      if (unavailable.contains(table->number) || !stale(table)) {
        extend = false;
        continue;
      }
      if (!extend) {
        plans.emplace_back();
        plans.back().output_level = level;
        plans.back().reason = "L" + std::to_string(level) + " tables hold what nobody needs";
      }
      plans.back().inputs.push_back({level, table});
      extend = true;
    }
  }
  return plans;
}

}  // namespace seerdb
