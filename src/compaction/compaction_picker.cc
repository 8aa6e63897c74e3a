#include "compaction/compaction_picker.h"

#include <algorithm>
#include <string>

#include "base/mutant.h"
#include "base/units.h"
#include "compaction/rewrite_picker.h"

namespace seerdb {
namespace {

using Output = MergePlanner::Output;
using Target = MergePlanner::Target;

constexpr double kLeastScoreForLastSlot = 2;

std::string LevelName(uint32_t level) { return "L" + std::to_string(level); }

std::string FullReason(const TreeLimits& limits, const Version& version, uint32_t level) {
  const LevelLimit& limit = limits.levels[level];
  const size_t runs = version.level(level).runs.size();
  if (runs > limit.runs) {
    return LevelName(level) + " runs " + std::to_string(runs) + " > " + std::to_string(limit.runs);
  }
  return LevelName(level) + " bytes " + std::to_string(version.level(level).bytes()) +
         " >= " + std::to_string(limit.bytes);
}

// One decision: holds what its steps share.
class Picker {
 public:
  Picker(const PickerOptions& options, const Version& version, const PickContext& context)
      : options_(options),
        version_(version),
        context_(context),
        limits_(LimitsOf(options.shape, options.base_level_size, version)),
        planner_(version, context.unavailable, context.running, options.largest_move_bytes,
                 options.room_bytes),
        rewrites_({options, version, context, planner_, limits_.first}) {}

  std::optional<CompactionPlan> Pick() const {
    if (auto plan = PickDrop()) return plan;
    if (auto plan = PickFullLevel()) return plan;
    if (context_.last_slot) return std::nullopt;
    // What is garbage already is gone sooner than what first must be found to be dead.
    const bool values_first =
        context_.too_much_space && context_.values.total_garbage_bytes > context_.values.total_bytes / 8;
    if (values_first) {
      if (auto plan = rewrites_.PickValues()) return plan;
    }
    if (context_.too_much_space || context_.too_much_dead) {
      if (auto plan = PickForSpace(context_.too_much_space)) return plan;
    }
    if (auto plan = PickTombstones()) return plan;
    if (auto plan = rewrites_.PickOldRanges()) return plan;
    if (auto plan = rewrites_.PickValues()) return plan;
    return rewrites_.PickSmallSegments();
  }

 private:
  // Where data of `level` goes, and how.
  Target TargetOf(uint32_t level) const {
    KeyRange range;
    for (const Run& run : version_.level(level).runs) {
      for (const TableMetaPtr& table : run.tables) range.Include(*table);
    }
    Target target;
    target.level = planner_.TargetBelow(level, std::min(limits_.first, limits_.last), range);
    // Runs of the last level are merged with one another only if it may have but one.
    target.output = limits_.levels[target.level].runs > 1 ? Output::kNewRun : Output::kJoin;
    return target;
  }

  bool Needless(uint32_t level, uint64_t run, const TableMeta& table) const;
  std::optional<CompactionPlan> PickDrop() const;
  std::optional<CompactionPlan> PickFullLevel() const;
  std::optional<CompactionPlan> PlanL0() const;
  std::optional<CompactionPlan> PlanLevel(uint32_t level) const;
  std::optional<CompactionPlan> PlanLast(uint32_t level) const;
  std::optional<CompactionPlan> PickForSpace(bool hurried) const;
  std::optional<CompactionPlan> PlanForSpace(uint32_t level) const;
  std::optional<CompactionPlan> PickTombstones() const;
  std::optional<CompactionPlan> PlanTombstones(uint32_t level, const Run& run,
                                               const TableMetaPtr& table) const;
  // Everything in it that is no tombstone has expired, which makes it one.
  bool Expired(const TableMeta& table) const {
    return table.expires_us != 0 && table.expires_us <= context_.now_us;
  }
  // Range tombstones hide everything in it from everyone who could see it.
  bool HiddenByRanges(const TableMeta& table) const;
  bool TombstonesDue(uint32_t level, const TableMeta& table) const;
  // True if a table outside the plan that is older than table (level, run) meets its range.
  bool OlderMeets(uint32_t level, uint64_t run, const TableMeta& table) const;

