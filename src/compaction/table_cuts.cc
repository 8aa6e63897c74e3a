#include "compaction/table_cuts.h"

#include <algorithm>

namespace seerdb {
namespace {

// A table meets at most about this many target sizes of the level below.
constexpr uint64_t kMaxBelowFiles = 10;

std::vector<TableMetaPtr> TablesOf(const Run& run, const KeyRange& hull) {
  return Version::Overlapping(run, hull.smallest, hull.largest);
}

}  // namespace

TableCuts::TableCuts(const Version& version, const CompactionPlan& plan, uint64_t target_file_size)
    : target_bytes_(target_file_size), least_bytes_(target_file_size / 2) {
  const KeyRange hull = plan.hull();
  if (plan.output_level + 1 < version.num_levels()) {
    const std::vector<Run>& runs = version.level(plan.output_level + 1).runs;
    if (!runs.empty()) below_ = TablesOf(runs.back(), hull);
  }
  const std::vector<Run>& beside = version.level(plan.output_level).runs;
  if (!beside.empty() && beside.back().tables.size() > 1) {
    guards_ = TablesOf(beside.back(), hull);
    least_bytes_ = std::min(least_bytes_, beside.back().bytes() / beside.back().tables.size() / 2);
  } else {
    guards_ = below_;
  }
  while (next_guard_ < guards_.size() && guards_[next_guard_]->smallest_key <= hull.smallest) ++next_guard_;
}

bool TableCuts::ShouldEndBefore(Slice key, uint64_t table_bytes) {
  bool at_guard = false;
  while (next_guard_ < guards_.size() && Slice(guards_[next_guard_]->smallest_key) <= key) {
    at_guard = true;
    ++next_guard_;
  }
  while (next_below_ < below_.size() && key > Slice(below_[next_below_]->largest_key)) {
    below_bytes_ += below_[next_below_]->bytes;
    ++next_below_;
  }
  // With guards a full table waits for the next one, within reason.
  const uint64_t most_bytes =
      next_guard_ < guards_.size() ? target_bytes_ + target_bytes_ / 2 : target_bytes_;
  const bool cut = table_bytes >= most_bytes || (at_guard && table_bytes >= least_bytes_) ||
                   below_bytes_ > kMaxBelowFiles * target_bytes_;
  if (cut) below_bytes_ = 0;
  return cut;
}

}  // namespace seerdb
