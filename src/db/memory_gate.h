// MemoryGate: keeps the writes of one database within its memory budget.
//
// Each commit group is admitted before it is logged. From 80 % of the limit on the largest active memtable of
// all databases on the budget is flushed early; from 95 % on the leader waits for flushes, of its own
// database and of others, and for readers that are inside a call. If nothing can free memory the group fails
// (kBusy, kMemoryFull). Thread safety: Admit under leadership of the write queue; the rest concurrently. mu_
// is a leaf lock.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>

#include "base/mutex.h"
#include "cache/shared_budget.h"
#include "db/background_error.h"
#include "db/background_work.h"
#include "db/memory_plan.h"
#include "db/read_view.h"
#include "metrics/statistics.h"
#include "seerdb/clock.h"

namespace seerdb {

class MemoryGate final : public BudgetMember {
 public:
  // All but the budget outlive Stop.
  struct Parts {
    std::shared_ptr<SharedBudget> budget;
    ReadViewHolder* views = nullptr;
    BackgroundWork* work = nullptr;
    BackgroundError* error = nullptr;
    Statistics* statistics = nullptr;
    Clock* clock = nullptr;
    // Under leadership: seals the active memtable and has it flushed.
    std::function<Status()> seal;
    // WriteQueue::TryRunExclusive.
    std::function<void(const std::function<void()>&)> try_lead;
    size_t max_immutables = 1;
    bool cooperative = false;       // the executor runs tasks only for who waits
    uint64_t worthwhile_bytes = 0;  // of a memtable that is flushed early
  };
  MemoryGate(Parts parts, std::shared_ptr<MemoryAccount> account)
      : parts_(std::move(parts)), admitted_(std::move(account), MemoryClass::kActiveMemTable) {}

  // Returns when a group may be written to `active`, the active memtable: at once while that has the memory.
  // What the group will take is set aside until Settle.
  Status Admit(const MemTable& active, uint64_t bytes, uint64_t operations) {
    const uint64_t memtable_bytes = bytes + operations * kEntryBytes;
    if (bytes <= kSmallGroupBytes && active.BytesToReserve(memtable_bytes) == 0) [[likely]]
      return {};
    return AdmitSlowly(bytes, memtable_bytes);
  }
  // The group is written, or has failed.
  void Settle() {
    if (admitted_.bytes() != 0) [[unlikely]]
      admitted_.Release();
  }

  uint64_t active_memtable_bytes() override EXCLUDES(mu_);
  bool GiveBack() override EXCLUDES(mu_);

  // No other database reaches this one any more; waits for one that does. Requires: it has left the budget.
  void Stop() EXCLUDES(mu_);

  // About what an entry of a memtable needs beside its key and value.
  static constexpr uint64_t kEntryBytes = 80;
  // A range tombstone needs as much as so many of them.
  static constexpr uint64_t kEntriesPerRange = 40;

 private:
  // A smaller group's buffers are not worth counting.
  static constexpr uint64_t kSmallGroupBytes = 64 << 10;

  Status AdmitSlowly(uint64_t bytes, uint64_t memtable_bytes);
  // Also under leadership.
  MemorySituation Look(uint64_t bytes, uint64_t memtable_bytes);
  // What is needed can be had now.
  bool Fits(const MemorySituation& situation) const;
  Status WaitForMemory(const MemorySituation& situation);
  Status WaitForJobs(const MemorySituation& situation);
  Status NothingToWaitFor(const MemorySituation& situation) const;
  bool EnterOther() EXCLUDES(mu_);
  void LeaveOther() EXCLUDES(mu_);

  const Parts parts_;
  MemoryCharge admitted_;  // the leader's
  Mutex mu_;
  CondVar left_;
  uint32_t others_inside_ GUARDED_BY(mu_) = 0;
  bool over_ GUARDED_BY(mu_) = false;
};

}  // namespace seerdb
