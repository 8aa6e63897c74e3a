// Committer: commits one group of writes: makes room, logs, syncs, inserts, publishes.
//
// Owns the role of the one writer to the log and the active memtable; all methods run under leadership of
// the WriteQueue. After a failed log append or sync nothing is acknowledged until writes are resumed.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include "db/background_error.h"
#include "db/background_work.h"
#include "db/barrier_sync.h"
#include "db/conflict_guard.h"
#include "db/event_log.h"
#include "db/log_set.h"
#include "db/memory_gate.h"
#include "db/merge_folder.h"
#include "db/read_view.h"
#include "db/snapshot_list.h"
#include "db/stall_reason.h"
#include "db/tree_policy.h"
#include "db/write_controller.h"
#include "db/write_queue.h"
#include "format/batch_codec.h"
#include "metrics/statistics.h"
#include "seerdb/clock.h"
#include "seerdb/options.h"

namespace seerdb {

// The parts a Committer works on; all outlive it.
struct CommitterParts {
  LogSet* log = nullptr;
  ReadViewHolder* views = nullptr;
  SnapshotList* snapshots = nullptr;
  BackgroundWork* work = nullptr;
  WriteController* controller = nullptr;
  BarrierSync* barrier = nullptr;  // null unless the policy is kBarrier
  BackgroundError* error = nullptr;
  MemoryGate* memory = nullptr;            // null: memory has no limit
  std::shared_ptr<MemoryAccount> account;  // of memtables
  std::shared_ptr<ChunkPool> chunk_pool;   // the same; may be null
  uint64_t secret = 0;                     // likewise; see RangeTombstoneMap
  Statistics* statistics = nullptr;
  Clock* clock = nullptr;
  EventLog* events = nullptr;
  MergeFolder* folder = nullptr;
  const TreePolicy* policy = nullptr;
  ConflictGuard* conflicts = nullptr;
  // Called under leadership while the error is set: OK if writes may go on, the error's status otherwise.
  std::function<Status()> resume;
};

class Committer final : public GroupCommitter {
 public:
  Committer(const Options& options, const CommitterParts& parts, SequenceNumber last_sequence);

  Status CommitGroup(const std::vector<WriteRequest*>& group) override;
  bool MayStall() const override { return parts_.controller->UnderPressure(); }

  // Seals the active memtable unless it is empty, waiting for a place in the queue of immutable ones.
  Status SealMemTable();
  // Seals the active memtable, were it empty, because the log behind it has failed: the next record goes to a
  // fresh segment. Requires: nothing is acknowledged before the sealed memtable is flushed.
  Status LeaveFailedLog();
  // No view published before sees a write that follows: a reader that has taken its view, and not yet its
  // sequence, must not see writes that come after a load without the load. Requires: the active memtable is
  // empty.
  void RenewMemTable();
  // Bytes of all memtables sealed so far. Readable at any time.
  uint64_t sealed_bytes() const { return sealed_bytes_.load(std::memory_order_relaxed); }
  // The highest sequence given to a group, also to one that failed.
  SequenceNumber last_sequence() const { return last_sequence_; }
  // The next sequence, for what is not written through the log. Never given again.
  Result<SequenceNumber> TakeSequence();
  // No group is committed after this.
  void Stop() { stopped_ = true; }

 private:
  // Those of the group that nothing is in the way of; the others have a status of their own.
  const std::vector<WriteRequest*>& Admit(const std::vector<WriteRequest*>& group);
  // What the requests of a group come to.
  struct Totals {
    uint64_t operations = 0;
    uint64_t ranges = 0;
    uint64_t bytes = 0;  // as encoded
    bool sync = false;
  };
  static Totals TotalsOf(const std::vector<WriteRequest*>& group);
  Status CommitAdmitted(const std::vector<WriteRequest*>& group, const Totals& totals);
  Status MakeRoom(const std::vector<WriteRequest*>& group, const Totals& totals);
  // Nothing of the group will be inserted: what MakeRoom has set aside for it is free again.
  Status GiveUp(Status status);
  // The group has to wait or to slow down.
  Status HoldBack(uint64_t bytes);
  // Adds a merge operand, or what it and those before it lead to.
  void AddMerge(SequenceNumber sequence, const BatchOperation& operation);
  // True if range deletes of the group cover so many entries of the active memtable that scans should find
  // those in another one, which they can step over as a whole. Its cost is a part of that of adding the
  // entries.
  bool CoversMany(const std::vector<WriteRequest*>& group);
  // The part of the active memtable that is full: of its capacity, or of the log it may have.
  double ActiveFill() const;
  bool PointsToMuch() const;
  bool EndsWithItsSegment() const;
  Status WaitForImmutableSlot();
  Status SwitchMemTable();
  // How many records the next memtable shall be able to find by hash: as many as the larger of the last two
  // had, if the gets since the last call pay for it; else none.
  uint64_t RecordsToIndex();
  // A writer begins to wait or to be delayed; `EndStall` counts it. The log is told of the first of several
  // in a row, and of the first group that meets none.
  void BeginStall(const StallReason& reason);
  void EndStall(uint64_t start_us);
  void LogStallEnd();
  Status LogGroup(const std::vector<WriteRequest*>& group, SequenceNumber base, LogSync sync);
  Status LogOperationByOperation(LogSync sync);
  void InsertGroup(const std::vector<WriteRequest*>& group, SequenceNumber base);

  const Options options_;
  const CommitterParts parts_;
  const uint64_t max_log_bytes_;
  MemTable* active_;               // borrowed from the current view
  MemTableValues* active_values_;  // likewise
  uint64_t value_bytes_ = 0;       // that the active memtable points to
  SequenceNumber last_sequence_;
  std::vector<LogSegment::Record> records_;
  std::vector<WriteRequest*> admitted_;
  bool stopped_ = false;
  std::atomic<uint64_t> sealed_bytes_{0};
  StallReason stall_;               // the one that the log was told of
  uint64_t stall_begin_us_ = 0;     // of it
  uint64_t entries_looked_at_ = 0;  // of the active memtable, by CoversMany
  uint64_t log_bytes_before_ = 0;   // appended to the log when the active memtable began
  uint64_t gets_before_ = 0;        // counted then
  uint64_t sealed_entries_ = 0;     // of the memtable before the active one
};

}  // namespace seerdb
