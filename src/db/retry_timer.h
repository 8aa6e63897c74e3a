// RetryTimer: calls a function once, some time after it was asked to, for work that was put off.
//
// Held by shared pointer: the executor's timer may come due after the owner is gone, and then does nothing.
// With a cooperative executor, which has no time of its own, it never calls. Thread safety: all methods
// concurrently. mu_ is a leaf lock, not held while the function runs.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <utility>

#include "base/mutex.h"
#include "seerdb/executor.h"

namespace seerdb {

class RetryTimer : public std::enable_shared_from_this<RetryTimer> {
 public:
  // `retry` must be short and not wait for tasks of the flush lane.
  RetryTimer(std::shared_ptr<Executor> executor, uint64_t delay_us, std::function<void()> retry)
      : executor_(std::move(executor)), delay_us_(delay_us), retry_(std::move(retry)) {}

  // Calls it in delay_us, unless that is already planned.
  void Start() EXCLUDES(mu_);
  // It is not called after this; waits for a call that runs.
  void Stop() EXCLUDES(mu_);

 private:
  void Run() EXCLUDES(mu_);

  const std::shared_ptr<Executor> executor_;
  const uint64_t delay_us_;
  const std::function<void()> retry_;
  Mutex mu_;
  CondVar idle_;
  bool scheduled_ GUARDED_BY(mu_) = false;
  bool running_ GUARDED_BY(mu_) = false;
  bool over_ GUARDED_BY(mu_) = false;
};

}  // namespace seerdb
