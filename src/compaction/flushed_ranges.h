// FlushedRanges: the range tombstones that the manifest lists, in the form in which they are asked for.
//
// A value that versions, reads and jobs share; the map behind it grows from one version to the next, and each
// holder asks no further than its own version. It is made anew when most of what is in it is no longer
// listed. Thread safety: const methods concurrently; Next by one thread at a time, on the newest value.
#pragma once

#include <cstdint>
#include <memory>

#include "base/memory_account.h"
#include "iter/range_cover.h"
#include "iter/range_tombstone_map.h"
#include "manifest/version.h"

namespace seerdb {

class FlushedRanges {
 public:
  FlushedRanges() = default;
  // Those of one version alone. Charged to `account` (may be null) as metadata of tables. `secret`: see
  // RangeTombstoneMap.
  static FlushedRanges Of(const Version& version, std::shared_ptr<MemoryAccount> account, uint64_t secret) {
    FlushedRanges none;
    none.secret_ = secret;
    return none.Next(version, std::move(account));
  }
  // Those of the version behind. What it adds to the list is newer than all that this one has.
  FlushedRanges Next(const Version& version, std::shared_ptr<MemoryAccount> account) const;

  bool empty() const { return store_ == nullptr; }
  // Every range tombstone up to this sequence is listed, or has nothing left to hide.
  SequenceNumber limit() const { return limit_; }
  // Versions of `key` with a lower sequence are hidden from who reads at `at`; 0: none is.
  SequenceNumber Find(Slice key, SequenceNumber at) const;
  // As who reads at `at` sees them. Borrows this value.
  RangeCover CoverAt(SequenceNumber at) const;
  void AddTo(RangeCover* cover, SequenceNumber at) const;

 private:
  struct Store;
  std::shared_ptr<Store> store_;
  RangeListPtr listed_;
  SequenceNumber limit_ = 0;
  uint64_t secret_ = 0;
};

}  // namespace seerdb
