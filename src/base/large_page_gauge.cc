#include "base/large_page_gauge.h"

#include <algorithm>

namespace seerdb {

bool LargePageGauge::Choose() {
  MutexLock lock(&mu_);
  if (small_left_ == 0) return true;
  --small_left_;
  return false;
}

bool LargePageGauge::PrefersLarge() const {
  MutexLock lock(&mu_);
  return cheap_;
}

void LargePageGauge::Note(bool large, uint64_t us) {
  MutexLock lock(&mu_);
  if (!large) {
    small_us_ = small_us_ == 0 ? us : std::min(small_us_, us);
    return;
  }
  cheap_ = us <= kDearUs || us / kDearRatio < small_us_;
  if (cheap_) {
    small_left_ = 0;
    pause_ = kFirstPause;
    return;
  }
  small_left_ = pause_;
  pause_ = std::min(2 * pause_, kLongestPause);
  // What the next one is compared with is as new as the pause.
  small_us_ = 0;
}

}  // namespace seerdb
