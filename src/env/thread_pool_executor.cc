#include <pthread.h>
#include <sched.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <deque>
#include <map>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

#include "base/mutex.h"
#include "seerdb/clock.h"
#include "seerdb/executor.h"

namespace seerdb {
namespace {

constexpr size_t kLanes = Executor::kLaneCount;
constexpr std::array<int, kLanes> kAddedNiceness = {0, 5, 10, 10};
constexpr uint32_t kMaxCompactionThreads = 64;
constexpr std::array<const char*, kLanes> kThreadNames = {"seerdb-side", "seerdb-flush", "seerdb-compact",
                                                          "seerdb-cleanup"};  // < 16 bytes

// The queues of all lanes; owned by the executor and its threads together, so that a thread which outlives
// the executor still has them. Signals are given under the mutex: once it is released, a task may end the
// executor, and the queues with it.
class LaneQueues {
 public:
  using Task = std::function<void()>;

  void Add(size_t lane, Task task) EXCLUDES(mutex_) {
    MutexLock lock(&mutex_);
    lanes_[lane].ready.push_back(std::move(task));
    lanes_[lane].changed.Signal();
  }

  void AddAfter(uint64_t delay_us, size_t lane, Task task) EXCLUDES(mutex_) {
    const uint64_t now_us = clock_->NowMicros();
    const uint64_t due_us = delay_us > UINT64_MAX - now_us ? UINT64_MAX : now_us + delay_us;
    MutexLock lock(&mutex_);
    lanes_[lane].delayed.emplace(due_us, std::move(task));
    lanes_[lane].changed.Signal();
  }

  // Makes delayed tasks due at once, and RunLane return when no lane has or runs a task.
  void Stop() EXCLUDES(mutex_) {
    MutexLock lock(&mutex_);
    stopping_ = true;
    SignalAllLanes();
  }

  void RunLane(size_t lane) EXCLUDES(mutex_) {
    while (Task task = Take(lane)) {
      task();
      task = nullptr;  // what it captured may be the last reference to the executor: not under the mutex
      Finish();
    }
  }

 private:
  struct Lane {
    std::deque<Task> ready;
    std::multimap<uint64_t, Task> delayed;  // by due time; equal ones in the order they came
    CondVar changed;
  };

  // The next task, after waiting for one to be due; an empty one when the lane is to end. Counts the task
  // as running.
  Task Take(size_t lane_index) EXCLUDES(mutex_) {
    MutexLock lock(&mutex_);
    Lane& lane = lanes_[lane_index];
    while (true) {
      // Delayed tasks join the end of the queue when they fall due.
      const uint64_t now_us = stopping_ ? UINT64_MAX : clock_->NowMicros();
      while (!lane.delayed.empty() && lane.delayed.begin()->first <= now_us) {
        lane.ready.push_back(std::move(lane.delayed.begin()->second));
        lane.delayed.erase(lane.delayed.begin());
      }
      if (!lane.ready.empty()) {
        Task task = std::move(lane.ready.front());
        lane.ready.pop_front();
        ++running_;
        // This thread may have been the one that was to wake for what is left.
        if (!lane.ready.empty() || !lane.delayed.empty()) lane.changed.Signal();
        return task;
      }
      if (stopping_ && running_ == 0 && AllEmpty()) return nullptr;
      if (lane.delayed.empty()) {
        lane.changed.Wait(&mutex_);
      } else {
        const uint64_t wait_us = std::min(lane.delayed.begin()->first - now_us, kMaxWaitUs);
        lane.changed.WaitFor(&mutex_, wait_us);
      }
    }
  }

  void Finish() EXCLUDES(mutex_) {
    MutexLock lock(&mutex_);
    --running_;
    // The others wait for this one, since a task may schedule on either lane.
    if (stopping_ && running_ == 0) SignalAllLanes();
  }

  bool AllEmpty() const REQUIRES(mutex_) {
    return std::all_of(lanes_.begin(), lanes_.end(),
                       [](const Lane& lane) { return lane.ready.empty() && lane.delayed.empty(); });
  }

  void SignalAllLanes() REQUIRES(mutex_) {
    for (Lane& lane : lanes_) lane.changed.SignalAll();
  }

  static constexpr uint64_t kMaxWaitUs = 3600ull * 1000000;  // far below what overflows a time point

