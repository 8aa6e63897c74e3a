// DB::Repair: from a damaged directory to a database that opens.
//
// 1. REPAIR is written: from here on DB::Open refuses. 2. Tables are checked, and what is left of damaged
// ones and of logs is written to new tables. 3. One new manifest lists the result, and CURRENT names it: that
// is the step that counts. 4. What it does not list is moved to lost/, and REPAIR removed. New files have
// numbers from that in REPAIR on, so that a repair that follows an interrupted one knows them: before step 3
// it removes them and starts over, behind it it goes on with step 4.
#include <unistd.h>

#include <algorithm>
#include <map>
#include <set>

#include "base/mutant.h"
#include "base/random.h"
#include "base/status_macros.h"
#include "compaction/compaction_job.h"
#include "compaction/compaction_stream.h"
#include "db/one_of_each_version.h"
#include "db/options_check.h"
#include "db/repair_inventory.h"
#include "db/repair_sources.h"
#include "format/file_name.h"
#include "format/keyspace_prefix.h"
#include "iter/merging_iterator.h"
#include "manifest/manifest_file.h"
#include "seerdb/db.h"
#include "sstable/table_reader.h"

namespace seerdb {
namespace {

class Repairer {
 public:
  Repairer(FileSystem& fs, const std::string& directory, const Options& options)
      : fs_(fs), directory_(directory), options_(options) {}

  Result<RepairReport> Go() {
    SEERDB_ASSIGN_OR_RETURN(inventory_, TakeInventory(fs_, directory_));
    if (inventory_.finished) {
      report_.finished_earlier = true;
      if (inventory_.unnamed_manifest != 0) {
        bool renamed = false;
        SEERDB_RETURN_IF_ERROR(WriteCurrent(fs_, directory_, inventory_.unnamed_manifest, &renamed));
      }
      SEERDB_RETURN_IF_ERROR(MoveTheRest(inventory_.state));
      return std::move(report_);
    }
    for (const std::string& name : inventory_.leftovers) {
      SEERDB_RETURN_IF_ERROR(fs_.DeleteFile(directory_ + "/" + name));
    }
    if (!inventory_.has_marker && !SEERDB_MUTANT("repair-without-marker")) {
      const Status marked = WriteRepairMarker(fs_, directory_, inventory_.first_number);
      if (!marked.ok()) {
        Abandon();
        return marked;
      }
    }
    next_file_number_ = inventory_.next_file_number;
    Random random(options_.seed != 0 ? options_.seed : SystemSeed());
    epoch_ = random.Next() ^ next_file_number_ * 0x9e3779b97f4a7c15;
    const DatabaseId fresh{random.Next(), random.Next()};
    Result<ManifestState> state = inventory_.manifest_kept ? KeepShape() : MergeAll(fresh);
    Status status = state.status();
    if (status.ok()) status = Commit(*state);
    if (!status.ok()) {
      Abandon();
      return status;
    }
    SEERDB_RETURN_IF_ERROR(MoveTheRest(*state));
    return std::move(report_);
  }

 private:
  // The tree as the manifest says, with damaged tables replaced by what is left of them.
  Result<ManifestState> KeepShape() {
    report_.manifest_kept = true;
    ManifestState state = inventory_.state;
    RepairSources sources(fs_, directory_, options_, {state.database_id, epoch_}, &next_file_number_,
                          &report_);
    VersionEdit edit;
    for (uint32_t level = 0; level < state.version->num_levels(); ++level) {
      for (const Run& run : state.version->level(level).runs) {
        for (const TableMetaPtr& table : run.tables) {
          SEERDB_ASSIGN_OR_RETURN(std::optional<TableMeta> taken,
                                  sources.TakeTable(table->number, table.get()));
          if (taken.has_value() && taken->number == table->number) continue;
          edit.deleted_tables.push_back({level, table->number});
          if (taken.has_value()) edit.added_tables.push_back({level, run.id, *std::move(taken)});
        }
      }
    }
    SEERDB_ASSIGN_OR_RETURN(std::vector<TableMeta> recovered, sources.TakeListedLogs(inventory_));
    for (TableMeta& table : recovered) edit.added_tables.push_back({0, table.number, std::move(table)});
    edit.added_ranges = std::move(sources.ranges());
    ListKeyspaces(sources.unknown_keyspaces(), state, &edit);
    return Conclude(std::move(state), std::move(edit), sources);
  }

