// OlderData: may a key have versions older than what a compaction writes? Asked with ascending keys.
//
// What counts is the tree without the inputs, as it was when the plan was made: data older than the inputs
// only ever comes from data that was older then. Thread safety: external synchronization.
#pragma once

#include <cstddef>
#include <vector>

#include "compaction/compaction_plan.h"
#include "manifest/version.h"

namespace seerdb {

class OlderData {
 public:
  OlderData(const Version& version, const CompactionPlan& plan);

  // Whether there is no such data at all: the output is the oldest there is, and mostly the largest run.
  bool none() const { return runs_.empty(); }
  // Keys must not descend.
  bool MayHold(Slice key);

 private:
  struct Cursor {
    std::vector<const TableMeta*> tables;  // ascending, disjoint
    size_t next = 0;                       // the first that does not end below the last key asked for
  };
  std::vector<Cursor> runs_;
};

}  // namespace seerdb
