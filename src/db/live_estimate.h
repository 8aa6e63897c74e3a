// LiveEstimate: how many keys and bytes of a tree are live, without reading it.
//
// From the key sketches, entry counts and tombstone counts of its tables: distinct keys less tombstones. The
// run with the most keys is counted, not estimated, and what it has is taken for the size of its values: with
// overwrites it has nearly all keys, and most entries are others.
// Deleted keys that were written again, or are deleted twice, count as dead, so the estimate is rather low
// than high while there are tombstones. Thread safety: plain values.
#pragma once

#include "db/tree_view.h"

namespace seerdb {

struct LiveEstimate {
  double keys = 0;
  double raw_bytes = 0;   // of their keys and values
  double disk_bytes = 0;  // what tables and value segments of nothing else would have
};

// Cost: 2 KiB for each table. Tables that cannot be read count as dead.
LiveEstimate EstimateLive(const TreeView& tree);

}  // namespace seerdb