  // Without a manifest nothing says which table is newer: all entries are merged into one sorted run, where
  // sequences decide. Nothing lies below it, so that tombstones have done their work; so have those of
  // ranges, as far as a record of a manifest or a log still tells of them.
  Result<ManifestState> MergeAll(const DatabaseId& fresh) {
    RepairSources sources(fs_, directory_, options_, {inventory_.database.value_or(fresh), epoch_},
                          &next_file_number_, &report_);
    std::vector<TableMeta> inputs;
    SequenceNumber held = 0;
    for (const uint64_t number : inventory_.tables) {
      if (inventory_.obsolete.contains(number)) continue;
      const auto listed = inventory_.metas.find(number);
      SEERDB_ASSIGN_OR_RETURN(
          std::optional<TableMeta> taken,
          sources.TakeTable(number, listed != inventory_.metas.end() ? &listed->second : nullptr));
      if (!taken.has_value()) continue;
      held = std::max(held, taken->largest_sequence);
      inputs.push_back(*std::move(taken));
    }
    for (const auto& [number, meta] : inventory_.metas) {
      if (inventory_.obsolete.contains(number) || inventory_.tables.contains(number)) continue;
      SEERDB_RETURN_IF_ERROR(sources.TakeTable(number, &meta).status());  // missing, and reported so
    }
    SEERDB_ASSIGN_OR_RETURN(std::vector<TableMeta> recovered, sources.TakeFoundLogs(inventory_, held));
    for (TableMeta& table : recovered) inputs.push_back(std::move(table));
    std::vector<RangeTombstone> ranges = inventory_.ranges;
    ranges.insert(ranges.end(), sources.ranges().begin(), sources.ranges().end());
    SEERDB_ASSIGN_OR_RETURN(std::vector<TableMeta> merged,
                            Merge(inputs, std::move(ranges), &sources.values()));
    ManifestState state;
    state.database_id = inventory_.database.value_or(fresh);
    state.num_levels = options_.num_levels;
    state.version = std::make_shared<const Version>(options_.num_levels);
    VersionEdit edit;
    for (TableMeta& table : merged) edit.added_tables.push_back({1, kFirstRun, std::move(table)});
    ListKeyspaces(found_keyspaces_, state, &edit);
    return Conclude(std::move(state), std::move(edit), sources);
  }

  Result<std::vector<TableMeta>> Merge(const std::vector<TableMeta>& inputs,
                                       std::vector<RangeTombstone> ranges, ReplayedValues* values) {
    TableReadFlags flags;
    flags.sequential_pread = true;
    flags.fill_cache = false;
    std::vector<std::shared_ptr<TableReader>> readers;
    std::vector<std::unique_ptr<InternalIterator>> children;
    TableOutputOptions output = RepairOutput(directory_, options_, epoch_, &next_file_number_);
    output.target_file_size = options_.target_file_size;
    for (const TableMeta& table : inputs) {
      TableOpenOptions open;
      open.access = TableAccess::kPread;
      open.table_number = table.number;
      SEERDB_ASSIGN_OR_RETURN(std::shared_ptr<TableReader> reader,
                              TableReader::Open(fs_, TableFilePath(directory_, table.number), open));
      children.push_back(reader->NewIterator(flags));
      readers.push_back(std::move(reader));
      output.expected_bytes += table.bytes;
    }
    OneOfEachVersion merged(
        NewMergingIterator(std::move(children)), [this](Slice key) { NoteDoubt(key); },
        [values](ValueType type, Slice payload) { return values->CheckEntry(type, payload).ok(); });
    Arena arena;
    RangeTombstoneMap deleted(&arena);
    std::sort(ranges.begin(), ranges.end(),
              [](const auto& a, const auto& b) { return a.sequence < b.sequence; });
    for (const RangeTombstone& range : ranges) deleted.Add(range.sequence, range.begin, range.end);
    CompactionStreamOptions to_the_bottom;
    to_the_bottom.snapshots = {kMaxSequence};
    to_the_bottom.may_hold_below = [](Slice) { return false; };
    to_the_bottom.ranges.AddMap(&deleted, kMaxSequence);
    CompactionStream stream(&merged, std::move(to_the_bottom));
    TableOutput tables(fs_, std::move(output));
    Slice prefix = kDefaultKeyspacePrefix;
    std::string last_prefix;
    for (stream.SeekToFirst(); stream.Valid(); stream.Next()) {
      if (!stream.key().starts_with(prefix)) {
        uint32_t id = 0;
        Slice user_key;
        if (ParseEngineKey(stream.key(), &id, &user_key)) {
          found_keyspaces_.insert(id);
          last_prefix.assign(stream.key().substr(0, stream.key().size() - user_key.size()));
          prefix = last_prefix;
        }
      }
      SEERDB_RETURN_IF_ERROR(tables.Add(stream.key(), stream.trailer(), stream.value(), stream.starts_key()));
    }
    SEERDB_RETURN_IF_ERROR(stream.status());
    return tables.Finish();
  }

