// TableCuts: where the output of a compaction is cut into tables.
//
// Runs of a level whose tables end at the same keys can later be merged a part at a time. So an output ends
// where the oldest run of its level, or else the level below, has the end of a table, if it is large enough
// by then; and before it meets too much of the level below, so that its own later merge stays small. Thread
// safety: external synchronization.
#pragma once

#include <cstdint>
#include <vector>

#include "compaction/compaction_plan.h"
#include "manifest/version.h"
#include "seerdb/slice.h"

namespace seerdb {

class TableCuts {
 public:
  TableCuts(const Version& version, const CompactionPlan& plan, uint64_t target_file_size);

  // If not, tables end by their size alone.
  bool MayEnd() const { return !guards_.empty() || !below_.empty(); }
  // True if the present table, of `table_bytes`, should end before `key`. Keys ascend.
  bool ShouldEndBefore(Slice key, uint64_t table_bytes);

 private:
  const uint64_t target_bytes_;
  uint64_t least_bytes_;              // a table is not cut at a guard before
  std::vector<TableMetaPtr> guards_;  // ascending; tables end where these begin
  size_t next_guard_ = 0;
  std::vector<TableMetaPtr> below_;  // ascending
  size_t next_below_ = 0;
  uint64_t below_bytes_ = 0;  // met by the present table
};

}  // namespace seerdb
