#include "manifest/state_builder.h"

#include <algorithm>
#include <string>
#include <utility>

#include "base/mutant.h"
#include "base/status_macros.h"
#include "format/file_name.h"
#include "format/range_tombstone.h"
#include "manifest/least_applied.h"
#include "seerdb/keyspace.h"

namespace seerdb {
namespace {

// What a reader accepts; options allow fewer.
constexpr uint32_t kMaxLevels = 64;

Status Bad(const std::string& what) {
  return Status::Corruption("apply manifest edit: " + what, StatusDetail::kManifestCorruption);
}

std::string Name(uint64_t table, uint32_t level) {
  return "table " + std::to_string(table) + " in L" + std::to_string(level);
}

Status OutOfRange(uint64_t table, uint32_t level, size_t num_levels) {
  return Bad("found " + Name(table, level) + ", expected a level below " + std::to_string(num_levels));
}

Status Advance(const char* name, const std::optional<uint64_t>& wanted, uint64_t* counter) {
  if (!wanted.has_value()) return {};
  // What counts on from here would overflow, or run for ever.
  if (*wanted > kMaxFileNumber) {
    return Bad("found " + std::string(name) + " " + std::to_string(*wanted) + ", expected at most 2^62");
  }
  if (*wanted < *counter) {
    return Bad("found " + std::string(name) + " " + std::to_string(*wanted) + ", expected at least " +
               std::to_string(*counter));
  }
  *counter = *wanted;
  return {};
}

// The run `id`, or where it belongs.
std::vector<Run>::iterator FindRun(Level* level, uint64_t id) {
  return std::partition_point(level->runs.begin(), level->runs.end(),
                              [&](const Run& run) { return run.id > id; });
}

// The first table that does not begin below `smallest_key`.
std::vector<TableMetaPtr>::iterator FindTable(Run* run, const std::string& smallest_key) {
  return std::partition_point(run->tables.begin(), run->tables.end(),
                              [&](const TableMetaPtr& table) { return table->smallest_key < smallest_key; });
}

}  // namespace

StateBuilder::StateBuilder(const ManifestState& state) : state_(state) {
  levels_ = state.version != nullptr ? state.version->levels() : std::vector<Level>(state.num_levels);
  for (uint32_t i = 0; i < levels_.size(); ++i) {
    for (const Run& run : levels_[i].runs) {
      for (const TableMetaPtr& table : run.tables) places_[table->number] = {i, run.id, table};
    }
  }
  if (state.version != nullptr && state.version->values() != nullptr) {
    given_values_ = state.version->values();
    for (const ValueBytes& values : *given_values_) value_bytes_[values.segment] = values.bytes;
  }
  if (state.version == nullptr || state.version->ranges() == nullptr) return;
  given_ranges_ = state.version->ranges();
  ranges_ = *given_ranges_;
  old_ranges_ = ranges_.back()->sequence;
}

Status StateBuilder::Apply(const VersionEdit& edit) {
  SEERDB_RETURN_IF_ERROR(ApplyCounters(edit));
  SEERDB_RETURN_IF_ERROR(ApplyLogs(edit));
  SEERDB_RETURN_IF_ERROR(ApplyKeyspaces(edit));
  // Deletions first: a table that moves is deleted and added in one edit.
  for (const VersionEdit::DeletedTable& table : edit.deleted_tables) SEERDB_RETURN_IF_ERROR(Delete(table));
  if (edit.num_levels.has_value()) SEERDB_RETURN_IF_ERROR(Resize(*edit.num_levels));
  for (const VersionEdit::AddedTable& table : edit.added_tables) SEERDB_RETURN_IF_ERROR(Add(table));
  for (const RangeTombstone& tombstone : edit.added_ranges) SEERDB_RETURN_IF_ERROR(AddRange(tombstone));
  return {};
}

// Once, not with each edit: those of a hostile manifest may descend.
void StateBuilder::SortRanges() {
  const auto older = [](const RangeTombstonePtr& a, const RangeTombstonePtr& b) {
    return a->sequence < b->sequence;
  };
  if (!std::is_sorted(ranges_.begin(), ranges_.end(), older)) {
    std::stable_sort(ranges_.begin(), ranges_.end(), older);
  }
}

ManifestState StateBuilder::Build() {
  SortRanges();
  ManifestState state = state_;
  state.num_levels = static_cast<uint32_t>(levels_.size());
  RangeListPtr ranges = given_ranges_;
  if (ranges == nullptr && !ranges_.empty()) {
    ranges = std::make_shared<const std::vector<RangeTombstonePtr>>(ranges_);
  }
  state.version = std::make_shared<const Version>(levels_, std::move(ranges), BuildValues());
  return state;
}

void StateBuilder::AddValues(const TableMeta& table) {
  for (const ValueBytes& values : table.values) value_bytes_[values.segment] += values.bytes;
  if (!table.values.empty()) given_values_ = nullptr;
}

void StateBuilder::RemoveValues(const TableMeta& table) {
  for (const ValueBytes& values : table.values) {
    const auto at = value_bytes_.find(values.segment);
    if (at == value_bytes_.end()) continue;  // the sums of a hostile manifest may wrap around
    at->second -= values.bytes;
    if (at->second == 0) value_bytes_.erase(at);
  }
  if (!table.values.empty()) given_values_ = nullptr;
}

ValueBytesListPtr StateBuilder::BuildValues() const {
  if (given_values_ != nullptr || value_bytes_.empty()) return given_values_;
  auto list = std::make_shared<ValueBytesList>();
  list->reserve(value_bytes_.size());
  for (const auto& [segment, bytes] : value_bytes_) list->push_back({segment, bytes});
  return list;
}

Status StateBuilder::AddRange(const RangeTombstone& tombstone) {
  if (!IsRangeOfOneKeyspace(tombstone.begin, tombstone.end)) {
    return Bad("found a range tombstone over no key, or over more than one keyspace");
  }
  if (tombstone.sequence == 0 || tombstone.sequence > kMaxSequence) {
    return Bad("found a range tombstone with sequence " + std::to_string(tombstone.sequence) +
               ", expected 1 .. 2^56 - 1");
  }
  ranges_.push_back(std::make_shared<const RangeTombstone>(tombstone));

  given_ranges_ = nullptr;
  state_.last_sequence = std::max(state_.last_sequence, tombstone.sequence);
  return {};
}

void StateBuilder::ForgetRanges() {
  if (ranges_.empty()) return;
  const auto may_have_finished = [this](const RangeTombstone& tombstone) {
    const bool met = deleted_any_ && tombstone.begin <= deleted_largest_ && deleted_smallest_ < tombstone.end;
    return met || tombstone.sequence > old_ranges_;
  };
  std::vector<LeastApplied> runs;
  const auto may_hide = [&](const RangeTombstone& tombstone) {
    if (SEERDB_MUTANT("range-tombstone-forgotten-early")) return false;
    if (runs.empty()) {
      for (const Level& level : levels_) {
        for (const Run& run : level.runs) runs.emplace_back(run);
      }
    }
    return std::any_of(runs.begin(), runs.end(),
                       [&](const LeastApplied& run) { return run.MayHide(tombstone); });
  };
  const auto useless = [&](const RangeTombstonePtr& tombstone) {
    return may_have_finished(*tombstone) && !may_hide(*tombstone);
  };
  if (std::erase_if(ranges_, useless) > 0) given_ranges_ = nullptr;
}

Status StateBuilder::ApplyCounters(const VersionEdit& edit) {
  if (edit.database_id.has_value()) {
    if (state_.database_id != DatabaseId{} && state_.database_id != *edit.database_id) {
      return Bad("found a second database id");
    }
    state_.database_id = *edit.database_id;
  }
  if (edit.log_number.has_value() != edit.log_first_record.has_value()) {
    return Bad("found one of log_number and log_first_record, expected both or none");
  }
  if (edit.last_sequence.value_or(0) > kMaxSequence) {
    return Bad("found last_sequence " + std::to_string(*edit.last_sequence) + ", expected at most 2^56 - 1");
  }
  SEERDB_RETURN_IF_ERROR(Advance("next_file_number", edit.next_file_number, &state_.next_file_number));
  SEERDB_RETURN_IF_ERROR(Advance("last_sequence", edit.last_sequence, &state_.last_sequence));
  SEERDB_RETURN_IF_ERROR(Advance("log_number", edit.log_number, &state_.log_number));
  SEERDB_RETURN_IF_ERROR(Advance("log_first_record", edit.log_first_record, &state_.log_first_record));
  if (edit.epoch.has_value()) state_.epoch = *edit.epoch;
  return {};
}

Status StateBuilder::ApplyLogs(const VersionEdit& edit) {
  std::vector<VersionEdit::AddedLog>& logs = state_.logs;
  for (const VersionEdit::AddedLog& log : edit.added_logs) {
    if (log.number < state_.log_number) {
      return Bad("found log " + std::to_string(log.number) + " added, expected at least log_number " +
                 std::to_string(state_.log_number));
    }
    if (!logs.empty() && log.number <= logs.back().number) {
      return Bad("found log " + std::to_string(log.number) + " added, expected one above log " +
                 std::to_string(logs.back().number));
    }
    logs.push_back(log);
  }
  std::erase_if(logs, [&](const VersionEdit::AddedLog& log) { return log.number < state_.log_number; });
  return {};
}

Status StateBuilder::ApplyKeyspaces(const VersionEdit& edit) {
  std::vector<KeyspaceRecordPtr>& keyspaces = state_.keyspaces;
  const auto find = [&keyspaces](uint32_t id) {
    return std::partition_point(keyspaces.begin(), keyspaces.end(),
                                [id](const KeyspaceRecordPtr& keyspace) { return keyspace->id < id; });
  };
  if (edit.next_keyspace_id.value_or(state_.next_keyspace_id) < state_.next_keyspace_id) {
    return Bad("found next_keyspace_id " + std::to_string(*edit.next_keyspace_id) + ", expected at least " +
               std::to_string(state_.next_keyspace_id));
  }
  const uint32_t new_from = state_.next_keyspace_id;
  state_.next_keyspace_id = edit.next_keyspace_id.value_or(state_.next_keyspace_id);
  for (const uint32_t id : edit.dropped_keyspaces) {
    const auto at = find(id);
    if (at == keyspaces.end() || (*at)->id != id || id == 0) {
      return Bad("found keyspace " + std::to_string(id) + " dropped, expected one that is there");
    }
    keyspaces.erase(at);
  }
  for (const KeyspaceRecord& keyspace : edit.keyspaces) {
    if (keyspace.name.empty() || keyspace.name.size() > kMaxKeyspaceNameBytes) {
      return Bad("found a name of " + std::to_string(keyspace.name.size()) + " bytes for keyspace " +
                 std::to_string(keyspace.id) + ", expected 1 .. " + std::to_string(kMaxKeyspaceNameBytes));
    }
    if (keyspace.default_ttl_us > kMaxTtlUs) {
      return Bad("found a default time to live of " + std::to_string(keyspace.default_ttl_us) +
                 " us for keyspace " + std::to_string(keyspace.id));
    }
    const auto at = find(keyspace.id);
    const bool known = at != keyspaces.end() && (*at)->id == keyspace.id;
    // An id comes once: what was dropped stays dropped. The snapshot that begins a manifest brings all.
    const bool may_be_new =
        keyspace.id == 0 || (keyspace.id >= new_from && keyspace.id < state_.next_keyspace_id);
    if (!known && !may_be_new) {
      return Bad("found keyspace " + std::to_string(keyspace.id) + " added, expected an id from " +
                 std::to_string(new_from) + " and below " + std::to_string(state_.next_keyspace_id));
    }
    if (known && (*at)->name != keyspace.name) {
      return Bad("found another name for keyspace " + std::to_string(keyspace.id));
    }
    auto record = std::make_shared<const KeyspaceRecord>(keyspace);
    if (known) {
      *at = std::move(record);
    } else {
      keyspaces.insert(at, std::move(record));
    }
  }
  return {};
}

Status StateBuilder::Resize(uint32_t num_levels) {
  if (num_levels == 0 || num_levels > kMaxLevels) {
    return Bad("found num_levels " + std::to_string(num_levels) + ", expected 1 .. " +
               std::to_string(kMaxLevels));
  }
  for (size_t i = num_levels; i < levels_.size(); ++i) {
    if (!levels_[i].empty()) {
      return Bad("found num_levels " + std::to_string(num_levels) + ", expected more: L" + std::to_string(i) +
                 " holds tables");
    }
  }
  levels_.resize(num_levels);
  return {};
}

Status StateBuilder::Delete(const VersionEdit::DeletedTable& deleted) {
  if (deleted.level >= levels_.size()) return OutOfRange(deleted.number, deleted.level, levels_.size());
  const auto found = places_.find(deleted.number);
  if (found == places_.end() || found->second.level != deleted.level) {
    return Bad("found " + Name(deleted.number, deleted.level) + " deleted, expected one that is there");
  }
  const TableMeta& meta = *found->second.table;
  if (!deleted_any_ || meta.smallest_key < deleted_smallest_) deleted_smallest_ = meta.smallest_key;
  if (!deleted_any_ || meta.largest_key > deleted_largest_) deleted_largest_ = meta.largest_key;
  deleted_any_ = true;
  Level& level = levels_[deleted.level];
  const auto run = FindRun(&level, found->second.run);
  run->tables.erase(FindTable(&*run, found->second.table->smallest_key));
  if (run->tables.empty()) level.runs.erase(run);
  RemoveValues(meta);
  places_.erase(found);
  return {};
}

Status StateBuilder::Add(const VersionEdit::AddedTable& added) {
  const TableMeta& meta = added.meta;
  if (added.level >= levels_.size()) return OutOfRange(meta.number, added.level, levels_.size());
  if (meta.smallest_key > meta.largest_key || meta.smallest_sequence > meta.largest_sequence) {
    return Bad("found " + Name(meta.number, added.level) + " with an inverted range");
  }
  if (meta.largest_sequence > kMaxSequence) {
    return Bad("found " + Name(meta.number, added.level) + " with a sequence above 2^56 - 1");
  }
  auto table = std::make_shared<const TableMeta>(meta);
  if (!places_.emplace(meta.number, Place{added.level, added.run, table}).second) {
    return Bad("found " + Name(meta.number, added.level) + " added, expected a new number");
  }
  Level& level = levels_[added.level];
  auto run = FindRun(&level, added.run);
  if (run == level.runs.end() || run->id != added.run) {
    run = level.runs.emplace(run);
    run->id = added.run;
  } else if (added.level == 0) {
    return Bad("found " + Name(meta.number, 0) + " added to run " + std::to_string(added.run) +
               ", expected a run of its own");
  }
  auto at = FindTable(&*run, meta.smallest_key);
  const bool meets_right = at != run->tables.end() && (*at)->smallest_key <= meta.largest_key;
  const bool meets_left = at != run->tables.begin() && at[-1]->largest_key >= meta.smallest_key;
  if ((meets_left || meets_right) && !SEERDB_MUTANT("edit-allows-overlap")) {
    return Bad("found " + Name(meta.number, added.level) + " overlapping " +
               Name((meets_left ? at[-1] : *at)->number, added.level) + " in run " +
               std::to_string(added.run));
  }
  run->tables.insert(at, std::move(table));
  AddValues(meta);
  // Sequences continue above this after a reopen.
  state_.last_sequence = std::max(state_.last_sequence, meta.largest_sequence);
  return {};
}

Status ApplyEdit(const VersionEdit& edit, ManifestState* state) {
  const bool same_tables = state->version != nullptr && edit.added_tables.empty() &&
                           edit.deleted_tables.empty() && edit.added_ranges.empty() &&
                           !edit.num_levels.has_value();
  ManifestState base = *state;
  if (same_tables) base.version = nullptr;
  StateBuilder builder(base);
  SEERDB_RETURN_IF_ERROR(builder.Apply(edit));
  builder.ForgetRanges();
  ManifestState next = builder.Build();
  if (same_tables) {
    next.version = state->version;
    next.num_levels = state->num_levels;
  }
  *state = std::move(next);
  return {};
}

}  // namespace seerdb
