// TableOutput: turns a stream of entries into tables of bounded size that are durable when it finishes.
//
// A table is written under a temporary name, synced, renamed; the directory is synced once, in Finish. Until
// a manifest edit lists them the tables are orphans that the next open removes. A table ends only between
// two keys, so no key has versions in two tables of one output.
// Thread safety: external synchronization.
#pragma once

#include <algorithm>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "compaction/compaction_stream.h"
#include "compaction/value_output.h"
#include "format/keyspace_table.h"
#include "manifest/table_meta.h"
#include "seerdb/file_system.h"
#include "seerdb/result.h"
#include "sstable/table_builder.h"

namespace seerdb {

struct TableOutputOptions {
  std::string directory;
  TableBuilderOptions table;  // table_number is filled in for each
  // Blocks of a keyspace that names a compression have that one. Null: all have that of `table`.
  KeyspaceTablePtr keyspaces;
  uint64_t target_file_size = 0;  // 0 = one table, whatever its size
  // With a target: a table also ends when its index and filter take so much memory. 0 = no limit.
  uint64_t table_memory_bytes = 0;
  std::string largest_key;      // of the whole output, or something larger; empty: not known
  uint64_t expected_bytes = 0;  // of the whole output; a hint for reserving space
  uint64_t epoch = 0;
  uint64_t max_value_bytes = kMaxValueBytes;  // of what is merged or changed on the way
  uint64_t now_us = 0;  // wall clock: what has expired by then is not written; 0: everything is
  std::function<Result<uint64_t>()> new_file_number;
  // Of the oldest tombstone that may be written; becomes that of each table that has one.
  uint64_t tombstones_since_s = 0;
  // Range tombstones up to this sequence have been applied to what is written, but for what NoteHiddenAfter
  // says.
  SequenceNumber ranges_applied = 0;
  // Where large values go. nullopt: they stay with their keys, and pointers as they are.
  std::optional<ValueOutputOptions> values;
  // Bulk loads: from which size on values are large. Else their keyspaces say.
  uint64_t separation_bytes = UINT64_MAX;
  // Called with each table that is durable under its name, though not yet in its directory; an error ends the
  // output. Null: nothing.
  std::function<Status(const TableMeta&)> written;
  // True if the present table, of `table_bytes`, should end before `key`. Null: when it is full.
  std::function<bool(Slice key, uint64_t table_bytes)> should_end_before;
};

// What a stream of entries on its way to such an output needs to know of it.
CompactionStreamOptions StreamOptionsFor(const TableOutputOptions& output);

// What a manifest lists of a table with these properties.
TableMeta MetaOf(const TableProperties& properties, uint64_t epoch);

class TableOutput {
 public:
  TableOutput(FileSystem& fs, TableOutputOptions options);
  // Removes the unfinished table, and the finished ones unless Finish succeeded.
  ~TableOutput();

  // `starts_key`: the key differs from the one before.
  Status Add(Slice key, uint64_t trailer, Slice value, bool starts_key);
  // To the entry added last, range tombstones have been applied up to this sequence alone.
  void NoteHiddenAfter(SequenceNumber sequence) { hidden_after_ = std::min(hidden_after_, sequence); }
  // Ends the last table and makes all durable. No call may follow.
  Result<std::vector<TableMeta>> Finish();

  uint64_t bytes_written() const { return bytes_written_; }

 private:
  // The compression of the keyspace that keyspace_ has moved to.
  CompressionType Compression() const;
  // Of entries from `first_key` on.
  Status StartTable(Slice first_key);
  Status EndTable();

  FileSystem& fs_;
  const TableOutputOptions options_;
  KeyspaceCursor keyspace_;
  std::optional<ValueOutput> values_;
  uint64_t separation_bytes_ = UINT64_MAX;  // of the present key's keyspace
  std::unique_ptr<WritableFile> file_;
  std::unique_ptr<TableBuilder> builder_;
  std::string temporary_path_;
  uint64_t number_ = 0;
  SequenceNumber hidden_after_ = kMaxSequence;  // of the present table
  uint64_t bytes_written_ = 0;
  std::vector<TableMeta> tables_;
  bool finished_ = false;
};

// Writes all that is left of the stream.
Status WriteStream(CompactionStream* stream, TableOutput* tables);

}  // namespace seerdb
