// WriteQueue: lets writers form groups; the first of a group, its leader, commits for all of them.
//
// Leadership is a token, not a lock: its holder alone may touch the active memtable and log segment, and it
// may wait and do I/O while others queue. A writer that finds nobody in line leads at once. A leader serves
// its group, and, where nothing is synced, some of those that have come meanwhile: what they write to is in
// its caches (flat combining: Hendler, Incze, Shavit, Tzafrir, SPAA 2010). Then it hands over to the next in
// line. Thread safety: all methods concurrently. mu_ guards the queue and is never held during I/O; a writer
// that meets nobody takes leadership and gives it back without it. A writer waits on a word of its own
// request, so that those whom one leader wakes do not meet at a lock.
#pragma once

#include <atomic>
#include <cstdint>
#include <deque>
#include <functional>
#include <vector>

#include "base/mutex.h"
#include "db/commit_check.h"
#include "db/value_log.h"
#include "seerdb/clock.h"
#include "seerdb/slice.h"
#include "seerdb/status.h"

namespace seerdb {

// One writer's part of a commit group. Lives on the writer's stack.
struct WriteRequest {
  Slice operations;  // as in batch_codec.h
  uint32_t count = 0;
  uint32_t ranges = 0;  // of these, range deletions
  uint64_t logical_bytes = 0;
  bool sync = false;
  bool skip_wal = false;
  bool takes_turn =
      false;  // set by the queue: it has stood aside, and the leader before it does not serve it
  // The segments that the operations point into. Null: none.
  const ValueLog::Writing* values = nullptr;
  bool logged = false;           // set by the leader once the log may hold it
  CommitCheck* check = nullptr;  // null: it waits for nothing
  // Set instead of operations: runs alone, under leadership.
  std::function<Status()>* exclusive = nullptr;

  // Owned by the queue from Submit on.
  enum State : uint32_t { kQueued, kParked, kLeads, kDone };
  Status status;  // set by the committer: of this request alone, whatever becomes of the group
  std::atomic<uint32_t> state{kQueued};  // kParked: its writer sleeps; kDone: it is its writer's again
};

// Commits one group: all requests succeed or fail together, but for those that it turns away by their status.
// Called under leadership.
class GroupCommitter {
 public:
  virtual ~GroupCommitter() = default;
  virtual Status CommitGroup(const std::vector<WriteRequest*>& group) = 0;
  // The next group may have to wait: its writer leads it, and nobody waits for others. Under leadership.
  virtual bool MayStall() const { return false; }
};

struct WriteQueueOptions {
  uint32_t max_group_writers = 1000;
  uint64_t max_group_bytes = uint64_t{1} << 20;
  uint64_t operation_bytes = 0;  // counted for each operation beside its bytes
  // How long the leader of a synced group waits for more writers.
  uint64_t group_delay_us = 0;
  Clock* clock = nullptr;  // needed if several threads write
};

class WriteQueue {
 public:
  WriteQueue(const WriteQueueOptions& options, GroupCommitter* committer)
      : options_(options), committer_(committer) {}

  // Waits until the request is committed or has failed. An exception inside (memory, a user's logger or file
  // system) ends the process: leadership must not be lost with writers in line.
  Status Submit(WriteRequest* request) noexcept EXCLUDES(mu_);
  // Runs `work` under leadership, between two groups.
  Status RunExclusive(std::function<Status()> work) EXCLUDES(mu_);
  // As RunExclusive, but does nothing if somebody leads or waits in line. For tasks, which must not wait for
  // writers that may wait for tasks.
  void TryRunExclusive(const std::function<void()>& work) noexcept EXCLUDES(mu_);

 private:
  // Whether somebody leads, and whether somebody may wait in line. Becomes kWaited under mu_ alone, and kFree
  // from there under mu_ alone.
  enum Leadership : uint32_t { kFree, kLed, kWaited };
  // Takes leadership if nobody has it; then nobody waits in line.
  bool TryLead() {
    uint32_t free = kFree;
    return leadership_.compare_exchange_strong(free, kLed, std::memory_order_acquire,
                                               std::memory_order_relaxed);
  }
  // Takes leadership if nobody has it; otherwise whoever has it will look for those in line.
  bool LeadOrWaitLocked() REQUIRES(mu_);
  // Waits until `request` leads, and has its group (true), or is done.
  bool Join(WriteRequest* request) EXCLUDES(mu_);
  bool JoinLine(WriteRequest* request) EXCLUDES(mu_);
  // Of what is not synced: while one writer makes one write right after another, others leave it alone for
  // the time of a turn, and then the turn is theirs. The lines of memory that all write to move once a turn.
  void StandAside(WriteRequest* request);
  // Sleeps for a turn, or for a moment if nobody begins to make use of it. False: nobody has, or not enough.
  bool LeaveAlone();
  // Of a writer that stood aside, and had made use of the turn before or not.
  void NoteAside(bool paid, bool used);
  // Until its state is another than kQueued.
  void Await(WriteRequest* request);
  static void Tell(WriteRequest* request, WriteRequest::State state);
  // Waits for company where that pays, and makes the leader's group.
  void GatherLocked(WriteRequest* leader) REQUIRES(mu_);
  // Adds those in line to the group, in their order. `unsynced`: up to the first that is synced.
  void FillLocked(bool unsynced) REQUIRES(mu_);
  void WaitForCompanyLocked() REQUIRES(mu_);
  void YieldToArrivalsLocked() REQUIRES(mu_);
  // Acknowledges the members of the group but `leader` (may be null).
  void Acknowledge(const Status& status, const WriteRequest* leader);
  // Leadership goes to the first in line, if there is one. `serve`: before that, some of those in line are
  // committed for, up to one who has to lead.
  void HandOn(bool serve) EXCLUDES(mu_) {
    uint32_t led = kLed;
    if (leadership_.compare_exchange_strong(led, kFree, std::memory_order_release, std::memory_order_relaxed))
        [[likely]] {
      return;
    }
    HandOnToLine(serve);
  }
  void HandOnToLine(bool serve) EXCLUDES(mu_);

  const WriteQueueOptions options_;
  GroupCommitter* const committer_;
  // Owned by the leader.
  std::vector<WriteRequest*> group_;
  bool measured_ = false;  // how long the group takes is worth knowing
  std::atomic<uint32_t> leadership_{kFree};
  std::atomic<uint32_t> leads_{0};  // so often a writer met nobody; written by the leader
  Mutex mu_;
  std::deque<WriteRequest*> waiting_ GUARDED_BY(mu_);
  CondVar company_;  // wakes a leader that waits for its group to fill
  bool leader_waits_ GUARDED_BY(mu_) = false;
  // Of synced groups: the writers that were there when the last one was done, and how long one takes.
  size_t expected_writers_ GUARDED_BY(mu_) = 1;
  uint64_t group_us_ GUARDED_BY(mu_) = 0;
  // Grows where spinning ends a wait and falls where it does not; below 0 nobody spins. A hint.
  std::atomic<int> spin_credit_{0};
  // Below 0 nobody stands aside: when somebody last did, it did not pay. How far below it goes the next time,
  // and how often in a row somebody stood aside without having used the turn before. Hints.
  std::atomic<int> aside_credit_{0};
  std::atomic<int> aside_penalty_{0};
  std::atomic<int> asides_unused_{0};
};

}  // namespace seerdb
