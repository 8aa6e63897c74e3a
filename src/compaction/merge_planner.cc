#include "compaction/merge_planner.h"

#include <algorithm>
#include <set>

#include "base/mutant.h"

namespace seerdb {
namespace {

using Inputs = std::vector<CompactionPlan::Input>;

// True if no two of the tables meet; they may then lie in one run as they are.
bool PairwiseDisjoint(const Inputs& inputs) {
  std::vector<const TableMeta*> tables;
  for (const CompactionPlan::Input& input : inputs) tables.push_back(input.table.get());
  std::sort(tables.begin(), tables.end(),
            [](const TableMeta* a, const TableMeta* b) { return a->smallest_key < b->smallest_key; });
  for (size_t i = 1; i < tables.size(); ++i) {
    if (tables[i]->smallest_key <= tables[i - 1]->largest_key) return false;
  }
  return true;
}

// What taking a part down costs for each byte that goes down: bytes below that are rewritten. Tombstones
// weigh in: pushing them down gives space back.
double CostOf(const CompactionPlan& plan, uint32_t upper_level) {
  double below = 0;
  double gain = 0;
  for (const CompactionPlan::Input& input : plan.inputs) {
    const double bytes = static_cast<double>(input.table->bytes);
    if (input.level != upper_level) {
      below += bytes;
    } else {
      gain += bytes * (1.0 + static_cast<double>(input.table->tombstones) /
                                 static_cast<double>(std::max<uint64_t>(1, input.table->entries)));
    }
  }
  return below / std::max(1.0, gain);
}

// L0 tables, oldest first.
std::vector<CompactionPlan::Input> OldestFirst(const Level& level0) {
  Inputs tables;
  for (auto run = level0.runs.rbegin(); run != level0.runs.rend(); ++run) {
    for (const TableMetaPtr& table : run->tables) tables.push_back({0, run->id, table});
  }
  return tables;
}

// Newer runs first, and the tables of a run ascending by key.
void SortInputs(Inputs* inputs) {
  std::stable_sort(inputs->begin(), inputs->end(), [](const auto& a, const auto& b) {
    if (a.level != b.level) return a.level < b.level;
    if (a.run != b.run) return a.run > b.run;
    return a.table->smallest_key < b.table->smallest_key;
  });
}

}  // namespace

void MergePlanner::Close(uint32_t level, KeyRange* range, Inputs* inputs) const {
  std::set<uint64_t> taken;
  bool grew = true;
  while (grew) {
    grew = false;
    for (const Run& run : version_.level(level).runs) {  // newest first
      for (const TableMetaPtr& table : Version::Overlapping(run, range->smallest, range->largest)) {
        if (!taken.insert(table->number).second) continue;
        inputs->push_back({level, run.id, table});
        grew |= range->Include(*table);
      }
    }
  }
}

uint64_t MergePlanner::OldestRun(uint32_t level) const {
  const std::vector<Run>& runs = version_.level(level).runs;
  return runs.empty() ? kFirstRun : runs.back().id;
}

uint64_t MergePlanner::NewestPlace(uint32_t level, const CompactionPlan& plan) const {
  const std::vector<Run>& runs = version_.level(level).runs;
  uint64_t newest = runs.empty() ? kFirstRun - 1 : runs.front().id;
  for (const RunningOutput& output : running_) {
    if (output.level == level) newest = std::max(newest, output.run);
  }
  if (runs.empty() || runs.front().id != newest) return newest + 1;
  // Beside what the newest run holds, it is as good as a run of its own.
  const KeyRange hull = plan.hull();
  const bool beside = Version::Overlapping(runs.front(), hull.smallest, hull.largest).empty();
  return beside ? newest : newest + 1;
}

bool MergePlanner::MayMove(const TableMeta& table) const {
  return table.bytes <= largest_move_bytes_ || table.bytes > room_bytes_ ||
         SEERDB_MUTANT("large-tables-move");
}

bool MergePlanner::CanMove(const Inputs& inputs) const {
  return std::all_of(inputs.begin(), inputs.end(),
                     [this](const auto& input) { return MayMove(*input.table); }) &&
         PairwiseDisjoint(inputs);
}

bool MergePlanner::Allowed(const CompactionPlan& plan) const {
  const KeyRange hull = plan.hull();
  return std::all_of(plan.inputs.begin(), plan.inputs.end(),
                     [&](const CompactionPlan::Input& input) { return Available(*input.table); }) &&
         MayWrite(plan.output_level, plan.output_run, hull);
}

bool MergePlanner::MayWrite(uint32_t level, uint64_t run, const KeyRange& hull) const {
  return std::none_of(running_.begin(), running_.end(), [&](const RunningOutput& output) {
    return output.level == level && output.run == run && output.hull.Meets(hull);
  });
}

std::optional<CompactionPlan> MergePlanner::Finish(CompactionPlan plan, const KeyRange& range,
                                                   Target target) const {
  if (plan.inputs.empty()) return std::nullopt;
  // What had to go along may meet what the target was chosen to pass.
  if (!SEERDB_MUTANT("grown-range-passes-a-level")) {
    target.level = TargetBelow(plan.inputs.front().level, target.level, range);
  }
  plan.output_level = target.level;
  if (target.output == Output::kJoin) {
    Inputs below;
    KeyRange joined = range;
    Close(target.level, &joined, &below);
    plan.output_run = OldestRun(target.level);
    if (below.empty() && CanMove(plan.inputs)) plan.kind = CompactionPlan::Kind::kMove;
    plan.inputs.insert(plan.inputs.end(), below.begin(), below.end());
  } else {
    plan.output_run = NewestPlace(target.level, plan);
    if (CanMove(plan.inputs)) plan.kind = CompactionPlan::Kind::kMove;
  }
  SortInputs(&plan.inputs);
  if (!Allowed(plan)) return std::nullopt;
  return plan;
}

std::optional<CompactionPlan> MergePlanner::Down(uint32_t level, const KeyRange* wanted,
                                                 Target target) const {
  CompactionPlan plan;
  KeyRange range;
  if (wanted != nullptr) {
    for (const Run& run : version_.level(level).runs) {
      for (const TableMetaPtr& table : run.tables) {
        // Newest first: a table joins when it is wanted or meets a newer one that joined.
        const bool joins = range.Meets(*table) && !SEERDB_MUTANT("l0-merge-leaves-older-overlap");
        if (!wanted->Meets(*table) && !joins) continue;
        plan.inputs.push_back({level, run.id, table});
        range.Include(*table);
      }
    }
  } else {
    for (const Run& run : version_.level(level).runs) {
      for (const TableMetaPtr& table : run.tables) {
        plan.inputs.push_back({level, run.id, table});
        range.Include(*table);
      }
    }
  }
  return Finish(std::move(plan), range, target);
}

std::optional<CompactionPlan> MergePlanner::CheapestStep(uint32_t level, Target target,
                                                         uint64_t max_bytes) const {
  std::optional<CompactionPlan> best;
  bool best_fits = false;
  double best_cost = 0;
  std::set<uint64_t> tried;
  for (const Run& run : version_.level(level).runs) {
    for (const TableMetaPtr& seed : run.tables) {
      if (tried.contains(seed->number)) continue;
      CompactionPlan part;
      KeyRange range;
      range.Include(*seed);
      Close(level, &range, &part.inputs);
      for (const CompactionPlan::Input& input : part.inputs) tried.insert(input.table->number);
      std::optional<CompactionPlan> plan = Finish(std::move(part), range, target);
      if (!plan.has_value()) continue;
      const uint64_t bytes = plan->input_bytes();
      const bool fits = bytes <= max_bytes || plan->kind == CompactionPlan::Kind::kMove;
      const double cost = fits ? CostOf(*plan, level) : static_cast<double>(bytes);
      const bool better = !best.has_value() || (fits != best_fits ? fits : cost < best_cost);
      if (!better) continue;
      best = std::move(plan);
      best_fits = fits;
      best_cost = cost;
    }
  }
  return best;
}

std::optional<CompactionPlan> MergePlanner::AroundUnavailable(Target target) const {
  Inputs free;
  std::vector<KeyRange> staying;
  for (CompactionPlan::Input& input : OldestFirst(version_.level(0))) {
    const bool stays = !Available(*input.table) ||
                       std::any_of(staying.begin(), staying.end(),
                                   [&](const KeyRange& range) { return range.Meets(*input.table); });
    if (stays) {
      if (!SEERDB_MUTANT("l0-passes-damaged-table")) staying.emplace_back().Include(*input.table);
    } else {
      free.push_back(std::move(input));
    }
  }
  std::set<uint64_t> tried;
  for (const CompactionPlan::Input& seed : free) {
    if (tried.contains(seed.table->number)) continue;
    KeyRange range;
    range.Include(*seed.table);
    std::set<uint64_t> group = {seed.table->number};
    for (size_t before = 0; before != group.size();) {
      before = group.size();
      for (const CompactionPlan::Input& input : free) {
        if (range.Meets(*input.table) && group.insert(input.table->number).second)
          range.Include(*input.table);
      }
    }
    tried.insert(group.begin(), group.end());
    CompactionPlan plan;
    for (const CompactionPlan::Input& input : free) {
      if (group.contains(input.table->number)) plan.inputs.push_back(input);
    }
    if (std::optional<CompactionPlan> part = Finish(std::move(plan), range, target)) return part;
  }
  return std::nullopt;
}

std::optional<CompactionPlan> MergePlanner::MoveFromL0(Target target) const {
  CompactionPlan plan;
  plan.kind = CompactionPlan::Kind::kMove;
  plan.output_level = target.level;
  const std::vector<Run>& runs = version_.level(target.level).runs;
  // A row that goes into the newest run must not meet that; an older one may lie below it.
  const bool into_newest = target.output == Output::kNewRun && !runs.empty();
  plan.output_run = into_newest ? runs.front().id : OldestRun(target.level);
  std::vector<KeyRange> taken;
  for (CompactionPlan::Input& input : OldestFirst(version_.level(0))) {
    const TableMeta& table = *input.table;
    const auto meets = [&](const Run& run) {
      return !Version::Overlapping(run, table.smallest_key, table.largest_key).empty();
    };
    const bool blocked = into_newest ? meets(runs.front()) : std::any_of(runs.begin(), runs.end(), meets);
    if (blocked || !Available(table) || !MayMove(table) ||
        std::any_of(taken.begin(), taken.end(), [&](const KeyRange& other) { return other.Meets(table); })) {
      break;
    }
    taken.emplace_back().Include(table);
    plan.inputs.push_back(std::move(input));
  }
  if (plan.inputs.empty() || !Allowed(plan)) return std::nullopt;
  return plan;
}

std::optional<CompactionPlan> MergePlanner::MoveLevelDown(uint32_t level) const {
  CompactionPlan plan;
  plan.kind = CompactionPlan::Kind::kMove;
  plan.output_level = level + 1;
  const Level& from = version_.level(level);
  if (from.runs.size() != 1 || !version_.level(level + 1).empty()) return std::nullopt;
  for (const TableMetaPtr& table : from.runs.front().tables) {
    if (!MayMove(*table)) {
      plan.kind = CompactionPlan::Kind::kMerge;
      plan.inputs = {{level, from.runs.front().id, table}};
      break;
    }
    plan.inputs.push_back({level, from.runs.front().id, table});
  }
  if (!Allowed(plan)) return std::nullopt;
  return plan;
}

std::optional<CompactionPlan> MergePlanner::Consolidate(uint32_t level, const KeyRange* wanted,
                                                        uint64_t max_bytes) const {
  std::optional<CompactionPlan> best;
  std::set<uint64_t> tried;
  for (const Run& run : version_.level(level).runs) {
    for (const TableMetaPtr& seed : run.tables) {
      if (tried.contains(seed->number) || (wanted != nullptr && !wanted->Meets(*seed))) continue;
      CompactionPlan part;
      KeyRange range;
      range.Include(*seed);
      Close(level, &range, &part.inputs);
      std::set<uint64_t> runs;
      for (const CompactionPlan::Input& input : part.inputs) {
        tried.insert(input.table->number);
        runs.insert(input.run);
      }
      part.output_level = level;
      part.output_run = OldestRun(level);
      if (runs.size() == 1) {
        if (*runs.begin() == part.output_run) continue;  // nothing to merge it with
        if (CanMove(part.inputs)) part.kind = CompactionPlan::Kind::kMove;
      }
      SortInputs(&part.inputs);
      if (!Allowed(part)) continue;
      const bool smaller = best.has_value() && part.input_bytes() < best->input_bytes();
      if (!best.has_value() || (best->input_bytes() > max_bytes && smaller)) best = std::move(part);
    }
  }
  return best;
}

uint32_t MergePlanner::TargetBelow(uint32_t level, uint32_t first, const KeyRange& range) const {
  for (uint32_t target = level + 1; target < first; ++target) {
    for (const Run& run : version_.level(target).runs) {
      if (!Version::Overlapping(run, range.smallest, range.largest).empty()) return target;
    }
  }
  return std::max(first, level + 1);
}

std::vector<CompactionPlan> PlanRewrites(const Version& version, uint32_t level, const KeyRange& wanted,
                                         const std::function<bool(const TableMetaPtr&)>& stale,
                                         const TableNumberSet& unavailable) {
  std::vector<CompactionPlan> plans;
  for (const Run& run : version.level(level).runs) {
    bool extend = false;  // the table before went into the last plan
    for (const TableMetaPtr& table : Version::Overlapping(run, wanted.smallest, wanted.largest)) {
      if (unavailable.contains(table->number) || !stale(table)) {
        extend = false;
        continue;
      }
      if (!extend) {
        plans.emplace_back();
        plans.back().output_level = level;
        plans.back().output_run = run.id;
        plans.back().reason = "L" + std::to_string(level) + " tables hold what nobody needs";
      }
      plans.back().inputs.push_back({level, run.id, table});
      extend = true;
    }
  }
  return plans;
}

}  // namespace seerdb
