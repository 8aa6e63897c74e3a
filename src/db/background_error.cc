#include "db/background_error.h"

namespace seerdb {

void BackgroundError::Set(Slice operation, const Status& cause) {
  MutexLock lock(&mu_);
  if (!cause_.ok()) return;
  cause_ = cause.WithContext(operation);
  set_.store(true, std::memory_order_release);
}

Status BackgroundError::status() const {
  if (!is_set()) return {};
  MutexLock lock(&mu_);
  return Status::ReadOnly("writes stopped by an earlier failure: " + cause_.ToString());
}

Status BackgroundError::cause() const {
  MutexLock lock(&mu_);
  return cause_;
}

}  // namespace seerdb
