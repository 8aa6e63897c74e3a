#include "manifest/manifest_salvage.h"

#include <algorithm>
#include <utility>

#include "base/status_macros.h"
#include "format/file_name.h"
#include "manifest/manifest_file.h"
#include "manifest/state_builder.h"

namespace seerdb {
namespace {

// A hostile counter shall not take all memory.
constexpr uint32_t kMostKeyspacesKnown = 1 << 24;

// Counters of a hostile record would stop every later number.
template <typename T>
void Raise(const std::optional<T>& found, uint64_t limit, uint64_t* counter) {
  if (found.has_value() && *found <= limit) *counter = std::max<uint64_t>(*counter, *found);
}

void Learn(const VersionEdit& edit, ManifestSalvage* salvage) {
  if (edit.database_id.has_value() && !salvage->database_id.has_value()) {
    salvage->database_id = edit.database_id;
  }
  Raise(edit.next_file_number, kMaxFileNumber, &salvage->next_file_number);
  Raise(edit.last_sequence, kMaxSequence, &salvage->last_sequence);
  Raise(edit.log_number, kMaxFileNumber, &salvage->log_number);
  Raise(edit.log_first_record, kMaxFileNumber, &salvage->log_first_record);
  salvage->logs.insert(salvage->logs.end(), edit.added_logs.begin(), edit.added_logs.end());
  for (const RangeTombstone& tombstone : edit.added_ranges) {
    const bool whole = IsRangeOfOneKeyspace(tombstone.begin, tombstone.end) && tombstone.sequence > 0 &&
                       tombstone.sequence <= kMaxSequence;
    if (whole) salvage->ranges.push_back(tombstone);
  }
  salvage->next_keyspace_id = std::max(salvage->next_keyspace_id, edit.next_keyspace_id.value_or(1));
  for (const KeyspaceRecord& keyspace : edit.keyspaces) salvage->keyspaces[keyspace.id] = keyspace;
  if (IsSnapshot(edit)) {
    // It lists all that are there: what else has a number by then was dropped.
    std::set<uint32_t> listed;
    for (const KeyspaceRecord& keyspace : edit.keyspaces) listed.insert(keyspace.id);
    const uint32_t next_id = std::min(edit.next_keyspace_id.value_or(1), kMostKeyspacesKnown);
    for (uint32_t id = 1; id < next_id; ++id) {
      if (!listed.contains(id)) salvage->dropped_keyspaces.insert(id);
    }
  }
  salvage->dropped_keyspaces.insert(edit.dropped_keyspaces.begin(), edit.dropped_keyspaces.end());
  // A table that moves is deleted and added by one edit.
  for (const VersionEdit::DeletedTable& table : edit.deleted_tables) salvage->deleted.insert(table.number);
  for (const VersionEdit::AddedTable& table : edit.added_tables) {
    salvage->deleted.erase(table.meta.number);
    salvage->tables[table.meta.number] = table.meta;
  }
}

}  // namespace

Result<ManifestSalvage> SalvageManifest(FileSystem& fs, const std::string& path, uint64_t number) {
  ManifestSalvage salvage;
  salvage.number = number;
  salvage.next_file_number = number + 1;
  StateBuilder builder{ManifestState{}};
  bool dense = true;
  uint64_t next_index = 0;
  const auto visit = [&](uint64_t index, Slice payload) -> Status {
    const Result<VersionEdit> edit = VersionEdit::Decode(payload);
    if (edit.status().IsNotSupported()) return edit.status().WithContext("read manifest " + path);
    dense = dense && index == next_index && edit.ok() && (index > 0 || IsSnapshot(*edit));
    next_index = index + 1;
    if (!edit.ok()) return {};
    Learn(*edit, &salvage);
    dense = dense && builder.Apply(*edit).ok();
    return {};
  };
  SEERDB_RETURN_IF_ERROR(VisitIntactManifestRecords(fs, path, number, visit));
  salvage.whole = dense && next_index > 0;
  if (salvage.whole) {
    salvage.state = builder.Build();
    salvage.state.next_file_number = std::max(salvage.state.next_file_number, number + 1);
  }
  return salvage;
}

}  // namespace seerdb
