// ExternalSorter: sorts any number of entries by key within a bound of memory; of equal keys the last stays.
//
// Entries gather in memory. When they fill it they are written to a sorted run, a temporary file in the
// database's directory; runs are merged at the end, and 64 of a kind into a larger one before that, so that
// the merge stays within the bound too. A later run wins over an earlier one.
// Source: D. Knuth, The Art of Computer Programming 3, 5.4.1.
// Thread safety: external synchronization.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "compaction/sort_buffer.h"
#include "compaction/sort_run.h"
#include "seerdb/file_system.h"
#include "seerdb/result.h"

namespace seerdb {

struct ExternalSorterOptions {
  std::string directory;
  uint64_t memory_bytes = 0;
  std::function<Result<uint64_t>()> new_file_number;
  // Asked before a run of about so many bytes is written; an error ends the sort. May be null.
  std::function<Status(uint64_t bytes)> may_write;
};

class SortedRuns;

class ExternalSorter {
 public:
  ExternalSorter(FileSystem& fs, ExternalSorterOptions options);
  // Removes the runs.
  ~ExternalSorter();

  Status Add(Slice key, Slice value);
  // Sorts. Add may not follow.
  Status Finish();
  // After Finish: moves to the next entry, to the first at first. False at the end.
  Result<bool> Next();
  // Valid until Next().
  Slice key() const { return key_; }
  Slice value() const { return value_; }

  uint64_t duplicates_dropped() const { return duplicates_; }
  uint64_t runs_spilled() const { return spilled_; }
  // Of all runs, also those merged of others.
  uint64_t bytes_spilled() const { return bytes_spilled_; }

 private:
  struct KeptRun {
    SortRun run;
    uint32_t generation = 0;  // 0: from memory; one more than those it was merged of
  };

  Status Spill();
  // Merges the last runs while there are kMaxFanIn of one generation.
  Status MergeGenerations();
  Result<KeptRun> MergeRuns(const std::vector<SortRun>& runs, uint32_t generation);
  Result<SortRunWriter> NewWriter(uint64_t expected_bytes, std::string* path);
  void Remove(const std::string& path);

  FileSystem& fs_;
  const ExternalSorterOptions options_;
  const size_t chunk_bytes_;
  SortBuffer buffer_;
  std::vector<KeptRun> runs_;  // in the order of their entries' arrival
  std::unique_ptr<SortedRuns> merge_;
  size_t next_in_buffer_ = 0;
  Slice key_;
  Slice value_;
  uint64_t duplicates_ = 0;
  uint64_t spilled_ = 0;
  uint64_t bytes_spilled_ = 0;
};

}  // namespace seerdb
