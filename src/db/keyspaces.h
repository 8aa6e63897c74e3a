// Keyspaces: the keyspaces of an open database, and the one place where they are made and dropped.
//
// A change is durable in the manifest before anyone sees it.
// Thread safety: all methods concurrently. change_mu_ makes changes one after another and is held during
// I/O, above VersionSet's mutex; table_mu_ is a leaf lock.
#pragma once

#include <atomic>
#include <optional>
#include <string>
#include <vector>

#include "base/mutex.h"
#include "format/keyspace_table.h"
#include "manifest/version_set.h"
#include "seerdb/options.h"
#include "seerdb/result.h"

namespace seerdb {

// The keyspaces that a manifest lists, with the merge operators that `options` gives for their names. `owner`
// tells databases apart.
KeyspaceTablePtr KeyspacesOf(const ManifestState& state, const Options& options, uint64_t owner);

// Adds to `edit` what the options say of the default keyspace and `state` does not have. kInvalidArgument if
// they contradict each other.
Status FitDefaultKeyspace(const Options& options, const ManifestState& state, VersionEdit* edit);

// The code that a compression has in a KeyspaceRecord.
uint8_t EncodeCompression(const std::optional<CompressionType>& compression);

class Keyspaces {
 public:
  // Borrows `versions`.
  Keyspaces(uint64_t owner, const Options& options, VersionSet* versions);

  // Fix the entries to be judged by it first (format/keyspace_table.h).
  KeyspaceTablePtr table() const EXCLUDES(table_mu_);

  // The default one; readable at any time.
  const KeyspaceState& default_state() const { return Current(*default_); }
  const KeyspaceLife& default_life() const { return *default_->life; }
  // The keyspace of `state` as it is now.
  static const KeyspaceState& Current(const KeyspaceState& state) {
    return *state.life->current.load(std::memory_order_acquire);
  }

  // No keyspace keeps smaller values apart.
  uint64_t least_separation_bytes() const { return least_separation_bytes_.load(std::memory_order_relaxed); }

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
  // What the manifest says of a keyspace. What is in force may differ: options of the open take precedence.
  KeyspaceRecord Kept(uint32_t id) const;
  void NoteSeparation(const KeyspaceState& state);
  void Publish(std::vector<KeyspaceStatePtr> states, uint32_t next_id) EXCLUDES(table_mu_);

  const uint64_t owner_;
  VersionSet* const versions_;
  const uint64_t separation_bytes_;  // of the options
  std::atomic<uint64_t> least_separation_bytes_{UINT64_MAX};
  Mutex change_mu_;
  mutable Mutex table_mu_;
  KeyspaceTablePtr table_ GUARDED_BY(table_mu_);
  const KeyspaceStatePtr default_;  // as it was at open
  // What readers may still be using.
  std::vector<KeyspaceStatePtr> superseded_ GUARDED_BY(change_mu_);
};

}  // namespace seerdb
