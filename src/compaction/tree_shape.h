// TreeShape: how many runs a level may have and how much larger each level is than the one above; and what
// that means for the levels of a Version. Pure functions.
//
// Source: N. Dayan, S. Idreos, "Dostoevsky: Better Space-Time Trade-Offs for LSM-Tree Based Key-Value Stores"
// (SIGMOD 2018): T is size_ratio, K upper_runs, Z last_runs. The limits of upper levels follow the last one's
// size, as RocksDB's dynamic level bytes do.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "manifest/version.h"
#include "seerdb/options.h"

namespace seerdb {

struct TreeShape {
  uint32_t size_ratio = 10;
  uint32_t upper_runs = 1;  // of each level between L0 and the last
  uint32_t last_runs = 1;

  friend bool operator==(const TreeShape&, const TreeShape&) = default;
  // "lazy_leveling ratio 10", "leveled ratio 10", ...
  std::string ToString() const;
};

TreeShape ShapeOf(CompactionPolicy policy, uint32_t size_ratio);

struct LevelLimit {
  uint32_t runs = 1;   // a level with more is due
  uint64_t bytes = 0;  // so is one with more bytes; UINT64_MAX: never by size
};

// What a Version's levels may hold.
struct TreeLimits {
  uint32_t last = 1;   // the level that all data sinks to: the deepest one with tables, at least L1
  uint32_t first = 1;  // where L0 goes; levels between are too small to be of use
  std::vector<LevelLimit> levels;  // by level; that of L0 is not used
};

TreeLimits LimitsOf(const TreeShape& shape, uint64_t base_level_size, const Version& version);

}  // namespace seerdb
