// What holds of the range tombstones of a ManifestState after any edits.
//
// Ends the process where it does not hold. Thread safety: external synchronization.
#pragma once

#include "compaction/flushed_ranges.h"
#include "manifest/version_edit.h"
#include "manifest/version_set.h"

namespace seerdb::fuzz {

// Of one state: they are well-formed and in order, and FlushedRanges answers from them as it says.
void CheckRanges(const ManifestState& state);

// Of what an edit makes of a state: nothing that may still hide something is forgotten.
void CheckRangesKept(const ManifestState& before, const VersionEdit& edit, const ManifestState& after);

// FlushedRanges carried along from state to state, beside those of each state alone.
class RangesFollower {
 public:
  // `state` is what comes behind the one before, which `edit` was applied to.
  void Follow(const VersionEdit& edit, const ManifestState& state);

 private:
  FlushedRanges ranges_;
};

}  // namespace seerdb::fuzz
