// UnobservedErrors: the errors of iterators that nobody asked for; shared, because iterators outlive the
// database.
//
// Thread safety: all methods concurrently. mu_ is a leaf lock.
#pragma once

#include "base/mutex.h"
#include "seerdb/status.h"

namespace seerdb {

class UnobservedErrors {
 public:
  void Add(const Status& status) EXCLUDES(mu_);
  // The first one; OK if there was none.
  Status first() const EXCLUDES(mu_);

 private:
  mutable Mutex mu_;
  Status first_ GUARDED_BY(mu_);
};

}  // namespace seerdb
