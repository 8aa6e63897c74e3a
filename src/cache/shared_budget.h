// SharedBudget: the MemoryBudget as the engine uses it: its account, its block cache, and the databases on it.
//
// A database that runs short asks the others to flush; it does so while it holds the leadership of its own
// write queue, and no lock. The one that is asked must neither wait for its own leadership nor for memory.
// Thread safety: all methods concurrently. mu_ is held for looking at the list alone, never while asking.
#pragma once

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

  // Where memtables are flushed early, and where writers wait.
  uint64_t early_flush_bytes() const { return limit_bytes_ / 5 * 4; }
  uint64_t stop_bytes() const { return limit_bytes_ / 20 * 19; }

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

 private:
  using Members = std::vector<std::shared_ptr<BudgetMember>>;
  Members Others(const BudgetMember* asker) const EXCLUDES(mu_);

  const uint64_t limit_bytes_;
  const std::shared_ptr<MemoryAccount> account_;
  const std::shared_ptr<BlockCache> cache_;
  mutable Mutex mu_;
  Members members_ GUARDED_BY(mu_);
};

}  // namespace seerdb
