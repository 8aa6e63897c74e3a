// CompactionPacer: how fast compaction works, in bytes of the entries that it reads.
//
// A tree in shape is compacted no faster than it needs to stay so, to leave the device and the processor to
// the foreground; the nearer it comes to where writers are delayed, the faster, and from there on as fast as
// it can. The same while somebody waits for compaction or nobody writes. All compactions share one limiter.
// Without threads of its own a database is only held to Options::compaction_bytes_per_second.
// Thread safety: all methods concurrently. mu_ is a leaf lock, not held while it sleeps.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>

#include "base/mutex.h"
#include "base/rate_limiter.h"
#include "seerdb/clock.h"

namespace seerdb {

struct PaceInputs {
  uint64_t cap_bytes_per_second = 0;  // 0 = none; holds in any case
  bool hurried = false;               // somebody waits for compaction
  bool idle = false;                  // nobody has written for a while
  double urgency = 0;                 // 0: the tree is in shape; 1: writers are about to be delayed
  uint64_t ingest_bytes_per_second = 0;
  double merges_of_a_byte = 0;  // how often a byte that comes in will be read by compaction
};
// 0 = as fast as it can.
uint64_t CompactionRate(const PaceInputs& inputs);

// How fast something grows that is looked at now and then.
class GrowthRate {
 public:
  void Look(uint64_t total, uint64_t now_us);
  uint64_t per_second() const { return static_cast<uint64_t>(per_second_); }
  // It has not grown for `us`, as far as was seen.
  bool still_for(uint64_t us, uint64_t now_us) const { return seen_ && now_us - grown_us_ >= us; }

 private:
  bool seen_ = false;
  uint64_t total_ = 0;
  uint64_t looked_us_ = 0;
  uint64_t grown_us_ = 0;
  double per_second_ = 0;
};

class CompactionPacer {
 public:
  // All outlive it.
  struct Parts {
    Clock* clock = nullptr;
    const std::atomic<bool>* cancelled = nullptr;
    uint64_t cap_bytes_per_second = 0;
    bool has_threads = true;
    std::function<bool()> hurried;
    std::function<double()> urgency;
    std::function<uint64_t()> ingested_bytes;  // of keys and values, since the start
    std::function<double()> merges_of_a_byte;
  };
  explicit CompactionPacer(Parts parts);

  // A compaction has read `bytes` more: sleeps as long as it must, in pieces, so that it notices soon when
  // it is cancelled or somebody begins to wait. Returns the microseconds slept.
  uint64_t Pay(uint64_t bytes) EXCLUDES(mu_);

 private:
  uint64_t RateLocked(uint64_t now_us) REQUIRES(mu_);

  const Parts parts_;
  Mutex mu_;
  RateLimiter limiter_ GUARDED_BY(mu_);
  GrowthRate ingest_ GUARDED_BY(mu_);
};

}  // namespace seerdb
