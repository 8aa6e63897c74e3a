// ReplayedTables: batches read back from logs, as tables that nothing lists yet.
//
// Nobody reads the entries before they are in a table, so they are collected and sorted, not kept in order as
// a memtable's. While one piece of them is written to a table, on a thread of the executor if it has some,
// the next one is collected, so memory stays within that of two. A piece is at most as large as a memtable;
// of much log it is a part, so that there is something to do beside one another, and not so small a part that
// the tables, each a run of L0, were many. Sequences must ascend. Thread safety: external synchronization.
#pragma once

#include <cstdint>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "base/chunk_pool.h"
#include "db/helped_task.h"
#include "db/replayed_values.h"
#include "format/keyspace_table.h"
#include "format/range_tombstone.h"
#include "manifest/table_meta.h"
#include "memtable/entry_sorter.h"
#include "seerdb/file_system.h"
#include "seerdb/options.h"
#include "seerdb/result.h"

namespace seerdb {

struct ReplayContext {
  uint64_t epoch = 0;  // of the present open
  // What is of a keyspace that this knows as dropped is left out. May be null.
  KeyspaceTablePtr keyspaces;
  ReplayedValues* values = nullptr;
  uint64_t log_bytes = 0;        // of all logs, about; see PieceBytes
  Executor* executor = nullptr;  // may be null; must outlive the tables
};

class ReplayedTables {
 public:
  // Borrows everything. `next_file_number` is counted up for each table. Range tombstones count as of now by
  // the options' clock, if they have one.
  ReplayedTables(FileSystem& fs, const std::string& directory, const Options& options,
                 uint64_t* next_file_number, ReplayContext context)
      : fs_(fs),
        directory_(directory),
        options_(options),
        epoch_(context.epoch),
        next_file_number_(*next_file_number),
        keyspaces_(std::move(context.keyspaces)),
        values_(context.values),
        executor_(context.executor),
        piece_bytes_(PieceBytes(options.memtable_capacity, context.log_bytes)),
        pool_(std::make_shared<ChunkPool>(piece_bytes_ / Arena::kChunkBytes, nullptr)) {}
  ReplayedTables(const ReplayedTables&) = delete;
  ReplayedTables& operator=(const ReplayedTables&) = delete;
  ~ReplayedTables() = default;

  // Of so much memory a table is made: a part of the log, and as much as a memtable may hold if that is not
  // known (UINT64_MAX).
  static uint64_t PieceBytes(uint64_t memtable_capacity, uint64_t log_bytes);

  // Sequences at or below this are taken.
  void set_last_sequence(SequenceNumber sequence) { last_sequence_ = sequence; }
  SequenceNumber last_sequence() const { return last_sequence_; }

  // Adds a batch. kCorruption, and nothing changed, if it is malformed or not above last_sequence();
  // kCorruption/kValueCorruption, and nothing changed, if a value is not there to which it points. The error
  // of a table that could not be written, from then on.
  Status Apply(SequenceNumber base, Slice operations);
  // Takes the range deletions of a batch whose entries are elsewhere: no table has them. Nothing of a
  // malformed one.
  void TakeRanges(SequenceNumber base, Slice operations);
  // Leaves out every sequence up to `highest`, and `more` behind it.
  void TakeSequences(SequenceNumber highest, uint64_t more);
  // The last sequence of a batch; 0 if it is malformed.
  static SequenceNumber LastSequenceOf(SequenceNumber base, Slice operations);
  // Writes what is still in memory, and reads it back. Nothing may be applied after it.
  Status Finish();
  // Instead of Finish, where the tables are not wanted: waits for the one that is being written.
  void Abandon();
  // Keyspaces met whose ids lie beyond those of the table: an edit of the manifest is lost.
  const std::set<uint32_t>& unknown_keyspaces() const { return unknown_keyspaces_; }
  // Oldest first; after Finish or Abandon.
  std::vector<TableMeta>& tables() { return tables_; }
  // The same: the range tombstones that were read, ascending by sequence: to be listed together with the
  // tables.
  std::vector<RangeTombstone>& ranges() { return ranges_; }

 private:
  void NoteKeyspace(Slice engine_key);
  uint64_t NowSeconds() const;
  // What is made to a table, and what came of it.
  struct Piece {
    std::unique_ptr<EntrySorter> entries;
    SequenceNumber last_sequence = 0;
    uint64_t now_seconds = 0;
    Status status;
    std::vector<TableMeta> tables;
    std::vector<RangeTombstone> ranges;
  };

  // Waits for the table that is being written, begins one of the entries, if there are any, and reads back
  // the former.
  Status Spill();
  Status Collect();
  void TakePiece();
  Status ReadBackFrom(size_t first);
  // On any thread; beside it nobody makes tables.
  Status Write(Piece* piece) const;
  Status ReadBack(const TableMeta& table) const;

  FileSystem& fs_;
  const std::string& directory_;
  const Options& options_;
  const uint64_t epoch_;
  uint64_t& next_file_number_;
  const KeyspaceTablePtr keyspaces_;
  ReplayedValues* const values_;
  std::set<uint32_t> unknown_keyspaces_;
  SequenceNumber last_sequence_ = 0;
  Executor* const executor_;
  const uint64_t piece_bytes_;
  const std::shared_ptr<ChunkPool> pool_;  // memory of what is in a table, for the next but one
  std::unique_ptr<EntrySorter> entries_;   // of the next table
  std::vector<TableMeta> tables_;
  std::vector<RangeTombstone> ranges_;
  Status failure_;
  Piece piece_;                       // the task's until it has been waited for
  std::unique_ptr<HelpedTask> task_;  // last: ends before what it writes to
};

}  // namespace seerdb
