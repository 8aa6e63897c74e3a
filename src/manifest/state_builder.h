// StateBuilder: applies edits one after another to a ManifestState and checks each of them.
//
// Its cost is that of the tables an edit names, not of all tables, so that a long manifest is read quickly.
// Thread safety: external synchronization.
#pragma once

#include <cstdint>
#include <unordered_map>
#include <vector>

#include "manifest/version_set.h"

namespace seerdb {

class StateBuilder {
 public:
  explicit StateBuilder(const ManifestState& state);

  // kCorruption/kManifestCorruption as ApplyEdit says. After an error the builder must not be used again.
  Status Apply(const VersionEdit& edit);

  ManifestState Build() const;

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

  ManifestState state_;  // its version and num_levels are stale
  std::vector<Level> levels_;
  std::unordered_map<uint64_t, Place> places_;  // by table number
};

}  // namespace seerdb
