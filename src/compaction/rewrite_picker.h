// RewritePicker: which table should be written anew although the tree has its shape: for what range deletes
// hide in it, or for what lies in the value segments that it points into. Pure.
//
// Below L0 a table is written anew where it is. Thread safety: immutable; borrows what it was given.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "compaction/compaction_picker.h"
#include "compaction/merge_planner.h"

namespace seerdb {

class RewritePicker {
 public:
  struct Facts {
    const PickerOptions& options;
    const Version& version;
    const PickContext& context;
    const MergePlanner& planner;
    uint32_t first_level = 1;  // where L0 goes
  };
  // A table is written anew for so many files fewer, and what it has in them lies in one instead.
  static constexpr size_t kLeastGathered = 8;

  explicit RewritePicker(const Facts& facts) : facts_(facts) {}

  // What old range tombstones still hide is dropped, and that of the oldest while they are too many.
  std::optional<CompactionPlan> PickOldRanges() const;
  // Empties value segments.
  std::optional<CompactionPlan> PickValues() const;
  // Puts together what one table has in many small segments, at most merge_bytes. A segment goes with the
  // last table that points into it, so that each counts with the share that the table has in it: where many
  // tables point into the same segments, each would get one of its own, and nothing be gained. Where space is
  // short, only those count that no other table needs, and nothing lies there twice. Each such plan leaves
  // the table with one segment instead of kLeastGathered or more: they come to an end.
  // They are put together by size: the smallest, up to the largest that has no more bytes than all below it.
  // So a value lies in a segment of twice the size or more each time that it is moved, and however many small
  // segments come, each is moved as often as the size can double. Those that stay have each more than all
  // smaller ones: as many as that, and kLeastGathered.
  std::optional<CompactionPlan> PickSmallSegments() const;

 private:
  // What one job can put together of what a table points into; nothing if that is not worth it.
  struct Gathering {
    std::vector<uint64_t> segments;
    double files = 0;  // so many go, if the other tables that point into them do the same
  };
  std::optional<CompactionPlan> PlanOldRange(const RangeTombstone& tombstone) const;
  std::optional<CompactionPlan> PlanRewrite(const CompactionPlan::Input& input) const;
  // Calls visit(run, input) for each table of `level` and below.
  template <typename Visit>
  void VisitTables(uint32_t level, const Visit& visit) const;
  // Of its values, in segments that are to be emptied; 0 if it may not be used.
  uint64_t BytesToMove(const TableMeta& table) const;
  void AddNeighbours(const Run& run, CompactionPlan* plan) const;
  std::optional<CompactionPlan> PlanValues(const CompactionPlan::Input& input, const Run& run) const;
  Gathering GatheringOf(const TableMeta& table) const;

  const Facts facts_;
};

}  // namespace seerdb
