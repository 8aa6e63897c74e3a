// SharedBudget: the MemoryBudget as the engine uses it: its account, its block cache, and the databases on
// it.
//
// A database that runs short asks the others to flush; it does so while it holds the leadership of its own
// write queue, and no lock. The one that is asked must neither wait for its own leadership nor for memory.
// Thread safety: all methods concurrently. mu_ is a leaf lock: it is never held while another is asked.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <vector>

#include "base/memory_account.h"
#include "base/mutex.h"
#include "cache/block_cache.h"
#include "seerdb/memory_budget.h"

namespace seerdb {

// One database, as the others see it. All methods concurrently.
class BudgetMember {
 public:
  virtual ~BudgetMember() = default;
  // Memory of the active memtable.
  virtual uint64_t active_memtable_bytes() = 0;
  // Starts to flush the active memtable, unless somebody is writing to it. True if memory will be given back.
  virtual bool GiveBack() = 0;
};

class SharedBudget final : public MemoryBudget {
 public:
  explicit SharedBudget(uint64_t limit_bytes);

  uint64_t limit_bytes() const override { return limit_bytes_; }
  MemoryUsage usage() const override;

  // Where memtables are flushed early, and where writers wait, both as pressure_bytes.
  uint64_t early_flush_bytes() const { return limit_bytes_ / 5 * 4; }
  uint64_t stop_bytes() const { return limit_bytes_ / 20 * 19; }
  // Kept free for a flush and a compaction, whether they run or not: without them nothing is given back.
  uint64_t job_reserve_bytes() const { return JobReserve(limit_bytes_); }
  static uint64_t JobReserve(uint64_t limit_bytes);
  // What cannot be had: all that is held but the cache, what jobs may add to it, and what jobs use or may
  // need: of each kind the first one's share is kept for it, however much jobs of the other kind use.
  uint64_t pressure_bytes() const;
  // Jobs use more than their shares, so that their end lowers the pressure.
  bool jobs_above_reserve() const { return job_bytes() > job_reserve_bytes(); }

  const std::shared_ptr<MemoryAccount>& account() const { return account_; }
  // Shared by the databases; each adds to its capacity. It takes what is left below early_flush_bytes().
  const std::shared_ptr<BlockCache>& cache() const { return cache_; }

  void Join(std::shared_ptr<BudgetMember> member) EXCLUDES(mu_);
  void Leave(const BudgetMember* member) EXCLUDES(mu_);
  // The largest active memtable but that of `asker`.
  uint64_t LargestOther(const BudgetMember* asker) const EXCLUDES(mu_);
  // Asks the database with that memtable. True if memory will be given back.
  bool AskLargest(const BudgetMember* asker) EXCLUDES(mu_);
  // Asks all of them.
  bool AskAll(const BudgetMember* asker) EXCLUDES(mu_);

  // Charges `bytes` if they keep the pressure below stop_bytes.
  bool TryCharge(MemoryCharge* charge, uint64_t bytes) EXCLUDES(mu_);

  enum class Job : unsigned char { kFlush, kCompaction };
  // Waits until a job that uses so many bytes may run, and charges them. Those that run never wait for each
  // other, and one of each kind may always run: a compaction when no flush runs that will give memory back.
  void StartJob(Job job, MemoryCharge* charge, uint64_t bytes) EXCLUDES(mu_);
  // Releases the charge.
  void EndJob(Job job, MemoryCharge* charge) EXCLUDES(mu_);

 private:
  static constexpr size_t kJobs = 2;
  struct Running {
    uint32_t jobs = 0;
    uint64_t bytes = 0;
  };
  // What jobs use, and what is kept for those that do not run.
  uint64_t job_bytes() const {
    return account_->bytes(MemoryClass::kJobs) + unused_bytes_.load(std::memory_order_relaxed);
  }
  // Of the kind's share, what its running jobs do not use.
  uint64_t UnusedLocked(size_t kind) const REQUIRES(mu_);
  // Whether a job runs whose end this one may wait for.
  bool MayWaitLocked(Job job) const REQUIRES(mu_);
  uint64_t UnusedLocked() const REQUIRES(mu_) { return UnusedLocked(0) + UnusedLocked(1); }

  using Members = std::vector<std::shared_ptr<BudgetMember>>;
  Members Others(const BudgetMember* asker) const EXCLUDES(mu_);

  const uint64_t limit_bytes_;
  const std::shared_ptr<MemoryAccount> account_;
  const std::shared_ptr<BlockCache> cache_;
  mutable Mutex mu_;
  Members members_ GUARDED_BY(mu_);
  CondVar job_ended_;
  Running running_[kJobs] GUARDED_BY(mu_);
  std::atomic<uint64_t> unused_bytes_;  // UnusedLocked()
};

// The buffers of one job, from before it starts until it has ended or Release.
class JobMemory {
 public:
  // `budget` may be null.
  JobMemory(SharedBudget* budget, const std::shared_ptr<MemoryAccount>& account, SharedBudget::Job job,
            uint64_t bytes);
  ~JobMemory() { Release(); }
  JobMemory(const JobMemory&) = delete;
  JobMemory& operator=(const JobMemory&) = delete;
  void Release();

 private:
  SharedBudget* budget_;
  const SharedBudget::Job job_;
  MemoryCharge charge_;
};

}  // namespace seerdb
