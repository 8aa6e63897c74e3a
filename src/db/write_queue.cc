#include "db/write_queue.h"

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
    if (led_ || !waiting_.empty()) return;
    led_ = true;
  }
  work();
  MutexLock lock(&mu_);
  led_ = false;
  if (!waiting_.empty()) waiting_.front()->wake.Signal();
}

void WriteQueue::JoinLocked(WriteRequest* request) {
  if (!led_ && waiting_.empty()) {
    led_ = true;
    return;
  }
  waiting_.push_back(request);
  if (leader_waits_) company_.Signal();
  while (!request->done && (led_ || waiting_.front() != request)) request->wake.Wait(&mu_);
  if (request->done) return;
  led_ = true;
  waiting_.pop_front();
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
  uint64_t bytes = leader->operations.size();
  while (!waiting_.empty() && group_.size() < options_.max_group_writers) {
    WriteRequest* next = waiting_.front();
    if (next->exclusive != nullptr) break;
    bytes += next->operations.size();
    if (bytes > options_.max_group_bytes) break;
    group_.push_back(next);
    waiting_.pop_front();
  }
}

void WriteQueue::FinishLocked(const Status& status, WriteRequest* leader) {
  for (WriteRequest* member : group_) {
    if (member == leader) continue;
    member->status = status;
    member->done = true;
    member->wake.Signal();
  }
  led_ = false;
  if (!waiting_.empty()) waiting_.front()->wake.Signal();
}

Status WriteQueue::Submit(WriteRequest* request) noexcept {
  mu_.Lock();
  JoinLocked(request);
  if (request->done) {
    mu_.Unlock();
    return std::move(request->status);
  }
  GatherLocked(request);
  const bool measured = request->sync && group_.size() + waiting_.size() > 1;
  mu_.Unlock();
  const uint64_t start_us = measured ? options_.clock->NowMicros() : 0;
  Status status = request->exclusive != nullptr ? (*request->exclusive)() : committer_->CommitGroup(group_);
  const uint64_t end_us = measured ? options_.clock->NowMicros() : 0;
  mu_.Lock();
  if (measured) group_us_ = (3 * group_us_ + (end_us - start_us)) / 4;
  if (request->sync) expected_writers_ = group_.size() + waiting_.size();
  FinishLocked(status, request);
  mu_.Unlock();
  return status;
}

}  // namespace seerdb
