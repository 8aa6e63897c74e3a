// LargePageGauge: whether memory that is filled once is worth its price in large pages, at present.
//
// A large page saves page faults, and whoever reads it places in the TLB. But a hypervisor that takes free
// memory back from its guest (free page reporting) takes pieces of that size: then touching a new one takes
// ten times as long as before, while small pages still come from what lay between. So fills are timed, and
// after a dear one small pages are taken for a while. Without a clock time stands still, and all pages are
// large. Fills that are compared should be of one kind: pages of a file have another price than others.
// Thread safety: all methods concurrently; of Fill, external synchronization. mu_ is a leaf lock.
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
  // quickest one in small pages of late.
  static constexpr uint64_t kDearUs = 1500;
  static constexpr uint64_t kDearRatio = 2;
  // So many fills are small after a dear one; twice as many after each further one.
  static constexpr int kFirstPause = 128;
  static constexpr int kLongestPause = 1024;

  explicit LargePageGauge(std::shared_ptr<Clock> clock)
      : clock_(std::move(clock)), cheap_(clock_ == nullptr) {}

  // Of what is filled little by little, so that nothing is timed: whether the last large page was cheap. A
  // writer that fills memory as it goes should not be the one who finds out.
  bool PrefersLarge() const EXCLUDES(mu_);

  // A fill of kHugePageBytes, timed from its construction to Done. One that ends without says nothing.
  class Fill {
   public:
    explicit Fill(LargePageGauge* gauge)
        : gauge_(*gauge), large_(gauge->Choose()), begin_us_(gauge->NowMicros()) {}
    ~Fill() {
      if (!done_) gauge_.EndTrial(large_);
    }
    Fill(const Fill&) = delete;
    Fill& operator=(const Fill&) = delete;

    // Whether it should be a large page.
    bool large() const { return large_; }
    void Done() {
      done_ = true;
      gauge_.Note(large_, gauge_.NowMicros() - begin_us_);
    }

   private:
    LargePageGauge& gauge_;
    const bool large_;
    const uint64_t begin_us_;
    bool done_ = false;
  };

 private:
  uint64_t NowMicros() const { return clock_ == nullptr ? 0 : clock_->NowMicros(); }
  bool Choose() EXCLUDES(mu_);
  void Note(bool large, uint64_t us) EXCLUDES(mu_);
  void EndTrial(bool large) EXCLUDES(mu_);

  const std::shared_ptr<Clock> clock_;
  mutable Mutex mu_;
  bool cheap_ GUARDED_BY(mu_);               // the last large page was; false while there was none
  bool trying_ GUARDED_BY(mu_) = false;      // a large page is being filled although the last one was not
  int small_left_ GUARDED_BY(mu_) = 0;       // of the pause behind a dear one
  int pause_ GUARDED_BY(mu_) = kFirstPause;  // behind the next dear one
  // The quickest in small pages since the last dear one; if there was none, before that. 0: none.
  uint64_t small_us_ GUARDED_BY(mu_) = 0;
  bool small_is_old_ GUARDED_BY(mu_) = false;
};

}  // namespace seerdb
