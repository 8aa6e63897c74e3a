// CompactionJob: executes a merging CompactionPlan: reads the inputs, writes the surviving entries.
//
// Its outputs are durable when Run returns, and become part of the tree only through the edit it describes.
// Any unreadable input ends the job with its error; nothing is changed then.
// Thread safety: Run by one thread; the cancel flag may be set by any.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <vector>

#include "compaction/compaction_plan.h"
#include "compaction/flushed_ranges.h"
#include "compaction/table_output.h"
#include "manifest/version.h"
#include "manifest/version_edit.h"
#include "seerdb/file_system.h"
#include "seerdb/result.h"
#include "sstable/table_reader.h"

namespace seerdb {

struct CompactionInputs {
  CompactionPlan plan;
  VersionPtr version;    // the one the plan was made from
  FlushedRanges ranges;  // of that version, or an older one
  // Readers of plan.inputs, in the same order.
  std::vector<std::shared_ptr<const TableReader>> readers;
  // Ascending, ending with the visible sequence; taken after the plan was fixed.
  std::vector<SequenceNumber> snapshots;
  const std::atomic<bool>* cancelled = nullptr;  // may be null
  uint64_t read_ahead_bytes = 0;                 // of each input; 0 grows by itself
  SequenceNumber filter_above = kMaxSequence;    // as CompactionStreamOptions
  std::function<void(uint64_t bytes)> pace;      // as CompactionStreamOptions
};

struct CompactionOutcome {
  VersionEdit edit;
  uint64_t bytes_read = 0;
  uint64_t bytes_written = 0;
  uint64_t entries_read = 0;
  uint64_t entries_dropped = 0;
};

// Executes a kMerge plan. kShutdown when cancelled. Fills in what of `output` depends on the plan.
Result<CompactionOutcome> RunCompaction(FileSystem& fs, const CompactionInputs& inputs,
                                        TableOutputOptions output);

// The edit of a kMove plan.
VersionEdit MoveEdit(const CompactionPlan& plan);
// The edit of a kDrop plan.
VersionEdit DropEdit(const CompactionPlan& plan);

}  // namespace seerdb
