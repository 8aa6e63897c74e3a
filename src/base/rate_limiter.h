// RateLimiter: a token bucket: says how long to wait so that bytes go by at no more than a given rate.
//
// The rate is given anew with each call and may change at any time: what is still owed is then paid at the
// new rate. Time not used is kept up to `burst_us`, so that a late wake-up does not lower the rate.
// It reads no clock and does not sleep. Thread safety: external synchronization.
#pragma once

#include <cstdint>

namespace seerdb {

class RateLimiter {
 public:
  explicit RateLimiter(uint64_t burst_us) : burst_us_(burst_us) {}

  // Time has come to `now_us`, at `bytes_per_second` (> 0) since the last call. A clock that goes back counts
  // as one that stands.
  void Advance(uint64_t now_us, uint64_t bytes_per_second);
  // After Advance to this moment: time that passed before does not pay for it, but for the burst.
  void Spend(uint64_t bytes) { owed_bytes_ += static_cast<double>(bytes); }
  // Until what is owed is paid; 0 if nothing is.
  uint64_t WaitUs(uint64_t bytes_per_second) const;
  // There is no limit for now: nothing is owed, and nothing is kept.
  void Forgive(uint64_t now_us);

 private:
  const uint64_t burst_us_;
  uint64_t last_us_ = 0;
  double owed_bytes_ = 0;  // negative: may be spent without waiting
};

}  // namespace seerdb
