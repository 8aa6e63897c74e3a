// RangeCover: the range tombstones of several maps as one reader at one sequence sees them.
//
// Keeps the stretch that it was asked about last, so that a walk over keys asks the maps once a stretch.
// Thread safety: external synchronization; copy it for each walk. The maps must outlive it.
#pragma once

#include <string>
#include <vector>

#include "iter/range_tombstone_map.h"

namespace seerdb {

class RangeCover {
 public:
  RangeCover() = default;
  RangeCover(const RangeTombstoneMap* map, SequenceNumber at) { AddMap(map, at); }

  // Tombstones up to `at` of one more map. Null, or one without any, adds nothing.
  void AddMap(const RangeTombstoneMap* map, SequenceNumber at);
  // True if no key is covered.
  bool empty() const { return maps_.empty(); }

  // Versions of `key` with a lower sequence are hidden; 0: none is.
  SequenceNumber HiddenBelow(Slice key) {
    if (maps_.empty()) [[likely]]
      return 0;
    return At(key).sequence;
  }
  // The same for who reads at `at`, if that is before the cover's own sequences.
  SequenceNumber HiddenBelowAt(Slice key, SequenceNumber at) const;
  // The stretch around `key` as far as it is known to have one answer. Valid as long as the maps.
  const CoveredStretch& At(Slice key);

  // True if all versions of all keys in [smallest, largest] with sequences up to `newest` are hidden. May be
  // false although they are, where many tombstones lie side by side.
  bool HidesAll(Slice smallest, Slice largest, SequenceNumber newest);

 private:
  struct Source {
    const RangeTombstoneMap* map;
    SequenceNumber at;
  };
  std::vector<Source> maps_;
  bool known_ = false;
  CoveredStretch stretch_;
};

}  // namespace seerdb
