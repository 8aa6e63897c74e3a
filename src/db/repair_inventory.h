// RepairInventory: what lies in a database directory, and how far its manifest may be believed.
//
// Plain value; taking it changes nothing.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "manifest/version_set.h"
#include "seerdb/file_system.h"
#include "seerdb/result.h"
#include "wal/log_format.h"

namespace seerdb {

struct RepairInventory {
  // Files by number, without those of an interrupted repair.
  std::set<uint64_t> tables;
  std::map<uint64_t, uint64_t> logs;  // with the number of the first record, 0 if its header is lost
  bool has_current = false;
  // An interrupted repair has left its intact marker. Numbers from first_number on are its; else they are
  // those of the one that begins.
  bool has_marker = false;
  uint64_t first_number = 1;
  // Files of the interrupted repair, by name.
  std::vector<std::string> leftovers;
  // The interrupted repair had made its manifest the current one: only files are left to be moved.
  bool finished = false;
  // It had, and CURRENT, which says so, is damaged or gone: its manifest, to be named again. 0: CURRENT is
  // there.
  uint64_t unnamed_manifest = 0;

  // The manifest is whole and its files are there as far as they can be; otherwise it may have lost edits.
  bool manifest_kept = false;
  ManifestState state;  // if manifest_kept or finished

  // From all manifests and logs, whatever their condition.
  std::optional<DatabaseId> database;
  uint64_t next_file_number = 1;
  SequenceNumber last_sequence = 0;
  uint64_t next_record = 1;
  uint64_t log_number = 0;              // logs below are released
  uint64_t log_first_record = 1;        // of the oldest that is not
  std::map<uint64_t, TableMeta> metas;  // of tables that were listed at some time
  std::set<uint64_t> obsolete;          // tables that were listed and no longer are
  std::map<uint64_t, uint64_t> epochs;  // of logs
  std::set<uint64_t> headless_logs;     // that hold something, and whose headers are damaged
  std::vector<RangeTombstone> ranges;   // that were listed at some time
  uint32_t next_keyspace_id = 1;
  std::map<uint32_t, KeyspaceRecord> keyspaces;  // that were listed at some time
  std::set<uint32_t> dropped_keyspaces;
};

// kInvalidArgument if nothing in the directory belongs to a database.
Result<RepairInventory> TakeInventory(FileSystem& fs, const std::string& directory);

// Writes the file that makes DB::Open refuse, durably; `first_number` is that of the inventory.
Status WriteRepairMarker(FileSystem& fs, const std::string& directory, uint64_t first_number);

}  // namespace seerdb
