#include "db/active_transactions.h"

#include <utility>

#include "base/mutant.h"

namespace seerdb {

ActiveTransactions::ActiveTransactions(std::shared_ptr<SnapshotList> snapshots, uint64_t most_bytes)
    : snapshots_(std::move(snapshots)), most_bytes_(most_bytes) {
  MutexLock lock(&mu_);
  list_.previous = list_.next = &list_;
}

void ActiveTransactions::AddLocked(Entry* entry) {
  entry->start = snapshots_->Take();
  entry->previous = list_.previous;
  entry->next = &list_;
  list_.previous->next = entry;
  list_.previous = entry;
  count_.fetch_add(1, std::memory_order_relaxed);
}

bool ActiveTransactions::TryBegin(Entry* entry) {
  MutexLock lock(&mu_);
  if (!noting() && SEERDB_MUTANT("begin-does-not-wait")) noting_.store(true, std::memory_order_relaxed);
  if (!noting()) return false;
  AddLocked(entry);
  return true;
}

void ActiveTransactions::BeginNoting(Entry* entry) {
  MutexLock lock(&mu_);
  noting_.store(true, std::memory_order_relaxed);
  AddLocked(entry);
}

void ActiveTransactions::End(Entry* entry) {
  MutexLock lock(&mu_);
  entry->previous->next = entry->next;
  entry->next->previous = entry->previous;
  count_.fetch_sub(1, std::memory_order_relaxed);
}

bool ActiveTransactions::TryStopNoting() {
  MutexLock lock(&mu_);
  if (list_.next != &list_) return false;
  noting_.store(false, std::memory_order_relaxed);
  return true;
}

SequenceNumber ActiveTransactions::OldestStart() const {
  MutexLock lock(&mu_);
  return list_.next == &list_ ? snapshots_->visible() : list_.next->start;
}

}  // namespace seerdb
