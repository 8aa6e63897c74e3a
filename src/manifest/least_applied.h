// LeastApplied: of stretches of neighbouring tables of one run, up to which sequence range tombstones hide
// nothing in any of them.
//
// Thread safety: immutable.
#pragma once

#include <cstddef>
#include <vector>

#include "manifest/version.h"

namespace seerdb {

class LeastApplied {
 public:
  // Borrows the run. Cost: that of looking at each table.
  explicit LeastApplied(const Run& run);

  // True if the tombstone may hide something in a table of the run. O(log tables).
  bool MayHide(const RangeTombstone& tombstone) const;

 private:
  // Over tables [first, last).
  SequenceNumber Least(size_t first, size_t last) const;

  const std::vector<TableMetaPtr>& tables_;
  std::vector<SequenceNumber> least_;  // a binary tree of minima in an array: the tables are its second half
};

}  // namespace seerdb
