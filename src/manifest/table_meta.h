// TableMeta: what the manifest knows about one table. Plain values; immutable once in a Version.
//
// Format: docs/format/manifest.md.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "format/range_tombstone.h"
#include "format/value_pointer.h"
#include "seerdb/types.h"

namespace seerdb {

// Where a table's bytes are. Only kLocal is written by this version.
enum class TableTier : uint8_t { kLocal = 0, kBoth = 1, kRemote = 2 };

struct TableMeta {
  uint64_t number = 0;
  uint64_t bytes = 0;
  std::string smallest_key;  // engine keys, both inclusive
  std::string largest_key;
  SequenceNumber smallest_sequence = 0;
  SequenceNumber largest_sequence = 0;
  uint64_t entries = 0;
  uint64_t tombstones = 0;
  TableTier tier = TableTier::kLocal;
  uint64_t epoch = 0;  // of the open that wrote it
  // Wall clock, seconds since 1970: no tombstone in it, or in a table that it was merged from, is older.
  // 0 = no tombstones, or not known.
  uint64_t tombstones_since_s = 0;

  // Wall clock, microseconds since 1970: from then on everything in it that is not a tombstone has expired.
  // 0 = something in it does not expire, or it is not known.
  uint64_t expires_us = 0;
  // No range tombstone with a sequence up to this one hides anything in it. 0 = not known.
  SequenceNumber ranges_applied = 0;
  // What its entries point to. A value segment to which no table of a version points is no part of it.
  ValueBytesList values;

  friend bool operator==(const TableMeta&, const TableMeta&) = default;
};

using TableMetaPtr = std::shared_ptr<const TableMeta>;

// True if the tombstone may hide something in the table.
inline bool MayHideIn(const RangeTombstone& tombstone, const TableMeta& table) {
  return table.smallest_key < tombstone.end && table.largest_key >= tombstone.begin &&
         table.smallest_sequence < tombstone.sequence && table.ranges_applied < tombstone.sequence;
}

}  // namespace seerdb
