#include "base/large_page_gauge.h"

#include <algorithm>

namespace seerdb {

bool LargePageGauge::Choose() {
  MutexLock lock(&mu_);
  if (!dear_ || small_left_ == 0) return true;
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
  dear_ = us > kDearUs && us / kDearRatio >= small_us_;
  cheap_ = !dear_;
  // What it is compared with next is as new as the pause.
  if (dear_) small_us_ = 0;
  small_left_ = dear_ ? pause_ : 0;
  pause_ = dear_ ? std::min(2 * pause_, kLongestPause) : kFirstPause;
}

}  // namespace seerdb