  void NoteDoubt(Slice key) {
    uint32_t keyspace = 0;
    Slice user_key;
    if (!ParseEngineKey(key, &keyspace, &user_key)) return;
    const std::string shown(user_key);
    report_.losses.push_back(
        {directory_, 0, 0, shown, shown,
         "merge operands stand in a table and in what it was compacted into: some may be "
         "missing or counted twice"});
  }

  // Lists in `edit` the keyspaces that the manifests were seen to name, where `state` does not have them, and
  // those that only their keys show to be there: nothing else would keep these.
  void ListKeyspaces(const std::set<uint32_t>& found, const ManifestState& state, VersionEdit* edit) {
    std::set<std::string> names{kDefaultKeyspaceName};
    std::map<uint32_t, KeyspaceRecord> records;
    uint32_t next_id = state.next_keyspace_id;
    for (const KeyspaceRecordPtr& known : state.keyspaces) names.insert(known->name);
    if (!inventory_.manifest_kept) {
      records = inventory_.keyspaces;
      for (const uint32_t id : inventory_.dropped_keyspaces) records.erase(id);
      next_id = std::max(next_id, inventory_.next_keyspace_id);
    }
    for (const uint32_t id : found) {
      if (id == kDefaultKeyspace || id == UINT32_MAX || inventory_.dropped_keyspaces.contains(id)) continue;
      KeyspaceRecord& record = records.try_emplace(id).first->second;
      if (record.name.empty()) record.name = "recovered-" + std::to_string(id);
      record.id = id;
    }
    for (auto& [id, record] : records) {
      // A name may have been free again.
      if (id != kDefaultKeyspace && !names.insert(record.name).second) {
        record.name = "recovered-" + std::to_string(id);
      }
      next_id = std::max(next_id, id + 1);
      edit->keyspaces.push_back(record);
    }
    if (next_id > state.next_keyspace_id) edit->next_keyspace_id = next_id;
  }

  // `state` with `edit` applied, no logs, and counters above everything that was seen.
  Result<ManifestState> Conclude(ManifestState state, VersionEdit edit, const RepairSources& sources) {
    edit.epoch = epoch_;
    edit.log_number = next_file_number_++;
    edit.log_first_record = std::max(state.log_first_record, sources.next_record());
    edit.last_sequence = std::max({state.last_sequence, inventory_.last_sequence, sources.last_sequence()});
    edit.next_file_number = std::max(state.next_file_number, next_file_number_);
    SEERDB_RETURN_IF_ERROR(ApplyEdit(edit, &state));
    return state;
  }

  Status Commit(const ManifestState& state) {
    const std::string lost = LostDirectoryPath(directory_);
    SEERDB_RETURN_IF_ERROR(fs_.CreateDirectory(lost));
    const std::string number = std::to_string(inventory_.first_number);
    if (inventory_.has_current) {
      // The only file that is replaced and not moved.
      const Result<std::string> current = ReadFileToString(fs_, CurrentFilePath(directory_));
      if (current.ok()) SEERDB_RETURN_IF_ERROR(Store(lost + "/CURRENT-" + number, *current));
    }
    SEERDB_RETURN_IF_ERROR(Store(lost + "/repair-" + number + ".txt", report_.ToString()));
    SEERDB_RETURN_IF_ERROR(fs_.SyncDirectory(lost));
    return VersionSet::Continue(fs_, directory_, state, nullptr).status();
  }

  Status Store(const std::string& path, const std::string& bytes) {
    SEERDB_ASSIGN_OR_RETURN(const std::unique_ptr<WritableFile> file,
                            fs_.NewWritableFile(path, CreateMode::kTruncate));
    SEERDB_RETURN_IF_ERROR(file->Append(bytes));
    SEERDB_RETURN_IF_ERROR(file->SyncAll());
    return file->Close();
  }

