#include "db/keyspaces.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "base/mutant.h"
#include "base/status_macros.h"
#include "format/keyspace_prefix.h"
#include "seerdb/merge_operator.h"

namespace seerdb {
namespace {

// In a KeyspaceRecord.
constexpr uint64_t kNoSeparation = UINT64_MAX;

// `by_options`: Options::separation_bytes.
void SetSeparation(const KeyspaceState& state, uint64_t by_options) {
  const uint64_t bytes = state.options.separation_bytes.value_or(by_options);
  state.life->separation_bytes.store(bytes == 0 ? UINT64_MAX : bytes, std::memory_order_relaxed);
}

// The operator with that name; null if there is none.
std::shared_ptr<const MergeOperator> FindOperator(const Options& options, Slice name) {
  if (name.empty()) return nullptr;
  if (options.merge_operator != nullptr && options.merge_operator->Name() == name) {
    return options.merge_operator;
  }
  for (const auto& given : options.merge_operators) {
    if (given != nullptr && given->Name() == name) return given;
  }
  return MergeOperatorByName(name);
}

KeyspaceOptions OptionsOf(const KeyspaceRecord& record, const Options& options) {
  KeyspaceOptions keyspace;
  if (record.compression <= static_cast<uint8_t>(CompressionType::kZstd)) {
    keyspace.compression = static_cast<CompressionType>(record.compression);
  }
  keyspace.merge_operator = FindOperator(options, record.merge_operator);
  keyspace.default_ttl_us = record.default_ttl_us;
  if (record.separation_bytes != 0) {
    keyspace.separation_bytes = record.separation_bytes == kNoSeparation ? 0 : record.separation_bytes;
  }
  return keyspace;
}

// `kept`: what the manifest says so far; what this version does not know of it stays.
KeyspaceRecord RecordOf(const KeyspaceState& state, const KeyspaceRecord& kept) {
  KeyspaceRecord record = kept;
  record.id = state.id;
  record.name = state.name;
  record.compression = EncodeCompression(state.options.compression);
  record.merge_operator = state.merge_operator_name;
  record.default_ttl_us = state.options.default_ttl_us;
  record.separation_bytes = 0;
  if (state.options.separation_bytes.has_value()) {
    record.separation_bytes =
        *state.options.separation_bytes == 0 ? kNoSeparation : *state.options.separation_bytes;
  }
  return record;
}

bool Same(const KeyspaceOptions& a, const KeyspaceOptions& b) {
  return a.compression == b.compression && a.merge_operator == b.merge_operator &&
         a.default_ttl_us == b.default_ttl_us && a.separation_bytes == b.separation_bytes &&
         a.compaction_filter == b.compaction_filter;
}

// As text of one line.
std::string Shown(Slice name) {
  std::string shown;
  for (const char c : name) {
    constexpr char kDigits[] = "0123456789abcdef";
    const auto byte = static_cast<unsigned char>(c);
    if (byte >= 0x20 && byte < 0x7f && c != '\\') {
      shown.push_back(c);
    } else {
      shown.append({'\\', 'x', kDigits[byte >> 4], kDigits[byte & 15]});
    }
  }
  return shown;
}

Status CheckMergeOperator(const MergeOperator* merge_operator) {
  if (merge_operator == nullptr) return {};
  const std::string name = merge_operator->Name();
  if (!name.empty() && name.size() <= kMaxMergeOperatorNameBytes) return {};
  return Status::InvalidArgument("the name of a merge operator has " + std::to_string(name.size()) +
                                 " bytes, expected 1 .. " + std::to_string(kMaxMergeOperatorNameBytes));
}

Status OtherOperator(Slice keyspace, Slice has, Slice given) {
  return Status::InvalidArgument("keyspace " + Shown(keyspace) + " has merge operator " + Shown(has) +
                                 ", found " + Shown(given));
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
  if (options.default_ttl_us > kMaxTtlUs) {
    return Status::InvalidArgument("keyspace option default_ttl_us is " +
                                   std::to_string(options.default_ttl_us) + ", expected 0 .. " +
                                   std::to_string(kMaxTtlUs));
  }
  const uint64_t separation_bytes = options.separation_bytes.value_or(0);
  if (separation_bytes != 0 &&
      (separation_bytes < kMinSeparationBytes || separation_bytes > kMaxValueBytes)) {
    return Status::InvalidArgument("keyspace option separation_bytes is " + std::to_string(separation_bytes) +
                                   ", expected 0, or " + std::to_string(kMinSeparationBytes) + " .. " +
                                   std::to_string(kMaxValueBytes));
  }
  return CheckMergeOperator(options.merge_operator.get());
}

Status NoSuchKeyspace(const std::string& what) {
  return Status::InvalidArgument(what).WithDetail(StatusDetail::kNotFound);
}

}  // namespace

uint8_t EncodeCompression(const std::optional<CompressionType>& compression) {
  return compression.has_value() ? static_cast<uint8_t>(*compression) : KeyspaceRecord::kCompressionByOptions;
}

KeyspaceTablePtr KeyspacesOf(const ManifestState& state, const Options& options, uint64_t owner) {
  std::vector<KeyspaceStatePtr> states;
  const auto add = [&](const KeyspaceRecord& record) {
    KeyspaceOptions keyspace = OptionsOf(record, options);
    if (record.id == kDefaultKeyspace) {
      if (options.default_ttl_us != 0) keyspace.default_ttl_us = options.default_ttl_us;
      keyspace.compaction_filter = options.compaction_filter;
    }
    states.push_back(std::make_shared<const KeyspaceState>(owner, record.id, record.name, std::move(keyspace),
                                                           record.merge_operator));
    SetSeparation(*states.back(), options.separation_bytes);
  };
  if (state.keyspaces.empty() || state.keyspaces.front()->id != kDefaultKeyspace) {
    KeyspaceRecord record;
    record.name = kDefaultKeyspaceName;
    add(record);
  }
  for (const KeyspaceRecordPtr& record : state.keyspaces) add(*record);
  return std::make_shared<const KeyspaceTable>(std::move(states), state.next_keyspace_id);
}

Status FitDefaultKeyspace(const Options& options, const ManifestState& state, VersionEdit* edit) {
  if (options.merge_operator == nullptr) return {};
  SEERDB_RETURN_IF_ERROR(CheckMergeOperator(options.merge_operator.get()));
  KeyspaceRecord record;
  record.name = kDefaultKeyspaceName;
  if (!state.keyspaces.empty() && state.keyspaces.front()->id == kDefaultKeyspace) {
    record = *state.keyspaces.front();
  }
  const std::string name = options.merge_operator->Name();
  if (record.merge_operator == name) return {};
  if (!record.merge_operator.empty() && !SEERDB_MUTANT("merge-operator-name-not-checked")) {
    return OtherOperator(record.name, record.merge_operator, name);
  }
  record.merge_operator = name;
  edit->keyspaces.push_back(std::move(record));
  return {};
}

Keyspaces::Keyspaces(uint64_t owner, const Options& options, VersionSet* versions)
    : owner_(owner),
      versions_(versions),
      separation_bytes_(options.separation_bytes),
      table_(KeyspacesOf(versions->state(), options, owner)),
      default_(table_->states().front()) {
  for (const KeyspaceStatePtr& state : table_->states()) NoteSeparation(*state);
}

// It may have become larger since: the least of all that were in force is a bound as well.
void Keyspaces::NoteSeparation(const KeyspaceState& state) {
  SetSeparation(state, separation_bytes_);
  const uint64_t bytes = state.life->separation_bytes.load(std::memory_order_relaxed);
  if (bytes < least_separation_bytes()) least_separation_bytes_.store(bytes, std::memory_order_relaxed);
}

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
  if (!options.has_value()) return *found;
  return Change(*found, *options);
}

