// ValueGc: which value segments are to be emptied. Pure functions.
//
// What lies in a segment and nothing points to is garbage. A segment is emptied by compactions that move what
// is left of its values while they write the tables anew that point to them; then nothing points into it and
// it goes. BlobDB collects garbage in the same way; it goes by age, this by what is gained.
#pragma once

#include <cstdint>
#include <map>
#include <set>

#include "format/value_pointer.h"
#include "manifest/version.h"

namespace seerdb {

struct ValueGcFacts {
  ValueBytesList files;         // bytes of the files of sealed segments
  ValueBytesListPtr live;       // as the version says; null: nothing points into any
  std::set<uint64_t> excluded;  // values in them cannot be moved
  // A segment is worth it if this part of it is garbage; with `limited`, where space is short, also one that
  // has more than most.
  double least_garbage = 0.5;
  bool limited = false;
  // A segment with fewer bytes is small.
  uint64_t small_bytes = 0;
  // About so many bytes are moved before the next decision; at least one segment is emptied.
  uint64_t most_moved_bytes = UINT64_MAX;
};

struct ValueGcPlan {
  std::set<uint64_t> segments;
  // Small ones, with the bytes that tables point to: what one table has in many of them is better in one.
  std::map<uint64_t, uint64_t> small;
  uint64_t garbage_bytes = 0;  // in `segments`
  uint64_t live_bytes = 0;
  // Of all segments.
  uint64_t total_bytes = 0;
  uint64_t total_garbage_bytes = 0;
};

ValueGcPlan PlanValueGc(const ValueGcFacts& facts);

// How many bytes the list has of these segments.
uint64_t BytesIn(const ValueBytesList& list, const std::set<uint64_t>& segments);

}  // namespace seerdb