  // The result is in force. Everything that it does not list is moved away, or deleted if it is this
  // repair's.
  Status MoveTheRest(const ManifestState& state) {
    SEERDB_ASSIGN_OR_RETURN(const uint64_t manifest, CurrentManifest());
    std::set<uint64_t> listed;
    for (const Level& level : state.version->levels()) {
      for (const Run& run : level.runs) {
        for (const TableMetaPtr& table : run.tables) listed.insert(table->number);
      }
    }
    std::set<uint64_t> values;
    if (state.version->values() != nullptr) {
      for (const ValueBytes& one : *state.version->values()) values.insert(one.segment);
    }
    SEERDB_RETURN_IF_ERROR(fs_.CreateDirectory(LostDirectoryPath(directory_)));
    SEERDB_ASSIGN_OR_RETURN(std::vector<std::string> names, fs_.ListDirectory(directory_));
    std::sort(names.begin(), names.end());
    for (const std::string& name : names) {
      uint64_t number = 0;
      const FileKind kind = ParseFileName(name, &number);
      const bool unlisted = (kind == FileKind::kTable && !listed.contains(number)) ||
                            (kind == FileKind::kValues && !values.contains(number)) ||
                            kind == FileKind::kLog || (kind == FileKind::kManifest && number != manifest);
      if (!unlisted) continue;
      if (number >= inventory_.first_number) {
        SEERDB_RETURN_IF_ERROR(fs_.DeleteFile(directory_ + "/" + name));
      } else {
        SEERDB_RETURN_IF_ERROR(MoveAway(name));
      }
    }
    SEERDB_RETURN_IF_ERROR(fs_.SyncDirectory(LostDirectoryPath(directory_)));
    SEERDB_RETURN_IF_ERROR(fs_.SyncDirectory(directory_));
    SEERDB_RETURN_IF_ERROR(fs_.DeleteFile(RepairMarkerPath(directory_)));
    return fs_.SyncDirectory(directory_);
  }

  Result<uint64_t> CurrentManifest() {
    ManifestSource source;
    SEERDB_RETURN_IF_ERROR(ReadManifest(fs_, directory_, &source).status());
    uint64_t number = 0;
    ParseFileName(Slice(source.path).substr(directory_.size() + 1), &number);
    return number;
  }

  // What an earlier repair set aside under the same name stays.
  Status MoveAway(const std::string& name) {
    std::string target = LostDirectoryPath(directory_) + "/" + name;
    for (int copy = 1;; ++copy) {
      const Result<FileInfo> taken = fs_.GetFileInfo(target);
      if (taken.status().detail() == StatusDetail::kNotFound) break;
      SEERDB_RETURN_IF_ERROR(taken.status());
      target = LostDirectoryPath(directory_) + "/" + name + "." + std::to_string(copy);
    }
    SEERDB_RETURN_IF_ERROR(fs_.RenameFile(directory_ + "/" + name, target));
    report_.moved.push_back(name);
    return {};
  }

  // After an error in front of the step that counts: as it was before, as far as that can be had.
  void Abandon() {
    const Result<RepairInventory> left = TakeInventory(fs_, directory_);
    if (!left.ok() || left->finished) return;
    for (const std::string& name : left->leftovers) {
      const Status deleted = fs_.DeleteFile(directory_ + "/" + name);
      if (!deleted.ok()) return;  // the next repair removes it
    }
    if (!fs_.SyncDirectory(directory_).ok()) return;
    fs_.DeleteFile(RepairMarkerPath(directory_)).IgnoreError("the next repair goes on");
  }

  FileSystem& fs_;
  const std::string& directory_;
  const Options& options_;
  RepairInventory inventory_;
  uint64_t next_file_number_ = 1;
  uint64_t epoch_ = 0;
  RepairReport report_;
  std::set<uint32_t> found_keyspaces_;  // in the merged entries
};

}  // namespace

Result<RepairReport> DB::Repair(const Options& given, const std::string& path) {
  SEERDB_RETURN_IF_ERROR(CheckOptions(given));
  const std::shared_ptr<FileSystem> fs = given.file_system != nullptr ? given.file_system : PosixFileSystem();
  const Result<FileInfo> info = fs->GetFileInfo(path);
  if (info.status().detail() == StatusDetail::kNotFound || (info.ok() && !info->is_directory)) {
    return Status::InvalidArgument("repair " + path + ": there is no such directory");
  }
  SEERDB_RETURN_IF_ERROR(info.status());
  SEERDB_ASSIGN_OR_RETURN(const std::unique_ptr<FileLock> lock,
                          fs->LockFile(LockFilePath(path), "process " + std::to_string(::getpid())));
  return Repairer(*fs, path, given).Go();
}

}  // namespace seerdb
