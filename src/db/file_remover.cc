#include "db/file_remover.h"

#include <algorithm>
#include <utility>

#include "base/units.h"

namespace seerdb {
namespace {

// The rate is what would remove the present backlog in this time.
constexpr uint64_t kDrainSeconds = 4;
constexpr uint64_t kLeastBytesPerSecond = uint64_t{256} << 20;
constexpr uint64_t kLongestPauseUs = kMicrosPerSecond;

}  // namespace

uint64_t RemovalPauseUs(uint64_t removed_bytes, uint64_t queued_bytes) {
  const uint64_t rate = std::max(kLeastBytesPerSecond, queued_bytes / kDrainSeconds);
  const double us = static_cast<double>(removed_bytes) * kMicrosPerSecond / static_cast<double>(rate);
  return static_cast<uint64_t>(std::min(us, static_cast<double>(kLongestPauseUs)));
}

void FileRemover::Remove(std::string path, uint64_t bytes) {
  {
    MutexLock lock(&mu_);
    if (stopped_) {
      obsolete_bytes_.fetch_sub(bytes, std::memory_order_relaxed);
      return;
    }
    queue_.push_back({std::move(path), bytes});
    queued_bytes_ += bytes;
    if (pace_ != Pace::kAtOnce) {
      if (!scheduled_) ScheduleLocked(0);
      return;
    }
  }
  RemoveQueued();
}

void FileRemover::RemoveQueued() {
  MutexLock io_lock(&io_mu_);
  while (RemoveOne().has_value()) {
  }
}

void FileRemover::Stop() {
  std::shared_ptr<Executor> executor;  // let go of without a lock: it may be the last reference
  {
    MutexLock lock(&mu_);
    stopped_ = true;
    executor = std::move(executor_);
  }
  RemoveQueued();
}

std::optional<uint64_t> FileRemover::RemoveOne() {
  File file;
  {
    MutexLock lock(&mu_);
    if (queue_.empty()) return std::nullopt;
    file = std::move(queue_.front());
    queue_.pop_front();
    queued_bytes_ -= file.bytes;
  }
  fs_->DeleteFile(file.path).IgnoreError("an orphan is swept at the next open");
  obsolete_bytes_.fetch_sub(file.bytes, std::memory_order_relaxed);
  return file.bytes;
}

void FileRemover::ScheduleLocked(uint64_t delay_us) {
  scheduled_ = true;
  executor_->ScheduleAfter(delay_us, Executor::Lane::kCleanup, [weak = weak_from_this()] {
    if (const std::shared_ptr<FileRemover> self = weak.lock()) self->RunTask();
  });
}

void FileRemover::RunTask() {
  uint64_t removed_bytes = 0;
  {
    MutexLock io_lock(&io_mu_);
    removed_bytes = RemoveOne().value_or(0);
  }
  MutexLock lock(&mu_);
  scheduled_ = false;
  if (queue_.empty() || stopped_) return;
  ScheduleLocked(pace_ == Pace::kCalm ? RemovalPauseUs(removed_bytes, queued_bytes_) : 0);
}

}  // namespace seerdb
