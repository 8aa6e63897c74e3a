// BackgroundError: the failure that stopped all writes.
//
// Want of space, descriptors or memory alone (Status::MayPass) is forgotten when writes are resumed; any
// other cause, a failed sync among them, is kept until the database is reopened, and takes the place of a
// want. Thread safety: all methods concurrently. Under mu_ only the listener of OnWant is called.
#pragma once

#include <atomic>
#include <functional>

#include "base/mutex.h"
#include "seerdb/status.h"

namespace seerdb {

class BackgroundError {
 public:
  // Called whenever writes stop for a want that may pass, on the thread that found it, before anyone else
  // learns of it; must not call this object. Given before the first Set.
  void OnWant(std::function<void()> listener) { listener_ = std::move(listener); }

  // Called, without a lock, with each cause that Set keeps. Given before the first Set; the object that it
  // belongs to outlives the last.
  void OnError(std::function<void(const Status& cause)> listener) { error_listener_ = std::move(listener); }

  // Keeps `cause` if it is the first, or the first that needs a reopen. `operation` says what failed: "log
  // append", "flush".
  void Set(Slice operation, const Status& cause) EXCLUDES(mu_);
  // OK, or kReadOnly with the cause in its message and the cause's detail.
  Status status() const EXCLUDES(mu_);
  bool is_set() const { return state_.load(std::memory_order_acquire) != State::kNone; }
  // True if it is set and may pass.
  bool resumable() const { return state_.load(std::memory_order_acquire) == State::kMayPass; }
  // Forgets a want. False if a cause is there that needs a reopen.
  bool Clear() EXCLUDES(mu_);
  // The cause itself, for Close().
  Status cause() const EXCLUDES(mu_);

 private:
  enum class State { kNone, kMayPass, kReopen };

  std::function<void()> listener_;
  std::function<void(const Status&)> error_listener_;
  std::atomic<State> state_{State::kNone};
  mutable Mutex mu_;
  Status cause_ GUARDED_BY(mu_);
};

}  // namespace seerdb
