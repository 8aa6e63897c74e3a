// TableBuilder: writes one table from entries in order; the table is immutable once finished.
//
// Format: docs/format/table.md. Writes whole chunks, at multiples of their size, but for the last. After
// Finish the caller syncs the file, renames it and lists it in the manifest. Thread safety: external
// synchronization.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "seerdb/file_system.h"
#include "seerdb/options.h"
#include "seerdb/result.h"
#include "sstable/table_format.h"
#include "sstable/table_properties.h"

namespace seerdb {

// What is written at once of tables that are soon merged away, or where memory is limited.
inline constexpr uint32_t kSmallTableChunkBytes = uint32_t{256} << 10;

struct TableBuilderOptions {
  CompressionType compression = CompressionType::kNone;
  uint32_t block_bytes = 4096;
  uint32_t bloom_bits_per_key = 11;
  uint32_t prefix_filter_bytes = 0;
  uint32_t learned_index_min_keys = 2048;
  IndexKind index_kind = IndexKind::kAuto;
  // Most lookups that ask this table will not find their key in it, as in all runs but the oldest.
  bool mostly_absent = false;
  // What all keys will begin with, as far as is known beforehand: then one model may serve all.
  std::string shared_prefix;
  uint64_t table_number = 0;  // stored; readers compare it
  // Of what is written at once; the builder holds as much in memory. A file that is written by 2 MiB is kept
  // by the kernel in pages of that size, and a mapping of it takes one entry of the page table for each:
  // fewer page faults, and fewer waits for translations of addresses. A power of two, at least 256 KiB.
  uint32_t chunk_bytes = uint32_t{2} << 20;
  // Blocks that are not compressed end with pages of the file where little is wasted for it, so that a read
  // of one is that of one page and not of two. Only with block_bytes that are a multiple of kTablePageBytes,
  // up to 32 KiB.
  bool ends_with_pages = false;
};

// What a database's options say of its tables. With a limit on memory, chunks are small.
TableBuilderOptions TableOptionsOf(const Options& options);

// A table whole but for its end: what the end is made of. Plain data.
struct EndlessTable {
  TableProperties properties;
  std::vector<MetaBlock> metas;
};

// Appends the end of a table to its file, which holds what FinishWithoutEnd left there and nothing more: all
// entries have `sequence`. The caller syncs the file.
Result<TableProperties> AppendTableEnd(EndlessTable table, SequenceNumber sequence, WritableFile* file);

class TableBuilder {
 public:
  // `file` is empty, is borrowed, and outlives the builder.
  TableBuilder(const TableBuilderOptions& options, WritableFile* file);
  ~TableBuilder();

  // Requires: (key, trailer) sorts after the last one added (checked: kInvalidArgument).
  Status Add(Slice key, uint64_t trailer, Slice value);
  // Of the entries added from now on. A block has one compression: another one ends the block.
  Status SetCompression(CompressionType compression);
  // Writes what is left, then index, filter, properties and footer. No call may follow. Requires: at least
  // one entry.
  Result<TableProperties> Finish();
  // Instead of Finish, where the sequence of the entries is not known yet: writes all but the end, which
  // AppendTableEnd adds. Requires: all entries were added with sequence 0, and no key twice.
  Result<EndlessTable> FinishWithoutEnd();

  uint64_t entries() const;
  // Bytes written and pending, about what the file will have.
  uint64_t estimated_bytes() const;
  // Memory held for the index and filter of the table.
  uint64_t memory_bytes() const;
  // Key of the last entry; valid until the next Add. Requires: entries() > 0.
  Slice last_key() const;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace seerdb
