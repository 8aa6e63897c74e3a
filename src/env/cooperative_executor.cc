#include <deque>
#include <map>
#include <utility>

#include "base/mutex.h"
#include "seerdb/executor.h"

namespace seerdb {
namespace {

class CooperativeExecutor final : public Executor {
 public:
  void Schedule(Lane lane, std::function<void()> task) override {
    MutexLock lock(&mutex_);
    ready_[static_cast<size_t>(lane)].push_back(std::move(task));
  }

  void ScheduleAfter(uint64_t delay_us, Lane lane, std::function<void()> task) override {
    MutexLock lock(&mutex_);
    const uint64_t due_us = delay_us > UINT64_MAX - now_us_ ? UINT64_MAX : now_us_ + delay_us;
    delayed_.emplace(DueTime{due_us, static_cast<size_t>(lane)}, std::move(task));
  }

  bool cooperative() const override { return true; }

  bool RunOne() override {
    std::function<void()> task = Take();
    if (!task) return false;
    task();
    return true;
  }

 private:
  // Due time, then lane: of two tasks due together, the one of the earlier lane runs first.
  using DueTime = std::pair<uint64_t, size_t>;

  std::function<void()> Take() {
    MutexLock lock(&mutex_);
    std::function<void()> task;
    for (auto& queue : ready_) {
      if (queue.empty()) continue;
      task = std::move(queue.front());
      queue.pop_front();
      return task;
    }
    if (const auto first = delayed_.begin(); first != delayed_.end()) {
      now_us_ = first->first.first;
      task = std::move(first->second);
      delayed_.erase(first);
    }
    return task;
  }

  Mutex mutex_;
  std::deque<std::function<void()>> ready_[kLaneCount] GUARDED_BY(mutex_);
  // Equal keys keep the order in which they were inserted.
  std::multimap<DueTime, std::function<void()>> delayed_ GUARDED_BY(mutex_);
  // The due time of the last delayed task that ran: the only time there is here.
  uint64_t now_us_ GUARDED_BY(mutex_) = 0;
};

}  // namespace

std::shared_ptr<Executor> NewCooperativeExecutor() { return std::make_shared<CooperativeExecutor>(); }

}  // namespace seerdb
