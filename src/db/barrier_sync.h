// BarrierSync: under SyncPolicy::kBarrier, syncs the log at most one interval after an unsynced write.
//
// Held by shared pointer: its delayed task may come due after the database is gone, and then does nothing.
// Thread safety: all methods concurrently.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>

#include "db/background_error.h"
#include "db/log_set.h"
#include "seerdb/executor.h"

namespace seerdb {

class BarrierSync : public std::enable_shared_from_this<BarrierSync> {
 public:
  BarrierSync(std::shared_ptr<LogSet> log, std::shared_ptr<BackgroundError> error, uint64_t interval_us)
      : log_(std::move(log)), error_(std::move(error)), interval_us_(interval_us) {}

  // A write was acknowledged: a sync is due within the interval.
  void NoteWrite(Executor* executor) {
    if (scheduled_.exchange(true, std::memory_order_acq_rel)) return;
    executor->ScheduleAfter(interval_us_, Executor::Lane::kFlush, [weak = weak_from_this()] {
      if (const std::shared_ptr<BarrierSync> self = weak.lock()) self->Run();
    });
  }

 private:
  void Run() {
    // Cleared first: a write that comes during the sync gets one of its own.
    scheduled_.store(false, std::memory_order_release);
    if (Status status = log_->Sync(false); !status.ok()) error_->Set("log sync", status);
  }

  const std::shared_ptr<LogSet> log_;
  const std::shared_ptr<BackgroundError> error_;
  const uint64_t interval_us_;
  std::atomic<bool> scheduled_{false};
};

}  // namespace seerdb
