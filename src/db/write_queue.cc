#include "db/write_queue.h"

#include "base/mutant.h"
#include "base/park.h"

namespace seerdb {
namespace {

// A leader yields for at most this part of the time that a group takes.
constexpr uint64_t kYieldShare = 2;
// And this often, should the clock stand still.
constexpr int kMaxYields = 1000;

}  // namespace

Status WriteQueue::RunExclusive(std::function<Status()> work) {
  WriteRequest request;
  request.exclusive = &work;
  return Submit(&request);
}

void WriteQueue::TryRunExclusive(const std::function<void()>& work) noexcept {
  {
    MutexLock lock(&mu_);
    if (led_) return;
    led_ = true;
  }
  work();
  HandOn();
}

bool WriteQueue::Join(WriteRequest* request) {
  {
    MutexLock lock(&mu_);
    if (!led_) {
      led_ = true;
      return true;
    }
    waiting_.push_back(request);
    if (leader_waits_) company_.Signal();
  }
  ParkWhile(request->state, WriteRequest::kQueued);
  return request->state.load(std::memory_order_acquire) == WriteRequest::kLeads;
}

void WriteQueue::WaitForCompanyLocked() {
  if (waiting_.size() + 1 >= options_.max_group_writers) return;
  leader_waits_ = true;
  const uint64_t start_us = options_.clock->NowMicros();
  uint64_t waited_us = 0;
  while (waiting_.size() + 1 < options_.max_group_writers && waited_us < options_.group_delay_us) {
    if (!company_.WaitFor(&mu_, options_.group_delay_us - waited_us)) break;
    if (!waiting_.empty() && waiting_.back()->exclusive != nullptr) break;
    waited_us = options_.clock->NowMicros() - start_us;
  }
  leader_waits_ = false;
}

// The writers of the last group are on their way back, and a sync costs the same for all of them together.
// Gives them the processor, for less time than a group takes.
void WriteQueue::YieldToArrivalsLocked() {
  const uint64_t start_us = options_.clock->NowMicros();
  for (int yields = 0; yields < kMaxYields; ++yields) {
    mu_.Unlock();
    options_.clock->Yield();
    mu_.Lock();
    if (waiting_.size() + 1 >= expected_writers_) return;
    if (options_.clock->NowMicros() - start_us >= group_us_ / kYieldShare) return;
  }
}

void WriteQueue::GatherLocked(WriteRequest* leader) {
  group_.clear();
  group_.push_back(leader);
  if (leader->exclusive != nullptr) return;
  if (leader->sync && options_.group_delay_us > 0) {
    WaitForCompanyLocked();
  } else if (leader->sync && waiting_.size() + 1 < expected_writers_) {
    YieldToArrivalsLocked();
  }
  const auto bytes_of = [this](const WriteRequest& request) {
    return request.operations.size() + request.count * options_.operation_bytes;
  };
  uint64_t bytes = bytes_of(*leader);
  while (!waiting_.empty() && group_.size() < options_.max_group_writers) {
    WriteRequest* next = waiting_.front();
    if (next->exclusive != nullptr) break;
    bytes += bytes_of(*next);
    if (bytes > options_.max_group_bytes) break;
    group_.push_back(next);
    waiting_.pop_front();
  }
}

void WriteQueue::Finish(const Status& status, WriteRequest* leader, uint64_t group_us) {
  {
    MutexLock lock(&mu_);
    if (leader->sync) expected_writers_ = group_.size() + waiting_.size();
    if (group_us != 0) group_us_ = (3 * group_us_ + group_us) / 4;
  }
  // Still the leader, so the group is not touched by others. The next one shall find these back in line.
  for (WriteRequest* member : group_) {
    if (member == leader) continue;
    member->status = SEERDB_MUTANT("followers-told-ok") ? Status() : status;
    member->state.store(WriteRequest::kDone, std::memory_order_release);
    Unpark(&member->state);
  }
  HandOn();
}

void WriteQueue::HandOn() {
  WriteRequest* next = nullptr;
  {
    MutexLock lock(&mu_);
    if (waiting_.empty()) {
      led_ = false;
      return;
    }
    next = waiting_.front();
    waiting_.pop_front();
  }
  next->state.store(WriteRequest::kLeads, std::memory_order_release);
  Unpark(&next->state);
}

Status WriteQueue::Submit(WriteRequest* request) noexcept {
  if (!Join(request)) return std::move(request->status);
  bool measured = false;
  {
    MutexLock lock(&mu_);
    GatherLocked(request);
    measured = request->sync && group_.size() + waiting_.size() > 1;
  }
  const uint64_t start_us = measured ? options_.clock->NowMicros() : 0;
  Status status = request->exclusive != nullptr ? (*request->exclusive)() : committer_->CommitGroup(group_);
  const uint64_t group_us = measured ? options_.clock->NowMicros() - start_us : 0;
  Finish(status, request, group_us);
  return status;
}

}  // namespace seerdb
