// OpenCalls: counts calls that use the directory on their own, so that closing can wait for them.
//
// Thread safety: all methods concurrently. mu_ is a leaf lock.
#pragma once

#include <cstdint>

#include "base/mutex.h"

namespace seerdb {

class OpenCalls {
 public:
  // Returns when none is under way. Those that begin later must see by themselves that it is too late.
  void AwaitNone() EXCLUDES(mu_) {
    MutexLock lock(&mu_);
    while (count_ > 0) ended_.Wait(&mu_);
  }

 private:
  friend class OpenCall;
  Mutex mu_;
  CondVar ended_;
  uint32_t count_ GUARDED_BY(mu_) = 0;
};

// While it lives, a call is under way.
class OpenCall {
 public:
  explicit OpenCall(OpenCalls* calls) : calls_(calls) {
    MutexLock lock(&calls_->mu_);
    ++calls_->count_;
  }
  ~OpenCall() {
    MutexLock lock(&calls_->mu_);
    if (--calls_->count_ == 0) calls_->ended_.SignalAll();
  }
  OpenCall(const OpenCall&) = delete;
  OpenCall& operator=(const OpenCall&) = delete;

 private:
  OpenCalls* const calls_;
};

}  // namespace seerdb
