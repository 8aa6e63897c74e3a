// BackgroundWork: decides when flush and compaction run, and lets writers wait for them.
//
// One flush and up to max_compactions compactions run at a time, each in its lane of the executor, or, in
// foreground mode, on the thread that asks; without threads (foreground mode, a cooperative executor) one
// compaction. It knows nothing of what a job does: the jobs come as functions.
// A slot for compaction begins with one attempt to find work. Whoever finds some calls PokeCompaction, so
// that the next free slot tries as well; and a slot whose job has ended tries again.
// A task that the executor lets go of unrun stops all writes (kDeadWorker), so that nobody waits for it.
// Thread safety: all methods concurrently. mu_ is never held while a job runs or is asked anything but
// atomics.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>

#include "base/mutex.h"
#include "db/background_error.h"
#include "db/ticker.h"
#include "seerdb/executor.h"
#include "seerdb/options.h"
#include "seerdb/result.h"
#include "seerdb/status.h"

namespace seerdb {

struct BackgroundJobs {
  // True if a memtable waits for its flush. Reads atomics only.
  std::function<bool()> flush_due;
  // Flushes the oldest waiting memtable.
  std::function<Status()> flush_one;
  // Runs the most urgent compaction that can run beside those that do; false if there is none. Called from
  // several threads at once; calls PokeCompaction when it has chosen.
  std::function<Result<bool>()> compact_one;
};

struct BackgroundModes {
  bool background_flush = true;
  bool background_compaction = true;  // false: compaction runs right after a flush, in its task
  uint32_t max_compactions = 1;
};

// How many compactions a database with these options may run at once.
uint32_t CompactionSlots(const Options& options);

class BackgroundWork {
 public:
  BackgroundWork(std::shared_ptr<Executor> executor, BackgroundModes modes, BackgroundError* error,
                 BackgroundJobs jobs);

  // Starts whatever is due and not running. In foreground mode, does it before returning.
  void Poke() EXCLUDES(mu_);
  // As Poke, for compaction alone.
  void PokeCompaction() EXCLUDES(mu_);

  // Waits for jobs until `done` (which reads atomics only) holds. Returns the background error if there is
  // one, kShutdown when closing, and kBusy when nothing that runs or is due can make it true.
  Status WaitUntil(const std::function<bool()>& done) EXCLUDES(mu_);

  // Waits until no job is due or runs, after looking once whether any is due. The background error, or
  // kShutdown when closing.
  Status WaitUntilIdle() EXCLUDES(mu_);

  // Runs `work` on this thread with no compaction beside it. None starts from the call on.
  Status RunAsCompaction(const std::function<Status()>& work) EXCLUDES(mu_);

  // In steps, for who must not wait under leadership: Reserve waits as RunAsCompaction does, and until its
  // owner calls EndReservation no compaction begins, nor does a waiting writer count on one. RunReserved runs
  // the owner's work in between.
  Status ReserveCompaction() EXCLUDES(mu_);
  Status RunReserved(const std::function<Status()>& work) EXCLUDES(mu_);
  // Must follow each Reserve that succeeded.
  void EndReservation() EXCLUDES(mu_);

  // A part of a longer job is installed: who waits looks again.
  void NoteProgress() EXCLUDES(mu_);

  // Runs `work` on this thread with no flush beside it. kBusy if one runs or is queued and the caller may not
  // wait for it.
  Status RunAsFlush(bool may_wait, const std::function<Status()>& work) EXCLUDES(mu_);

  // Runs `task` in the side lane soon; not at all in foreground mode or when closing.
  void RunSoon(std::function<void()> task) EXCLUDES(mu_);
  // The same in the cleanup lane, for what nobody waits for: it may run when this object and the database are
  // gone.
  void RunUnawaited(std::function<void()> task) EXCLUDES(mu_);

  // There are no ticks in foreground mode and with a cooperative executor.
  static bool CanTick(const BackgroundModes& modes, const Executor& executor);
  // Calls `tick` in the side lane, each time interval_us after the last, until Shutdown; at most once. See
  // Ticker for what a tick may do.
  void StartTicking(uint64_t interval_us, std::function<void()> tick) EXCLUDES(mu_);

  // Compactions that may run at a time.
  uint32_t compaction_slots() const { return modes_.max_compactions; }
  // True while somebody waits for what compaction does: it should go as fast as it can.
  bool hurried() const { return hurried_.load(std::memory_order_relaxed) > 0; }

  // Starts no more jobs and waits for those that run.
  void Shutdown() EXCLUDES(mu_);
  bool shutting_down() const EXCLUDES(mu_);

 private:
  // Starts a task in its lane, and sets the flag that says so.
  void StartLocked(Executor::Lane lane) REQUIRES(mu_);
  void NoteDroppedLocked(Executor::Lane lane) REQUIRES(mu_);
  void ScheduleFlushLocked() REQUIRES(mu_);
  void ScheduleCompactionLocked() REQUIRES(mu_);
  // Waits until no compaction runs and nobody else has the turn, and keeps new ones from starting.
  Status WaitForTurnLocked() REQUIRES(mu_);
  // Requires: manual_ is set.
  Status RunManual(const std::function<Status()>& work) EXCLUDES(mu_);
  // False while all slots are taken or somebody wants them to be empty.
  bool SlotFreeLocked() const REQUIRES(mu_);
  bool CompactionsYield() const EXCLUDES(mu_);
  void FlushTask() EXCLUDES(mu_);
  void CompactionTask() EXCLUDES(mu_);
  // Runs flushes while they are due. False if one failed.
  bool FlushAll() EXCLUDES(mu_);
  void CompactAll() EXCLUDES(mu_);
  bool Stopped() const EXCLUDES(mu_);
  // One step of waiting: blocks, or runs a task. False if nothing can happen any more.
  bool AwaitProgressLocked() REQUIRES(mu_);

  const std::shared_ptr<Executor> executor_;
  const BackgroundModes modes_;
  BackgroundError* const error_;
  const BackgroundJobs jobs_;
  mutable Mutex mu_;
  CondVar progress_;
  bool flush_active_ GUARDED_BY(mu_) = false;       // scheduled or running
  uint32_t compactions_ GUARDED_BY(mu_) = 0;        // scheduled or running
  bool compaction_wanted_ GUARDED_BY(mu_) = false;  // somebody looked for a slot and found none
  bool manual_ GUARDED_BY(mu_) = false;             // RunAsCompaction's work runs
  bool reserved_ GUARDED_BY(mu_) = false;           // it will run
  uint32_t manual_waiting_ GUARDED_BY(mu_) = 0;
  uint32_t side_tasks_ GUARDED_BY(mu_) = 0;
  bool shutdown_ GUARDED_BY(mu_) = false;
  std::atomic<uint32_t> hurried_{0};
  const std::shared_ptr<Ticker> ticker_;
};

}  // namespace seerdb
