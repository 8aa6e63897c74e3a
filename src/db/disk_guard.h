// DiskGuard: keeps min_disk_space_bytes of the file system free: refuses writes, and puts compactions off.
//
// The file system is asked at most every 10 s, by the monotonic clock, and what was admitted since is taken
// off its answer; near the limit, and after a refusal, it is asked each time. A flush is let through while
// there is space at all: it is what makes the log of the refused writers' predecessors go away. A compaction
// that would go below the limit is tried again later, by a timer and after each flush. Thread safety: all
// methods concurrently, without a lock.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "db/retry_timer.h"
#include "seerdb/clock.h"
#include "seerdb/executor.h"
#include "seerdb/file_system.h"
#include "seerdb/status.h"

namespace seerdb {

class DiskGuard {
 public:
  struct Parts {
    std::shared_ptr<FileSystem> fs;
    std::string directory;
    std::shared_ptr<Clock> clock;
    std::shared_ptr<Executor> executor;
    uint64_t min_bytes = 0;       // > 0
    std::function<void()> retry;  // tries compaction again; must not wait for writers
  };
  explicit DiskGuard(Parts parts);

  // kIoError/kDiskSpaceFull if `bytes` more would leave less than the limit. For writes that add data.
  Status AdmitWrite(uint64_t bytes);
  // The same for what writes `bytes` in one go (`what` names it): asks the file system now.
  Status AdmitJob(const char* what, uint64_t bytes);
  // What AdmitJob would have let through when the file system was last asked; UINT64_MAX before that.
  uint64_t job_room_bytes() const;
  // kIoError/kNoSpace if there is less than `bytes` at all.
  Status AdmitFlush(uint64_t bytes);

  // Calls `retry` in a while, unless that is already planned.
  void RetryLater() { retry_->Start(); }
  // No retry after this; waits for one that runs.
  void Stop() { retry_->Stop(); }

  uint64_t min_bytes() const { return parts_.min_bytes; }
  // As last heard, less what was admitted since.
  uint64_t available_bytes() const;

 private:
  bool MayBeBelow(uint64_t bytes) const;
  // Asks. Of a file system that does not say, everything is taken to be available.
  uint64_t Ask();
  Status Refuse(const char* what, uint64_t bytes, uint64_t available_bytes);

  const Parts parts_;
  std::atomic<uint64_t> asked_us_{0};  // 0 = never
  std::atomic<uint64_t> heard_bytes_{0};
  std::atomic<uint64_t> admitted_bytes_{0};  // since
  std::atomic<bool> refused_{false};
  const std::shared_ptr<RetryTimer> retry_;
};

}  // namespace seerdb
