// RangeTombstone: all keys from one up to another are deleted, as of a sequence. Plain value.
//
// It hides every version of a key in [begin, end) with a lower sequence from whoever reads at its own
// sequence or a later one, wherever that version lies. Format: docs/format/internal_key.md.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "seerdb/slice.h"
#include "seerdb/types.h"

namespace seerdb {

struct RangeTombstone {
  std::string begin;  // engine keys: begin <= key < end
  std::string end;
  SequenceNumber sequence = 0;
  // Wall clock, seconds since 1970, when it reached the manifest; 0 = not known.
  uint64_t since_s = 0;

  friend bool operator==(const RangeTombstone&, const RangeTombstone&) = default;
};

using RangeTombstonePtr = std::shared_ptr<const RangeTombstone>;

// True if [begin, end) holds a key, and only such as belong to one keyspace.
bool IsRangeOfOneKeyspace(Slice begin, Slice end);

}  // namespace seerdb
