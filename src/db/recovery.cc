#include "db/recovery.h"

#include <algorithm>
#include <set>

#include "base/mutant.h"
#include "base/status_macros.h"
#include "compaction/flush_job.h"
#include "format/batch_codec.h"
#include "format/file_name.h"
#include "memtable/memtable.h"
#include "sstable/table_reader.h"

namespace seerdb {
namespace {

// Collects replayed batches and spills full memtables to tables.
class Replayer {
 public:
  Replayer(FileSystem& fs, const std::string& directory, const Options& options, uint64_t epoch,
           RecoveredState* state)
      : fs_(fs), directory_(directory), options_(options), epoch_(epoch), state_(state) {}

  Status Apply(SequenceNumber base, Slice operations) {
    uint32_t count = 0;
    SEERDB_RETURN_IF_ERROR(CheckBatchOperations(operations, &count));
    if (base <= state_->last_sequence || base > kMaxSequence - count) {
      return Status::Corruption("log replay: batch has sequence " + std::to_string(base) +
                                    ", expected above " + std::to_string(state_->last_sequence),
                                StatusDetail::kWalCorruption);
    }
    if (memtable_ == nullptr) memtable_ = std::make_unique<MemTable>();
    BatchReader reader(operations);
    BatchOperation operation;
    while (reader.Next(&operation)) {
      if (operation.type != ValueType::kDeletion && operation.type != ValueType::kValue) {
        return Status::NotSupported("log replay: an operation is of kind " +
                                    std::to_string(static_cast<int>(operation.type)) +
                                    ", which a later version writes");
      }
      memtable_->Add(base++, operation.type, operation.key, operation.value);
    }
    state_->last_sequence = base - 1;
    if (memtable_->bytes() >= options_.memtable_capacity) return Spill();
    return {};
  }

  Status Spill() {
    if (memtable_ == nullptr || memtable_->empty()) return {};
    TableOutputOptions output;
    output.directory = directory_;
    output.table.compression = options_.compression;
    output.table.block_bytes = options_.block_bytes;
    output.table.bloom_bits_per_key = options_.bloom_bits_per_key;
    output.epoch = epoch_;
    output.new_file_number = [this]() -> Result<uint64_t> { return state_->next_file_number++; };
    SEERDB_ASSIGN_OR_RETURN(std::vector<TableMeta> tables,
                            WriteMemTable(fs_, *memtable_, {state_->last_sequence}, std::move(output)));
    for (TableMeta& table : tables) state_->recovered_tables.push_back(std::move(table));
    memtable_.reset();
    return {};
  }

 private:
  FileSystem& fs_;
  const std::string& directory_;
  const Options& options_;
  const uint64_t epoch_;
  RecoveredState* const state_;
  std::unique_ptr<MemTable> memtable_;
};

Status CheckTablesExist(FileSystem& fs, const std::string& directory, const Version& version) {
  for (const Level& level : version.levels()) {
    for (const Run& run : level.runs) {
      for (const TableMetaPtr& table : run.tables) {
        const std::string path = TableFilePath(directory, table->number);
        const Result<FileInfo> info = fs.GetFileInfo(path);
        if (info.ok()) continue;
        if (info.status().detail() != StatusDetail::kNotFound) return info.status();
        return Status::Corruption("open " + path + ": the manifest lists this table, and it is missing",
                                  StatusDetail::kTableCorruption);
      }
    }
  }
  return {};
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
    if (listed) continue;
    SEERDB_ASSIGN_OR_RETURN(const auto file, fs.NewRandomAccessFile(directory + "/" + name));
    char scratch[kLogHeaderBytes];
    SEERDB_ASSIGN_OR_RETURN(const Slice bytes, file->Read(0, sizeof scratch, scratch));
    LogHeader header;
    if (bytes.size() < kLogHeaderBytes || !DecodeLogHeader(bytes, &header)) continue;
    if (header.identity.database != manifest.database_id || header.identity.log_number != number) continue;
    return Status::Corruption(
        "open " + directory + ": " + name + " was written to, and MANIFEST does not list it",
        StatusDetail::kManifestCorruption);
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
  SEERDB_ASSIGN_OR_RETURN(state.manifest, ReadManifest(fs, directory, nullptr));
  SEERDB_ASSIGN_OR_RETURN(const uint64_t highest, HighestFileNumber(fs, directory));
  state.next_file_number = std::max(state.manifest.next_file_number, highest + 1);
  state.last_sequence = state.manifest.last_sequence;
  if (SEERDB_MUTANT("sequence-restarts-at-one")) state.last_sequence = 0;
  SEERDB_RETURN_IF_ERROR(CheckTablesExist(fs, directory, *state.manifest.version));
  SEERDB_RETURN_IF_ERROR(CheckNoLogIsLost(fs, directory, state.manifest));
  if (SEERDB_MUTANT("unlisted-table-fails-open")) {
    SEERDB_ASSIGN_OR_RETURN(const std::vector<std::string> names, fs.ListDirectory(directory));
    for (const std::string& name : names) {
      if (!name.ends_with(".sst")) continue;
      SEERDB_ASSIGN_OR_RETURN(auto table, TableReader::Open(fs, directory + "/" + name, {}));
    }
  }

  std::vector<ReplayLog> logs;
  for (const VersionEdit::AddedLog& log : state.manifest.logs) {
    logs.push_back({LogFilePath(directory, log.number), {state.manifest.database_id, log.number, log.epoch}});
  }
  Replayer replayer(fs, directory, options, epoch, &state);
  SEERDB_ASSIGN_OR_RETURN(state.replay, ReplayLogs(fs, logs, state.manifest.log_first_record,
                                                   [&replayer](SequenceNumber base, Slice operations) {
                                                     return replayer.Apply(base, operations);
                                                   }));
  state.next_record = state.replay.next_record;
  if (SEERDB_MUTANT("replay-truncates-log-early")) {
    for (const ReplayLog& log : logs) {
      SEERDB_ASSIGN_OR_RETURN(auto file, fs.NewWritableFile(log.path, CreateMode::kTruncate));
      SEERDB_RETURN_IF_ERROR(file->Sync());
    }
  }
  SEERDB_RETURN_IF_ERROR(replayer.Spill());
  return state;
}

void SweepOrphans(FileSystem& fs, const std::string& directory, const ManifestState& state,
                  uint64_t manifest_number) {
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
  for (const std::string& name : *names) {
    uint64_t number = 0;
    bool keep = true;
    switch (ParseFileName(name, &number)) {
      case FileKind::kTable:
        keep = tables.contains(number);
        break;
      case FileKind::kLog:
        keep = logs.contains(number);
        break;
      case FileKind::kManifest:
        keep = number == manifest_number;
        break;
      case FileKind::kTemporary:
        keep = false;
        break;
      case FileKind::kCurrent:
      case FileKind::kLock:
      case FileKind::kUnknown:
        break;
    }
    if (!keep) fs.DeleteFile(directory + "/" + name).IgnoreError("swept again at the next open");
  }
}

}  // namespace seerdb
