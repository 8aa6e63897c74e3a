// Snapshot: a registered point in the order of writes. Reads given one see exactly the writes up to it, as
// often as they are repeated, across flush, compaction and other writers.
//
// Ownership: releases itself when destroyed; movable. While one lives, versions that it can see are kept on
// disk. Must not be used after DB::Close() (destroying it then is fine). Does not survive a reopen.
// Thread safety: const methods may be called concurrently.
#pragma once

#include <memory>

#include "seerdb/export.h"
#include "seerdb/types.h"

namespace seerdb {

class SnapshotList;

class SEERDB_EXPORT Snapshot {
 public:
  // Not a snapshot: reads given this see the latest writes.
  Snapshot() = default;
  Snapshot(std::shared_ptr<SnapshotList> list, SequenceNumber sequence);
  Snapshot(Snapshot&& other) noexcept { *this = static_cast<Snapshot&&>(other); }
  Snapshot& operator=(Snapshot&& other) noexcept;
  Snapshot(const Snapshot&) = delete;
  Snapshot& operator=(const Snapshot&) = delete;
  ~Snapshot() { Release(); }

  // The sequence of the newest write that it sees.
  SequenceNumber sequence_number() const { return sequence_; }
  bool valid() const { return list_ != nullptr; }
  // Gives up the snapshot early.
  void Release();

 private:
  std::shared_ptr<SnapshotList> list_;
  SequenceNumber sequence_ = 0;
};

}  // namespace seerdb
