// The calls of DbImpl that make, find and drop keyspaces.
#include <utility>

#include "base/mutant.h"
#include "base/status_macros.h"
#include "db/db_impl.h"

namespace seerdb {

Result<Keyspace> DbImpl::OpenKeyspace(Slice name, const std::optional<KeyspaceOptions>& options) {
  const OpenCall call(&calls_);  // Close waits: its lock keeps the manifest
  SEERDB_RETURN_IF_ERROR(CheckOpen());
  Result<KeyspaceStatePtr> opened = keyspaces_.Open(name, options);
  if (!opened.ok()) return NoteManifestError("open keyspace", opened.status());
  NoteFailedRoll();
  return Keyspace(this, *std::move(opened));
}

Result<Keyspace> DbImpl::FindKeyspace(Slice name) {
  SEERDB_RETURN_IF_ERROR(CheckOpen());
  SEERDB_ASSIGN_OR_RETURN(KeyspaceStatePtr found, keyspaces_.Find(name));
  return Keyspace(this, std::move(found));
}

std::vector<KeyspaceInfo> DbImpl::ListKeyspaces() {
  std::vector<KeyspaceInfo> list;
  const KeyspaceTablePtr table = keyspaces_.table();
  for (const KeyspaceStatePtr& state : table->states()) {
    list.push_back({state->id, state->name, state->options});
  }
  return list;
}

Status DbImpl::DropKeyspace(const Keyspace& keyspace) {
  const OpenCall call(&calls_);
  SEERDB_RETURN_IF_ERROR(CheckOpen());
  // Under leadership, so that no transaction that relies on it is committed beside.
  Status dropped = queue_->RunExclusive([&]() -> Status {
    SEERDB_RETURN_IF_ERROR(keyspaces_.Drop(keyspace.state()));
    NoteDrop(keyspace.state()->prefix);
    NoteFailedRoll();
    return {};
  });
  if (!dropped.ok()) return NoteManifestError("drop keyspace", std::move(dropped));
  events_.Write(EventLine("drop_keyspace").Add("name", keyspace.name()).Add("id", keyspace.id()));
  work_->PokeCompaction();  // there may be tables that nobody needs
  return {};
}

void DbImpl::NoteFailedRoll() {
  if (SEERDB_MUTANT("failed-roll-untold")) return;
  if (const Status failure = versions_->failure(); !failure.ok()) [[unlikely]]
    error_->Set("manifest", failure);
}

Status DbImpl::NoteManifestError(Slice operation, Status status) {
  if (status.IsIoError()) error_->Set(operation, status);
  return status;
}

}  // namespace seerdb
