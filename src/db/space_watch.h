// SpaceWatch: decides when it is worth trying to resume writes that stopped for want of space.
//
// An attempt is worth it when the file system has as much space as is known to be needed, and now and then in
// any case: a quota does not show, and the estimate may be too high. Attempts that fail come further and
// further apart. Who asks: each write that finds the others stopped, and a timer, so that writes resume also
// while nobody writes; with a cooperative executor, which has no time of its own, the writes alone.
// Held by shared pointer: the timer may come due after the database is gone, and then does nothing.
// Thread safety: all methods concurrently. mu_ is a leaf lock, and not held while the file system is asked.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "base/mutex.h"
#include "seerdb/clock.h"
#include "seerdb/executor.h"
#include "seerdb/file_system.h"

namespace seerdb {

class SpaceWatch : public std::enable_shared_from_this<SpaceWatch> {
 public:
  struct Parts {
    std::shared_ptr<FileSystem> fs;
    std::string directory;
    std::shared_ptr<Clock> clock;
    std::shared_ptr<Executor> executor;
    // About how many bytes the stopped work will write.
    std::function<uint64_t()> needed_bytes;
    // The timer's attempt: asks ShouldTry, and must not wait for writers or for tasks. True when writes are
    // possible or only reopening helps; false to be called again.
    std::function<bool()> attempt;
  };
  explicit SpaceWatch(Parts parts) : parts_(std::move(parts)) {}

  // Writes have stopped: the first attempt is due in a moment.
  void NoteStopped() EXCLUDES(mu_);
  // They go on. Should they stop again soon, attempts do not begin anew at the shortest interval.
  void NoteResumed() EXCLUDES(mu_);
  // True if the caller should try now; the next attempt is put off by that.
  bool ShouldTry() EXCLUDES(mu_);
  // No attempt is made by the timer after this; waits for one that is.
  void Stop() EXCLUDES(mu_);

 private:
  void ScheduleLocked() REQUIRES(mu_);
  void Poll() EXCLUDES(mu_);

  const Parts parts_;
  Mutex mu_;
  CondVar idle_;
  uint64_t interval_us_ GUARDED_BY(mu_) = 0;  // between this attempt and the next
  uint64_t next_us_ GUARDED_BY(mu_) = 0;      // when ShouldTry looks again
  uint64_t resumed_us_ GUARDED_BY(mu_) = 0;   // 0 = never
  uint64_t refused_ GUARDED_BY(mu_) = 0;      // looks in a row that found too little space
  bool scheduled_ GUARDED_BY(mu_) = false;    // a timer is owed
  bool stopped_anew_ GUARDED_BY(mu_) = false;
  bool polling_ GUARDED_BY(mu_) = false;
  bool over_ GUARDED_BY(mu_) = false;
};

}  // namespace seerdb