Result<KeyspaceStatePtr> Keyspaces::Find(Slice name) const {
  const KeyspaceTablePtr now = table();
  const KeyspaceStatePtr* const found = now->FindByName(name);
  if (found == nullptr) return NoSuchKeyspace("there is no keyspace " + Shown(name));
  return *found;
}

Result<KeyspaceStatePtr> Keyspaces::Make(Slice name, const KeyspaceOptions& options) {
  const KeyspaceTablePtr now = table();
  const uint32_t id = now->next_id();
  if (id == std::numeric_limits<uint32_t>::max()) {
    return Status::InvalidArgument("keyspace ids are used up");
  }
  auto made = std::make_shared<const KeyspaceState>(owner_, id, std::string(name), options);
  NoteSeparation(*made);
  VersionEdit edit;
  edit.next_keyspace_id = id + 1;
  edit.keyspaces.push_back(RecordOf(*made, KeyspaceRecord()));
  if (!SEERDB_MUTANT("keyspace-not-in-manifest")) {
    SEERDB_RETURN_IF_ERROR(versions_->Apply(std::move(edit)));
  }
  std::vector<KeyspaceStatePtr> states = now->states();
  states.push_back(made);
  Publish(std::move(states), id + 1);
  return made;
}

KeyspaceRecord Keyspaces::Kept(uint32_t id) const {
  const ManifestState state = versions_->state();
  for (const KeyspaceRecordPtr& record : state.keyspaces) {
    if (record->id == id) return *record;
  }
  KeyspaceRecord none;  // of the default keyspace, of which nothing is kept yet
  none.name = kDefaultKeyspaceName;
  return none;
}

