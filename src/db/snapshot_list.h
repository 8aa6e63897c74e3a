// SnapshotList: which sequences readers hold on to, and the newest sequence that anyone may see.
//
// Visibility and registration meet under one mutex: a snapshot taken after a flush or compaction asked for
// the list sees at least everything that was visible then, so what was judged invisible stays so.
// Thread safety: all methods concurrently. mu_ is a leaf lock.
#pragma once

#include <atomic>
#include <cstdint>
#include <set>
#include <vector>

#include "base/mutex.h"
#include "seerdb/types.h"

namespace seerdb {

class SnapshotList {
 public:
  explicit SnapshotList(SequenceNumber visible) : visible_(visible) {}

  // Newest sequence that all readers may see; everything up to it is in a memtable or table.
  SequenceNumber visible() const { return visible_.load(std::memory_order_acquire); }
  // By the leader of a commit group, after its entries are in the memtable. Never goes back.
  void Publish(SequenceNumber sequence) { visible_.store(sequence, std::memory_order_release); }

  // Registers the visible sequence and returns it. Each Take wants one Release of the same sequence.
  SequenceNumber Take() EXCLUDES(mu_);
  void Release(SequenceNumber sequence) EXCLUDES(mu_);
  // All registered sequences and the visible one, ascending, without repetition.
  std::vector<SequenceNumber> List() const EXCLUDES(mu_);
  // The newest registered sequence; 0 if there is none.
  SequenceNumber newest() const EXCLUDES(mu_);
  uint64_t count() const EXCLUDES(mu_);

 private:
  std::atomic<SequenceNumber> visible_;
  mutable Mutex mu_;
  std::multiset<SequenceNumber> sequences_ GUARDED_BY(mu_);
};

}  // namespace seerdb
