#include "base/large_page_gauge.h"

#include <algorithm>

namespace seerdb {

bool LargePageGauge::Choose() {
  MutexLock lock(&mu_);
  if (small_left_ > 0) {
    --small_left_;
    return false;
  }
  // Several at once would find out the same, each at its price.
  if (!cheap_ && trying_) return false;
  trying_ = !cheap_;
  return true;
}

void LargePageGauge::EndTrial(bool large) {
  MutexLock lock(&mu_);
  if (large) trying_ = false;
}

bool LargePageGauge::PrefersLarge() const {
  MutexLock lock(&mu_);
  return cheap_;
}

void LargePageGauge::Note(bool large, uint64_t us) {
  MutexLock lock(&mu_);
  if (!large) {
    small_us_ = small_us_ == 0 || small_is_old_ ? us : std::min(small_us_, us);
    small_is_old_ = false;
    return;
  }
  trying_ = false;
  if (small_left_ > 0) return;  // another one, filled beside it, was dear
  cheap_ = us <= kDearUs || us / kDearRatio < small_us_;
  if (cheap_) {
    pause_ = kFirstPause;
    return;
  }
  small_left_ = pause_;
  pause_ = std::min(2 * pause_, kLongestPause);
  small_is_old_ = true;
}

}  // namespace seerdb
