// Keyspaces: the keyspaces of an open database, and the one place where they are made and dropped.
//
// A change is durable in the manifest before anyone sees it.
// Thread safety: all methods concurrently. change_mu_ makes changes one after another and is held during
// I/O, above VersionSet's mutex; table_mu_ is a leaf lock.
#pragma once

#include <optional>
#include <string>

#include "base/mutex.h"
#include "format/keyspace_table.h"
#include "manifest/version_set.h"
#include "seerdb/result.h"

namespace seerdb {

// The keyspaces that a manifest lists. `owner` tells databases apart.
KeyspaceTablePtr KeyspacesOf(const ManifestState& state, const void* owner);

// The code that a compression has in a KeyspaceRecord.
uint8_t EncodeCompression(const std::optional<CompressionType>& compression);

class Keyspaces {
 public:
  // Borrows `versions`.
  Keyspaces(const void* owner, VersionSet* versions);

  // Fix the entries to be judged by it first (format/keyspace_table.h).
  KeyspaceTablePtr table() const EXCLUDES(table_mu_);

  // As DB::OpenKeyspace and DB::DropKeyspace.
  Result<KeyspaceStatePtr> Open(Slice name, const std::optional<KeyspaceOptions>& options)
      EXCLUDES(change_mu_, table_mu_);
  // As DB::FindKeyspace.
  Result<KeyspaceStatePtr> Find(Slice name) const EXCLUDES(table_mu_);
  Status Drop(const KeyspaceStatePtr& keyspace) EXCLUDES(change_mu_, table_mu_);

  // OK if `keyspace` is one of this database and not dropped.
  Status Check(const KeyspaceState* keyspace) const;

 private:
  Result<KeyspaceStatePtr> Make(Slice name, const KeyspaceOptions& options) REQUIRES(change_mu_);
  Result<KeyspaceStatePtr> Change(const KeyspaceStatePtr& before, const KeyspaceOptions& options)
      REQUIRES(change_mu_);
  void Publish(std::vector<KeyspaceStatePtr> states, uint32_t next_id) EXCLUDES(table_mu_);

  const void* const owner_;
  VersionSet* const versions_;
  Mutex change_mu_;
  mutable Mutex table_mu_;
  KeyspaceTablePtr table_ GUARDED_BY(table_mu_);
};

}  // namespace seerdb
