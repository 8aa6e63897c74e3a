#include "db/ticker.h"

#include <utility>

namespace seerdb {

void Ticker::Start(uint64_t interval_us, std::function<void()> tick) {
  if (executor_->cooperative()) return;
  MutexLock lock(&mu_);
  interval_us_ = interval_us;
  tick_ = std::move(tick);
  if (!over_) ScheduleLocked();
}

void Ticker::ScheduleLocked() {
  executor_->ScheduleAfter(interval_us_, Executor::Lane::kSide, [weak = weak_from_this()] {
    if (const std::shared_ptr<Ticker> self = weak.lock()) self->Tick();
  });
}

void Ticker::Tick() {
  std::function<void()> tick;
  {
    MutexLock lock(&mu_);
    if (over_) return;
    running_ = true;
    tick = tick_;
  }
  tick();
  MutexLock lock(&mu_);
  running_ = false;
  if (!over_) ScheduleLocked();
  ended_.SignalAll();
}

void Ticker::Stop() {
  MutexLock lock(&mu_);
  over_ = true;
  while (running_) ended_.Wait(&mu_);
  tick_ = nullptr;
}

}  // namespace seerdb
