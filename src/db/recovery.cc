#include "db/recovery.h"

#include <algorithm>
#include <set>

#include "base/mutant.h"
#include "base/status_macros.h"
#include "db/keyspaces.h"
#include "db/replayed_tables.h"
#include "format/batch_codec.h"
#include "format/file_name.h"
#include "sstable/table_reader.h"
#include "wal/log_salvage.h"

namespace seerdb {
namespace {

// True if a listed table's or value segment's file is missing. Then files that are not listed are the only
// place where its entries may still be, should the manifest have lost the edit that replaced it.
Result<bool> SomeFileIsMissing(FileSystem& fs, const std::string& directory, const Version& version) {
  for (const Level& level : version.levels()) {
    for (const Run& run : level.runs) {
      for (const TableMetaPtr& table : run.tables) {
        const Result<FileInfo> info = fs.GetFileInfo(TableFilePath(directory, table->number));
        if (info.ok()) continue;
        if (info.status().detail() != StatusDetail::kNotFound) return info.status();
        return true;
      }
    }
  }
  if (version.values() == nullptr) return false;
  for (const ValueBytes& values : *version.values()) {
    const Result<FileInfo> info = fs.GetFileInfo(ValueFilePath(directory, values.segment));
    if (info.ok()) continue;
    if (info.status().detail() != StatusDetail::kNotFound) return info.status();
    return true;
  }
  return false;
}

// A log is written to only after an edit that lists it is durable. One that holds a header of this database
// and is not listed therefore shows that the manifest has lost that edit, and perhaps others.
Status CheckNoLogIsLost(FileSystem& fs, const std::string& directory, const ManifestState& manifest) {
  SEERDB_ASSIGN_OR_RETURN(const std::vector<std::string> names, fs.ListDirectory(directory));
  for (const std::string& name : names) {
    uint64_t number = 0;
    if (ParseFileName(name, &number) != FileKind::kLog || number < manifest.log_number) continue;
    const bool listed = std::any_of(manifest.logs.begin(), manifest.logs.end(),
                                    [number](const auto& log) { return log.number == number; });
    if (listed || SEERDB_MUTANT("lost-log-not-noticed")) continue;
    SEERDB_ASSIGN_OR_RETURN(const auto file, fs.NewRandomAccessFile(directory + "/" + name));
    char scratch[kLogHeaderBytes];
    SEERDB_ASSIGN_OR_RETURN(const Slice bytes, file->Read(0, sizeof scratch, scratch));
    LogHeader header;
    if (bytes.size() < kLogHeaderBytes || !DecodeLogHeader(bytes, &header)) continue;
    if (header.identity.database != manifest.database_id || header.identity.log_number != number) continue;
    return Status::Corruption(
        "open " + directory + ": " + name + " was written to, and MANIFEST does not list it; see DB::Repair",
        StatusDetail::kManifestCorruption);
  }
  return {};
}

// A keyspace is written to only after the edit that lists it is durable.
Status CheckKeyspacesKnown(const std::string& directory, const ReplayedTables& tables) {
  if (tables.unknown_keyspaces().empty() || SEERDB_MUTANT("lost-keyspace-not-noticed")) return {};
  return Status::Corruption("open " + directory + ": the log writes to keyspace " +
                                std::to_string(*tables.unknown_keyspaces().begin()) +
                                ", and MANIFEST does not list it; see DB::Repair",
                            StatusDetail::kManifestCorruption);
}

Status UnfinishedTail(const std::string& path, const std::string& where, const std::string& what,
                      StatusDetail detail) {
  return Status::Corruption(
      "open " + path + where + ": found " + what + ", expected none with recovery_mode kAbsoluteConsistency",
      detail);
}

// Replays the logs as the options say, into `tables`.
Status ReplayByMode(FileSystem& fs, const std::vector<ReplayLog>& logs, const Options& options,
                    ReplayedTables* tables, RecoveredState* state) {
  const auto apply = [tables](SequenceNumber base, Slice operations) {
    return tables->Apply(base, operations);
  };
  RecoveryReport& report = state->report;
  const LogStart start{state->manifest.log_first_record, state->manifest.last_sequence, MayBeOperations};
  const RecoveryMode mode = options.recovery_mode;
  if (mode == RecoveryMode::kTolerateTornTail || mode == RecoveryMode::kAbsoluteConsistency) {
    SEERDB_ASSIGN_OR_RETURN(const ReplaySummary replay, ReplayLogs(fs, logs, start, apply));
    report.records_replayed = replay.records;
    report.torn_tail = replay.torn;
    state->next_record = replay.next_record;
    if (!replay.torn || mode == RecoveryMode::kTolerateTornTail) return {};
    return UnfinishedTail(replay.end_path, " @" + std::to_string(replay.end_offset), "an unfinished record",
                          StatusDetail::kWalCorruption);
  }
  const SalvageExtent extent =
      mode == RecoveryMode::kSalvage ? SalvageExtent::kWhateverIsLeft : SalvageExtent::kBeforeDamage;
  SequenceNumber highest = 0;  // of what is not applied
  const auto skip = [&highest](SequenceNumber base, Slice operations) {
    highest = std::max(highest, ReplayedTables::LastSequenceOf(base, operations));
  };
  SEERDB_ASSIGN_OR_RETURN(const SalvageSummary salvage, SalvageLogs(fs, logs, start, extent, {apply, skip}));
  report.records_replayed = salvage.replay.records;
  report.torn_tail = salvage.replay.torn;
  report.intact_records_dropped = salvage.skipped;
  for (const LogGap& gap : salvage.gaps) {
    report.losses.push_back({gap.path, gap.offset, gap.first_record, gap.records, gap.reason});
  }
  // What could not be read had numbers too. They are not given again: one a byte is more than it can have.
  tables->TakeSequences(highest, salvage.unread_bytes);
  state->next_record = salvage.next_record + salvage.unread_bytes;
  return {};
}

// A sabotage.
Status TruncateLogs(FileSystem& fs, const std::vector<ReplayLog>& logs) {
  for (const ReplayLog& log : logs) {
    SEERDB_ASSIGN_OR_RETURN(auto file, fs.NewWritableFile(log.path, CreateMode::kTruncate));
    SEERDB_RETURN_IF_ERROR(file->Sync());
  }
  return {};
}

}  // namespace

Result<uint64_t> HighestFileNumber(FileSystem& fs, const std::string& directory) {
  SEERDB_ASSIGN_OR_RETURN(const std::vector<std::string> names, fs.ListDirectory(directory));
  uint64_t highest = 0;
  for (const std::string& name : names) {
    uint64_t number = 0;
    if (ParseFileName(name, &number) != FileKind::kUnknown) highest = std::max(highest, number);
  }
  return highest;
}

Result<RecoveredState> Recover(FileSystem& fs, const std::string& directory, const Options& options,
                               uint64_t epoch) {
  RecoveredState state;
  ManifestSource source;
  SEERDB_ASSIGN_OR_RETURN(state.manifest, ReadManifest(fs, directory, &source));
  if (source.torn_bytes > 0 && options.recovery_mode == RecoveryMode::kAbsoluteConsistency) {
    return UnfinishedTail(source.path, "", std::to_string(source.torn_bytes) + " bytes of an unfinished edit",
                          StatusDetail::kManifestCorruption);
  }
  SEERDB_ASSIGN_OR_RETURN(const uint64_t highest, HighestFileNumber(fs, directory));
  state.next_file_number = std::max(state.manifest.next_file_number, highest + 1);
  SEERDB_ASSIGN_OR_RETURN(state.table_missing, SomeFileIsMissing(fs, directory, *state.manifest.version));
  SEERDB_RETURN_IF_ERROR(CheckNoLogIsLost(fs, directory, state.manifest));
  if (SEERDB_MUTANT("unlisted-table-fails-open")) {
    SEERDB_ASSIGN_OR_RETURN(const std::vector<std::string> names, fs.ListDirectory(directory));
    for (const std::string& name : names) {
      if (!name.ends_with(".sst")) continue;
      SEERDB_ASSIGN_OR_RETURN(auto table, TableReader::Open(fs, directory + "/" + name, {}));
    }
  }

  std::vector<ReplayLog> logs;
  uint64_t log_bytes = 0;
  for (const VersionEdit::AddedLog& log : state.manifest.logs) {
    logs.push_back({LogFilePath(directory, log.number), {state.manifest.database_id, log.number, log.epoch}});
    if (const auto info = fs.GetFileInfo(logs.back().path); info.ok()) log_bytes += info->bytes;
  }
  ReplayedValues values(fs, directory, state.manifest.database_id,
                        options.recovery_mode == RecoveryMode::kSalvage
                            ? ReplayedValues::Unreadable::kIsLost
                            : ReplayedValues::Unreadable::kIsAnError);
  ReplayedTables tables(
      fs, directory, options, &state.next_file_number,
      {epoch, KeyspacesOf(state.manifest, options, 0), &values, log_bytes, options.executor.get()});
  tables.set_last_sequence(SEERDB_MUTANT("sequence-restarts-at-one") ? 0 : state.manifest.last_sequence);
  state.unlisted = UnlistedTables(&fs, directory);
  const Status replayed = [&]() -> Status {
    SEERDB_RETURN_IF_ERROR(ReplayByMode(fs, logs, options, &tables, &state));
    SEERDB_RETURN_IF_ERROR(CheckKeyspacesKnown(directory, tables));
    if (SEERDB_MUTANT("replay-truncates-log-early")) SEERDB_RETURN_IF_ERROR(TruncateLogs(fs, logs));
    SEERDB_RETURN_IF_ERROR(tables.Finish());
    return values.Sync(tables.tables());
  }();
  if (!replayed.ok()) tables.Abandon();
  for (const TableMeta& table : tables.tables()) state.unlisted.Add(table.number);
  SEERDB_RETURN_IF_ERROR(replayed);
  state.recovered_tables = std::move(tables.tables());
  state.recovered_ranges = std::move(tables.ranges());
  state.last_sequence = tables.last_sequence();
  return state;
}

void SweepOrphans(FileSystem& fs, const std::string& directory, const ManifestState& state,
                  uint64_t manifest_number, bool keep_tables) {
  const Result<std::vector<std::string>> names = fs.ListDirectory(directory);
  if (!names.ok()) return;
  std::set<uint64_t> tables;
  for (const Level& level : state.version->levels()) {
    for (const Run& run : level.runs) {
      for (const TableMetaPtr& table : run.tables) tables.insert(table->number);
    }
  }
  std::set<uint64_t> logs;
  for (const VersionEdit::AddedLog& log : state.logs) logs.insert(log.number);
  std::set<uint64_t> values;
  if (state.version->values() != nullptr) {
    for (const ValueBytes& one : *state.version->values()) values.insert(one.segment);
  }
  for (const std::string& name : *names) {
    uint64_t number = 0;
    bool keep = true;
    switch (ParseFileName(name, &number)) {
      case FileKind::kTable:
        keep = (keep_tables && !SEERDB_MUTANT("sweep-ignores-missing-table")) || tables.contains(number);
        break;
      case FileKind::kLog:
        keep = logs.contains(number);
        break;
      case FileKind::kValues:
        keep = keep_tables || values.contains(number);
        break;
      case FileKind::kManifest:
        keep = number == manifest_number;
        break;
      case FileKind::kTemporary:
        keep = false;
        break;
      case FileKind::kCurrent:
      case FileKind::kLock:
      case FileKind::kRepair:
      case FileKind::kUnknown:
        break;
    }
    if (!keep) fs.DeleteFile(directory + "/" + name).IgnoreError("swept again at the next open");
  }
}

}  // namespace seerdb
