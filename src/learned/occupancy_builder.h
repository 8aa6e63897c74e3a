// Decides whether an occupancy map (occupancy_map.h) pays for a table's keys, and encodes it if so.
//
// Everything is weighed in bits. A full stretch saves what its keys would take in the filter behind the map.
// An empty stretch, or a step greater than one, is worth what that filter would have to grow by to pass as
// few absent windows. Which windows these are is guessed from the keys: the first bytes of one, the others of
// another. So the gaps that an alphabet leaves between all texts are worth nothing. Integers throughout, and
// the same windows give the same map. Thread safety: functions of their arguments.
#pragma once

#include <cstdint>
#include <span>
#include <string>

namespace seerdb {

struct OccupancyOptions {
  uint32_t bits_per_key = 10;  // of the filter behind the map
  // Keys with equal windows are equal, those that are asked for too. Else no stretch counts as full.
  bool windows_tell_keys = false;
};

struct EncodedOccupancy {
  std::string bytes;  // empty: a map does not pay
  uint32_t stretches = 0;
  uint32_t shift = 0;
};

// Requires: `windows` ascend; equal ones may follow one another.
EncodedOccupancy BuildOccupancy(std::span<const uint64_t> windows, const OccupancyOptions& options);

}  // namespace seerdb
