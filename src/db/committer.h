// Committer: commits one group of writes: makes room, logs, syncs, inserts, publishes.
//
// Owns the role of the one writer to the log and the active memtable; all methods run under leadership of
// the WriteQueue. A failed log append or sync is sticky: nothing is acknowledged after it.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "db/background_error.h"
#include "db/background_work.h"
#include "db/barrier_sync.h"
#include "db/log_set.h"
#include "db/read_view.h"
#include "db/snapshot_list.h"
#include "db/write_queue.h"
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
  BarrierSync* barrier = nullptr;  // null unless the policy is kBarrier
  BackgroundError* error = nullptr;
  Statistics* statistics = nullptr;
  Clock* clock = nullptr;
};

class Committer final : public GroupCommitter {
 public:
  Committer(const Options& options, const CommitterParts& parts, SequenceNumber last_sequence);

  Status CommitGroup(const std::vector<WriteRequest*>& group) override;

  // Seals the active memtable unless it is empty, waiting for a place in the queue of immutable ones.
  Status SealMemTable();
  // No group is committed after this.
  void Stop() { stopped_ = true; }

 private:
  Status MakeRoom();
  Status WaitForImmutableSlot();
  Status LogGroup(const std::vector<WriteRequest*>& group, SequenceNumber base, LogSync sync);
  Status LogOperationByOperation(LogSync sync);
  void InsertGroup(const std::vector<WriteRequest*>& group, SequenceNumber base);

  const Options options_;
  const CommitterParts parts_;
  const uint64_t max_log_bytes_;
  MemTable* active_;  // borrowed from the current view
  SequenceNumber last_sequence_;
  std::vector<LogSegment::Record> records_;
  bool stopped_ = false;
  uint64_t log_bytes_before_ = 0;  // appended to the log when the active memtable began
};

}  // namespace seerdb
