// Executor: every background task of the engine (flush, compaction, log preparation) runs through this
// interface. A database given none makes a private pool of threads.
//
// Thread safety: all methods may be called concurrently; a task may call them too.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>

#include "seerdb/export.h"

namespace seerdb {

class SEERDB_EXPORT Executor {
 public:
  // Tasks of one lane never wait behind those of another. kFlush and kCompaction tasks take long; kSide tasks
  // are short and soon needed by writers: the next log file, syncs that fall due, timers. kCleanup tasks
  // remove a file each, or fetch memory ahead, and nobody waits for them.
  enum class Lane : unsigned char { kSide = 0, kFlush = 1, kCompaction = 2, kCleanup = 3 };
  // How many lanes there are: a Lane is below it.
  static constexpr size_t kLaneCount = 4;

  virtual ~Executor() = default;
  // Runs `task` once, later, on a thread of the executor's choice. Tasks must not throw.
  virtual void Schedule(Lane lane, std::function<void()> task) = 0;
  // As Schedule, not before `delay_us` microseconds from now.
  virtual void ScheduleAfter(uint64_t delay_us, Lane lane, std::function<void()> task) = 0;
  // True if tasks run only inside RunOne(), on the thread that calls it. Engine code that waits for
  // background progress then runs tasks itself instead of blocking.
  virtual bool cooperative() const = 0;
  // Cooperative: runs the next due task on this thread; false if there was none. Others: false.
  virtual bool RunOne() = 0;
};

// One thread for each lane, but `compaction_threads` (1 .. 64; others are moved into that range) for the
// compaction lane. All but kSide have raised niceness, and SCHED_BATCH in place of SCHED_OTHER, so that they
// yield to the host's threads. Tasks of a lane start in the order they came; those of the compaction lane may
// run beside each other. The destructor runs what is queued (delayed tasks at once), then joins.
SEERDB_EXPORT std::shared_ptr<Executor> NewThreadPoolExecutor(uint32_t compaction_threads = 1);

// No threads: tasks queue until RunOne() is called. Delayed tasks become due by `RunOne` calls alone, after
// all others, in order of their due time. Given one such executor, one file system without randomness and
// one seed, a single-threaded caller's run is deterministic.
SEERDB_EXPORT std::shared_ptr<Executor> NewCooperativeExecutor();

}  // namespace seerdb
