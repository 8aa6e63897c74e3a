// FlushJob: writes sealed memtables to L0 tables that are durable but not yet listed.
#pragma once

#include <atomic>
#include <memory>
#include <vector>

#include "compaction/table_output.h"
#include "format/range_tombstone.h"
#include "iter/internal_iterator.h"
#include "iter/range_tombstone_map.h"
#include "manifest/table_meta.h"
#include "manifest/version.h"
#include "memtable/memtable.h"
#include "seerdb/file_system.h"
#include "seerdb/result.h"

namespace seerdb {

// Writes all entries of `memtable` that `snapshots` (ascending, ending with the visible sequence; taken
// after the memtable was sealed) can tell apart, as one table. No table if there are none. `expected_bytes`
// and `target_file_size` of `output` are filled in. Tombstones are kept: deeper levels may hold their keys.
// Where `version` (null: not known) has tables, and none with keys in the memtable's range, keys come in
// their order, and most that are looked for in that range will be in the new table, as in one of the oldest
// run. Entries of keyspaces that output.keyspaces knows as dropped, and what the memtable's range tombstones
// hide, are left out. The tables must become part of the tree together with the memtable's RangesOf.
Result<std::vector<TableMeta>> WriteMemTable(FileSystem& fs, const MemTable& memtable, const Version* version,
                                             const std::vector<SequenceNumber>& snapshots,
                                             TableOutputOptions output);

// What a memtable holds, wherever it lies.
struct FlushInput {
  InternalIterator* entries = nullptr;
  const RangeTombstoneMap* ranges = nullptr;  // null: none
  uint64_t bytes = 0;                         // about as many as the table will have, or more
  const Version* version = nullptr;           // as above
};
Result<std::vector<TableMeta>> WriteFlushInput(FileSystem& fs, const FlushInput& input,
                                               const std::vector<SequenceNumber>& snapshots,
                                               TableOutputOptions output);

// The range tombstones of a sealed memtable (null: it has none) as far as `snapshots` (as above) can tell
// them apart, ascending by sequence; `since_s` is that of each.
std::vector<RangeTombstone> RangesOf(const RangeTombstoneMap* map, std::vector<SequenceNumber> snapshots,
                                     uint64_t since_s);

}  // namespace seerdb
