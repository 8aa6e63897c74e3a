#include "db/value_log.h"

#include <algorithm>
#include <utility>

#include "base/failpoint.h"
#include "base/mutant.h"
#include "base/status_macros.h"
#include "env/sync_names.h"
#include "format/file_name.h"

namespace seerdb {

// A segment that is appended to, or waits for its last sync.
struct ValueLog::Active {
  std::unique_ptr<ValueWriter> writer;
  ValueFilePtr file;
};

// Of a segment that is being created; given up unless there is one, also where memory is short.
class ValueLog::Place {
 public:
  explicit Place(ValueLog* log) : log_(log) {}
  ~Place() {
    if (log_ != nullptr) log_->GiveUpPlace();
  }
  Place(const Place&) = delete;
  Place& operator=(const Place&) = delete;
  void Keep() { log_ = nullptr; }

 private:
  ValueLog* log_;
};

ValueLog::ValueLog(std::shared_ptr<FileSystem> fs, ValueLogOptions options, VersionSet* versions,
                   ValueFiles* files, std::shared_ptr<Statistics> statistics)
    : fs_(std::move(fs)),
      options_(std::move(options)),
      versions_(versions),
      files_(files),
      statistics_(std::move(statistics)) {
  free_.reserve(options_.max_active);  // giving back cannot fail
}
ValueLog::~ValueLog() = default;

ValueLog::Writing::~Writing() {
  if (active_ != nullptr) {
    if (SEERDB_MUTANT("value-logged-after-its-pointer")) {
      active_->writer->Flush().IgnoreError("sabotage");
    }
    log_->GiveBack(active_);
  }
  if (keep_ && !SEERDB_MUTANT("failed-write-lets-go-of-values")) return;
  for (const ValueFilePtr& file : files_) file->RemoveWriter();
}

Status ValueLog::Writing::Add(Slice prefix, Slice key, Slice value, ValuePointer* pointer) {
  if (active_ != nullptr &&
      active_->writer->bytes() + active_->writer->buffered_bytes() >= log_->SegmentBytes()) {
    SEERDB_RETURN_IF_ERROR(Flush());
  }
  if (active_ == nullptr) {
    SEERDB_ASSIGN_OR_RETURN(active_, log_->Borrow());
    // It may be a segment that this write has appended to before. Listed first: each counted writer is let
    // go.
    files_.push_back(active_->file);
    active_->file->AddWriter();
  }
  bytes_ += ValueRecordBytes(prefix.size() + key.size(), value.size());
  return active_->writer->Add(prefix, key, value, pointer);
}

Status ValueLog::Writing::Flush() {
  if (active_ == nullptr) return {};
  if (SEERDB_MUTANT("value-logged-after-its-pointer")) return {};
  SEERDB_RETURN_IF_ERROR(active_->writer->Flush());
  // While this write waits for its group, others may append.
  log_->GiveBack(std::exchange(active_, nullptr));
  return {};
}

Result<std::shared_ptr<ValueLog::Active>> ValueLog::Create() {
  SEERDB_ASSIGN_OR_RETURN(const uint64_t number, versions_->NewFileNumber());
  auto active = std::make_shared<Active>();
  const std::string path = ValueFilePath(options_.directory, number);
  SEERDB_ASSIGN_OR_RETURN(active->writer,
                          ValueWriter::Create(*fs_, path, {options_.database, number, options_.epoch}));
  if (!SEERDB_MUTANT("value-segment-name-not-synced")) {
    const Status synced = SyncNames(*fs_, options_.directory);
    if (!synced.ok()) {
      active->writer.reset();
      fs_->DeleteFile(path).IgnoreError("an orphan is swept at the next open");
      return synced;
    }
  }
  SEERDB_FAILPOINT("vlog::after_create");
  active->file = files_->Create(number);
  return active;
}

Result<std::shared_ptr<ValueLog::Active>> ValueLog::Borrow() {
  {
    MutexLock lock(&mu_);
    while (free_.empty() && borrowed_ >= options_.max_active) returned_.Wait(&mu_);
    if (!free_.empty()) {
      std::shared_ptr<Active> active = std::move(free_.back());
      free_.pop_back();
      ++borrowed_;
      return active;
    }
    // Before there is a segment: one that is in no list is never lent, synced or removed.
    if (!SEERDB_MUTANT("value-segment-listed-if-memory-allows")) {
      unsynced_.reserve(unsynced_.size() + creating_ + 1);
    }
    ++borrowed_;
    ++creating_;
  }
  Place place(this);
  Result<std::shared_ptr<Active>> created = Create();
  if (created.ok()) {
    MutexLock lock(&mu_);
    unsynced_.push_back(*created);
    --creating_;
    place.Keep();
  }
  return created;
}

void ValueLog::GiveUpPlace() {
  MutexLock lock(&mu_);
  --borrowed_;
  --creating_;
  returned_.Signal();
}

void ValueLog::GiveBack(const std::shared_ptr<Active>& active) {
  const uint64_t before = active->file->bytes();
  active->file->SetBytes(active->writer->bytes());
  statistics_->Add(Counter::value_bytes_written, active->file->bytes() - before);
  const bool full = active->writer->failed() || active->writer->buffered_bytes() > 0 ||
                    active->writer->bytes() >= SegmentBytes();
  if (full) active->file->NoteSealed();
  MutexLock lock(&mu_);
  --borrowed_;
  if (!full) free_.push_back(active);
  returned_.Signal();
}

Status ValueLog::Sync() {
  MutexLock sync_lock(&sync_mu_);
  std::vector<std::shared_ptr<Active>> unsynced;
  {
    MutexLock lock(&mu_);
    unsynced = unsynced_;
  }
  for (const std::shared_ptr<Active>& active : unsynced) {
    // Asked before the sync: what is sealed is not appended to after it.
    const bool sealed = active->file->sealed();
    SEERDB_RETURN_IF_ERROR(active->writer->Sync());
    if (!sealed) continue;
    MutexLock lock(&mu_);
    std::erase(unsynced_, active);
  }
  return {};
}

}  // namespace seerdb
