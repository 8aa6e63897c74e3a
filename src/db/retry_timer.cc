#include "db/retry_timer.h"

namespace seerdb {

void RetryTimer::Start() {
  MutexLock lock(&mu_);
  if (over_ || scheduled_ || executor_->cooperative()) return;
  scheduled_ = true;
  executor_->ScheduleAfter(delay_us_, Executor::Lane::kFlush, [weak = weak_from_this()] {
    if (const std::shared_ptr<RetryTimer> self = weak.lock()) self->Run();
  });
}

void RetryTimer::Run() {
  {
    MutexLock lock(&mu_);
    scheduled_ = false;
    if (over_) return;
    running_ = true;
  }
  retry_();
  MutexLock lock(&mu_);
  running_ = false;
  idle_.SignalAll();
}

void RetryTimer::Stop() {
  MutexLock lock(&mu_);
  over_ = true;
  while (running_) idle_.Wait(&mu_);
}

}  // namespace seerdb
