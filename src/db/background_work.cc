#include "db/background_work.h"

#include <algorithm>
#include <thread>

#include "base/assert.h"
#include "base/status_macros.h"
#include "db/owed_task.h"

namespace seerdb {
namespace {

constexpr uint64_t kCooperativeWaitMicros = 1000;

// While it lives, somebody waits.
class Counted {
 public:
  explicit Counted(std::atomic<uint32_t>* count) : count_(count) {
    count_->fetch_add(1, std::memory_order_relaxed);
  }
  ~Counted() { count_->fetch_sub(1, std::memory_order_relaxed); }
  Counted(const Counted&) = delete;
  Counted& operator=(const Counted&) = delete;

 private:
  std::atomic<uint32_t>* const count_;
};

BackgroundModes Fitting(BackgroundModes modes, const Executor& executor) {
  if (!modes.background_compaction || executor.cooperative()) modes.max_compactions = 1;
  modes.max_compactions = std::max(modes.max_compactions, 1u);
  return modes;
}

}  // namespace

uint32_t CompactionSlots(const Options& options) {
  if (options.max_background_compactions != 0) return options.max_background_compactions;
  return std::clamp(std::thread::hardware_concurrency() / 2, 2u, 64u);
}

BackgroundWork::BackgroundWork(std::shared_ptr<Executor> executor, BackgroundModes modes,
                               BackgroundError* error, BackgroundJobs jobs)
    : executor_(std::move(executor)),
      modes_(Fitting(modes, *executor_)),
      error_(error),
      jobs_(std::move(jobs)),
      ticker_(std::make_shared<Ticker>(executor_)) {}

bool BackgroundWork::Stopped() const { return error_->is_set() || shutting_down(); }

bool BackgroundWork::shutting_down() const {
  MutexLock lock(&mu_);
  return shutdown_;
}

void BackgroundWork::Poke() {
  if (!modes_.background_flush) {
    {
      MutexLock lock(&mu_);
      if (shutdown_ || flush_active_) return;
      flush_active_ = true;
    }
    FlushTask();
    return;
  }
  MutexLock lock(&mu_);
  ScheduleFlushLocked();
  if (modes_.background_compaction) ScheduleCompactionLocked();
}

void BackgroundWork::PokeCompaction() {
  MutexLock lock(&mu_);
  if (modes_.background_compaction) {
    ScheduleCompactionLocked();
  } else if (modes_.background_flush && !shutdown_ && !flush_active_ && !error_->is_set()) {
    StartLocked(Executor::Lane::kFlush);  // compaction runs in the flush's task
  }
}

void BackgroundWork::StartLocked(Executor::Lane lane) {
  const bool flush = lane == Executor::Lane::kFlush;
  if (flush) {
    flush_active_ = true;
  } else {
    ++compactions_;
  }
  const auto run = [this, flush] { flush ? FlushTask() : CompactionTask(); };
  const auto dropped = [this, lane] {
    MutexLock lock(&mu_);
    NoteDroppedLocked(lane);
  };
  if (!ScheduleOwed(executor_.get(), lane, run, dropped)) NoteDroppedLocked(lane);
}

void BackgroundWork::NoteDroppedLocked(Executor::Lane lane) {
  const bool flush = lane == Executor::Lane::kFlush;
  error_->Set(
      flush ? "flush" : "compaction",
      Status::Shutdown("the executor let go of the task without running it", StatusDetail::kDeadWorker));
  if (flush) {
    flush_active_ = false;
  } else {
    --compactions_;
  }
  progress_.SignalAll();
}

void BackgroundWork::ScheduleFlushLocked() {
  if (shutdown_ || flush_active_ || error_->is_set() || !jobs_.flush_due()) return;
  StartLocked(Executor::Lane::kFlush);
}

bool BackgroundWork::SlotFreeLocked() const {
  return !manual_ && !reserved_ && manual_waiting_ == 0 && compactions_ < modes_.max_compactions;
}

bool BackgroundWork::CompactionsYield() const {
  MutexLock lock(&mu_);
  return manual_waiting_ > 0;
}

void BackgroundWork::ScheduleCompactionLocked() {
  if (shutdown_ || error_->is_set()) return;
  if (!SlotFreeLocked()) {
    compaction_wanted_ = true;  // looks again when a slot is free
    return;
  }
  StartLocked(Executor::Lane::kCompaction);
}

bool BackgroundWork::FlushAll() {
  while (!Stopped() && jobs_.flush_due()) {
    if (Status status = jobs_.flush_one(); !status.ok()) {
      if (!status.IsShutdown()) error_->Set("flush", status);
      return false;
    }
    MutexLock lock(&mu_);
    progress_.SignalAll();
    if (modes_.background_compaction) ScheduleCompactionLocked();
  }
  return true;
}

void BackgroundWork::FlushTask() {
  for (bool again = true; again;) {
    const bool flushed = FlushAll();
    bool compact = false;
    if (flushed && !modes_.background_compaction) {
      MutexLock lock(&mu_);
      compact = !shutdown_ && SlotFreeLocked();
      if (compact) ++compactions_;
    }
    if (compact) CompactAll();
    MutexLock lock(&mu_);
    if (compact) --compactions_;
    // One may have come due since. Who asked for it without threads has gone away to wait for this one.
    again = !modes_.background_flush && flushed && !shutdown_ && !error_->is_set() && jobs_.flush_due();
    if (!again) flush_active_ = false;
    if (modes_.background_flush) ScheduleFlushLocked();
    progress_.SignalAll();
  }
}

void BackgroundWork::CompactAll() {
  while (!Stopped() && !CompactionsYield()) {
    const Result<bool> ran = jobs_.compact_one();
    if (!ran.ok()) {
      if (!ran.status().IsShutdown()) error_->Set("compaction", ran.status());
      return;
    }
    if (!*ran) return;
    // In the flush's task, writers may wait for a flush meanwhile.
    if (!modes_.background_compaction && !FlushAll()) return;
    MutexLock lock(&mu_);
    progress_.SignalAll();
  }
}

void BackgroundWork::CompactionTask() {
  CompactAll();
  MutexLock lock(&mu_);
  --compactions_;
  if (compaction_wanted_ && SlotFreeLocked()) {
    compaction_wanted_ = false;
    ScheduleCompactionLocked();
  }
  progress_.SignalAll();
}

bool BackgroundWork::AwaitProgressLocked() {
  if (!flush_active_ && compactions_ == 0 && !manual_ && side_tasks_ == 0) return false;
  if (!executor_->cooperative()) {
    progress_.Wait(&mu_);
    return true;
  }
  mu_.Unlock();
  const bool ran = executor_->RunOne();
  mu_.Lock();
  // What is owed and not queued runs on another thread.
  if (!ran) progress_.WaitFor(&mu_, kCooperativeWaitMicros);
  return true;
}

Status BackgroundWork::WaitUntil(const std::function<bool()>& done) {
  bool poked = false;
  bool alone = false;
  const Counted hurry(&hurried_);
  for (;;) {
    if (done()) return {};
    if (error_->is_set()) SEERDB_RETURN_IF_ERROR(error_->status());  // unless resumed meanwhile
    if (!poked) {
      Poke();  // foreground mode does the work here
      poked = true;
      continue;
    }
    MutexLock lock(&mu_);
    if (shutdown_) return Status::Shutdown("the database is closing");
    if (done()) return {};
    const bool waited = AwaitProgressLocked();
    if (!modes_.background_flush && jobs_.flush_due() && (waited || !alone)) {
      // What was at work when this thread poked has left it to this one.
      alone = !waited;
      poked = false;
    } else if (!waited && !done() && !error_->is_set()) {
      return Status::Busy("waits for background work, and none can make progress");
    }
  }
}

Status BackgroundWork::WaitUntilIdle() {
  const Counted hurry(&hurried_);
  Poke();
  PokeCompaction();
  MutexLock lock(&mu_);
  while (flush_active_ || compactions_ > 0 || manual_) {
    if (shutdown_) return Status::Shutdown("the database is closing");
    if (error_->is_set() || !AwaitProgressLocked()) break;
  }
  return error_->status();
}

Status BackgroundWork::WaitForTurnLocked() {
  const Counted hurry(&hurried_);
  ++manual_waiting_;
  while ((compactions_ > 0 || manual_ || reserved_) && !shutdown_) {
    // Who has reserved may be waiting for something that is no work of ours.
    if (!AwaitProgressLocked()) progress_.WaitFor(&mu_, kCooperativeWaitMicros);
  }
  --manual_waiting_;
  return shutdown_ ? Status::Shutdown("the database is closing") : Status();
}

Status BackgroundWork::ReserveCompaction() {
  MutexLock lock(&mu_);
  SEERDB_RETURN_IF_ERROR(WaitForTurnLocked());
  reserved_ = true;
  return {};
}

void BackgroundWork::EndReservation() {
  MutexLock lock(&mu_);
  if (!reserved_) return;
  reserved_ = false;
  compaction_wanted_ = false;
  if (modes_.background_compaction) ScheduleCompactionLocked();
  progress_.SignalAll();
}

void BackgroundWork::NoteProgress() {
  MutexLock lock(&mu_);
  progress_.SignalAll();
}

Status BackgroundWork::RunAsCompaction(const std::function<Status()>& work) {
  {
    MutexLock lock(&mu_);
    SEERDB_RETURN_IF_ERROR(WaitForTurnLocked());
    manual_ = true;
  }
  return RunManual(work);
}

Status BackgroundWork::RunReserved(const std::function<Status()>& work) {
  {
    MutexLock lock(&mu_);
    if (shutdown_) return Status::Shutdown("the database is closing");
    SEERDB_ASSERT(reserved_ && compactions_ == 0);
    manual_ = true;
  }
  return RunManual(work);
}

Status BackgroundWork::RunManual(const std::function<Status()>& work) {
  const Counted hurry(&hurried_);
  Status status = work();
  MutexLock lock(&mu_);
  manual_ = false;
  // For what was put off meanwhile, and for what a job that made way has left.
  compaction_wanted_ = false;
  if (modes_.background_compaction) ScheduleCompactionLocked();
  progress_.SignalAll();
  return status;
}

Status BackgroundWork::RunAsFlush(bool may_wait, const std::function<Status()>& work) {
  {
    MutexLock lock(&mu_);
    while (flush_active_) {
      if (shutdown_) return Status::Shutdown("the database is closing");
      if (!may_wait || !AwaitProgressLocked()) return Status::Busy("a flush is under way");
    }
    if (shutdown_) return Status::Shutdown("the database is closing");
    flush_active_ = true;
  }
  Status status = work();
  MutexLock lock(&mu_);
  flush_active_ = false;
  if (modes_.background_flush) ScheduleFlushLocked();
  progress_.SignalAll();
  return status;
}

void BackgroundWork::RunSoon(std::function<void()> task) {
  MutexLock lock(&mu_);
  if (shutdown_ || !modes_.background_flush) return;
  ++side_tasks_;
  const auto ended = [this] {
    MutexLock inner(&mu_);
    --side_tasks_;
    progress_.SignalAll();
  };
  const auto run = [this, ended, work = std::move(task)] {
    if (!Stopped()) work();
    ended();
  };
  if (!ScheduleOwed(executor_.get(), Executor::Lane::kSide, run, ended)) --side_tasks_;
}

void BackgroundWork::RunUnawaited(std::function<void()> task) {
  {
    MutexLock lock(&mu_);
    if (shutdown_ || !modes_.background_flush) return;
  }
  executor_->Schedule(Executor::Lane::kCleanup, std::move(task));
}

bool BackgroundWork::CanTick(const BackgroundModes& modes, const Executor& executor) {
  return modes.background_flush && !executor.cooperative();
}

void BackgroundWork::StartTicking(uint64_t interval_us, std::function<void()> tick) {
  if (CanTick(modes_, *executor_)) ticker_->Start(interval_us, std::move(tick));
}

void BackgroundWork::Shutdown() {
  ticker_->Stop();
  MutexLock lock(&mu_);
  shutdown_ = true;
  progress_.SignalAll();
  while (flush_active_ || compactions_ > 0 || manual_ || side_tasks_ > 0) {
    if (!AwaitProgressLocked()) break;
  }
}

}  // namespace seerdb
