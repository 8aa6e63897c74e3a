// StateBuilder: applies edits one after another to a ManifestState and checks each of them.
//
// Its cost is that of the tables an edit names, not of all tables, so that a long manifest is read quickly.
// Thread safety: external synchronization.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <unordered_map>
#include <vector>

#include "manifest/version_set.h"

namespace seerdb {

class StateBuilder {
 public:
  explicit StateBuilder(const ManifestState& state);

  // kCorruption/kManifestCorruption as ApplyEdit says. After an error the builder must not be used again.
  Status Apply(const VersionEdit& edit);

  // Lets go of range tombstones that nothing is left to hide for: every table in their range has only newer
  // entries, or had them applied. Looks at those only that the edits applied so
  // far may have done this to.
  void ForgetRanges();

  ManifestState Build();

 private:
  struct Place {
    uint32_t level = 0;
    uint64_t run = 0;
    TableMetaPtr table;
  };

  Status ApplyCounters(const VersionEdit& edit);
  Status ApplyLogs(const VersionEdit& edit);
  Status ApplyKeyspaces(const VersionEdit& edit);
  Status Resize(uint32_t num_levels);
  Status Delete(const VersionEdit::DeletedTable& deleted);
  Status Add(const VersionEdit::AddedTable& added);
  Status AddRange(const RangeTombstone& tombstone);
  void SortRanges();
  void AddValues(const TableMeta& table);
  void RemoveValues(const TableMeta& table);
  ValueBytesListPtr BuildValues() const;

  ManifestState state_;  // its version and num_levels are stale
  std::vector<Level> levels_;
  std::unordered_map<uint64_t, Place> places_;  // by table number
  RangeListPtr given_ranges_;                   // null once they have changed, or if there were none
  std::vector<RangeTombstonePtr> ranges_;       // ascending by sequence, but for what was just added

  ValueBytesListPtr given_values_;            // null once they have changed, or if there were none
  std::map<uint64_t, uint64_t> value_bytes_;  // by segment

  SequenceNumber old_ranges_ = 0;  // those up to this sequence were there before
  // All keys of tables that were deleted.
  bool deleted_any_ = false;
  std::string deleted_smallest_;
  std::string deleted_largest_;
};

}  // namespace seerdb