Result<KeyspaceStatePtr> Keyspaces::Change(const KeyspaceStatePtr& before, const KeyspaceOptions& given) {
  KeyspaceOptions options = given;
  if (options.merge_operator == nullptr) options.merge_operator = before->options.merge_operator;
  const KeyspaceRecord kept = Kept(before->id);
  if (Same(options, before->options) && RecordOf(*before, kept) == kept) return before;
  auto changed = std::make_shared<const KeyspaceState>(*before, std::move(options));
  if (!before->merge_operator_name.empty() && changed->merge_operator_name != before->merge_operator_name) {
    return OtherOperator(before->name, before->merge_operator_name, changed->merge_operator_name);
  }
  if (KeyspaceRecord record = RecordOf(*changed, kept); record != kept) {
    VersionEdit edit;
    edit.keyspaces.push_back(std::move(record));
    SEERDB_RETURN_IF_ERROR(versions_->Apply(std::move(edit)));
  }
  superseded_.push_back(before);
  const KeyspaceTablePtr now = table();
  std::vector<KeyspaceStatePtr> states = now->states();
  *std::find(states.begin(), states.end(), before) = changed;
  changed->MakeCurrent();
  NoteSeparation(*changed);
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
  keyspace->life->dropped.store(true, std::memory_order_release);
  const KeyspaceTablePtr now = table();
  std::vector<KeyspaceStatePtr> states = now->states();
  // Handles may still be asked for its options.
  for (const KeyspaceStatePtr& state : states) {
    if (state->id == keyspace->id) superseded_.push_back(state);
  }
  std::erase_if(states, [&](const KeyspaceStatePtr& state) { return state->id == keyspace->id; });
  Publish(std::move(states), now->next_id());
  return {};
}

Status Keyspaces::Check(const KeyspaceState* keyspace) const {
  if (keyspace == nullptr) return Status::InvalidArgument("the keyspace handle is empty");
  if (keyspace->owner != owner_) {
    return Status::InvalidArgument("keyspace " + Shown(keyspace->name) + " belongs to another database");
  }
  if (keyspace->life->dropped.load(std::memory_order_acquire)) {
    return NoSuchKeyspace("keyspace " + Shown(keyspace->name) + " was dropped");
  }
  return {};
}

}  // namespace seerdb
