#include "manifest/version_set.h"

#include <algorithm>
#include <utility>

#include "base/mutant.h"
#include "base/status_macros.h"
#include "env/sync_names.h"
#include "format/file_name.h"
#include "manifest/manifest_file.h"
#include "manifest/state_builder.h"

namespace seerdb {
namespace {

constexpr uint64_t kReservedNumbers = 64;
constexpr uint64_t kMinRollBytes = uint64_t{1} << 20;
constexpr uint64_t kRollFactor = 8;
constexpr int kMaxNumbersTried = 1000;

// One edit that makes `state` out of nothing.
VersionEdit SnapshotOf(const ManifestState& state) {
  VersionEdit edit;
  edit.database_id = state.database_id;
  edit.num_levels = state.num_levels;
  edit.next_file_number = state.next_file_number;
  edit.last_sequence = state.last_sequence;
  edit.log_number = state.log_number;
  edit.log_first_record = state.log_first_record;
  edit.epoch = state.epoch;
  edit.added_logs = state.logs;
  if (state.next_keyspace_id > 1) edit.next_keyspace_id = state.next_keyspace_id;
  for (const KeyspaceRecordPtr& keyspace : state.keyspaces) edit.keyspaces.push_back(*keyspace);
  for (uint32_t i = 0; i < state.version->num_levels(); ++i) {
    for (const Run& run : state.version->level(i).runs) {
      for (const TableMetaPtr& table : run.tables) edit.added_tables.push_back({i, run.id, *table});
    }
  }
  if (state.version->ranges() != nullptr) {
    for (const RangeTombstonePtr& tombstone : *state.version->ranges())
      edit.added_ranges.push_back(*tombstone);
  }
  return edit;
}

}  // namespace

bool IsSnapshot(const VersionEdit& edit) {
  return edit.database_id.has_value() && edit.num_levels.has_value() && edit.next_file_number.has_value() &&
         edit.last_sequence.has_value() && edit.log_number.has_value() && edit.log_first_record.has_value() &&
         edit.epoch.has_value();
}

Result<ManifestState> ReadManifest(FileSystem& fs, const std::string& directory, ManifestSource* source) {
  SEERDB_ASSIGN_OR_RETURN(const uint64_t number, ReadCurrent(fs, directory));
  const std::string path = ManifestFilePath(directory, number);
  StateBuilder builder{ManifestState{}};
  bool first = true;
  const auto read = ReadManifestRecords(fs, path, number, [&](uint64_t offset, Slice payload) -> Status {
    const std::string context = "read manifest " + path + " @" + std::to_string(offset);
    const Result<VersionEdit> edit = VersionEdit::Decode(payload);
    if (!edit.ok()) return edit.status().WithContext(context);
    if (first && !IsSnapshot(*edit)) {
      return Status::Corruption(context + ": found an edit, expected a snapshot of the whole state",
                                StatusDetail::kManifestCorruption);
    }
    first = false;
    return builder.Apply(*edit).WithContext(context);
  });
  if (read.status().detail() == StatusDetail::kNotFound) {
    return Status::Corruption("read " + CurrentFilePath(directory) + " @0: found the name " +
                                  ManifestFileName(number) + ", expected that of a manifest that exists",
                              StatusDetail::kManifestCorruption);
  }
  if (!read.ok()) return read.status();
  if (source != nullptr) *source = {path, *read};
  builder.ForgetRanges();
  ManifestState state = builder.Build();
  state.next_file_number = std::max(state.next_file_number, number + 1);
  return state;
}

Status VisitManifest(FileSystem& fs, const std::string& path,
                     const std::function<void(uint64_t offset, const VersionEdit& edit)>& visit) {
  return ReadManifestRecords(
             fs, path, /*number=*/0,
             [&](uint64_t offset, Slice payload) -> Status {
               const Result<VersionEdit> edit = VersionEdit::Decode(payload);
               if (!edit.ok()) {
                 return edit.status().WithContext("read manifest " + path + " @" + std::to_string(offset));
               }
               visit(offset, *edit);
               return {};
             })
      .status();
}

// The manifest file being appended to.
class VersionSet::Writer {
 public:
  explicit Writer(std::unique_ptr<ManifestWriter> file) : file_(std::move(file)) {}

  Status Append(const VersionEdit& edit, Statistics* statistics) {
    const uint64_t bytes_before = file_->bytes();
    SEERDB_RETURN_IF_ERROR(file_->Append(edit.Encode()));
    if (statistics != nullptr) {
      statistics->Add(Counter::manifest_bytes_written, file_->bytes() - bytes_before);
    }
    if (roll_bytes_ == 0) roll_bytes_ = std::max(kMinRollBytes, kRollFactor * file_->bytes());
    return {};
  }
  bool IsLong() const { return file_->bytes() > roll_bytes_; }
  // After a failed attempt to start another file: lets this one grow before the next.
  void Postpone() { roll_bytes_ = 2 * file_->bytes(); }

