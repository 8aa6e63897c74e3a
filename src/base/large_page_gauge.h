// LargePageGauge: whether memory that is filled once is worth its price in large pages, at present.
//
// A large page saves page faults, and whoever reads it places in the TLB. But a hypervisor that takes free
// memory back from its guest (free page reporting) takes pieces of that size: then touching a new one takes
// ten times as long as before, while small pages still come from what lay between. So fills are timed, and
// after a dear one small pages are taken for a while. Without a clock time stands still, and all pages are
// large. Thread safety: all methods concurrently. mu_ is a leaf lock.
#pragma once

#include <cstdint>
#include <memory>
#include <utility>

#include "base/mutex.h"
#include "seerdb/clock.h"

namespace seerdb {

class LargePageGauge {
 public:
  // To fill kHugePageBytes takes a tenth of a millisecond to six, if the memory is there; as small pages, a
  // quarter to seven. A fill is dear that takes longer than this, and kDearRatio times as long as the
  // quickest one in small pages since the last dear one.
  static constexpr uint64_t kDearUs = 1500;
  static constexpr uint64_t kDearRatio = 2;
  // So many fills are small after a dear one; twice as many after each further one.
  static constexpr int kFirstPause = 128;
  static constexpr int kLongestPause = 1024;

  explicit LargePageGauge(std::shared_ptr<Clock> clock)
      : clock_(std::move(clock)), cheap_(clock_ == nullptr) {}

  // Whether the next kHugePageBytes that are filled should be a large page. A fill should follow.
  bool Choose() EXCLUDES(mu_);
  // The same, of what is filled little by little, so that nothing follows: whether the last large page was
  // cheap. A writer that fills memory as it goes should not be the one who finds out.
  bool PrefersLarge() const EXCLUDES(mu_);

  // Times the fill of kHugePageBytes, from its construction to its end.
  class Fill {
   public:
    Fill(LargePageGauge* gauge, bool large) : gauge_(*gauge), large_(large), begin_us_(gauge->NowMicros()) {}
    ~Fill() { gauge_.Note(large_, gauge_.NowMicros() - begin_us_); }
    Fill(const Fill&) = delete;
    Fill& operator=(const Fill&) = delete;

   private:
    LargePageGauge& gauge_;
    const bool large_;
    const uint64_t begin_us_;
  };

 private:
  uint64_t NowMicros() const { return clock_ == nullptr ? 0 : clock_->NowMicros(); }
  void Note(bool large, uint64_t us) EXCLUDES(mu_);

  const std::shared_ptr<Clock> clock_;
  mutable Mutex mu_;
  bool cheap_ GUARDED_BY(mu_);               // the last large page was; false while there was none
  int small_left_ GUARDED_BY(mu_) = 0;       // of the pause behind a dear one
  int pause_ GUARDED_BY(mu_) = kFirstPause;  // behind the next dear one
  uint64_t small_us_ GUARDED_BY(mu_) = 0;    // the quickest in small pages since the last dear one; 0: none
};

}  // namespace seerdb
