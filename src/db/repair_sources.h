// RepairSources: brings the tables and logs of a damaged database into a form that can be listed: intact
// tables as they are, the intact blocks of damaged ones as new tables, the records of logs as new tables.
//
// New tables are written under new numbers and listed by nothing. Thread safety: external synchronization.
#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "compaction/table_output.h"
#include "db/repair_inventory.h"
#include "db/replayed_tables.h"
#include "manifest/table_meta.h"
#include "seerdb/file_system.h"
#include "seerdb/options.h"
#include "seerdb/repair.h"
#include "seerdb/result.h"

namespace seerdb {

class TableReader;

struct RepairIdentity {
  DatabaseId database;
  uint64_t epoch = 0;  // of this repair
};

class RepairSources {
 public:
  // Borrows everything. `next_file_number` is counted up for each new table; losses and counts are added to
  // `report`.
  RepairSources(FileSystem& fs, const std::string& directory, const Options& options,
                const RepairIdentity& identity, uint64_t* next_file_number, RepairReport* report)
      : fs_(fs),
        directory_(directory),
        options_(options),
        epoch_(identity.epoch),
        next_file_number_(*next_file_number),
        report_(*report),
        values_(fs, directory, identity.database, ReplayedValues::Unreadable::kIsLost) {}

  // What there is of a table: itself, its intact blocks as a new one, or nothing. `listed`, if not null, is
  // what the manifest says of it. A device that refuses more than data blocks is an error.
  Result<std::optional<TableMeta>> TakeTable(uint64_t number, const TableMeta* listed);

  // The records of the logs that a whole manifest lists.
  Result<std::vector<TableMeta>> TakeListedLogs(const RepairInventory& inventory);
  // The records of every log that may not have been released, but for the sequences up to `held`, which the
  // tables have.
  Result<std::vector<TableMeta>> TakeFoundLogs(const RepairInventory& inventory, SequenceNumber held);

  // After the tables and logs: every sequence up to this one, and every record below that one, is taken.
  SequenceNumber last_sequence() const { return last_sequence_; }
  uint64_t next_record() const { return next_record_; }
  // The range tombstones met in logs: to be listed with the tables made of them.
  std::vector<RangeTombstone>& ranges() { return ranges_; }
  // The values to which entries point.
  ReplayedValues& values() { return values_; }
  // Keyspaces met in logs that no manifest is known to list.
  const std::set<uint32_t>& unknown_keyspaces() const { return unknown_keyspaces_; }

 private:
  Status CheckWhole(const std::string& path, uint64_t number, const TableMeta* listed, TableMeta* meta);
  // Reports values to which an intact table points and that cannot be read. The entries stay: who reads them
  // is told, and nothing older shows instead.
  Status CheckValues(const TableReader& table);
  struct FoundLog {
    std::string path;
    LogIdentity identity;
    uint64_t first_record = 1;
    bool sure = true;  // its header is there, or a manifest knows it
  };
  // Replays one log above `held`; its next record, or 0 if nothing of it could be read.
  Result<uint64_t> TakeFoundLog(const FoundLog& log, SequenceNumber held, ReplayedTables* tables);
  Result<std::optional<TableMeta>> Rewrite(const std::string& path, uint64_t number, const TableMeta* listed);

  FileSystem& fs_;
  const std::string& directory_;
  const Options& options_;
  const uint64_t epoch_;
  uint64_t& next_file_number_;
  RepairReport& report_;
  ReplayedValues values_;
  SequenceNumber last_sequence_ = 0;
  uint64_t next_record_ = 1;
  uint64_t unread_bytes_ = 0;  // of found logs
  std::set<uint32_t> unknown_keyspaces_;
  std::vector<RangeTombstone> ranges_;
};

// How tables are written.
TableOutputOptions RepairOutput(const std::string& directory, const Options& options, uint64_t epoch,
                                uint64_t* next_file_number);

}  // namespace seerdb
