#include "db/memory_gate.h"

#include <algorithm>
#include <string>

#include "base/status_macros.h"

namespace seerdb {
namespace {

// How long a writer waits for a reader to leave its call, and for another database, before it looks again.
constexpr uint64_t kReaderMicros = 100;
constexpr uint64_t kOthersMicros = 10'000;

}  // namespace

MemorySituation MemoryGate::Look(uint64_t bytes, uint64_t memtable_bytes) {
  const std::shared_ptr<const ReadView> view = parts_.views->Acquire();
  const MemTable& active = *view->active().memtable;
  const MemoryAccount& account = *parts_.budget->account();
  MemorySituation s;
  s.early_flush_bytes = parts_.budget->early_flush_bytes();
  s.stop_bytes = parts_.budget->stop_bytes();
  s.pressure_bytes = parts_.budget->pressure_bytes();
  // The entries, and the buffer of the log.
  s.needed_bytes = active.BytesToReserve(memtable_bytes) + bytes;
  s.flushing_bytes = account.bytes(MemoryClass::kImmutableMemTable);
  s.own_active_bytes = active.empty() ? 0 : active.memory_bytes();
  s.largest_other_bytes = parts_.budget->LargestOther(this);
  s.worthwhile_bytes = parts_.worthwhile_bytes;
  s.slot_free = parts_.views->immutable_count() < parts_.max_immutables;
  return s;
}

Status MemoryGate::AdmitSlowly(uint64_t bytes, uint64_t memtable_bytes) {
  uint64_t start_us = 0;
  const auto note_wait = [&] {
    if (start_us != 0) return;
    start_us = std::max<uint64_t>(parts_.clock->NowMicros(), 1);
    parts_.statistics->Add(Counter::memory_stalls);
  };
  Status status;
  Settle();
  while (status.ok()) {
    parts_.budget->cache()->Trim();
    parts_.views->Collect();
    const MemorySituation situation = Look(bytes, memtable_bytes);
    const MemoryStep step = NextMemoryStep(situation);
    if (step == MemoryStep::kAskOther) parts_.budget->AskLargest(this);
    if (step == MemoryStep::kGoOn || step == MemoryStep::kAskOther) {
      if (parts_.budget->TryCharge(&admitted_, situation.needed_bytes)) break;
      continue;  // another database was faster
    }
    if (step == MemoryStep::kSealOwn) {
      status = parts_.seal();
      parts_.statistics->Add(Counter::memory_flushes);
    } else {
      note_wait();
      status = WaitForMemory(situation);
    }
  }
  if (start_us != 0) {
    parts_.statistics->Add(Counter::write_stalls);
    parts_.statistics->Add(Counter::write_stall_us, parts_.clock->NowMicros() - start_us);
  }
  return status;
}

bool MemoryGate::Fits(const MemorySituation& situation) const {
  return parts_.budget->pressure_bytes() + situation.needed_bytes < situation.stop_bytes;
}

Status MemoryGate::WaitForMemory(const MemorySituation& situation) {
  SharedBudget& budget = *parts_.budget;
  const auto fits = [&] { return Fits(situation); };
  if (const size_t waiting = parts_.views->immutable_count(); waiting > 0) {
    return parts_.work->WaitUntil([&] { return fits() || parts_.views->immutable_count() < waiting; });
  }
  if (parts_.views->Collect() > 0) {
    parts_.clock->SleepMicros(kReaderMicros);  // a reader is inside a call, which does not wait for writers
    return {};
  }
  if (budget.AskAll(this) || budget.jobs_above_reserve()) {
    budget.account()->WaitForRelease(fits, kOthersMicros);
    return {};
  }
  if (fits()) return {};
  // What was thought to come back is held up, as by a database whose flushes fail.
  if (situation.own_active_bytes == 0) return WaitForJobs(situation);
  parts_.statistics->Add(Counter::memory_flushes);
  return parts_.seal();
}

// What runs holds memory that goes when it ends: views of the tree, and of a merge the index of each input
// beside that of each output.
Status MemoryGate::WaitForJobs(const MemorySituation& situation) {
  const Status waited = parts_.work->WaitUntil([&] { return Fits(situation); });
  if (!waited.IsBusy()) return waited;
  parts_.views->Collect();
  return Fits(situation) ? Status() : NothingToWaitFor(situation);
}

Status MemoryGate::NothingToWaitFor(const MemorySituation& situation) const {
  return Status::Busy("memory budget: a write needs " + std::to_string(situation.needed_bytes) +
                          " bytes, and nothing can free them: " + parts_.budget->usage().ToString(),
                      StatusDetail::kMemoryFull);
}

bool MemoryGate::EnterOther() {
  MutexLock lock(&mu_);
  if (over_) return false;
  ++others_inside_;
  return true;
}

void MemoryGate::LeaveOther() {
  MutexLock lock(&mu_);
  --others_inside_;
  left_.SignalAll();
}

uint64_t MemoryGate::active_memtable_bytes() {
  if (!EnterOther()) return 0;
  const std::shared_ptr<const ReadView> view = parts_.views->Acquire();
  const uint64_t bytes = view->active().memtable->empty() ? 0 : view->active().memtable->memory_bytes();
  LeaveOther();
  return bytes;
}

bool MemoryGate::GiveBack() {
  if (!EnterOther()) return false;
  bool coming = false;
  if (!parts_.error->is_set()) {
    parts_.views->Collect();
    coming = parts_.views->immutable_count() > 0;
    // Who writes here notices the shortage itself; and a full queue is being flushed.
    const bool empty = parts_.views->Acquire()->active().memtable->empty();
    if (!empty && parts_.views->immutable_count() < parts_.max_immutables) {
      coming = true;
      parts_.try_lead([&] {
        coming = parts_.seal().ok();
        parts_.statistics->Add(Counter::memory_flushes);
      });
    }
    // Nobody else may be there to run the flush.
    if (parts_.cooperative && coming) {
      const size_t waiting = parts_.views->immutable_count();
      parts_.work->WaitUntil([&] { return parts_.views->immutable_count() < std::max<size_t>(waiting, 1); })
          .IgnoreError("the one who asks looks again");
    }
  }
  LeaveOther();
  return coming;
}

void MemoryGate::Stop() {
  MutexLock lock(&mu_);
  over_ = true;
  while (others_inside_ > 0) left_.Wait(&mu_);
}

}  // namespace seerdb