  const std::shared_ptr<Clock> clock_ = SystemClock();
  Mutex mutex_;
  std::array<Lane, kLanes> lanes_ GUARDED_BY(mutex_);
  size_t running_ GUARDED_BY(mutex_) = 0;
  bool stopping_ GUARDED_BY(mutex_) = false;
};

// Lets the host's threads go first. A refusal leaves the priority as it is. SCHED_BATCH: a thread that wakes,
// as compaction does a hundred times a second while it is paced, does not interrupt the one that runs.
void AddNicenessToThisThread(int added) {
  const auto thread_id = static_cast<id_t>(::syscall(SYS_gettid));
  errno = 0;
  const int niceness = ::getpriority(PRIO_PROCESS, thread_id);
  if ((niceness == -1 && errno != 0) || added == 0) return;
  ::setpriority(PRIO_PROCESS, thread_id, std::min(niceness + added, 19));
  const sched_param no_parameters = {};
  if (::sched_getscheduler(0) == SCHED_OTHER) ::sched_setscheduler(0, SCHED_BATCH, &no_parameters);
}

// While it lives, new threads start with all signals blocked but those that a thread brings upon itself, so
// that the host's handlers run on the host's threads.
class BlockSignalsForNewThreads {
 public:
  BlockSignalsForNewThreads() {
    sigset_t blocked;
    ::sigfillset(&blocked);
    for (const int number : {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP, SIGABRT, SIGSYS, SIGPROF})
      ::sigdelset(&blocked, number);
    ::pthread_sigmask(SIG_BLOCK, &blocked, &before_);
  }
  ~BlockSignalsForNewThreads() { ::pthread_sigmask(SIG_SETMASK, &before_, nullptr); }
  BlockSignalsForNewThreads(const BlockSignalsForNewThreads&) = delete;
  BlockSignalsForNewThreads& operator=(const BlockSignalsForNewThreads&) = delete;

 private:
  sigset_t before_;
};

class ThreadPoolExecutor final : public Executor {
 public:
  ThreadPoolExecutor() = default;
  ThreadPoolExecutor(const ThreadPoolExecutor&) = delete;
  ThreadPoolExecutor& operator=(const ThreadPoolExecutor&) = delete;

  // When a task drops the last reference, this runs on a thread of ours, inside a task that another thread
  // may be waiting for: then no thread is joined, and each ends by itself after what is queued.
  ~ThreadPoolExecutor() override {
    queues_->Stop();
    bool on_own_thread = false;
    for (const std::thread& thread : threads_) on_own_thread |= thread.get_id() == std::this_thread::get_id();
    for (std::thread& thread : threads_) {
      if (!thread.joinable()) continue;
      if (on_own_thread) {
        thread.detach();
      } else {
        thread.join();
      }
    }
  }

  // False if the system refuses a lane its first thread; with fewer than asked for, the lane has those.
  bool Start(uint32_t compaction_threads) {
    const BlockSignalsForNewThreads block_signals;
    for (const Lane lane : {Lane::kSide, Lane::kFlush, Lane::kCompaction, Lane::kCleanup}) {
      if (!StartThread(lane)) return false;
    }
    for (uint32_t i = 1; i < compaction_threads; ++i) {
      if (!StartThread(Lane::kCompaction)) break;
    }
    return true;
  }

  void Schedule(Lane lane, std::function<void()> task) override {
    queues_->Add(static_cast<size_t>(lane), std::move(task));
  }
  void ScheduleAfter(uint64_t delay_us, Lane lane, std::function<void()> task) override {
    queues_->AddAfter(delay_us, static_cast<size_t>(lane), std::move(task));
  }
  bool cooperative() const override { return false; }
  bool RunOne() override { return false; }

 private:
  bool StartThread(Lane of) {
    const auto lane = static_cast<size_t>(of);
    try {
      threads_.emplace_back([queues = queues_, lane] {
        ::pthread_setname_np(::pthread_self(), kThreadNames[lane]);
        AddNicenessToThisThread(kAddedNiceness[lane]);
        queues->RunLane(lane);
      });
    } catch (const std::system_error&) {
      return false;
    }
    return true;
  }

  const std::shared_ptr<LaneQueues> queues_ = std::make_shared<LaneQueues>();
  std::vector<std::thread> threads_;
};

}  // namespace

std::shared_ptr<Executor> NewThreadPoolExecutor(uint32_t compaction_threads) {
  auto executor = std::make_shared<ThreadPoolExecutor>();
  // Without threads the engine still works, in the threads that call it.
  if (!executor->Start(std::min(compaction_threads, kMaxCompactionThreads))) return NewCooperativeExecutor();
  return executor;
}

}  // namespace seerdb
