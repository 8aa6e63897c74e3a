// CompactionFilter: looks at values while compaction rewrites them, and keeps, removes or changes each.
//
// For data that ages by rules of its own: old formats are rewritten, rows of a closed account removed,
// without a scan. What is removed stays removed: older versions do not come back. A time to live
// (WriteOptions::ttl_us) needs none.
//
// It sees the newest version of a key that a compaction reads, after merges, if it is a value and no snapshot
// sees it; not what is in memory, deleted, moved down as it is, or rewritten to collect garbage. So it sees a
// value late, or never, or again at the next level; and of a key that is merged into, what operands rest on.
// It takes effect when the compaction is installed, for all readers but those that hold an iterator: a
// snapshot taken while the compaction runs may see a value first and then what became of it. Thread safety:
// all methods concurrently, on threads of the engine; they must not call the database. Source: RocksDB's
// compaction filters; names and the merging of versions follow the Rust crate seerdb.
#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "seerdb/export.h"
#include "seerdb/slice.h"
#include "seerdb/types.h"

namespace seerdb {

enum class FilterDecision : unsigned char { kKeep = 0, kRemove = 1, kChangeValue = 2 };

class SEERDB_EXPORT CompactionFilter {
 public:
  struct Entry {
    uint32_t level = 0;  // that the compaction writes to
    Slice key;           // the user's
    Slice value;         // the user's
    SequenceNumber sequence = 0;
  };

  virtual ~CompactionFilter();
  // With kChangeValue, `value` is what the key has from now on; when it expires stays as it was. One over
  // the limits of Put is not taken.
  virtual FilterDecision Filter(const Entry& entry, std::string* value) const = 0;

  // True if MergeVersions is to be asked.
  virtual bool MergesVersions() const { return false; }
  // Asked before Filter where a compaction reads several values of a key that no snapshot tells apart: they
  // are in `values`, the newest first. True: `merged` takes the place of the newest, and is what Filter sees;
  // else the newest stays. The others go either way.
  virtual bool MergeVersions(uint32_t level, Slice key, std::span<const Slice> values,
                             std::string* merged) const;

 protected:
  CompactionFilter() = default;
  CompactionFilter(const CompactionFilter&) = delete;
  CompactionFilter& operator=(const CompactionFilter&) = delete;
};

}  // namespace seerdb
