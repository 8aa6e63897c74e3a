#include "base/epoch.h"

#include <algorithm>

namespace seerdb {
namespace {

// A thread's preferred slot: threads rarely meet on one, and any free slot will do.
size_t PreferredSlot() {
  static std::atomic<size_t> next{0};
  static thread_local const size_t slot = next.fetch_add(1, std::memory_order_relaxed);
  return slot;
}

}  // namespace

EpochManager::~EpochManager() {
  std::vector<Retired> rest;
  {
    MutexLock lock(&mu_);
    rest.swap(retired_);
  }
  for (Retired& retired : rest) retired.release();
}

std::atomic<uint64_t>* EpochManager::Enter() {
  for (size_t i = PreferredSlot();; ++i) {
    std::atomic<uint64_t>& slot = slots_[i % kSlots].epoch;
    uint64_t free = 0;
    // seq_cst orders this store before the guarded pointer load, against the replacer's pointer store
    // followed by its scan of the slots: one of the two sees the other.
    if (slot.compare_exchange_strong(free, epoch_.load(std::memory_order_seq_cst),
                                     std::memory_order_seq_cst)) {
      return &slot;
    }
  }
}

uint64_t EpochManager::OldestReader() const {
  uint64_t oldest = UINT64_MAX;
  for (const Slot& slot : slots_) {
    const uint64_t epoch = slot.epoch.load(std::memory_order_seq_cst);
    if (epoch != 0) oldest = std::min(oldest, epoch);
  }
  return oldest;
}

std::vector<EpochManager::Retired> EpochManager::TakeFreeLocked() {
  std::vector<Retired> free;
  const uint64_t oldest = OldestReader();
  auto waiting = std::partition(retired_.begin(), retired_.end(),
                                [oldest](const Retired& r) { return r.epoch >= oldest; });
  for (auto it = waiting; it != retired_.end(); ++it) free.push_back(std::move(*it));
  retired_.erase(waiting, retired_.end());
  return free;
}

void EpochManager::RetireAfterReaders(std::function<void()> release) {
  std::vector<Retired> free;
  {
    MutexLock lock(&mu_);
    // A guard opened after the increment has a larger epoch and cannot see the replaced pointer.
    retired_.push_back({epoch_.fetch_add(1, std::memory_order_seq_cst), std::move(release)});
    free = TakeFreeLocked();
  }
  for (Retired& retired : free) retired.release();
}

size_t EpochManager::Collect() {
  std::vector<Retired> free;
  size_t waiting = 0;
  {
    MutexLock lock(&mu_);
    free = TakeFreeLocked();
    waiting = retired_.size();
  }
  for (Retired& retired : free) retired.release();
  return waiting;
}

}  // namespace seerdb
