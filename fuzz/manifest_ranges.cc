#include "fuzz/manifest_ranges.h"

#include <algorithm>
#include <vector>

#include "base/assert.h"
#include "format/keyspace_prefix.h"

namespace seerdb::fuzz {
namespace {

// So many tombstones of a list are compared with one another, which takes as many steps as pairs.
constexpr size_t kLooked = 8;

const std::vector<RangeTombstonePtr>& Listed(const ManifestState& state) {
  static const std::vector<RangeTombstonePtr> none;
  const RangeListPtr& ranges = state.version->ranges();
  return ranges == nullptr ? none : *ranges;
}

SequenceNumber Newest(const std::vector<RangeTombstonePtr>& listed, Slice key, SequenceNumber at) {
  SequenceNumber newest = 0;
  for (const RangeTombstonePtr& tombstone : listed) {
    const bool covers = tombstone->begin <= key && key < tombstone->end;
    if (covers && tombstone->sequence <= at) newest = tombstone->sequence;  // they ascend
  }
  return newest;
}

// Calls `check` with keys and sequences at which the answer may change.
template <class Check>
void VisitCorners(const std::vector<RangeTombstonePtr>& listed, const Check& check) {
  for (size_t i = 0; i < std::min(listed.size(), kLooked); ++i) {
    for (size_t j = 0; j < std::min(listed.size(), kLooked); ++j) {
      for (const std::string* key : {&listed[i]->begin, &listed[i]->end}) {
        check(*key, listed[j]->sequence);
        check(*key, listed[j]->sequence - 1);
      }
    }
  }
}

bool KeyspaceIsGone(const RangeTombstone& tombstone, const ManifestState& state) {
  uint32_t keyspace = 0;
  Slice user_key;
  SEERDB_ASSERT(ParseEngineKey(tombstone.begin, &keyspace, &user_key));
  if (keyspace == kDefaultKeyspace || keyspace >= state.next_keyspace_id) return false;
  return std::none_of(state.keyspaces.begin(), state.keyspaces.end(),
                      [keyspace](const KeyspaceRecordPtr& record) { return record->id == keyspace; });
}

bool MayHideInAny(const RangeTombstone& tombstone, const Version& version) {
  for (const Level& level : version.levels()) {
    for (const Run& run : level.runs) {
      for (const TableMetaPtr& table : run.tables) {
        if (MayHideIn(tombstone, *table)) return true;
      }
    }
  }
  return false;
}

bool IsListed(const RangeTombstone& tombstone, const ManifestState& state) {
  const std::vector<RangeTombstonePtr>& listed = Listed(state);
  return std::any_of(listed.begin(), listed.end(),
                     [&](const RangeTombstonePtr& other) { return *other == tombstone; });
}

void CheckKept(const RangeTombstone& tombstone, const ManifestState& after) {
  SEERDB_ASSERT(IsListed(tombstone, after) || KeyspaceIsGone(tombstone, after) ||
                !MayHideInAny(tombstone, *after.version));
}

}  // namespace

void CheckRanges(const ManifestState& state) {
  const std::vector<RangeTombstonePtr>& listed = Listed(state);
  SEERDB_ASSERT(listed.empty() == (state.version->ranges() == nullptr));
  SequenceNumber last = 1;
  for (const RangeTombstonePtr& tombstone : listed) {
    SEERDB_ASSERT(IsRangeOfOneKeyspace(tombstone->begin, tombstone->end));
    SEERDB_ASSERT(tombstone->sequence >= last && tombstone->sequence <= state.last_sequence);
    last = tombstone->sequence;
  }
  const FlushedRanges ranges = FlushedRanges::Of(*state.version, nullptr, 0);
  SEERDB_ASSERT(ranges.empty() == listed.empty());
  if (!listed.empty()) SEERDB_ASSERT(ranges.limit() == last);
  VisitCorners(listed, [&](Slice key, SequenceNumber at) {
    const SequenceNumber newest = Newest(listed, key, at);
    SEERDB_ASSERT(ranges.Find(key, at) == newest);
    SEERDB_ASSERT(ranges.CoverAt(at).HiddenBelow(key) == newest);
  });
}

void CheckRangesKept(const ManifestState& before, const VersionEdit& edit, const ManifestState& after) {
  for (const RangeTombstone& tombstone : edit.added_ranges) CheckKept(tombstone, after);
  if (before.version == nullptr) return;
  for (const RangeTombstonePtr& tombstone : Listed(before)) CheckKept(*tombstone, after);
}

void RangesFollower::Follow(const VersionEdit& edit, const ManifestState& state) {
  const bool all_newer =
      std::all_of(edit.added_ranges.begin(), edit.added_ranges.end(),
                  [this](const RangeTombstone& tombstone) { return tombstone.sequence > ranges_.limit(); });
  ranges_ = all_newer ? ranges_.Next(*state.version, nullptr) : FlushedRanges::Of(*state.version, nullptr, 0);
  const std::vector<RangeTombstonePtr>& listed = Listed(state);
  SEERDB_ASSERT(ranges_.empty() == listed.empty());
  // It may still know of forgotten ones, which hide nothing in any table.
  VisitCorners(listed, [&](Slice key, SequenceNumber at) {
    SEERDB_ASSERT(ranges_.Find(key, at) >= Newest(listed, key, at));
  });
}

}  // namespace seerdb::fuzz
