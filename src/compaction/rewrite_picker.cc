#include "compaction/rewrite_picker.h"

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "base/units.h"

namespace seerdb {
namespace {

// Of what a range tombstone meets.
constexpr size_t kMostTablesLookedAt = 64;
constexpr size_t kMany = 256;
constexpr size_t kMostL0TablesTried = 16;
// What may be written anew of a table to have a file fewer.
constexpr uint64_t kTableBytesASegment = uint64_t{256} << 10;

}  // namespace

std::optional<CompactionPlan> RewritePicker::PickOldRanges() const {
  if (facts_.version.ranges() == nullptr) return std::nullopt;
  const auto& ranges = *facts_.version.ranges();
  const uint64_t too_many =
      ranges.size() - std::min<uint64_t>(ranges.size(), facts_.options.max_range_tombstones);
  for (size_t i = 0; i < ranges.size(); ++i) {
    const RangeTombstone& tombstone = *ranges[i];
    const bool old =
        facts_.options.tombstone_max_age_s != 0 && tombstone.since_s != 0 &&
        facts_.context.now_us / kMicrosPerSecond >= tombstone.since_s + facts_.options.tombstone_max_age_s;
    // They ascend by sequence, and so by age.
    if ((!old && i >= too_many) || tombstone.sequence > facts_.context.oldest_snapshot) break;
    if (auto plan = PlanOldRange(tombstone)) return plan;
  }
  return std::nullopt;
}

// Of the tables that meet it the one under the most range tombstones. Below L0 that is written anew where it
// is: they do not need to sink.
std::optional<CompactionPlan> RewritePicker::PlanOldRange(const RangeTombstone& tombstone) const {
  CompactionPlan::Input best;
  size_t most = 0;
  size_t looked_at = 0;
  for (uint32_t level = facts_.version.num_levels(); level-- > 0;) {
    for (const Run& run : facts_.version.level(level).runs) {
      for (const TableMetaPtr& table : Version::Overlapping(run, tombstone.begin, tombstone.end)) {
        if (!MayHideIn(tombstone, *table) || !facts_.planner.Available(*table)) continue;
        if (++looked_at > kMostTablesLookedAt) break;
        const size_t count = facts_.version.RangesOver(*table, kMany);
        if (count <= most) continue;
        most = count;
        best = {level, run.id, table};
      }
    }
  }
  if (best.table == nullptr) return std::nullopt;
  auto plan = PlanRewrite(best);
  if (plan) {
    plan->reason = "L" + std::to_string(best.level) + " table " + std::to_string(best.table->number) +
                   " lies under " + std::to_string(most) + " range deletes";
  }
  return plan;
}

std::optional<CompactionPlan> RewritePicker::PlanRewrite(const CompactionPlan::Input& input) const {
  if (input.level == 0) {
    KeyRange range;
    range.Include(*input.table);
    MergePlanner::Target target;
    target.level = facts_.first_level;
    return facts_.planner.Down(0, &range, target);
  }
  CompactionPlan plan;
  plan.inputs.push_back(input);
  plan.output_level = input.level;
  plan.output_run = input.run;
  return plan;
}

template <typename Visit>
void RewritePicker::VisitTables(uint32_t level, const Visit& visit) const {
  for (; level < facts_.version.num_levels(); ++level) {
    for (const Run& run : facts_.version.level(level).runs) {
      for (const TableMetaPtr& table : run.tables) visit(run, CompactionPlan::Input{level, run.id, table});
    }
  }
}

// The table with the most values to be moved that can be written anew, and its neighbours. All tables that
// point into a segment must be written anew before it goes: so it is done for many segments at once.
std::optional<CompactionPlan> RewritePicker::PickValues() const {
  const ValueGcPlan& values = facts_.context.values;
  if (values.segments.empty()) return std::nullopt;
  struct Candidate {
    uint64_t bytes;
    const Run* run;
    CompactionPlan::Input input;
  };
  std::vector<Candidate> candidates;
  uint64_t cost_bytes = 0;
  VisitTables(0, [&](const Run& run, const CompactionPlan::Input& input) {
    const uint64_t bytes = BytesToMove(*input.table);
    if (bytes == 0) return;
    cost_bytes += input.table->bytes;
    candidates.push_back({bytes, &run, input});
  });
  if (!facts_.context.too_much_space && cost_bytes > values.garbage_bytes) return std::nullopt;
  std::stable_sort(candidates.begin(), candidates.end(),
                   [](const Candidate& a, const Candidate& b) { return a.bytes > b.bytes; });
  size_t tried = 0;
  for (const Candidate& candidate : candidates) {
    // Below L0 the first one can be: only those of L0 take others along, which may not be available.
    if (candidate.input.level == 0 && ++tried > kMostL0TablesTried) continue;
    if (auto plan = PlanValues(candidate.input, *candidate.run)) return plan;
  }
  return std::nullopt;
}

std::optional<CompactionPlan> RewritePicker::PlanValues(const CompactionPlan::Input& input,
                                                        const Run& run) const {
  auto plan = PlanRewrite(input);
  if (!plan || plan->kind != CompactionPlan::Kind::kMerge) return std::nullopt;
  const ValueGcPlan& values = facts_.context.values;
  plan->for_values = true;
  if (input.level > 0) {
    plan->filters = false;
    AddNeighbours(run, &*plan);
  }
  plan->reason = std::to_string(values.segments.size()) + " value segments have " +
                 std::to_string(values.garbage_bytes) + " bytes of garbage";
  return plan;
}

std::optional<CompactionPlan> RewritePicker::PickSmallSegments() const {
  if (facts_.context.values.small.size() < kLeastGathered) return std::nullopt;
  Gathering best;
  CompactionPlan::Input best_input;
  VisitTables(1, [&](const Run&, const CompactionPlan::Input& input) {
    Gathering gathering = GatheringOf(*input.table);
    if (gathering.files <= best.files) return;
    best = std::move(gathering);
    best_input = input;
  });
  if (best.segments.empty()) return std::nullopt;
  auto plan = PlanRewrite(best_input);
  if (!plan) return std::nullopt;
  plan->for_values = true;
  plan->filters = false;
  plan->reason = "L" + std::to_string(best_input.level) + " table " +
                 std::to_string(best_input.table->number) + " points into " +
                 std::to_string(best.segments.size()) + " small value segments";
  plan->gathers = std::set<uint64_t>(best.segments.begin(), best.segments.end());
  return plan;
}

RewritePicker::Gathering RewritePicker::GatheringOf(const TableMeta& table) const {
  Gathering gathering;
  if (table.values.size() < kLeastGathered || !facts_.planner.Available(table)) return gathering;
  struct Candidate {
    ValueBytes values;
    double share;
  };
  std::vector<Candidate> candidates;
  for (const ValueBytes& values : table.values) {
    const auto small = facts_.context.values.small.find(values.segment);
    if (small == facts_.context.values.small.end()) continue;
    const double share = std::min(
        1.0, static_cast<double>(values.bytes) / static_cast<double>(std::max<uint64_t>(1, small->second)));
    if (share < 1 && facts_.context.too_much_space) continue;
    candidates.push_back({values, share});
  }
  std::stable_sort(candidates.begin(), candidates.end(),
                   [](const Candidate& a, const Candidate& b) { return a.values.bytes < b.values.bytes; });
  uint64_t bytes = 0;
  size_t taken = 0;
  for (size_t i = 0; i < candidates.size(); ++i) {
    const uint64_t others = bytes;
    bytes += candidates[i].values.bytes;
    if (bytes > facts_.options.merge_bytes) break;
    if (candidates[i].values.bytes <= others) taken = i + 1;
  }
  for (size_t i = 0; i < taken; ++i) {
    gathering.segments.push_back(candidates[i].values.segment);
    gathering.files += candidates[i].share;
  }
  const double least = std::max(double{kLeastGathered},
                                static_cast<double>(table.bytes) / static_cast<double>(kTableBytesASegment));
  return gathering.files >= least ? gathering : Gathering();
}

uint64_t RewritePicker::BytesToMove(const TableMeta& table) const {
  if (table.values.empty() || !facts_.planner.Available(table)) return 0;
  return BytesIn(table.values, facts_.context.values.segments);
}

// So that what is moved fills segments. Tables between which none is left out stay apart from all others, and
// from those of a job that runs, which may write between two of them.
void RewritePicker::AddNeighbours(const Run& run, CompactionPlan* plan) const {
  const CompactionPlan::Input first = plan->inputs.front();
  const auto at = std::find(run.tables.begin(), run.tables.end(), first.table);
  uint64_t bytes = first.table->bytes;
  uint64_t moved_bytes = BytesToMove(*first.table);
  KeyRange hull = plan->hull();
  const auto fits = [&](const TableMeta& table) {
    const uint64_t more_bytes = BytesToMove(table);
    if (more_bytes == 0 || bytes + table.bytes > facts_.options.merge_bytes) return false;
    if (moved_bytes + more_bytes > facts_.options.merge_bytes) return false;
    KeyRange wider = hull;
    wider.Include(table);
    if (!facts_.planner.MayWrite(first.level, first.run, wider)) return false;
    hull = std::move(wider);
    bytes += table.bytes;
    moved_bytes += more_bytes;
    return true;
  };
  for (auto next = at + 1; next != run.tables.end() && fits(**next); ++next) {
    plan->inputs.push_back({first.level, first.run, *next});
  }
  for (auto next = at; next != run.tables.begin() && fits(**std::prev(next)); --next) {
    plan->inputs.insert(plan->inputs.begin(), {first.level, first.run, *std::prev(next)});
  }
}

}  // namespace seerdb
