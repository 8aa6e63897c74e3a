// MergePlanner: builds plans that keep the order of versions, whatever they are wanted for. Pure.
//
// The rule behind all of it: a version may only go down if every older version of its key that lies above the
// place it goes to goes along. So a plan that takes a table takes each table of the older runs of its level
// that the range of the plan meets, and where it joins a run, all tables of that level that it meets. A table
// that may not be used (damaged, or input of a job that runs) is never passed. Thread safety: immutable;
// borrows the version and what it was given.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <vector>

#include "compaction/compaction_plan.h"
#include "manifest/version.h"

namespace seerdb {

// Where a job that runs will put its outputs.
struct RunningOutput {
  uint32_t level = 0;
  uint64_t run = 0;
  KeyRange hull;
};

class MergePlanner {
 public:
  // A table with more than `largest_move_bytes` is written anew where others are moved, unless it has more
  // than `room_bytes`, which can be written.
  MergePlanner(const Version& version, const TableNumberSet& unavailable,
               const std::vector<RunningOutput>& running, uint64_t largest_move_bytes = UINT64_MAX,
               uint64_t room_bytes = UINT64_MAX)
      : version_(version),
        unavailable_(unavailable),
        running_(running),
        largest_move_bytes_(largest_move_bytes),
        room_bytes_(room_bytes) {}

  enum class Output : uint8_t {
    kJoin,    // merged with what the target level has in the range
    kNewRun,  // a run newer than all others of the target level
  };
  struct Target {
    // Below the inputs' level; where a level between has a table that they meet, they go no further than
    // that.
    uint32_t level = 1;
    Output output = Output::kJoin;
  };

  // Takes every table of `level` that `wanted` (null = all) meets, with what must go along. Moves tables that
  // meet nothing instead of rewriting them. nullopt if there is nothing to do or a table is unavailable.
  std::optional<CompactionPlan> Down(uint32_t level, const KeyRange* wanted, Target target) const;

  // As Down, for the part of `level` that costs least for the bytes it takes down, at most about `max_bytes`
  // of inputs if there is such a part.
  std::optional<CompactionPlan> CheapestStep(uint32_t level, Target target, uint64_t max_bytes) const;

  // Parts of L0 that are not connected to an unavailable table.
  std::optional<CompactionPlan> AroundUnavailable(Target target) const;

  // The longest row of oldest L0 tables that can go down as they are: they meet neither each other nor what
  // they would have to be merged with.
  std::optional<CompactionPlan> MoveFromL0(Target target) const;

  // All tables of `level` to the empty level below, as they are; or the first that is too large for that,
  // alone.
  std::optional<CompactionPlan> MoveLevelDown(uint32_t level) const;

  // Merges the runs of `level` within the level where `wanted` (null = all) meets more than one of them, into
  // its oldest run; the cheapest part of at most about `max_bytes` if there is such a part.
  std::optional<CompactionPlan> Consolidate(uint32_t level, const KeyRange* wanted, uint64_t max_bytes) const;

  // The deepest level in (level, first] that the range can go to without passing a table that it meets.
  uint32_t TargetBelow(uint32_t level, uint32_t first, const KeyRange& range) const;

  bool Available(const TableMeta& table) const { return !unavailable_.contains(table.number); }
  // False if a job that runs will put tables into that run where the range of keys lies.
  bool MayWrite(uint32_t level, uint64_t run, const KeyRange& hull) const;

 private:
  // Adds the tables of `level` that meet `range` and, repeatedly, those that meet what it has grown to.
  void Close(uint32_t level, KeyRange* range, std::vector<CompactionPlan::Input>* inputs) const;
  // Completes a plan whose inputs are those of the upper level.
  std::optional<CompactionPlan> Finish(CompactionPlan plan, const KeyRange& range, Target target) const;
  bool MayMove(const TableMeta& table) const;
  // True if the inputs may lie in one run as they are.
  bool CanMove(const std::vector<CompactionPlan::Input>& inputs) const;
  bool Allowed(const CompactionPlan& plan) const;
  uint64_t OldestRun(uint32_t level) const;
  // Where a plan's outputs go that are newer than all of `level`.
  uint64_t NewestPlace(uint32_t level, const CompactionPlan& plan) const;

  const Version& version_;
  const TableNumberSet& unavailable_;
  const std::vector<RunningOutput>& running_;
  const uint64_t largest_move_bytes_;
  const uint64_t room_bytes_;
};

// For a manual compaction: rewrites, in place, of the tables of `level` (>= 1) that meet the range and hold
// something `stale`, one plan for each stretch of neighbours.
std::vector<CompactionPlan> PlanRewrites(const Version& version, uint32_t level, const KeyRange& wanted,
                                         const std::function<bool(const TableMetaPtr&)>& stale,
                                         const TableNumberSet& unavailable);

}  // namespace seerdb
