// Where the tables of a bulk load go: a pure function of the tree.
//
// Their entries are newer than all others, so a table goes to the deepest level at or above which nothing
// meets its range, and at most to the target. One that meets L0 becomes a run of its own in L0, above all.
// Source: RocksDB's ingestion of external files.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "manifest/version.h"

namespace seerdb {

// The level for each of `tables`, whose ranges are disjoint.
std::vector<uint32_t> PlaceNewestTables(const Version& version, const std::vector<TableMeta>& tables,
                                        uint32_t target_level);

// The run of `level` (>= 1) that a table placed there joins: the newest. `otherwise` if there is none.
uint64_t NewestRun(const Version& version, uint32_t level, uint64_t otherwise);

}  // namespace seerdb
