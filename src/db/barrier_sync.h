// BarrierSync: under SyncPolicy::kBarrier, syncs the log at most one interval after an unsynced write.
//
// A delayed task syncs when writes stop; while they go on, the commit group that finds the interval over
// syncs itself, however busy the background is. Held by shared pointer: the task may come due after the
// database is gone, and then does nothing. Thread safety: all methods concurrently.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <memory>

#include "base/mutex.h"
#include "db/background_error.h"
#include "db/log_set.h"
#include "seerdb/clock.h"
#include "seerdb/executor.h"

namespace seerdb {

class BarrierSync : public std::enable_shared_from_this<BarrierSync> {
 public:
  BarrierSync(std::shared_ptr<LogSet> log, std::shared_ptr<BackgroundError> error,
              std::shared_ptr<Clock> clock, uint64_t interval_us)
      : log_(std::move(log)), error_(std::move(error)), clock_(std::move(clock)), interval_us_(interval_us) {}

  // True if the oldest unsynced write has waited for the interval: sync now.
  bool Overdue() const {
    const uint64_t oldest_us = oldest_us_.load(std::memory_order_relaxed);
    return oldest_us != 0 && clock_->NowMicros() >= oldest_us + interval_us_;
  }
  // The leader synced everything.
  void NoteSynced() { oldest_us_.store(0, std::memory_order_relaxed); }

  // A write was acknowledged unsynced: a sync is due within the interval.
  void NoteWrite(Executor* executor) {
    uint64_t none = 0;
    if (oldest_us_.load(std::memory_order_relaxed) == 0) {
      oldest_us_.compare_exchange_strong(none, std::max<uint64_t>(clock_->NowMicros(), 1),
                                         std::memory_order_relaxed);
    }
    if (scheduled_.exchange(true, std::memory_order_acq_rel)) return;
    executor->ScheduleAfter(interval_us_, Executor::Lane::kSide, [weak = weak_from_this()] {
      if (const std::shared_ptr<BarrierSync> self = weak.lock()) self->Run();
    });
  }
  // It syncs no more after this; waits for a sync that runs, which may have an error to tell.
  void Stop() EXCLUDES(mu_) {
    MutexLock lock(&mu_);
    over_ = true;
    while (running_ != 0) idle_.Wait(&mu_);
  }

 private:
  void Run() EXCLUDES(mu_) {
    {
      MutexLock lock(&mu_);
      if (over_) return;
      ++running_;
    }
    // Cleared first: a write that comes during the sync gets one of its own.
    scheduled_.store(false, std::memory_order_release);
    oldest_us_.store(0, std::memory_order_relaxed);
    if (Status status = log_->Sync(false); !status.ok()) error_->Set("log sync", status);
    MutexLock lock(&mu_);
    if (--running_ == 0) idle_.SignalAll();
  }

  const std::shared_ptr<LogSet> log_;
  const std::shared_ptr<BackgroundError> error_;
  const std::shared_ptr<Clock> clock_;
  const uint64_t interval_us_;
  Mutex mu_;
  CondVar idle_;
  bool over_ GUARDED_BY(mu_) = false;
  int running_ GUARDED_BY(mu_) = 0;
  std::atomic<bool> scheduled_{false};
  std::atomic<uint64_t> oldest_us_{0};  // when the oldest unsynced write was acknowledged; 0 = there is none
};

}  // namespace seerdb
