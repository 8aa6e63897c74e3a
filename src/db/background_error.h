// BackgroundError: the first failure that stopped all writes, kept until the database is reopened.
//
// Thread safety: all methods concurrently. mu_ is a leaf lock.
#pragma once

#include <atomic>

#include "base/mutex.h"
#include "seerdb/status.h"

namespace seerdb {

class BackgroundError {
 public:
  // Keeps `cause` if it is the first. `operation` says what failed: "log append", "flush".
  void Set(Slice operation, const Status& cause) EXCLUDES(mu_);
  // OK, or kReadOnly with the first cause in its message.
  Status status() const EXCLUDES(mu_);
  bool is_set() const { return set_.load(std::memory_order_acquire); }
  // The first cause itself, for Close().
  Status cause() const EXCLUDES(mu_);

 private:
  std::atomic<bool> set_{false};
  mutable Mutex mu_;
  Status cause_ GUARDED_BY(mu_);
};

}  // namespace seerdb
