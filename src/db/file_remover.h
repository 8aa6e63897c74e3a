// FileRemover: removes files that nobody needs any more, on the background's time.
//
// The last to let go of a replaced table may be a writer, a flush or a reader that closes its iterator, and a
// merge lets go of all its inputs at once. To remove a large file takes a file system tens of milliseconds
// where it also tells the disk (ext4 with `discard`), and what others sync meanwhile waits. So files queue
// here, and a task of lane kCleanup removes one at a time, with pauses as long as the backlog allows.
// RocksDB's DeleteScheduler and Pebble's deletion pacing do the same.
//
// Files may be removed only while the database holds its directory: iterators outlive Close, and the names
// may belong to another database by then. What is left on disk for that reason, or by a crash, is swept when
// the directory is opened next.
// Thread safety: all methods concurrently. io_mu_ is held while a file is removed, mu_ never is.
#pragma once

#include <atomic>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>

#include "base/mutex.h"
#include "seerdb/executor.h"
#include "seerdb/file_system.h"

namespace seerdb {

// How long to wait between two files: the faster, the more is waiting.
uint64_t RemovalPauseUs(uint64_t removed_bytes, uint64_t queued_bytes);

class FileRemover : public std::enable_shared_from_this<FileRemover> {
 public:
  // kAtOnce removes in the call that lets go; kSoon in the background without pauses.
  enum class Pace : unsigned char { kAtOnce, kSoon, kCalm };

  FileRemover(std::shared_ptr<FileSystem> fs, std::shared_ptr<Executor> executor, Pace pace)
      : fs_(std::move(fs)), pace_(pace), executor_(std::move(executor)) {}

  // A file of `bytes` is to be removed when its last holder lets go; then Remove is called with the same.
  void NoteObsolete(uint64_t bytes) { obsolete_bytes_.fetch_add(bytes, std::memory_order_relaxed); }
  // Removes the file now or later. A failure leaves it on disk. Should the executor let go of its task, files
  // wait for RemoveQueued or Stop.
  void Remove(std::string path, uint64_t bytes) EXCLUDES(io_mu_, mu_);
  // Removes on this thread what is queued, and waits for the file that is being removed.
  void RemoveQueued() EXCLUDES(io_mu_, mu_);
  // RemoveQueued; files whose holders let go later stay on disk.
  void Stop() EXCLUDES(io_mu_, mu_);
  Pace pace() const { return pace_; }
  // Of files that are held or queued.
  uint64_t obsolete_bytes() const { return obsolete_bytes_.load(std::memory_order_relaxed); }

 private:
  struct File {
    std::string path;
    uint64_t bytes = 0;
  };
  void ScheduleLocked(uint64_t delay_us) REQUIRES(mu_);
  // Removes the oldest of the queue. Its bytes, or nullopt if there was none.
  std::optional<uint64_t> RemoveOne() REQUIRES(io_mu_) EXCLUDES(mu_);
  void RunTask() EXCLUDES(io_mu_, mu_);

  const std::shared_ptr<FileSystem> fs_;
  const Pace pace_;
  std::atomic<uint64_t> obsolete_bytes_{0};
  Mutex io_mu_;  // before mu_
  Mutex mu_;
  std::shared_ptr<Executor> executor_ GUARDED_BY(mu_);  // null once stopped
  std::deque<File> queue_ GUARDED_BY(mu_);
  uint64_t queued_bytes_ GUARDED_BY(mu_) = 0;
  bool scheduled_ GUARDED_BY(mu_) = false;  // a task is owed
  bool stopped_ GUARDED_BY(mu_) = false;
};

}  // namespace seerdb
