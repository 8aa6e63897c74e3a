#include "base/rate_limiter.h"

#include <algorithm>

#include "base/units.h"

namespace seerdb {
namespace {

constexpr double kLongestWaitUs = 3600 * kMicrosPerSecond;

}  // namespace

void RateLimiter::Advance(uint64_t now_us, uint64_t bytes_per_second) {
  const double bytes_per_us = static_cast<double>(bytes_per_second) / kMicrosPerSecond;
  if (now_us > last_us_) {
    owed_bytes_ -= static_cast<double>(now_us - last_us_) * bytes_per_us;
    last_us_ = now_us;
  }
  owed_bytes_ = std::max(owed_bytes_, -static_cast<double>(burst_us_) * bytes_per_us);
}

uint64_t RateLimiter::WaitUs(uint64_t bytes_per_second) const {
  if (owed_bytes_ <= 0) return 0;
  const double wait_us = owed_bytes_ * kMicrosPerSecond / static_cast<double>(bytes_per_second);
  return static_cast<uint64_t>(std::min(wait_us, kLongestWaitUs));
}

void RateLimiter::Forgive(uint64_t now_us) {
  owed_bytes_ = 0;
  last_us_ = std::max(last_us_, now_us);
}

}  // namespace seerdb
