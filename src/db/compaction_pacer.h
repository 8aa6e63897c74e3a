// CompactionPacer: how fast compaction works, in bytes of the entries that it reads.
//
// A tree in shape is compacted no faster than it needs to stay so, to leave the device and the processor to
// the foreground; the nearer it comes to where writers are delayed, the faster, and from there on as fast as
// it can. The same while somebody waits for compaction or nobody writes. A merge of levels below L0 that runs
// beside one of L0 makes way for it: if both hurried because L0 grows, the one that L0 does not need would
// take half of what the other could have.
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
  // How near the tree is to where writers are delayed, for runs of L0, and for what is owed below. 0: in
  // shape.
  double l0_urgency = 0;
  double urgency_below = 0;
  bool makes_way = false;  // a merge of L0 runs, and this is none
  uint64_t ingest_bytes_per_second = 0;
  double reads_of_a_byte = 0;  // how often a byte that comes in will be read by jobs such as this one
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
    std::function<double()> l0_urgency;
    std::function<double()> urgency_below;
    std::function<uint64_t()> ingested_bytes;  // of keys and values, since the start
  };
  explicit CompactionPacer(Parts parts);

  // One compaction, while it runs.
  class Job {
   public:
    Job(CompactionPacer* pacer, bool of_l0, double reads_of_a_byte);
    ~Job();
    Job(const Job&) = delete;
    Job& operator=(const Job&) = delete;

    // It has read `bytes` more: sleeps as long as it must, in pieces, so that it notices soon when it is
    // cancelled or somebody begins to wait.
    void Pay(uint64_t bytes);
    uint64_t slept_us() const { return slept_us_; }

   private:
    CompactionPacer* const pacer_;
    const bool of_l0_;
    const double reads_of_a_byte_;
    uint64_t slept_us_ = 0;
  };

 private:
  uint64_t RateLocked(bool of_l0, double reads_of_a_byte, uint64_t now_us) REQUIRES(mu_);

  const Parts parts_;
  std::atomic<uint32_t> l0_jobs_{0};
  Mutex mu_;
  RateLimiter l0_limiter_ GUARDED_BY(mu_);
  RateLimiter limiter_below_ GUARDED_BY(mu_);
  RateLimiter cap_limiter_ GUARDED_BY(mu_);  // all jobs, at the cap
  GrowthRate ingest_ GUARDED_BY(mu_);
};

}  // namespace seerdb
