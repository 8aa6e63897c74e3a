// Ticker: calls a function again and again from the side lane of an executor, until it is stopped.
//
// Held by shared pointer: the executor's timer keeps a weak one, so that a tick which comes due after the
// owner is gone does nothing and keeps nothing alive. With a cooperative executor, which has no time of its
// own, there are no ticks. The interval is counted from the end of a tick to the start of the next.
// Thread safety: all methods concurrently. mu_ is a leaf lock, not held while the function runs.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>

#include "base/mutex.h"
#include "seerdb/executor.h"

namespace seerdb {

class Ticker : public std::enable_shared_from_this<Ticker> {
 public:
  explicit Ticker(std::shared_ptr<Executor> executor) : executor_(std::move(executor)) {}

  // Begins. Called at most once. `tick` must be short, since the preparation of logs waits for it, and must
  // not wait for tasks of the side lane or for Stop.
  void Start(uint64_t interval_us, std::function<void()> tick) EXCLUDES(mu_);
  // No tick begins after this; waits for one that runs.
  void Stop() EXCLUDES(mu_);

 private:
  void ScheduleLocked() REQUIRES(mu_);
  void Tick() EXCLUDES(mu_);

  const std::shared_ptr<Executor> executor_;
  Mutex mu_;
  CondVar ended_;
  uint64_t interval_us_ GUARDED_BY(mu_) = 0;
  std::function<void()> tick_ GUARDED_BY(mu_);
  bool running_ GUARDED_BY(mu_) = false;
  bool over_ GUARDED_BY(mu_) = false;
};

}  // namespace seerdb
