// SalvageManifest: what can still be read of a manifest with damage anywhere in it. For repair.
//
// Takes every record whose checksum holds, also behind damaged ones, whatever the header says.
// Thread safety: plain function.
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

namespace seerdb {

struct ManifestSalvage {
  uint64_t number = 0;
  // The first record, a snapshot, is there, and every other up to the last could be read and applied. Whether
  // more followed cannot be told.
  bool whole = false;
  ManifestState state;  // only if whole

  // From every record that could be read, also behind holes.
  std::optional<DatabaseId> database_id;
  uint64_t next_file_number = 1;
  SequenceNumber last_sequence = 0;
  uint64_t log_number = 0;
  uint64_t log_first_record = 1;
  std::vector<VersionEdit::AddedLog> logs;  // each that was ever listed
  std::map<uint64_t, TableMeta> tables;     // each that was ever listed
  std::set<uint64_t> deleted;               // of these, the ones that no longer are
  std::vector<RangeTombstone> ranges;       // each that was ever listed: what they hid stays hidden
  uint32_t next_keyspace_id = 1;
  std::map<uint32_t, KeyspaceRecord> keyspaces;  // each that was ever listed
  std::set<uint32_t> dropped_keyspaces;
};

// `number` is that in the file's name. kNotSupported if a later version wrote it.
Result<ManifestSalvage> SalvageManifest(FileSystem& fs, const std::string& path, uint64_t number);

}  // namespace seerdb
