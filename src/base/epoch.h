// Epochs: lets readers use a shared object without touching a shared counter, and tells its replacer when
// the last reader of the old one has left.
//
// A reader holds an EpochGuard for the length of one call and loads the shared pointer inside it. A writer
// that has replaced the pointer calls RetireAfterReaders, which runs `release` once no guard that was open
// at that moment still is. Guards must not be held across a wait.
// Per guard: two stores to a cache line of the thread's own. Based on the epoch scheme of K. Fraser,
// "Practical lock-freedom" (2004). Thread safety: all methods concurrently.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include "base/mutex.h"

namespace seerdb {

class EpochManager {
 public:
  EpochManager() = default;
  // Runs what is still retired. Requires: no guard is open.
  ~EpochManager();
  EpochManager(const EpochManager&) = delete;
  EpochManager& operator=(const EpochManager&) = delete;

  // Runs `release` when every guard open now has closed: at once if none is, else in a later call.
  void RetireAfterReaders(std::function<void()> release) EXCLUDES(mu_);
  // Runs what has become free. Returns how many are still waiting.
  size_t Collect() EXCLUDES(mu_);

 private:
  friend class EpochGuard;
  static constexpr size_t kSlots = 256;
  struct alignas(64) Slot {
    std::atomic<uint64_t> epoch{0};  // 0 = no guard
  };
  struct Retired {
    uint64_t epoch;
    std::function<void()> release;
  };
  // A slot that was free, now holding the present epoch.
  std::atomic<uint64_t>* Enter();
  uint64_t OldestReader() const;
  std::vector<Retired> TakeFreeLocked() REQUIRES(mu_);

  std::atomic<uint64_t> epoch_{1};
  Slot slots_[kSlots];
  Mutex mu_;
  std::vector<Retired> retired_ GUARDED_BY(mu_);
};

class EpochGuard {
 public:
  explicit EpochGuard(EpochManager* manager) : slot_(manager->Enter()) {}
  ~EpochGuard() { slot_->store(0, std::memory_order_release); }
  EpochGuard(const EpochGuard&) = delete;
  EpochGuard& operator=(const EpochGuard&) = delete;

 private:
  std::atomic<uint64_t>* const slot_;
};

}  // namespace seerdb
