// FlushJob: writes sealed memtables to L0 tables that are durable but not yet listed.
#pragma once

#include <atomic>
#include <memory>
#include <vector>

#include "compaction/table_output.h"
#include "manifest/table_meta.h"
#include "memtable/memtable.h"
#include "seerdb/file_system.h"
#include "seerdb/result.h"

namespace seerdb {

// Writes all entries of `memtable` that `snapshots` (ascending, ending with the visible sequence; taken
// after the memtable was sealed) can tell apart, as one table. No table if there are none. `expected_bytes`
// and `target_file_size` of `output` are filled in. Tombstones are kept: deeper levels may hold their keys.
// Entries of keyspaces that output.keyspaces knows as dropped are left out.
Result<std::vector<TableMeta>> WriteMemTable(FileSystem& fs, const MemTable& memtable,
                                             const std::vector<SequenceNumber>& snapshots,
                                             TableOutputOptions output);

}  // namespace seerdb
