// BulkLoadTables: writes ascending entries, whose sequence nobody knows yet, to tables; ends them later.
//
// A table is written under a temporary name, and made durable while the next one is written; only its end,
// which holds the sequence, is missing then. AddEnds writes the ends, syncs and renames. Until a manifest
// edit lists them the tables are orphans. Thread safety: external synchronization.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/status_macros.h"
#include "compaction/table_output.h"
#include "format/internal_key.h"
#include "manifest/table_meta.h"
#include "seerdb/file_system.h"
#include "seerdb/result.h"
#include "sstable/table_builder.h"

namespace seerdb {

class BulkLoadTables {
 public:
  // A table ends at `max_entries`, when keys and values are `output.target_file_size`, or when its index and
  // filter need more than `output.table_memory_bytes`, if that is not 0.
  BulkLoadTables(FileSystem& fs, TableOutputOptions output, uint64_t max_entries);
  // Removes every file, unless Keep() was called.
  ~BulkLoadTables();

  // Requires: keys ascend strictly.
  Status Add(Slice engine_key, Slice value) {
    if (entries_left_ == 0 || payload_bytes_ >= output_.target_file_size || NeedsTooMuchMemory()) [[unlikely]]
      SEERDB_RETURN_IF_ERROR(NextTable());
    --entries_left_;
    payload_bytes_ += engine_key.size() + value.size();
    uint64_t trailer = kStoredTrailer;
    if (value.size() >= output_.separation_bytes && values_.has_value()) [[unlikely]]
      SEERDB_RETURN_IF_ERROR(values_->Place(engine_key, output_.separation_bytes, &trailer, &value));
    return builder_->Add(engine_key, trailer, value);
  }
  // All entries have been added: makes what there is durable.
  Status FinishData();

  // After FinishData: gives all entries `sequence`. The tables have their names when it returns OK; the names
  // are durable after SyncDirectory.
  Status AddEnds(SequenceNumber sequence);
  // They belong to somebody else from here on.
  void Keep() {
    kept_ = true;
    if (values_.has_value()) values_->Keep();
  }

  // After FinishData, ascending; their sequences, and all their bytes, after AddEnds.
  const std::vector<TableMeta>& tables() const { return metas_; }
  // The value segments that the tables point into.
  std::vector<uint64_t> segments() const {
    return values_.has_value() ? values_->segments() : std::vector<uint64_t>();
  }

 private:
  static constexpr uint64_t kStoredTrailer = PackTrailer(0, ValueType::kValue);
  struct Written {
    uint64_t number = 0;
    EndlessTable table;
    bool named = false;
  };

  bool NeedsTooMuchMemory() const {
    return output_.table_memory_bytes != 0 && builder_->memory_bytes() >= output_.table_memory_bytes;
  }
  Status NextTable();
  Status EndTable();
  // Syncs and closes the table before the present one.
  Status SyncLast();
  std::string TemporaryOf(uint64_t number) const;

  FileSystem& fs_;
  const TableOutputOptions output_;
  const uint64_t max_entries_;
  std::optional<ValueOutput> values_;
  std::unique_ptr<WritableFile> file_;
  std::unique_ptr<TableBuilder> builder_;  // of the table being written
  uint64_t entries_left_ = 0;
  uint64_t payload_bytes_ = 0;
  std::unique_ptr<WritableFile> unsynced_;
  std::vector<Written> written_;  // the last one is being written while there is a builder
  std::vector<TableMeta> metas_;
  bool kept_ = false;
};

}  // namespace seerdb
