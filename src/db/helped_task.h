// HelpedTask: work that an executor's thread may do, and that whoever waits for it does if nobody has begun.
//
// So nobody waits for an executor that has not come to the task, is cooperative, or has let go of it; for one
// that has begun, at the priority of its thread.
// Thread safety: all but the work by the owner; the work runs at most once, on one of the two threads.
#pragma once

#include <functional>
#include <memory>

#include "base/mutex.h"
#include "seerdb/executor.h"

namespace seerdb {

class HelpedTask {
 public:
  explicit HelpedTask(std::function<void()> work) : state_(std::make_shared<State>()) {
    state_->work = std::move(work);
  }
  HelpedTask(const HelpedTask&) = delete;
  HelpedTask& operator=(const HelpedTask&) = delete;
  // What the work borrows may end with the owner.
  ~HelpedTask() { Cancel(); }

  // Lets a thread of the executor do the work. False without one, or with one that is cooperative: only Wait
  // will do it.
  bool Offer(Executor* executor, Executor::Lane lane) {
    if (executor == nullptr || executor->cooperative()) return false;
    executor->Schedule(lane, [state = state_] { state->RunUnlessBegun(); });
    return true;
  }

  // Returns when the work is done; does it here if nobody has begun.
  void Wait() {
    state_->RunUnlessBegun();
    Await();
  }
  // Returns when the work is done, or will never begin.
  void Cancel() {
    {
      MutexLock lock(&state_->mu);
      if (!state_->begun) state_->begun = state_->done = true;
    }
    Await();
  }

 private:
  void Await() {
    MutexLock lock(&state_->mu);
    while (!state_->done) state_->ended.Wait(&state_->mu);
  }

  struct State {
    void RunUnlessBegun() EXCLUDES(mu) {
      {
        MutexLock lock(&mu);
        if (begun) return;
        begun = true;
      }
      work();
      MutexLock lock(&mu);
      done = true;
      ended.SignalAll();
    }

    std::function<void()> work;
    Mutex mu;
    CondVar ended;
    bool begun GUARDED_BY(mu) = false;
    bool done GUARDED_BY(mu) = false;
  };

  const std::shared_ptr<State> state_;
};

}  // namespace seerdb
