// BulkLoadJob: the long part of a bulk load: from the user's source to tables that lack only their sequence.
//
// Checks sizes and order, sorts if needed, drops all but the last entry of a key. Takes no lock and changes
// nothing but files of its own, which go with the job unless tables().Keep() was called.
// Thread safety: external synchronization.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "compaction/bulk_load_tables.h"
#include "compaction/external_sorter.h"
#include "seerdb/bulk_load.h"
#include "seerdb/file_system.h"
#include "seerdb/status.h"
#include "seerdb/types.h"

namespace seerdb {

struct BulkLoadContext {
  TableOutputOptions output;
  std::string key_prefix;  // put in front of every key
  uint64_t sort_memory_bytes = 0;
  // A larger value is refused: what compacts it later holds it in memory.
  uint64_t max_value_bytes = kMaxValueBytes;
  // Asked before about so many bytes are written, and with 0 before each batch of the source; an error ends
  // the load.
  std::function<Status(uint64_t bytes)> may_write;
};

class BulkLoadJob {
 public:
  BulkLoadJob(FileSystem& fs, const BulkLoadOptions& options, const BulkLoadContext& context);

  Status Run(BulkLoadSource& source);
  // After Run.
  BulkLoadTables& tables() { return tables_; }
  // Levels are left to be filled in.
  BulkLoadStats stats() const;

 private:
  // Hands every entry of the source to `take`, after checking its size.
  template <typename Take>
  Status ReadAll(BulkLoadSource& source, const Take& take);
  Status LoadSorted(BulkLoadSource& source);
  Status LoadUnsorted(BulkLoadSource& source);
  Status CheckSizes(const BulkLoadEntry& entry) const;
  Status Write(Slice key, Slice value);
  void Report();

  FileSystem& fs_;
  const BulkLoadOptions options_;
  const BulkLoadContext context_;
  BulkLoadTables tables_;
  std::string engine_key_;
  BulkLoadProgress progress_;
  uint64_t report_at_bytes_ = 0;  // when read and written bytes have come so far
  uint64_t written_bytes_admitted_ = 0;
  uint64_t duplicates_ = 0;
  uint64_t runs_spilled_ = 0;
  uint64_t bytes_spilled_ = 0;
};

}  // namespace seerdb
