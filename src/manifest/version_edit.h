// VersionEdit: one atomic change of the manifest's state. Plain value with a codec.
//
// Format: docs/format/manifest.md: a list of tagged, length-prefixed fields. A reader refuses an unknown
// tag below 128 (kNotSupported) and skips one at or above it, so later versions can add both kinds.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "format/range_tombstone.h"
#include "manifest/keyspace_record.h"
#include "manifest/table_meta.h"
#include "seerdb/result.h"
#include "wal/log_format.h"

namespace seerdb {

struct VersionEdit {
  struct AddedTable {
    uint32_t level = 0;
    uint64_t run = 0;
    TableMeta meta;
    friend bool operator==(const AddedTable&, const AddedTable&) = default;
  };
  struct DeletedTable {
    uint32_t level = 0;
    uint64_t number = 0;
    friend bool operator==(const DeletedTable&, const DeletedTable&) = default;
  };
  struct AddedLog {
    uint64_t number = 0;
    uint64_t epoch = 0;
    friend bool operator==(const AddedLog&, const AddedLog&) = default;
  };

  std::optional<DatabaseId> database_id;
  std::optional<uint32_t> num_levels;
  // Every number below is taken; the counter continues from here.
  std::optional<uint64_t> next_file_number;
  // At least the largest sequence in any table listed.
  std::optional<SequenceNumber> last_sequence;
  // Logs below are released; the first record of the oldest live log has number `log_first_record`.
  // Always set together.
  std::optional<uint64_t> log_number;
  std::optional<uint64_t> log_first_record;
  std::optional<uint64_t> epoch;  // of the present open
  std::vector<AddedLog> added_logs;
  std::vector<AddedTable> added_tables;
  std::vector<DeletedTable> deleted_tables;
  // When they have nothing left to hide is seen from the tables; nothing says that they are removed.
  std::vector<RangeTombstone> added_ranges;
  // Every id below is taken, by a keyspace that is there or was.
  std::optional<uint32_t> next_keyspace_id;
  // New ones, or what is to be known from now on of one that is there.
  std::vector<KeyspaceRecord> keyspaces;
  std::vector<uint32_t> dropped_keyspaces;

  std::string Encode() const;
  static Result<VersionEdit> Decode(Slice bytes);
  // For `seerdb dump`: one line a field.
  std::string ToString() const;
  friend bool operator==(const VersionEdit&, const VersionEdit&) = default;
};

}  // namespace seerdb
