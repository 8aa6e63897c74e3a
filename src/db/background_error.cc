#include "db/background_error.h"

namespace seerdb {

void BackgroundError::Set(Slice operation, const Status& cause) {
  const State next = cause.MayPass() ? State::kMayPass : State::kReopen;
  const Status kept = cause.WithContext(operation);
  {
    MutexLock lock(&mu_);
    if (state_.load(std::memory_order_relaxed) >= next) return;
    cause_ = kept;
    if (next == State::kMayPass && listener_ != nullptr) listener_();
    state_.store(next, std::memory_order_release);
  }
  if (error_listener_ != nullptr) error_listener_(kept);
}

Status BackgroundError::status() const {
  MutexLock lock(&mu_);
  if (cause_.ok()) return {};
  return Status::ReadOnly("writes stopped by an earlier failure: " + cause_.ToString(), cause_.detail());
}

bool BackgroundError::Clear() {
  MutexLock lock(&mu_);
  if (state_.load(std::memory_order_relaxed) == State::kReopen) return false;
  cause_ = Status();
  state_.store(State::kNone, std::memory_order_release);
  return true;
}

Status BackgroundError::cause() const {
  MutexLock lock(&mu_);
  return cause_;
}

}  // namespace seerdb
