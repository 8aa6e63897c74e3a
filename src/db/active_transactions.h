// ActiveTransactions: which transactions are under way, and at which sequence each reads.
//
// Shared by the database and its transactions, which may outlive it. While none is active nothing is noted
// of what is written (ConflictGuard): a transaction that begins then first waits for its turn among the
// writers, so that every writer that noted nothing has published what it wrote.
// Thread safety: all methods concurrently. mu_ comes before SnapshotList's mutex.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>

#include "base/mutex.h"
#include "db/snapshot_list.h"
#include "seerdb/types.h"

namespace seerdb {

class ActiveTransactions {
 public:
  // The place of one transaction in the list.
  struct Entry {
    SequenceNumber start = 0;
    Entry* previous = nullptr;
    Entry* next = nullptr;
  };

  // `most_bytes`: that each of them may hold of what it has read and what finds its writes, by default.
  ActiveTransactions(std::shared_ptr<SnapshotList> snapshots, uint64_t most_bytes);

  // Takes the visible sequence from the list of snapshots as `entry->start`, and enters it here, unless
  // nothing is noted (false). True wants one End, and one release of the snapshot behind it.
  bool TryBegin(Entry* entry) EXCLUDES(mu_);
  // The same, and from now on writes are noted. Under leadership of the write queue.
  void BeginNoting(Entry* entry) EXCLUDES(mu_);
  void End(Entry* entry) EXCLUDES(mu_);

  const std::shared_ptr<SnapshotList>& snapshots() const { return snapshots_; }
  uint64_t most_bytes() const { return most_bytes_; }

  // For the leader.
  bool noting() const { return noting_.load(std::memory_order_relaxed); }
  // Notes no more, if no transaction is active. Under leadership.
  bool TryStopNoting() EXCLUDES(mu_);
  // The lowest sequence at which one reads, or that one could be given now.
  SequenceNumber OldestStart() const EXCLUDES(mu_);
  uint64_t count() const { return count_.load(std::memory_order_relaxed); }

  // The database closes: nothing goes on but End.
  void Close() { closed_.store(true, std::memory_order_release); }
  bool closed() const { return closed_.load(std::memory_order_acquire); }

 private:
  void AddLocked(Entry* entry) REQUIRES(mu_);

  const std::shared_ptr<SnapshotList> snapshots_;
  const uint64_t most_bytes_;
  mutable Mutex mu_;
  Entry list_ GUARDED_BY(mu_);  // circular, the oldest first; starts ascend
  std::atomic<bool> noting_{false};
  std::atomic<uint64_t> count_{0};
  std::atomic<bool> closed_{false};
};

}  // namespace seerdb
