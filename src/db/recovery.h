// Recover: reads what an earlier life left in the directory and says what the database then holds.
//
// Replays the logs and writes what they hold to tables that nothing lists yet; changes nothing that an
// earlier life made. A crash during or after it leaves the directory as it was, plus orphans. No
// background part of the engine runs meanwhile, but for a thread of the executor that writes one of these
// tables while the next is read; memory stays within two memtables.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "db/unlisted_tables.h"
#include "manifest/table_meta.h"
#include "manifest/version_set.h"
#include "seerdb/file_system.h"
#include "seerdb/options.h"
#include "seerdb/result.h"
#include "seerdb/statistics.h"

namespace seerdb {

struct RecoveredState {
  ManifestState manifest;
  std::vector<TableMeta> recovered_tables;       // from the logs, oldest first; for L0
  UnlistedTables unlisted;                       // the same
  std::vector<RangeTombstone> recovered_ranges;  // to be listed together with them
  SequenceNumber last_sequence = 0;
  uint64_t next_record = 1;
  uint64_t next_file_number = 1;  // above everything in the directory
  RecoveryReport report;
  // A listed table's file is missing: what is not listed may hold its entries, and must not be deleted.
  bool table_missing = false;
};

// kIoError/kNotFound if there is no database in the directory.
Result<RecoveredState> Recover(FileSystem& fs, const std::string& directory, const Options& options,
                               uint64_t epoch);

// Removes tables, logs, manifests and temporaries that `state` does not list. Call after the state that
// replaces the old one is durable. Names that are not ours are left alone; so are tables with `keep_tables`.
void SweepOrphans(FileSystem& fs, const std::string& directory, const ManifestState& state,
                  uint64_t manifest_number, bool keep_tables);

// Highest number in any file name of ours in the directory.
Result<uint64_t> HighestFileNumber(FileSystem& fs, const std::string& directory);

}  // namespace seerdb
