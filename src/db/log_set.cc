#include "db/log_set.h"

#include <algorithm>

#include "base/failpoint.h"
#include "base/mutant.h"
#include "base/status_macros.h"
#include "env/awaited_log.h"
#include "format/file_name.h"

namespace seerdb {
namespace {

// Synced groups fill a direct log by whole blocks, and a new one must be written once before it is used.
constexpr size_t kMaxRecyclableDirect = 8;
constexpr size_t kMaxRecyclable = 2;

// The segment's buffer, as groups that are not large leave it.
constexpr uint64_t kBufferBytes = 32 << 10;

// Pages that are dirty, or may become so, and cannot be given back meanwhile.
uint64_t DirtyBytes(const PreparedLogFile& file) { return file.mode == LogMode::kMapped ? file.bytes : 0; }

uint64_t FrameBytes(const std::vector<LogSegment::Record>& records) {
  uint64_t sum = 0;
  for (const LogSegment::Record& record : records) {
    sum += kLogFrameHeadBytes + sizeof(SequenceNumber) + record.operations.size();
  }
  return sum;
}

LogSetOptions WithWholeBlocks(LogSetOptions options) {
  options.segment_bytes = NextLogBlock(options.segment_bytes);
  return options;
}

}  // namespace

LogSet::LogSet(std::shared_ptr<FileSystem> fs, LogSetOptions options, VersionSet* versions,
               std::shared_ptr<Statistics> statistics)
    : fs_(std::move(fs)),
      options_(WithWholeBlocks(std::move(options))),
      versions_(versions),
      statistics_(std::move(statistics)),
      chooser_(options_.mode),
      active_charge_(options_.account, MemoryClass::kLog),
      wanted_mode_(chooser_.wanted()),
      spare_charge_(options_.account, MemoryClass::kLog) {}

void LogSet::Start(PreparedLogFile prepared, uint64_t log_number, uint64_t next_record) {
  // A mode that is asked for and refused now is not tried again for each segment.
  if (prepared.mode != FirstMode(options_.mode)) chooser_.NoteRefused(options_.mode);
  wanted_mode_.store(chooser_.wanted(), std::memory_order_relaxed);
  durable_record_.store(next_record - 1, std::memory_order_relaxed);
  Activate({log_number, std::move(prepared)}, next_record);
}

void LogSet::Activate(Spare spare, uint64_t next_record) {
  const LogIdentity identity{options_.database, spare.log_number, options_.epoch};
  active_charge_.Set(kBufferBytes + DirtyBytes(spare.file));
  auto segment = std::make_shared<LogSegment>(std::move(spare.file), identity, next_record);
  MutexLock lock(&mu_);
  live_.push_back({segment, false});
  active_ = std::move(segment);
  spare_requested_ = false;
  abandoned_ = false;
}

std::string LogSet::TakeRecyclable(LogMode mode) {
  MutexLock lock(&mu_);
  for (auto it = recyclable_.begin(); it != recyclable_.end(); ++it) {
    if (it->mode != mode) continue;
    std::string path = std::move(it->path);
    recyclable_.erase(it);
    return path;
  }
  return {};
}

Result<LogSet::Spare> LogSet::MakeSpareLocked(uint64_t bytes, LogMode mode) {
  SEERDB_ASSIGN_OR_RETURN(const uint64_t number, versions_->NewFileNumber());
  LogFileSpec spec{options_.directory, LogFilePath(options_.directory, number), mode, bytes, {}};
  if (!synced_.load(std::memory_order_relaxed)) spec.large_pages = options_.large_pages.get();
  if (bytes == options_.segment_bytes && mode != LogMode::kMapped) spec.recycle_path = TakeRecyclable(mode);
  SEERDB_ASSIGN_OR_RETURN(PreparedLogFile file, PrepareLogFile(*fs_, spec));
  statistics_->Add(Counter::wal_bytes_prepared, file.written_bytes);
  if (file.mode != mode) refused_mode_.store(mode, std::memory_order_relaxed);
  SEERDB_FAILPOINT("wal::after_prepare");
  VersionEdit edit;
  edit.added_logs.push_back({number, options_.epoch});
  SEERDB_RETURN_IF_ERROR(versions_->Apply(std::move(edit)));
  // The directory may have lost the name of this very file.
  const Status failure = versions_->failure();
  if (failure.detail() == StatusDetail::kSyncFailed) return failure;
  return Spare{number, std::move(file)};
}

Status LogSet::PrepareSpare() {
  MutexLock lock(&prepare_mu_);
  if (spare_.has_value()) return {};
  SEERDB_ASSIGN_OR_RETURN(
      spare_, MakeSpareLocked(options_.segment_bytes, wanted_mode_.load(std::memory_order_relaxed)));
  spare_bytes_.store(spare_->file.bytes, std::memory_order_relaxed);
  spare_mode_.store(spare_->file.mode, std::memory_order_release);
  spare_charge_.Set(DirtyBytes(spare_->file));
  return {};
}

Status LogSet::NextSegment(uint64_t frame_bytes) {
  // Numbers must ascend in the order of use, so a spare being prepared is waited for, not overtaken.
  const AwaitedLog awaited;
  MutexLock lock(&prepare_mu_);
  const uint64_t next_record = active_->next_record();
  if (!spare_.has_value()) {
    const uint64_t wanted_bytes = NextLogBlock(frame_bytes + kLogHeaderBytes);
    SEERDB_ASSIGN_OR_RETURN(spare_,
                            MakeSpareLocked(std::max(wanted_bytes, options_.segment_bytes), HurriedMode()));
  }
  SEERDB_FAILPOINT("wal::before_rotate");
  Spare next = *std::move(spare_);
  spare_.reset();
  has_rotated_ = true;
  // Kept for the next one, which is soon prepared, and not when there is room for it.
  spare_charge_.Set(DirtyBytes(next.file) == 0 ? 0 : options_.segment_bytes);
  spare_mode_.store(LogMode::kAuto, std::memory_order_relaxed);
  spare_bytes_.store(0, std::memory_order_relaxed);
  Activate(std::move(next), next_record);
  const bool leaves = LeavesLargePages();
  if (active_->HasRoom(frame_bytes) && !leaves) return {};
  // Too small for this group, or not for one that is synced. It stays in the log without a record.
  const uint64_t bytes = NextLogBlock(frame_bytes + kLogHeaderBytes);
  SEERDB_ASSIGN_OR_RETURN(
      next, MakeSpareLocked(leaves ? std::max(bytes, options_.segment_bytes) : bytes, LogMode::kBuffered));
  Activate(std::move(next), next_record);
  return {};
}

// A writer waits for a segment that nobody has prepared yet: it gets the kind that takes no time to prepare,
// until one of the better kind is there.
LogMode LogSet::HurriedMode() const {
  return options_.mode == LogMode::kAuto && options_.prepares_ahead ? LogMode::kBuffered : chooser_.wanted();
}

bool LogSet::TakeSpareRequest() {
  if (spare_requested_) return false;
  const bool wrong_mode = active_->mode() != chooser_.wanted();
  if (!wrong_mode && !has_rotated_ && active_->bytes() < options_.segment_bytes / 2) return false;
  spare_requested_ = true;
  return true;
}

Status LogSet::StartSegment() {
  if (active_->next_record() == active_->first_record() && !abandoned_) return {};
  return NextSegment(0);
}

LogMark LogSet::mark() const { return {active_->log_number(), active_->next_record()}; }

bool LogSet::ShouldRotate(uint64_t frame_bytes) const {
  const bool empty = active_->next_record() == active_->first_record();
  if (!active_->HasRoom(frame_bytes)) return !empty || active_->mode() == LogMode::kMapped;
  if (LeavesLargePages()) [[unlikely]]
    return true;
  // A segment of the mode that fits better is ready.
  return active_->mode() != chooser_.wanted() &&
         spare_mode_.load(std::memory_order_acquire) == chooser_.wanted();
}

Status LogSet::Append(const std::vector<LogSegment::Record>& records, LogSync sync, bool apart) {
  if (const LogMode refused = refused_mode_.load(std::memory_order_relaxed); refused != LogMode::kAuto)
      [[unlikely]] {
    chooser_.NoteRefused(refused);
    refused_mode_.store(LogMode::kAuto, std::memory_order_relaxed);
  }
  chooser_.NoteGroup(sync != LogSync::kNone, apart);
  wanted_mode_.store(chooser_.wanted(), std::memory_order_relaxed);
  if (sync != LogSync::kNone) synced_.store(true, std::memory_order_relaxed);
  const uint64_t frame_bytes = FrameBytes(records);
  if (ShouldRotate(frame_bytes)) SEERDB_RETURN_IF_ERROR(NextSegment(frame_bytes));
  const uint64_t before = active_->bytes();
  if (Status status = Write(records, sync); !status.ok()) [[unlikely]] {
    abandoned_ = true;
    return status;
  }
  const uint64_t written_bytes = active_->bytes() - before;
  appended_bytes_ += written_bytes;
  statistics_->Add(Counter::wal_bytes_written, written_bytes);
  return {};
}

Status LogSet::Write(const std::vector<LogSegment::Record>& records, LogSync sync) {
  const uint64_t durable = durable_record_.load(std::memory_order_acquire);
  // One call will do if all that lies before the group is durable.
  const bool in_one =
      active_->mode() == LogMode::kDirect && sync != LogSync::kNone &&
      (durable + 1 == active_->next_record() || SEERDB_MUTANT("direct-log-skips-earlier-sync"));
  if (in_one && !SEERDB_MUTANT("log-skips-sync")) {
    SEERDB_RETURN_IF_ERROR(SyncValues());
    const LatencyTimer timer(statistics_.get(), Latency::wal_sync_latency);
    SEERDB_RETURN_IF_ERROR(active_->AppendSynced(records, durable, sync == LogSync::kAll));
    statistics_->Add(Counter::wal_syncs);
    RaiseDurable(active_->next_record() - 1);
  } else {
    SEERDB_RETURN_IF_ERROR(active_->Append(records, durable));
    if (sync != LogSync::kNone) SEERDB_RETURN_IF_ERROR(Sync(sync == LogSync::kAll));
  }
  if (sync != LogSync::kNone) SEERDB_FAILPOINT("wal::after_sync");
  return {};
}

void LogSet::RaiseDurable(uint64_t record) {
  uint64_t known = durable_record_.load(std::memory_order_relaxed);
  while (record > known && !durable_record_.compare_exchange_weak(known, record, std::memory_order_release,
                                                                  std::memory_order_relaxed)) {
  }
}

Status LogSet::Sync(bool all) {
  synced_.store(true, std::memory_order_relaxed);
  MutexLock sync_lock(&sync_mu_);
  std::vector<std::shared_ptr<LogSegment>> segments;
  {
    MutexLock lock(&mu_);
    for (const Live& live : live_) {
      if (!live.synced_whole) segments.push_back(live.segment);
    }
  }
  // All that these have pointed to by now.
  std::vector<uint64_t> appended_to;
  for (const std::shared_ptr<LogSegment>& segment : segments) {
    appended_to.push_back(segment->next_record() - 1);
  }
  SEERDB_RETURN_IF_ERROR(SyncValues());
  for (size_t i = 0; i < segments.size(); ++i) {
    const std::shared_ptr<LogSegment>& segment = segments[i];
    const bool sealed = i + 1 < segments.size();  // only the last can still grow
    const uint64_t appended = appended_to[i];
    if (sealed && SEERDB_MUTANT("rotated-log-not-synced")) continue;
    // Not if the records were made durable as they were written.
    if (appended > durable_record_.load(std::memory_order_acquire)) {
      const LatencyTimer timer(statistics_.get(), Latency::wal_sync_latency);
      if (!SEERDB_MUTANT("log-skips-sync")) SEERDB_RETURN_IF_ERROR(segment->Sync(all));
      statistics_->Add(Counter::wal_syncs);
      RaiseDurable(appended);
    }
    if (!sealed) continue;
    MutexLock lock(&mu_);
    for (Live& live : live_) {
      if (live.segment == segment) live.synced_whole = true;
    }
  }
  return {};
}

void LogSet::Release(uint64_t log_number) {
  std::vector<std::shared_ptr<LogSegment>> released;
  std::vector<std::string> deleted;
  const LogMode wanted = wanted_mode_.load(std::memory_order_relaxed);
  {
    MutexLock lock(&mu_);
    // What was kept for another mode will hardly be used.
    std::erase_if(recyclable_, [&](const Recyclable& kept) {
      if (kept.mode == wanted) return false;
      deleted.push_back(kept.path);
      return true;
    });
    while (live_.size() > 1 && live_.front().segment->log_number() < log_number) {
      released.push_back(std::move(live_.front().segment));
      live_.erase(live_.begin());
      const LogSegment& segment = *released.back();
      const size_t room = wanted == LogMode::kDirect ? kMaxRecyclableDirect : kMaxRecyclable;
      // A failed one may lack blocks that it should have.
      const bool reusable = options_.recycles && segment.mode() == wanted && wanted != LogMode::kMapped &&
                            !segment.failed() && segment.bytes() <= options_.segment_bytes &&
                            recyclable_.size() < room;
      if (reusable) {
        recyclable_.push_back({segment.path(), segment.mode(), segment.file_bytes()});
      } else {
        deleted.push_back(segment.path());
      }
    }
  }
  for (const std::string& path : deleted) {
    fs_->DeleteFile(path).IgnoreError("an orphan is swept at the next open");
  }
}

void LogSet::DeleteAll() {
  std::vector<std::string> paths;
  {
    MutexLock prepare_lock(&prepare_mu_);
    if (spare_.has_value()) paths.push_back(spare_->file.path);
    spare_.reset();
    spare_charge_.Release();
    MutexLock lock(&mu_);
    for (const Live& live : live_) paths.push_back(live.segment->path());
    for (const Recyclable& released : recyclable_) paths.push_back(released.path);
    live_.clear();
    recyclable_.clear();
  }
  active_.reset();
  for (const std::string& path : paths) {
    fs_->DeleteFile(path).IgnoreError("an orphan is swept at the next open");
  }
}

uint64_t LogSet::file_bytes() const {
  MutexLock lock(&mu_);
  uint64_t sum = spare_bytes_.load(std::memory_order_relaxed);
  for (const Live& live : live_) sum += live.segment->file_bytes();
  for (const Recyclable& released : recyclable_) sum += released.bytes;
  return sum;
}

uint64_t LogSet::live_bytes() const {
  MutexLock lock(&mu_);
  uint64_t sum = 0;
  for (const Live& live : live_) sum += live.segment->bytes();
  return sum;
}

}  // namespace seerdb
