#include "db/log_set.h"

#include <algorithm>

#include "base/mutant.h"
#include "base/status_macros.h"
#include "format/file_name.h"

namespace seerdb {
namespace {

constexpr size_t kMaxRecyclable = 2;

uint64_t FrameBytes(const std::vector<LogSegment::Record>& records) {
  uint64_t sum = 0;
  for (const LogSegment::Record& record : records) {
    sum += kLogFrameHeadBytes + sizeof(SequenceNumber) + record.operations.size();
  }
  return sum;
}

}  // namespace

LogSet::LogSet(std::shared_ptr<FileSystem> fs, LogSetOptions options, VersionSet* versions,
               std::shared_ptr<Statistics> statistics)
    : fs_(std::move(fs)),
      options_(std::move(options)),
      versions_(versions),
      statistics_(std::move(statistics)) {}

Status LogSet::Start(uint64_t log_number, uint64_t next_record) {
  SEERDB_ASSIGN_OR_RETURN(active_,
                          LogSegment::Open(*fs_, LogFilePath(options_.directory, log_number),
                                           {options_.database, log_number, options_.epoch}, next_record));
  durable_record_.store(next_record - 1, std::memory_order_relaxed);
  MutexLock lock(&mu_);
  live_.push_back({active_, false});
  return {};
}

Result<LogSet::Spare> LogSet::MakeSpareLocked(uint64_t bytes) {
  SEERDB_ASSIGN_OR_RETURN(const uint64_t number, versions_->NewFileNumber());
  std::string recycle;
  if (bytes == options_.segment_bytes) {
    MutexLock lock(&mu_);
    if (!recyclable_.empty()) {
      recycle = std::move(recyclable_.back());
      recyclable_.pop_back();
    }
  }
  Spare spare{number, LogFilePath(options_.directory, number)};
  SEERDB_RETURN_IF_ERROR(LogSegment::Prepare(*fs_, options_.directory, spare.path, recycle, bytes));
  VersionEdit edit;
  edit.added_logs.push_back({number, options_.epoch});
  SEERDB_RETURN_IF_ERROR(versions_->Apply(std::move(edit)));
  return spare;
}

Status LogSet::PrepareSpare() {
  MutexLock lock(&prepare_mu_);
  if (spare_.has_value()) return {};
  SEERDB_ASSIGN_OR_RETURN(spare_, MakeSpareLocked(options_.segment_bytes));
  return {};
}

Status LogSet::NextSegment(uint64_t bytes) {
  Spare next;
  {
    // Numbers must ascend in the order of use, so a spare being prepared is waited for, not overtaken.
    MutexLock lock(&prepare_mu_);
    if (spare_.has_value()) {
      next = *std::move(spare_);
      spare_.reset();
    } else {
      SEERDB_ASSIGN_OR_RETURN(next, MakeSpareLocked(std::max(bytes, options_.segment_bytes)));
    }
  }
  SEERDB_ASSIGN_OR_RETURN(
      std::shared_ptr<LogSegment> segment,
      LogSegment::Open(*fs_, next.path, {options_.database, next.log_number, options_.epoch},
                       active_->next_record()));
  MutexLock lock(&mu_);
  live_.push_back({segment, false});
  active_ = std::move(segment);
  spare_requested_ = false;
  return {};
}

bool LogSet::TakeSpareRequest() {
  if (spare_requested_ || active_->bytes() < options_.segment_bytes / 2) return false;
  spare_requested_ = true;
  return true;
}

Status LogSet::StartSegment() {
  if (active_->next_record() == active_->first_record()) return {};
  return NextSegment(options_.segment_bytes);
}

LogMark LogSet::mark() const { return {active_->log_number(), active_->next_record()}; }

Status LogSet::Append(const std::vector<LogSegment::Record>& records) {
  const uint64_t bytes = FrameBytes(records);
  const bool empty = active_->next_record() == active_->first_record();
  if (!empty && active_->bytes() + bytes > options_.segment_bytes) {
    SEERDB_RETURN_IF_ERROR(NextSegment(bytes + kLogHeaderBytes));
  }
  const uint64_t before = active_->bytes();
  SEERDB_RETURN_IF_ERROR(active_->Append(records, durable_record_.load(std::memory_order_acquire)));
  statistics_->Add(Counter::wal_bytes_written, active_->bytes() - before);
  return {};
}

Status LogSet::Sync(bool all) {
  MutexLock sync_lock(&sync_mu_);
  std::vector<std::shared_ptr<LogSegment>> segments;
  {
    MutexLock lock(&mu_);
    for (const Live& live : live_) {
      if (!live.synced_whole) segments.push_back(live.segment);
    }
  }
  for (size_t i = 0; i < segments.size(); ++i) {
    const std::shared_ptr<LogSegment>& segment = segments[i];
    const bool sealed = i + 1 < segments.size();  // only the last can still grow
    const uint64_t appended = segment->next_record() - 1;
    if (!SEERDB_MUTANT("log-skips-sync")) SEERDB_RETURN_IF_ERROR(segment->Sync(all));
    statistics_->Add(Counter::wal_syncs);
    if (appended > durable_record_.load(std::memory_order_relaxed)) {
      durable_record_.store(appended, std::memory_order_release);
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
  {
    MutexLock lock(&mu_);
    while (live_.size() > 1 && live_.front().segment->log_number() < log_number) {
      released.push_back(std::move(live_.front().segment));
      live_.erase(live_.begin());
      const LogSegment& segment = *released.back();
      if (recyclable_.size() < kMaxRecyclable && segment.bytes() <= options_.segment_bytes) {
        recyclable_.push_back(segment.path());
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
    if (spare_.has_value()) paths.push_back(spare_->path);
    spare_.reset();
    MutexLock lock(&mu_);
    for (const Live& live : live_) paths.push_back(live.segment->path());
    paths.insert(paths.end(), recyclable_.begin(), recyclable_.end());
    live_.clear();
    recyclable_.clear();
  }
  active_.reset();
  for (const std::string& path : paths) {
    fs_->DeleteFile(path).IgnoreError("an orphan is swept at the next open");
  }
}

uint64_t LogSet::live_bytes() const {
  MutexLock lock(&mu_);
  uint64_t sum = 0;
  for (const Live& live : live_) sum += live.segment->bytes();
  return sum;
}

}  // namespace seerdb