  const PickerOptions& options_;
  const Version& version_;
  const PickContext& context_;
  const TreeLimits limits_;
  const MergePlanner planner_;
  const RewritePicker rewrites_;
};

bool Picker::OlderMeets(uint32_t level, uint64_t run, const TableMeta& table) const {
  for (uint32_t i = level; i < version_.num_levels(); ++i) {
    for (const Run& other : version_.level(i).runs) {
      if (i == level && other.id >= run) continue;
      if (!Version::Overlapping(other, table.smallest_key, table.largest_key).empty()) return true;
    }
  }
  return false;
}

bool Picker::HiddenByRanges(const TableMeta& table) const {
  const SequenceNumber limit = context_.ranges.limit();
  if (context_.ranges.empty() || table.largest_sequence >= limit || table.ranges_applied >= limit) {
    return false;
  }
  const auto first_reader =
      std::lower_bound(context_.snapshots.begin(), context_.snapshots.end(), table.smallest_sequence);
  if (first_reader == context_.snapshots.end()) return false;
  const SequenceNumber at = SEERDB_MUTANT("range-drop-ignores-snapshots") ? kMaxSequence : *first_reader;
  return context_.ranges.CoverAt(at).HidesAll(table.smallest_key, table.largest_key, table.largest_sequence);
}

// True if nobody needs anything in the table: nothing but what has expired, or tombstones that every reader
// sees past, and nothing for them to hide; keys of dropped keyspaces alone; or what range tombstones hide.
bool Picker::Needless(uint32_t level, uint64_t run, const TableMeta& table) const {
  if (context_.keyspaces != nullptr && context_.keyspaces->HasDropped() &&
      context_.keyspaces->AllDropped(table.smallest_key, table.largest_key)) {
    return true;
  }
  if (HiddenByRanges(table)) return true;
  // What has expired hides what is older from every reader alike.
  const bool readers_agree = Expired(table) || (table.tombstones == table.entries &&
                                                table.largest_sequence <= context_.oldest_snapshot);
  if (!readers_agree) return false;
  return !OlderMeets(level, run, table) || SEERDB_MUTANT("drop-ignores-older-data");
}

std::optional<CompactionPlan> Picker::PickDrop() const {
  CompactionPlan plan;
  plan.kind = CompactionPlan::Kind::kDrop;
  plan.reason = "nobody needs anything in them";
  for (uint32_t level = 0; level < version_.num_levels(); ++level) {
    for (const Run& run : version_.level(level).runs) {
      for (const TableMetaPtr& table : run.tables) {
        if (!planner_.Available(*table) || !Needless(level, run.id, *table)) continue;
        plan.inputs.push_back({level, run.id, table});
      }
    }
  }
  if (plan.inputs.empty()) return std::nullopt;
  return plan;
}

std::optional<CompactionPlan> Picker::PickFullLevel() const {
  std::vector<std::pair<double, uint32_t>> due;
  for (uint32_t level = 0; level < version_.num_levels(); ++level) {
    const double score = LevelScore(options_, limits_, version_, level);
    const double least = context_.last_slot && level > 0 ? kLeastScoreForLastSlot : 1;
    if (score >= least) due.emplace_back(score, level);
  }
  // Most urgent first; on equal scores the upper level, which stalls writers first.
  std::sort(due.begin(), due.end(), [this](const auto& a, const auto& b) {
    if (context_.last_slot && (a.second == 0) != (b.second == 0)) return a.second == 0;
    return a.first != b.first ? a.first > b.first : a.second < b.second;
  });
  for (const auto& [score, level] : due) {
    auto plan = level == 0 ? PlanL0() : level < limits_.last ? PlanLevel(level) : PlanLast(level);
    if (plan.has_value()) return plan;
  }
  return std::nullopt;
}

std::optional<CompactionPlan> Picker::PlanL0() const {
  const Target target = TargetOf(0);
  if (auto plan = planner_.MoveFromL0(target)) {
    plan->reason = "L0 tables overlap nothing in " + LevelName(target.level);
    return plan;
  }
  auto plan = planner_.Down(0, nullptr, target);
  if (!plan && !context_.unavailable.empty()) plan = planner_.AroundUnavailable(target);
  if (plan) {
    plan->reason = "L0 runs " + std::to_string(version_.level(0).runs.size()) +
                   " >= " + std::to_string(options_.l0_compaction_trigger);
  }
  return plan;
}

std::optional<CompactionPlan> Picker::PlanLevel(uint32_t level) const {
  const Target target = TargetOf(level);
  auto plan = target.output == Output::kNewRun ? planner_.Down(level, nullptr, target)
                                               : planner_.CheapestStep(level, target, options_.merge_bytes);
  // A run that cannot go as a whole goes in parts.
  if (!plan && target.output == Output::kNewRun && !context_.unavailable.empty()) {
    plan = planner_.CheapestStep(level, target, options_.merge_bytes);
  }
  if (plan) plan->reason = FullReason(limits_, version_, level);
  return plan;
}

std::optional<CompactionPlan> Picker::PlanLast(uint32_t level) const {
  const bool bottom = level + 1 == version_.num_levels();
  const size_t runs = version_.level(level).runs.size();
  std::optional<CompactionPlan> plan;
  if (runs == 1 && !bottom) {
    plan = planner_.MoveLevelDown(level);
  } else if (limits_.levels[level].runs > 1 && !bottom) {
    plan = planner_.Down(level, nullptr, {level + 1, Output::kNewRun});
  } else {
    plan = planner_.Consolidate(level, nullptr, options_.merge_bytes);
  }
  if (plan) plan->reason = FullReason(limits_, version_, level);
  return plan;
}

// What lies above the last level is dead, or makes something below it dead: the deepest of it goes first.
// Without the hurry of a target nothing else goes while that cannot: to push more onto it would only cost.
std::optional<CompactionPlan> Picker::PickForSpace(bool hurried) const {
  std::optional<CompactionPlan> plan;
  for (uint32_t level = limits_.last + 1; level-- > 0 && !plan;) {
    if (level == 0 && !hurried) break;
    if (version_.level(level).runs.size() < (level == limits_.last ? 2 : 1)) continue;
    plan = PlanForSpace(level);
    if (!hurried) break;
  }
  if (plan) plan->reason = hurried ? "space target" : "dead data";
  return plan;
}

std::optional<CompactionPlan> Picker::PlanForSpace(uint32_t level) const {
  if (level == limits_.last) return planner_.Consolidate(level, nullptr, options_.merge_bytes);
  Target target = TargetOf(level);
  target.output = Output::kJoin;
  return level == 0 ? planner_.Down(0, nullptr, target)
                    : planner_.CheapestStep(level, target, options_.merge_bytes);
}

// Many tombstones in L0 are no reason: what comes out of a flush is merged soon anyway.
bool Picker::TombstonesDue(uint32_t level, const TableMeta& table) const {
  if (Expired(table)) return true;
  if (table.tombstones == 0) return false;
  const bool old =
      options_.tombstone_max_age_s != 0 && table.tombstones_since_s != 0 &&
      context_.now_us / kMicrosPerSecond >= table.tombstones_since_s + options_.tombstone_max_age_s;
  const bool dense = level > 0 && options_.tombstone_density_trigger > 0 &&
                     static_cast<double>(table.tombstones) >=
                         options_.tombstone_density_trigger * static_cast<double>(table.entries);
  return old || dense;
}

std::optional<CompactionPlan> Picker::PickTombstones() const {
  for (uint32_t level = version_.num_levels(); level-- > 0;) {
    for (const Run& run : version_.level(level).runs) {
      for (const TableMetaPtr& table : run.tables) {
        if (!TombstonesDue(level, *table)) continue;
        if (auto plan = PlanTombstones(level, run, table)) return plan;
      }
    }
  }
  return std::nullopt;
}

std::optional<CompactionPlan> Picker::PlanTombstones(uint32_t level, const Run& run,
                                                     const TableMetaPtr& table) const {
  std::optional<CompactionPlan> plan;
  KeyRange range;
  range.Include(*table);
  if (level < limits_.last) {
    Target target;
    target.level = level == 0 ? limits_.first : level + 1;
    plan = planner_.Down(level, &range, target);
  } else if (OlderMeets(level, run.id, *table)) {
    plan = planner_.Consolidate(level, &range, options_.merge_bytes);
  } else if (table->largest_sequence <= context_.oldest_snapshot && planner_.Available(*table)) {
    // Nothing older is left for them to hide, and nobody reads what is older than them.
    plan = CompactionPlan{};
    plan->inputs.push_back({level, run.id, table});
    plan->output_level = level;
    plan->output_run = run.id;
  }
  if (plan) {
    plan->reason = Expired(*table)
                       ? LevelName(level) + " table " + std::to_string(table->number) + " has expired"
                       : LevelName(level) + " table " + std::to_string(table->number) + " has " +
                             std::to_string(table->tombstones) + " tombstones in " +
                             std::to_string(table->entries) + " entries";
  }
  return plan;
}

}  // namespace

double LevelScore(const PickerOptions& options, const TreeLimits& limits, const Version& version,
                  uint32_t level) {
  const Level& tables = version.level(level);
  if (tables.empty()) return 0;
  const double runs = static_cast<double>(tables.runs.size());
  if (level == 0) return runs / static_cast<double>(options.l0_compaction_trigger);
  const LevelLimit& limit = limits.levels[level];
  const double by_runs = runs / (static_cast<double>(limit.runs) + 1);
  if (limit.bytes == UINT64_MAX) return by_runs;
  const double by_bytes =
      static_cast<double>(tables.bytes()) / std::max(1.0, static_cast<double>(limit.bytes));
  return std::max(by_runs, by_bytes);
}

uint64_t DebtBytes(const PickerOptions& options, const Version& version) {
  const TreeLimits limits = LimitsOf(options.shape, options.base_level_size, version);
  uint64_t debt_bytes = 0;
  for (uint32_t level = 1; level < limits.last; ++level) {
    const uint64_t bytes = version.level(level).bytes();
    debt_bytes += bytes - std::min(bytes, limits.levels[level].bytes);
  }
  return debt_bytes;
}

std::optional<CompactionPlan> PickCompaction(const PickerOptions& options, const Version& version,
                                             const PickContext& context) {
  return Picker(options, version, context).Pick();
}

std::optional<CompactionPlan> PlanRangeCompaction(const Version& version, uint32_t level,
                                                  const KeyRange& wanted, const TableNumberSet& unavailable) {
  const std::vector<RunningOutput> none;
  auto plan = MergePlanner(version, unavailable, none).Down(level, &wanted, {level + 1, Output::kJoin});
  if (plan) plan->reason = "range compaction of " + LevelName(level);
  return plan;
}

}  // namespace seerdb
