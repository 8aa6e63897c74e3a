#include "db/keyspaces.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "base/mutant.h"
#include "base/status_macros.h"
#include "format/keyspace_prefix.h"

namespace seerdb {
namespace {

KeyspaceOptions OptionsOf(const KeyspaceRecord& record) {
  KeyspaceOptions options;
  if (record.compression <= static_cast<uint8_t>(CompressionType::kZstd)) {
    options.compression = static_cast<CompressionType>(record.compression);
  }
  return options;
}

KeyspaceRecord RecordOf(const KeyspaceState& state) {
  KeyspaceRecord record;
  record.id = state.id;
  record.name = state.name;
  record.compression = EncodeCompression(state.options.compression);
  return record;
}

Status CheckKeyspaceOptions(Slice name, const KeyspaceOptions& options) {
  if (name.empty() || name.size() > kMaxKeyspaceNameBytes) {
    return Status::InvalidArgument("keyspace name has " + std::to_string(name.size()) +
                                   " bytes, expected 1 .. " + std::to_string(kMaxKeyspaceNameBytes));
  }
  if (options.compression.has_value() && *options.compression > CompressionType::kZstd) {
    return Status::InvalidArgument("keyspace option compression is " +
                                   std::to_string(static_cast<int>(*options.compression)) +
                                   ", expected 0 .. 2");
  }
  return {};
}

Status NoSuchKeyspace(const std::string& what) {
  return Status::InvalidArgument(what).WithDetail(StatusDetail::kNotFound);
}

}  // namespace

uint8_t EncodeCompression(const std::optional<CompressionType>& compression) {
  return compression.has_value() ? static_cast<uint8_t>(*compression) : KeyspaceRecord::kCompressionByOptions;
}

KeyspaceTablePtr KeyspacesOf(const ManifestState& state, const void* owner) {
  std::vector<KeyspaceStatePtr> states;
  const bool has_default = !state.keyspaces.empty() && state.keyspaces.front()->id == kDefaultKeyspace;
  if (!has_default) {
    states.push_back(std::make_shared<const KeyspaceState>(owner, kDefaultKeyspace, kDefaultKeyspaceName,
                                                           KeyspaceOptions()));
  }
  for (const KeyspaceRecordPtr& record : state.keyspaces) {
    states.push_back(
        std::make_shared<const KeyspaceState>(owner, record->id, record->name, OptionsOf(*record)));
  }
  return std::make_shared<const KeyspaceTable>(std::move(states), state.next_keyspace_id);
}

Keyspaces::Keyspaces(const void* owner, VersionSet* versions)
    : owner_(owner), versions_(versions), table_(KeyspacesOf(versions->state(), owner)) {}

KeyspaceTablePtr Keyspaces::table() const {
  MutexLock lock(&table_mu_);
  return table_;
}

void Keyspaces::Publish(std::vector<KeyspaceStatePtr> states, uint32_t next_id) {
  auto next = std::make_shared<const KeyspaceTable>(std::move(states), next_id);
  MutexLock lock(&table_mu_);
  table_ = std::move(next);
}

Result<KeyspaceStatePtr> Keyspaces::Open(Slice name, const std::optional<KeyspaceOptions>& options) {
  SEERDB_RETURN_IF_ERROR(CheckKeyspaceOptions(name, options.value_or(KeyspaceOptions())));
  MutexLock lock(&change_mu_);
  const KeyspaceTablePtr now = table();
  const KeyspaceStatePtr* const found = now->FindByName(name);
  if (found == nullptr) return Make(name, options.value_or(KeyspaceOptions()));
  if (!options.has_value() || options->compression == (*found)->options.compression) return *found;
  return Change(*found, *options);
}

Result<KeyspaceStatePtr> Keyspaces::Find(Slice name) const {
  const KeyspaceTablePtr now = table();
  const KeyspaceStatePtr* const found = now->FindByName(name);
  if (found == nullptr) return NoSuchKeyspace("there is no keyspace " + std::string(name));
  return *found;
}

Result<KeyspaceStatePtr> Keyspaces::Make(Slice name, const KeyspaceOptions& options) {
  const KeyspaceTablePtr now = table();
  const uint32_t id = now->next_id();
  if (id == std::numeric_limits<uint32_t>::max()) {
    return Status::InvalidArgument("keyspace ids are used up");
  }
  auto made = std::make_shared<const KeyspaceState>(owner_, id, std::string(name), options);
  VersionEdit edit;
  edit.next_keyspace_id = id + 1;
  edit.keyspaces.push_back(RecordOf(*made));
  if (!SEERDB_MUTANT("keyspace-not-in-manifest")) {
    SEERDB_RETURN_IF_ERROR(versions_->Apply(std::move(edit)));
  }
  std::vector<KeyspaceStatePtr> states = now->states();
  states.push_back(made);
  Publish(std::move(states), id + 1);
  return made;
}

Result<KeyspaceStatePtr> Keyspaces::Change(const KeyspaceStatePtr& before, const KeyspaceOptions& options) {
  auto changed = std::make_shared<const KeyspaceState>(*before, options);
  VersionEdit edit;
  edit.keyspaces.push_back(RecordOf(*changed));
  SEERDB_RETURN_IF_ERROR(versions_->Apply(std::move(edit)));
  const KeyspaceTablePtr now = table();
  std::vector<KeyspaceStatePtr> states = now->states();
  *std::find(states.begin(), states.end(), before) = changed;
  Publish(std::move(states), now->next_id());
  return changed;
}

Status Keyspaces::Drop(const KeyspaceStatePtr& keyspace) {
  MutexLock lock(&change_mu_);
  SEERDB_RETURN_IF_ERROR(Check(keyspace.get()));
  if (keyspace->id == kDefaultKeyspace) {
    return Status::InvalidArgument("the default keyspace cannot be dropped");
  }
  VersionEdit edit;
  edit.dropped_keyspaces.push_back(keyspace->id);
  if (!SEERDB_MUTANT("keyspace-drop-not-durable")) {
    SEERDB_RETURN_IF_ERROR(versions_->Apply(std::move(edit)));
  }
  keyspace->dropped->store(true, std::memory_order_release);
  const KeyspaceTablePtr now = table();
  std::vector<KeyspaceStatePtr> states = now->states();
  std::erase_if(states, [&](const KeyspaceStatePtr& state) { return state->id == keyspace->id; });
  Publish(std::move(states), now->next_id());
  return {};
}

Status Keyspaces::Check(const KeyspaceState* keyspace) const {
  if (keyspace == nullptr) return Status::InvalidArgument("the keyspace handle is empty");
  if (keyspace->owner != owner_) {
    return Status::InvalidArgument("keyspace " + keyspace->name + " belongs to another database");
  }
  if (keyspace->dropped->load(std::memory_order_acquire)) {
    return NoSuchKeyspace("keyspace " + keyspace->name + " was dropped");
  }
  return {};
}

}  // namespace seerdb
