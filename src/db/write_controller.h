// WriteController: delays writers as Admit decides, and waits with them where it says so.
//
// Delays are owed by the byte and slept in pieces, under leadership of the write queue and under no lock; the
// state of the tree is looked at again after each piece, so a delay ends with its reason. Time that passes
// between writes pays too: who writes no faster than is admitted is not delayed.
// Thread safety: Slow by the leader; all else concurrently.
#pragma once

#include <atomic>
#include <cstdint>

#include "base/rate_limiter.h"
#include "db/background_work.h"
#include "db/drain_meter.h"
#include "db/read_view.h"
#include "db/write_admission.h"
#include "metrics/statistics.h"
#include "seerdb/clock.h"
#include "seerdb/options.h"

namespace seerdb {

class WriteController {
 public:
  // All outlive it.
  struct Parts {
    ReadViewHolder* views = nullptr;
    BackgroundWork* work = nullptr;
    Statistics* statistics = nullptr;
    Clock* clock = nullptr;
  };
  WriteController(const Options& options, const Parts& parts);

  // False: the next write need not call Slow. Three loads.
  bool UnderPressure() const {
    const size_t immutables = parts_.views->immutable_count();
    return parts_.views->l0_runs() + immutables >= l0_watch_ || immutables >= memtable_watch_ ||
           outside_.load(std::memory_order_relaxed) != 0;
  }

  // Delays a group of `bytes` as long as it must be; `active_fill` is the part of the active memtable that is
  // full. The background error, or kShutdown.
  Status Slow(uint64_t bytes, double active_fill);
  // No delay goes on after this, and none begins.
  void Stop() { stopped_.store(true, std::memory_order_relaxed); }

  // What the tree holds above what its levels may hold, and all of it. After each install.
  void SetDebt(uint64_t debt_bytes, uint64_t tree_bytes);
  // 0 .. 1, as WriteLoad. From whoever watches space.
  void SetSpacePressure(double pressure);

  // What a write would meet now.
  StallState State() const;
  // How far the tree is from where delays begin, see write_admission.h.
  double L0Urgency() const;
  double DebtUrgency() const;
  DrainMeter& drain() { return drain_; }

 private:
  WriteLoad Load(double active_fill) const;
  double ActiveFill() const;
  // A pressure that runs and memtables do not show; each has one who sets it.
  enum Outside : uint32_t { kDebt = 1, kSpace = 2 };
  void NoteOutside(Outside which, const WriteLoad& alone);
  bool MustWait() const;
  Status WaitForRelief();

  const WriteLimits limits_;
  const uint64_t memtable_capacity_;
  const Parts parts_;
  // Below both of these counts no pressure comes from runs and memtables.
  const size_t l0_watch_;
  const size_t memtable_watch_;
  std::atomic<uint32_t> outside_{0};  // those that are not 0
  std::atomic<bool> stopped_{false};
  std::atomic<uint64_t> debt_bytes_{0};
  std::atomic<uint64_t> tree_bytes_{0};
  std::atomic<double> space_pressure_{0};
  DrainMeter drain_;
  RateLimiter limiter_;  // the leader's
};

}  // namespace seerdb
