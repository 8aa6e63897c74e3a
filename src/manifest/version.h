// Version: which tables make up the database at one moment. Metadata only, immutable, shared.
//
// A level is a list of runs, newest first. A run is a list of tables with disjoint key ranges, ascending;
// no key has versions in two tables of one run. In L0 every table is a run of its own; below, the tree's
// shape says how many runs a level may have. Every version of a key in an older run, or a deeper level, is
// older than every version of that key in a newer run or higher level.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "format/range_tombstone.h"
#include "manifest/table_meta.h"
#include "seerdb/slice.h"

namespace seerdb {

struct Run {
  uint64_t id = 0;  // unique in its level; larger = newer
  std::vector<TableMetaPtr> tables;

  uint64_t bytes() const;
};

struct Level {
  std::vector<Run> runs;  // newest first

  uint64_t bytes() const;
  uint64_t table_count() const;
  bool empty() const { return runs.empty(); }
};

// Range tombstones, ascending by sequence. Never empty: null stands for none.
using RangeListPtr = std::shared_ptr<const std::vector<RangeTombstonePtr>>;

// Of every value segment, how many of its bytes the tables point to. Never empty: null stands for none.
using ValueBytesListPtr = std::shared_ptr<const ValueBytesList>;

class Version {
 public:
  explicit Version(uint32_t num_levels) : levels_(num_levels) {}
  explicit Version(std::vector<Level> levels, RangeListPtr ranges = nullptr)
      : Version(levels, std::move(ranges), ValuesOf(levels)) {}
  // `values`: ValuesOf(levels).
  Version(std::vector<Level> levels, RangeListPtr ranges, ValueBytesListPtr values)
      : levels_(std::move(levels)), ranges_(std::move(ranges)), values_(std::move(values)) {}

  const std::vector<Level>& levels() const { return levels_; }
  const Level& level(size_t i) const { return levels_[i]; }
  uint32_t num_levels() const { return static_cast<uint32_t>(levels_.size()); }
  // The range tombstones that may hide something in a table. They belong to no level: sequences alone say
  // what they hide. Null: none.
  const RangeListPtr& ranges() const { return ranges_; }
  // How many of them may hide something in the table, counted up to `most`.
  size_t RangesOver(const TableMeta& table, size_t most) const;
  // The value segments that belong to it. Null: none.
  const ValueBytesListPtr& values() const { return values_; }
  uint64_t table_count() const;
  // Of tables.
  uint64_t bytes() const;
  // Of values that tables point to.
  uint64_t value_bytes() const { return values_ == nullptr ? 0 : TotalBytes(*values_); }
  // Deepest level that holds a table; -1 if none does.
  int deepest_level() const;

  // The tables of `run` whose range meets [smallest, largest] (inclusive).
  static std::vector<TableMetaPtr> Overlapping(const Run& run, Slice smallest, Slice largest);
  // A picture in text: levels, runs, tables with their ranges and sizes.
  std::string ToString() const;

 private:
  static ValueBytesListPtr ValuesOf(const std::vector<Level>& levels);

  std::vector<Level> levels_;
  RangeListPtr ranges_;
  ValueBytesListPtr values_;
};

using VersionPtr = std::shared_ptr<const Version>;

}  // namespace seerdb