  uint64_t bytes() const { return file_->bytes(); }
  const std::string& path() const { return file_->path(); }

 private:
  const std::unique_ptr<ManifestWriter> file_;
  uint64_t roll_bytes_ = 0;
};

VersionSet::VersionSet(FileSystem& fs, std::string directory, std::shared_ptr<Statistics> statistics)
    : fs_(fs), directory_(std::move(directory)), statistics_(std::move(statistics)) {}

VersionSet::~VersionSet() = default;

Result<std::unique_ptr<VersionSet>> VersionSet::Create(FileSystem& fs, const std::string& directory,
                                                       const ManifestState& initial,
                                                       std::shared_ptr<Statistics> statistics) {
  const Result<FileInfo> current = fs.GetFileInfo(CurrentFilePath(directory));
  if (current.ok()) {
    return Status::IoError("create " + CurrentFilePath(directory) + ": found a database, expected none",
                           StatusDetail::kAlreadyExists);
  }
  if (current.status().detail() != StatusDetail::kNotFound) return current.status();
  return Continue(fs, directory, initial, std::move(statistics));
}

Result<std::unique_ptr<VersionSet>> VersionSet::Continue(FileSystem& fs, const std::string& directory,
                                                         const ManifestState& state,
                                                         std::shared_ptr<Statistics> statistics) {
  ManifestState resized = state;
  VersionEdit resize;
  if (state.num_levels > 0) resize.num_levels = state.num_levels;
  const Status status = ApplyEdit(resize, &resized);
  if (!status.ok())
    return Status::InvalidArgument("open " + directory + ": " + std::string(status.message()));

  std::unique_ptr<VersionSet> set(new VersionSet(fs, directory, std::move(statistics)));
  MutexLock lock(&set->mu_);
  set->state_ = std::move(resized);
  set->next_file_number_.store(state.next_file_number, std::memory_order_relaxed);
  SEERDB_RETURN_IF_ERROR(set->StartManifestLocked());
  return set;
}

Status VersionSet::Apply(VersionEdit edit, const std::vector<uint64_t>& new_segments) {
  MutexLock lock(&mu_);
  SEERDB_RETURN_IF_ERROR(AppendLocked(edit, new_segments));
  if (writer_->IsLong() && !StartManifestLocked().ok()) writer_->Postpone();
  return {};
}

Result<uint64_t> VersionSet::NewFileNumber() {
  uint64_t number = 0;
  if (TakeReserved(&number)) return number;
  MutexLock lock(&mu_);
  while (!TakeReserved(&number)) SEERDB_RETURN_IF_ERROR(AppendLocked(VersionEdit(), {}));
  return number;
}

Status VersionSet::failure() const {
  MutexLock lock(&mu_);
  return failure_;
}

VersionPtr VersionSet::current() const {
  MutexLock lock(&mu_);
  return state_.version;
}

ManifestState VersionSet::state() const {
  MutexLock lock(&mu_);
  return state_;
}

uint64_t VersionSet::manifest_bytes() const {
  MutexLock lock(&mu_);
  return writer_->bytes();
}

bool VersionSet::TakeReserved(uint64_t* number) {
  uint64_t next = next_file_number_.load(std::memory_order_relaxed);
  while (next < reserved_file_number_.load(std::memory_order_acquire)) {
    if (next_file_number_.compare_exchange_weak(next, next + 1, std::memory_order_relaxed)) {
      *number = next;
      return true;
    }
  }
  return false;
}

uint64_t VersionSet::ReservationLimit() const {
  const uint64_t next = next_file_number_.load(std::memory_order_relaxed);
  const uint64_t reserved = reserved_file_number_.load(std::memory_order_relaxed);
  const bool enough = next + kReservedNumbers / 2 <= reserved;
  return enough ? reserved : next + kReservedNumbers;
}

Status VersionSet::Resume() {
  MutexLock lock(&mu_);
  if (failure_.ok()) return {};
  if (!failure_.MayPass()) return failure_;
  if (Status status = StartManifestLocked(); !status.ok()) {
    // Whatever will not pass is a failure of its own.
    if (!status.MayPass()) failure_ = status;
    return status;
  }
  failure_ = Status();
  for (const std::string& path : doubtful_files_) {
    fs_.DeleteFile(path).IgnoreError("an orphan is swept at the next open");
  }
  doubtful_files_.clear();
  return {};
}

void VersionSet::NoteDoubtfulLocked(const VersionEdit& edit, const std::vector<uint64_t>& new_segments) {
  for (const VersionEdit::AddedTable& added : edit.added_tables) {
    const bool moved = std::any_of(edit.deleted_tables.begin(), edit.deleted_tables.end(),
                                   [&](const auto& deleted) { return deleted.number == added.meta.number; });
    if (!moved) doubtful_files_.push_back(TableFilePath(directory_, added.meta.number));
  }
  for (const VersionEdit::AddedLog& added : edit.added_logs) {
    doubtful_files_.push_back(LogFilePath(directory_, added.number));
  }
  for (const uint64_t segment : new_segments) {
    doubtful_files_.push_back(ValueFilePath(directory_, segment));
  }
}

Status VersionSet::AppendLocked(const VersionEdit& edit, const std::vector<uint64_t>& new_segments) {
  if (!failure_.ok()) {
    NoteDoubtfulLocked(edit, new_segments);
    return failure_;
  }
  VersionEdit reserving = edit;
  reserving.next_file_number = ReservationLimit();
  // Checked before it is written: what a reader would refuse must not reach the file.
  ManifestState next = state_;
  SEERDB_RETURN_IF_ERROR(ApplyEdit(reserving, &next));
  failure_ = writer_->Append(reserving, statistics_.get());
  if (!failure_.ok()) {
    NoteDoubtfulLocked(edit, new_segments);
    return failure_;
  }
  state_ = std::move(next);
  const uint64_t excess = SEERDB_MUTANT("file-numbers-not-reserved") ? kReservedNumbers : 0;
  reserved_file_number_.store(state_.next_file_number + excess, std::memory_order_release);
  return {};
}

Result<uint64_t> VersionSet::TakeManifestNumberLocked() {
  uint64_t number = 0;
  while (!TakeReserved(&number)) {
    if (writer_ != nullptr && failure_.ok()) {
      SEERDB_RETURN_IF_ERROR(AppendLocked(VersionEdit(), {}));
      continue;
    }
    // The old manifest cannot reserve it, and the snapshot about to be written will. Until that is durable
    // nobody else is given a number.
    state_.next_file_number = ReservationLimit();
    if (state_.next_file_number > kMaxFileNumber) {
      return Status::Corruption("open " + directory_ + ": found file number " +
                                    std::to_string(next_file_number_.load()) + ", expected less than 2^62",
                                StatusDetail::kManifestCorruption);
    }
    return next_file_number_.fetch_add(1, std::memory_order_relaxed);
  }
  return number;
}

Result<std::unique_ptr<ManifestWriter>> VersionSet::CreateManifestLocked(uint64_t* number) {
  for (int tries = 0; tries < kMaxNumbersTried; ++tries) {
    SEERDB_ASSIGN_OR_RETURN(*number, TakeManifestNumberLocked());
    auto file = ManifestWriter::Create(fs_, ManifestFilePath(directory_, *number), *number);
    // A crash may have left a manifest that CURRENT never named.
    if (file.ok() || file.status().detail() != StatusDetail::kAlreadyExists) return file;
  }
  return Status::IoError("create a manifest in " + directory_ + ": found " +
                             std::to_string(kMaxNumbersTried) + " numbers taken, expected a free one",
                         StatusDetail::kAlreadyExists);
}

Status VersionSet::StartManifestLocked() {
  uint64_t number = 0;
  SEERDB_ASSIGN_OR_RETURN(std::unique_ptr<ManifestWriter> file, CreateManifestLocked(&number));
  auto writer = std::make_unique<Writer>(std::move(file));
  bool renamed = false;
  bool names_in_doubt = false;
  Status status = writer->Append(SnapshotOf(state_), statistics_.get());
  if (status.ok()) {
    status = SyncNames(fs_, directory_);
    names_in_doubt = status.detail() == StatusDetail::kSyncFailed;
  }
  if (status.ok()) status = WriteCurrent(fs_, directory_, number, &renamed);
  if (!status.ok()) {
    if (renamed || names_in_doubt) {
      // Nobody knows which manifest a crash would bring back, so neither may be appended to; and a directory
      // that could not be synced may have lost the name of somebody else's file.
      failure_ = status;
      doubtful_files_.push_back(writer->path());
    } else {
      fs_.DeleteFile(writer->path()).IgnoreError("an unnamed manifest; the sweep at open removes it");
    }
    return status;
  }
  if (writer_ != nullptr) {
    fs_.DeleteFile(writer_->path()).IgnoreError("an unnamed manifest; the sweep at open removes it");
  }
  writer_ = std::move(writer);
  manifest_number_.store(number, std::memory_order_relaxed);
  reserved_file_number_.store(state_.next_file_number, std::memory_order_release);
  return {};
}

}  // namespace seerdb
