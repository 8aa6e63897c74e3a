#include "db/owed_task.h"

#include <atomic>
#include <memory>
#include <utility>

namespace seerdb {
namespace {

enum class Phase { kScheduling, kScheduled, kRan, kDropped };

// Owned by the copies of the task, so its end is theirs.
class OwedTask {
 public:
  OwedTask(std::shared_ptr<std::atomic<Phase>> phase, std::function<void()> run,
           std::function<void()> dropped)
      : phase_(std::move(phase)), run_(std::move(run)), dropped_(std::move(dropped)) {}
  OwedTask(const OwedTask&) = delete;
  OwedTask& operator=(const OwedTask&) = delete;
  ~OwedTask() {
    if (phase_->load(std::memory_order_acquire) == Phase::kRan) return;
    // While it is being scheduled, the one who schedules it finds out by the phase.
    if (phase_->exchange(Phase::kDropped, std::memory_order_acq_rel) == Phase::kScheduled) dropped_();
  }
  void Run() {
    phase_->store(Phase::kRan, std::memory_order_release);
    run_();
  }

 private:
  const std::shared_ptr<std::atomic<Phase>> phase_;
  const std::function<void()> run_;
  const std::function<void()> dropped_;
};

}  // namespace

bool ScheduleOwed(Executor* executor, Executor::Lane lane, std::function<void()> run,
                  std::function<void()> dropped) {
  const auto phase = std::make_shared<std::atomic<Phase>>(Phase::kScheduling);
  auto task = std::make_shared<OwedTask>(phase, std::move(run), std::move(dropped));
  executor->Schedule(lane, [owned = std::move(task)] { owned->Run(); });
  Phase expected = Phase::kScheduling;
  return phase->compare_exchange_strong(expected, Phase::kScheduled, std::memory_order_acq_rel) ||
         expected == Phase::kRan;
}

}  // namespace seerdb
