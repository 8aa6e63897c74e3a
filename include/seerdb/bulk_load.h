// Bulk load: many entries at once, straight into tables, past log and memtable. See DB::BulkLoad (db.h).
//
//   std::vector<std::pair<std::string, std::string>> entries = ...;
//   Result<BulkLoadStats> stats = db->BulkLoad({}, entries);                                // in any order
//   stats = db->BulkLoad(BulkLoadOptions().AlreadySorted(), source);  // a BulkLoadSource, streamed to tables
//
// Names follow the Rust crate seerdb; the placement of tables that are newer than what is there follows
// RocksDB's ingestion of external files (docs/decisions/0012).
// Thread safety: plain data; a source is used by the thread that loads, one call at a time.
#pragma once

#include <cstdint>
#include <functional>
#include <utility>
#include <vector>

#include "seerdb/export.h"
#include "seerdb/slice.h"
#include "seerdb/status.h"

namespace seerdb {

class Keyspace;

// How far a load is. Bytes are of keys and values.
struct BulkLoadProgress {
  uint64_t entries_read = 0;  // taken from the source
  uint64_t bytes_read = 0;
  uint64_t entries_written = 0;  // put into tables; ends below entries_read by the duplicates
  uint64_t bytes_written = 0;
};

struct SEERDB_EXPORT BulkLoadOptions {
  // Deepest level that tables may go to; the last one if there are fewer. A table goes less deep where older
  // entries lie in its range, and never below the deepest level that has tables, if one below L0 has any.
  uint32_t target_level = 6;
  // Entries of one table, at least 1. A table also ends at four times Options::target_file_size.
  uint64_t max_entries_per_sst = 1'000'000;
  // The keys ascend; equal ones may follow each other. This is checked, and kInvalidArgument if it is not so.
  bool already_sorted = false;
  // Memory for sorting; what does not fit is sorted in runs on disk, in the directory of the database.
  // 1 MiB .. 1 TiB; at most an eighth of a memory budget is used. Not used with already_sorted.
  uint64_t memory_bytes = uint64_t{256} << 20;
  // Called by the loading thread every few megabytes. May be null; must not throw.
  std::function<void(const BulkLoadProgress&)> progress;
  // Load into this keyspace (keyspace.h); null = the default one. Must outlive the call.
  const Keyspace* keyspace = nullptr;

  BulkLoadOptions WithTargetLevel(uint32_t level) const {
    BulkLoadOptions options = *this;
    options.target_level = level;
    return options;
  }
  BulkLoadOptions WithMaxEntries(uint64_t entries) const {
    BulkLoadOptions options = *this;
    options.max_entries_per_sst = entries;
    return options;
  }
  BulkLoadOptions AlreadySorted(bool sorted = true) const {
    BulkLoadOptions options = *this;
    options.already_sorted = sorted;
    return options;
  }
};

struct SEERDB_EXPORT BulkLoadStats {
  uint64_t entries_loaded = 0;      // without the duplicates
  uint64_t duplicates_dropped = 0;  // entries whose key came again later
  uint64_t payload_bytes = 0;       // keys and values loaded
  uint64_t sstables_created = 0;
  uint64_t bytes_written = 0;             // of the tables
  uint32_t target_level = 0;              // as asked for, or the last level
  std::vector<uint64_t> tables_in_level;  // where the tables went
  uint64_t runs_spilled = 0;              // sorted on disk
  uint64_t bytes_spilled = 0;             // written for that
};

struct BulkLoadEntry {
  Slice key;
  Slice value;
};

// Where the entries of a load come from.
class SEERDB_EXPORT BulkLoadSource {
 public:
  virtual ~BulkLoadSource() = default;
  // Adds the next entries to `entries`, which is empty: some thousand, or some megabytes, are a good number.
  // None are added at the end. What they point to stays as it is until the next call. An error ends the load,
  // which returns it.
  virtual Status Next(std::vector<BulkLoadEntry>* entries) = 0;
};

// The pairs of a range: `first` is the key, `second` the value of *it. They must outlive the source.
template <typename ForwardIterator>
class BulkLoadRange final : public BulkLoadSource {
 public:
  BulkLoadRange(ForwardIterator begin, ForwardIterator end) : at_(begin), end_(end) {}

  Status Next(std::vector<BulkLoadEntry>* entries) override {
    for (int n = 0; n < 1024 && at_ != end_; ++n, ++at_) entries->push_back({at_->first, at_->second});
    return {};
  }

 private:
  ForwardIterator at_;
  const ForwardIterator end_;
};

}  // namespace seerdb
