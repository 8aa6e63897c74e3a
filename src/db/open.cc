// DB::Open: from a directory to an open database. Also DestroyDatabase.
#include <unistd.h>

#include "base/failpoint.h"
#include "base/random.h"
#include "base/status_macros.h"
#include "db/db_impl.h"
#include "db/keyspaces.h"
#include "db/options_check.h"
#include "db/recovery.h"
#include "env/awaited_log.h"
#include "format/file_name.h"

namespace seerdb {
namespace {

Options WithSeams(const Options& given) {
  Options options = given;
  if (options.file_system == nullptr) options.file_system = PosixFileSystem();
  if (options.clock == nullptr) options.clock = SystemClock();
  if (options.executor == nullptr) {
    // Foreground work needs no thread but for the timer of barrier syncs.
    const bool threads = options.background_flush || options.background_compaction ||
                         options.wal_sync_policy == SyncPolicy::kBarrier;
    options.executor = threads ? NewThreadPoolExecutor(CompactionSlots(options)) : NewCooperativeExecutor();
  }
  return options;
}

// The budget that the options name or ask for; null if memory has no limit.
Result<std::shared_ptr<SharedBudget>> BudgetOf(const Options& options) {
  std::shared_ptr<MemoryBudget> budget = options.memory_budget;
  if (budget == nullptr && options.max_memory_bytes != 0) {
    SEERDB_ASSIGN_OR_RETURN(budget, MemoryBudget::Create(options.max_memory_bytes));
  }
  if (budget == nullptr) return std::shared_ptr<SharedBudget>();
  auto shared = std::dynamic_pointer_cast<SharedBudget>(budget);
  if (shared == nullptr) {
    return Status::InvalidArgument("option memory_budget was not made by MemoryBudget::Create");
  }
  return shared;
}

std::string HolderText() { return "process " + std::to_string(::getpid()); }

// A reopened database may be given more levels; fewer only if the lost ones are empty.
Status FitLevels(uint32_t num_levels, ManifestState* state) {
  const int deepest = state->version->deepest_level();
  if (deepest >= static_cast<int>(num_levels)) {
    return Status::InvalidArgument("option num_levels is " + std::to_string(num_levels) +
                                   ", expected at least " + std::to_string(deepest + 1) +
                                   ": the database has tables in level " + std::to_string(deepest));
  }
  std::vector<Level> levels = state->version->levels();
  levels.resize(num_levels);
  state->version = std::make_shared<const Version>(std::move(levels), state->version->ranges());
  state->num_levels = num_levels;
  return {};
}

// Without CURRENT a directory may hold what an interrupted creation left, which is no table and no log. More
// than that is a database that has lost its CURRENT, and must not be taken for an empty place.
Status CheckNothingToLose(FileSystem& fs, const std::string& directory) {
  SEERDB_ASSIGN_OR_RETURN(const std::vector<std::string> names, fs.ListDirectory(directory));
  for (const std::string& name : names) {
    uint64_t number = 0;
    const FileKind kind = ParseFileName(name, &number);
    if (kind != FileKind::kTable && kind != FileKind::kLog) continue;
    return Status::Corruption(
        "open " + directory + ": CURRENT is missing, but " + name + " is there; see DB::Repair",
        StatusDetail::kManifestCorruption);
  }
  return {};
}

// A repair that was interrupted may be anywhere between two databases.
Status CheckNoRepairPending(FileSystem& fs, const std::string& directory) {
  const Result<FileInfo> marker = fs.GetFileInfo(RepairMarkerPath(directory));
  if (marker.status().detail() == StatusDetail::kNotFound) return {};
  SEERDB_RETURN_IF_ERROR(marker.status());
  return Status::Corruption("open " + directory + ": REPAIR is there: a repair was interrupted, run it again",
                            StatusDetail::kManifestCorruption);
}

// The state to continue from, and the edit that makes this life durable: recovered tables in, old logs out,
// the first new log in.
struct Beginning {
  std::unique_ptr<VersionSet> versions;
  VersionEdit edit;
  uint64_t next_record = 1;
  RecoveryReport report;
  bool keep_unlisted_tables = false;
  UnlistedTables unlisted;
};

Result<Beginning> CreateNew(const Options& options, const std::string& directory, Random* random,
                            std::shared_ptr<Statistics> statistics) {
  FileSystem& fs = *options.file_system;
  SEERDB_RETURN_IF_ERROR(CheckNothingToLose(fs, directory));
  ManifestState initial;
  initial.database_id = {random->Next(), random->Next()};
  initial.num_levels = options.num_levels;
  initial.version = std::make_shared<const Version>(options.num_levels);
  SEERDB_ASSIGN_OR_RETURN(const uint64_t highest, HighestFileNumber(fs, directory));
  initial.next_file_number = highest + 1;
  Beginning beginning;
  SEERDB_ASSIGN_OR_RETURN(beginning.versions,
                          VersionSet::Create(fs, directory, initial, std::move(statistics)));
  SEERDB_RETURN_IF_ERROR(FitDefaultKeyspace(options, initial, &beginning.edit));
  return beginning;
}

Result<Beginning> ContinueOld(const Options& options, const std::string& directory, uint64_t epoch,
                              std::shared_ptr<Statistics> statistics) {
  FileSystem& fs = *options.file_system;
  Statistics& counted = *statistics;
  SEERDB_ASSIGN_OR_RETURN(RecoveredState recovered, Recover(fs, directory, options, epoch));
  SEERDB_RETURN_IF_ERROR(FitLevels(options.num_levels, &recovered.manifest));
  Beginning beginning;
  beginning.next_record = recovered.next_record;
  beginning.report = std::move(recovered.report);
  beginning.unlisted = std::move(recovered.unlisted);
  beginning.keep_unlisted_tables = recovered.table_missing;
  recovered.manifest.next_file_number = recovered.next_file_number;
  SEERDB_ASSIGN_OR_RETURN(beginning.versions,
                          VersionSet::Continue(fs, directory, recovered.manifest, std::move(statistics)));
  SEERDB_RETURN_IF_ERROR(FitDefaultKeyspace(options, recovered.manifest, &beginning.edit));
  beginning.edit.last_sequence = recovered.last_sequence;
  for (TableMeta& table : recovered.recovered_tables) {
    counted.Add(Counter::flush_bytes_written, table.bytes);
    beginning.edit.added_tables.push_back({0, table.number, std::move(table)});
  }
  beginning.edit.added_ranges = std::move(recovered.recovered_ranges);
  return beginning;
}

void LogLosses(const Options& options, const RecoveryReport& report) {
  for (const RecoveryLoss& loss : report.losses) {
    options.logger(EventLine("lost_at_open")
                       .Add("file", loss.file)
                       .Add("offset", loss.offset)
                       .Add("first_record", loss.first_record)
                       .Add("records", loss.records)
                       .Add("reason", loss.reason)
                       .text());
  }
  if (report.intact_records_dropped == 0) return;
  options.logger(EventLine("dropped_at_open")
                     .Add("records", report.intact_records_dropped)
                     .Add("reason", "intact, behind the first loss, and recovery_mode is kPointInTime")
                     .text());
}

Result<std::unique_ptr<DbImpl>> OpenLocked(Options options, const std::string& directory,
                                           std::unique_ptr<FileLock> lock) {
  FileSystem& fs = *options.file_system;
  SEERDB_RETURN_IF_ERROR(CheckNoRepairPending(fs, directory));
  OpenedDatabase opened;
  SEERDB_ASSIGN_OR_RETURN(opened.budget, BudgetOf(options));
  opened.memory_plan =
      PlanMemory(options, opened.budget != nullptr ? opened.budget->limit_bytes() : uint64_t{0});
  options.memtable_capacity = opened.memory_plan.memtable_capacity;
  options.wal_segment_bytes = opened.memory_plan.wal_segment_bytes;
  Random random(options.seed != 0 ? options.seed : SystemSeed());
  const Result<FileInfo> current = fs.GetFileInfo(CurrentFilePath(directory));
  if (!current.ok() && current.status().detail() != StatusDetail::kNotFound) return current.status();
  const bool exists = current.ok();
  if (exists && options.error_if_exists) {
    return Status::InvalidArgument("open " + directory + ": a database exists, and error_if_exists is set");
  }
  if (!exists && !options.create_if_missing) {
    return Status::InvalidArgument("open " + directory + ": no database, and create_if_missing is not set");
  }
  opened.statistics = std::make_shared<Statistics>(options.metrics, options.clock);
  opened.epoch = random.Next();
  if (exists) {
    // A log's epoch must differ between two lives even when one seed is given for both.
    SEERDB_ASSIGN_OR_RETURN(const uint64_t highest, HighestFileNumber(fs, directory));
    opened.epoch ^= highest * 0x9e3779b97f4a7c15;
  }
  SEERDB_ASSIGN_OR_RETURN(Beginning beginning,
                          exists ? ContinueOld(options, directory, opened.epoch, opened.statistics)
                                 : CreateNew(options, directory, &random, opened.statistics));
  SEERDB_ASSIGN_OR_RETURN(opened.log_number, beginning.versions->NewFileNumber());
  const AwaitedLog awaited;
  SEERDB_ASSIGN_OR_RETURN(
      opened.log_file,
      PrepareLogFile(fs, {directory, LogFilePath(directory, opened.log_number),
                          LogSet::FirstMode(options.log_mode), NextLogBlock(options.wal_segment_bytes), ""}));
  opened.statistics->Add(Counter::wal_bytes_prepared, opened.log_file.written_bytes);
  VersionEdit& edit = beginning.edit;
  edit.epoch = opened.epoch;
  edit.added_logs.push_back({opened.log_number, opened.epoch});
  edit.log_number = opened.log_number;
  edit.log_first_record = beginning.next_record;
  const size_t recovered = edit.added_tables.size();
  SEERDB_FAILPOINT("open::before_install");
  beginning.unlisted.Keep();  // a crash may bring them into force from here on
  SEERDB_RETURN_IF_ERROR(beginning.versions->Apply(std::move(edit)));
  // CURRENT may name a manifest that is not ours to append to: the sweep must not take it for an orphan.
  SEERDB_RETURN_IF_ERROR(beginning.versions->failure());
  SEERDB_FAILPOINT("open::before_sweep");
  SweepOrphans(fs, directory, beginning.versions->state(), beginning.versions->manifest_number(),
               beginning.keep_unlisted_tables);
  if (options.logger != nullptr) {
    LogLosses(options, beginning.report);
    options.logger(EventLine("open")
                       .Add("directory", directory)
                       .Add("tables", beginning.versions->current()->table_count())
                       .Add("tables_from_log", recovered)
                       .Add("records_replayed", beginning.report.records_replayed)
                       .text());
  }
  opened.options = std::move(options);
  opened.directory = directory;
  opened.lock = std::move(lock);
  opened.versions = std::move(beginning.versions);
  opened.next_record = beginning.next_record;
  opened.recovery = std::move(beginning.report);
  auto db = std::make_unique<DbImpl>(std::move(opened));
  SEERDB_RETURN_IF_ERROR(db->Start());
  return db;
}

}  // namespace

Result<std::unique_ptr<DB>> DB::Open(const Options& given, const std::string& path) {
  SEERDB_RETURN_IF_ERROR(CheckOptions(given));
  if (path.empty()) return Status::InvalidArgument("open: the path is empty");
  Options options = WithSeams(given);
  FileSystem& fs = *options.file_system;
  const Result<FileInfo> info = fs.GetFileInfo(path);
  if (info.ok() && !info->is_directory) {
    return Status::InvalidArgument("open " + path + ": it is a file, expected a directory");
  }
  if (!info.ok()) {
    if (info.status().detail() != StatusDetail::kNotFound) return info.status();
    if (!options.create_if_missing) {
      return Status::InvalidArgument("open " + path +
                                     ": no such directory, and create_if_missing is not set");
    }
  }
  // Also of a directory that is there, without a database yet, nobody may have made the name durable.
  if (!info.ok() || !fs.GetFileInfo(CurrentFilePath(path)).ok()) {
    SEERDB_RETURN_IF_ERROR(fs.CreateDirectory(path));
  }
  SEERDB_ASSIGN_OR_RETURN(std::unique_ptr<FileLock> lock, fs.LockFile(LockFilePath(path), HolderText()));
  SEERDB_ASSIGN_OR_RETURN(std::unique_ptr<DbImpl> db, OpenLocked(std::move(options), path, std::move(lock)));
  return std::unique_ptr<DB>(std::move(db));
}

Result<std::unique_ptr<DB>> DB::Open(const std::string& path) { return Open(Options(), path); }

Status DestroyDatabase(const Options& given, const std::string& path) {
  const std::shared_ptr<FileSystem> fs = given.file_system != nullptr ? given.file_system : PosixFileSystem();
  const Result<FileInfo> info = fs->GetFileInfo(path);
  if (!info.ok()) return info.status().detail() == StatusDetail::kNotFound ? Status() : info.status();
  SEERDB_ASSIGN_OR_RETURN(std::unique_ptr<FileLock> lock, fs->LockFile(LockFilePath(path), HolderText()));
  SEERDB_ASSIGN_OR_RETURN(const std::vector<std::string> names, fs->ListDirectory(path));
  // CURRENT first: what is left after a crash is orphans, not a database with missing files.
  const Status current = fs->DeleteFile(CurrentFilePath(path));
  if (!current.ok() && current.detail() != StatusDetail::kNotFound) return current;
  SEERDB_RETURN_IF_ERROR(fs->SyncDirectory(path));
  for (const std::string& name : names) {
    uint64_t number = 0;
    const FileKind kind = ParseFileName(name, &number);
    if (kind == FileKind::kUnknown || kind == FileKind::kLock || kind == FileKind::kCurrent) continue;
    SEERDB_RETURN_IF_ERROR(fs->DeleteFile(path + "/" + name));
  }
  // Or a power cut brought back tables, and Repair what was destroyed.
  SEERDB_RETURN_IF_ERROR(fs->SyncDirectory(path));
  SEERDB_RETURN_IF_ERROR(fs->DeleteFile(LockFilePath(path)));
  lock.reset();
  fs->DeleteDirectory(path).IgnoreError("other files may be in it");
  return {};
}

}  // namespace seerdb
