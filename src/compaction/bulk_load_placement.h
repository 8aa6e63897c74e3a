// Where the tables of a bulk load go: a pure function of the tree.
//
// Their entries are newer than all others, so a table goes to the deepest level at or above which nothing
// meets its range, and at most to the target. One that meets L1 but not L0 becomes part of a run of L1 that
// is newer than the others there; one that meets L0 becomes a run of its own in L0, above all. Where there
// are levels below L0, none goes below the last of them: what a level may hold follows the size of the last
// one (tree_shape.h), and with a few tables there the rest of the tree would have to sink to them. Source:
// RocksDB's ingestion of external files.
#pragma once

#include <cstdint>
#include <vector>

#include "manifest/version.h"

namespace seerdb {

struct LoadPlace {
  uint32_t level = 0;
  uint64_t run = 0;  // of a level below L0; in L0 each table wants a run of its own, newer than the others
  friend bool operator==(const LoadPlace&, const LoadPlace&) = default;
};

// The place of each of `tables`, whose ranges are disjoint. Requires: no compaction runs.
std::vector<LoadPlace> PlaceNewestTables(const Version& version, const std::vector<TableMeta>& tables,
                                         uint32_t target_level);

}  // namespace seerdb
