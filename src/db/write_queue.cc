#include "db/write_queue.h"

#include <algorithm>

#include "base/mutant.h"
#include "base/park.h"

namespace seerdb {
namespace {

// A leader yields for at most this part of the time that a group takes.
constexpr uint64_t kYieldShare = 2;
// And this often, should the clock stand still.
constexpr int kMaxYields = 1000;
// A leader commits for others at most so often before it returns.
constexpr int kMostServed = 8;
// Of spinning: a wait that it did not end costs as much as so many that it did, and where it never does, one
// wait in so many tries it.
constexpr int kSpinLoss = 4;
constexpr int kMostCredit = 32;
constexpr int kLeastCredit = -64;
// A writer stands aside if so many writes begin within so many pauses. It looks after so long (the kernel
// makes it about twice as long), and if so many writes were begun meanwhile, sleeps for the rest of a turn.
// What a scheduler lets threads wait that share a processor is several times as much. Each look takes a
// processor from background work, and one that is idle between looks takes none over. It has not paid
// if too few writes were begun in either time, or if writers have stood aside so often without making use of
// the turns before: who does meets another again within so long.
constexpr uint32_t kOneAfterAnother = 2;
constexpr int kMostPauses = 3;
constexpr uint64_t kAsideLookUs = 50;
constexpr uint32_t kWritesBeforeLook = 32;
constexpr uint64_t kRestOfTurnUs = 950;
constexpr uint32_t kWritesOfRest = 128;
constexpr uint64_t kUsedTurnUs = 4 * (kAsideLookUs + kRestOfTurnUs);
constexpr int kMostUnused = 16;
// When it has not paid, nobody stands aside in the next collisions: twice as many each time.
constexpr int kLeastPenalty = 64;
constexpr int kMostPenalty = 1 << 13;

// So often this thread met nobody.
thread_local uint32_t own_leads = 0;

}  // namespace

Status WriteQueue::RunExclusive(std::function<Status()> work) {
  WriteRequest request;
  request.exclusive = &work;
  return Submit(&request);
}

void WriteQueue::TryRunExclusive(const std::function<void()>& work) noexcept {
  if (!TryLead()) return;
  work();
  HandOn(false);
}

bool WriteQueue::LeadOrWaitLocked() {
  uint32_t now = leadership_.load(std::memory_order_relaxed);
  for (;;) {
    if (now == kWaited) return false;
    const uint32_t next = now == kFree ? kLed : kWaited;
    if (leadership_.compare_exchange_weak(now, next, std::memory_order_acquire, std::memory_order_relaxed)) {
      return next == kLed;
    }
  }
}

bool WriteQueue::Join(WriteRequest* request) {
  if (!TryLead()) [[unlikely]] {
    // A transaction that comes late conflicts with what was written meanwhile.
    if (!request->sync && request->exclusive == nullptr && request->check == nullptr) StandAside(request);
    return JoinLine(request);
  }
  leads_.store(leads_.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
  ++own_leads;
  if (request->sync) {
    MutexLock lock(&mu_);
    GatherLocked(request);
  } else {
    group_.clear();
    group_.push_back(request);
    measured_ = false;
  }
  return true;
}

void WriteQueue::StandAside(WriteRequest* request) {
  if (const int credit = aside_credit_.load(std::memory_order_relaxed); credit < 0) {
    aside_credit_.store(credit + 1, std::memory_order_relaxed);
    return;
  }
  const auto leads = [this] { return leads_.load(std::memory_order_relaxed); };
  const uint32_t before = leads();
  for (int pauses = 0; leads() - before < kOneAfterAnother; ++pauses) {
    const uint32_t now = leadership_.load(std::memory_order_relaxed);
    const bool handed_on = now == kWaited;
    const bool was_one_write = pauses > 1 && now == kFree && leads() == before;
    if (handed_on || was_one_write || pauses == kMostPauses) return;
    Pause();
  }
  // A pause may have taken long: whoever wrote on and on may have stopped.
  if (leadership_.load(std::memory_order_relaxed) != kLed) return;
  // This thread's last turn, which began when it had stood aside.
  struct Turn {
    const WriteQueue* queue = nullptr;
    uint64_t begin_us = 0;
    uint32_t leads = 0;  // own_leads then
  };
  thread_local Turn last;
  const bool used = last.queue == this && own_leads - last.leads >= kWritesBeforeLook &&
                    options_.clock->NowMicros() - last.begin_us <= kUsedTurnUs;
  const int unused = used ? 0 : asides_unused_.load(std::memory_order_relaxed) + 1;
  const bool paid = LeaveAlone() && unused < kMostUnused;
  last = {this, options_.clock->NowMicros(), own_leads};
  asides_unused_.store(paid ? unused : 0, std::memory_order_relaxed);
  NoteAside(paid, used);
  request->takes_turn = true;
}

bool WriteQueue::LeaveAlone() {
  const auto writes_within = [this](uint64_t us) {
    const uint32_t begin = leads_.load(std::memory_order_relaxed);
    options_.clock->SleepMicros(us);
    return leads_.load(std::memory_order_relaxed) - begin;
  };
  return writes_within(kAsideLookUs) >= kWritesBeforeLook && writes_within(kRestOfTurnUs) >= kWritesOfRest;
}

void WriteQueue::NoteAside(bool paid, bool used) {
  const int penalty = std::max(aside_penalty_.load(std::memory_order_relaxed), kLeastPenalty);
  if (!paid) {
    aside_credit_.store(-penalty, std::memory_order_relaxed);
    aside_penalty_.store(std::min(2 * penalty, kMostPenalty), std::memory_order_relaxed);
  } else if (used) {
    aside_penalty_.store(0, std::memory_order_relaxed);
  }
}

bool WriteQueue::JoinLine(WriteRequest* request) {
  {
    MutexLock lock(&mu_);
    if (LeadOrWaitLocked()) {
      GatherLocked(request);
      return true;
    }
    waiting_.push_back(request);
    if (leader_waits_) company_.Signal();
  }
  Await(request);
  if (request->state.load(std::memory_order_acquire) == WriteRequest::kDone) return false;
  MutexLock lock(&mu_);
  GatherLocked(request);
  return true;
}

// What is not synced is done sooner than a thread goes to sleep, if the leader has a processor.
void WriteQueue::Await(WriteRequest* request) {
  const int credit = spin_credit_.load(std::memory_order_relaxed);
  if (!request->sync && request->exclusive == nullptr) {
    const bool spins = credit >= 0 || request->takes_turn;
    const bool ended = spins && SpinWhile(request->state, WriteRequest::kQueued);
    const int change = ended || !spins ? 1 : credit < kSpinLoss ? kLeastCredit : -kSpinLoss;
    spin_credit_.store(std::clamp(credit + change, kLeastCredit, kMostCredit), std::memory_order_relaxed);
    if (ended) return;
  }
  uint32_t queued = WriteRequest::kQueued;
  if (request->state.compare_exchange_strong(queued, WriteRequest::kParked, std::memory_order_acq_rel)) {
    ParkWhile(request->state, WriteRequest::kParked);
  }
}

// The request may be gone when this returns.
void WriteQueue::Tell(WriteRequest* request, WriteRequest::State state) {
  std::atomic<uint32_t>* const word = &request->state;
  if (word->exchange(state, std::memory_order_acq_rel) == WriteRequest::kParked) Unpark(word);
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
  measured_ = false;
  if (leader->exclusive != nullptr) return;
  if (leader->sync && options_.group_delay_us > 0) {
    WaitForCompanyLocked();
  } else if (leader->sync && waiting_.size() + 1 < expected_writers_) {
    YieldToArrivalsLocked();
  }
  FillLocked(false);
  measured_ = leader->sync && group_.size() + waiting_.size() > 1;
}

void WriteQueue::FillLocked(bool unsynced) {
  const auto bytes_of = [this](const WriteRequest& request) {
    return request.operations.size() + request.count * options_.operation_bytes;
  };
  uint64_t bytes = group_.empty() ? 0 : bytes_of(*group_.front());
  while (!waiting_.empty() && group_.size() < options_.max_group_writers) {
    WriteRequest* next = waiting_.front();
    if (next->exclusive != nullptr || (unsynced && (next->sync || next->takes_turn))) break;
    bytes += bytes_of(*next);
    if (bytes > options_.max_group_bytes && !group_.empty()) break;
    group_.push_back(next);
    waiting_.pop_front();
  }
}

// Still the leader, so the group is not touched by others.
void WriteQueue::Acknowledge(const Status& status, const WriteRequest* leader) {
  for (WriteRequest* member : group_) {
    if (member == leader) continue;
    if (member->status.ok()) member->status = SEERDB_MUTANT("followers-told-ok") ? Status() : status;
    Tell(member, WriteRequest::kDone);
  }
}

void WriteQueue::HandOnToLine(bool serve) {
  WriteRequest* next = nullptr;
  for (int served = 0; next == nullptr; ++served) {
    {
      MutexLock lock(&mu_);
      if (waiting_.empty()) {
        leadership_.store(kFree, std::memory_order_release);
        return;
      }
      group_.clear();
      if (serve && served < kMostServed && !committer_->MayStall()) FillLocked(true);
      if (group_.empty()) {
        next = waiting_.front();
        waiting_.pop_front();
        if (waiting_.empty()) leadership_.store(kLed, std::memory_order_relaxed);
      }
    }
    if (next == nullptr) Acknowledge(committer_->CommitGroup(group_), nullptr);
  }
  Tell(next, WriteRequest::kLeads);
}

Status WriteQueue::Submit(WriteRequest* request) noexcept {
  if (!Join(request)) return std::move(request->status);
  const bool measured = measured_;
  const uint64_t start_us = measured ? options_.clock->NowMicros() : 0;
  Status status = request->exclusive != nullptr ? (*request->exclusive)() : committer_->CommitGroup(group_);
  const uint64_t group_us = measured ? options_.clock->NowMicros() - start_us : 0;
  if (request->sync || group_us != 0) {
    MutexLock lock(&mu_);
    if (request->sync) expected_writers_ = group_.size() + waiting_.size();
    if (group_us != 0) group_us_ = (3 * group_us_ + group_us) / 4;
  }
  // Those of a synced group shall be back in line when the next one begins.
  if (group_.size() > 1) Acknowledge(status, request);
  // Who has values in hand keeps others from theirs.
  HandOn(!request->sync && request->exclusive == nullptr && request->values == nullptr);
  return request->status.ok() ? std::move(status) : std::move(request->status);
}

}  // namespace seerdb
