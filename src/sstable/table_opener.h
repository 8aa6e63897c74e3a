// TableOpener: reads what a table says about itself, in the order in which it may be trusted.
//
// Thread safety: external synchronization. Format: docs/format/table.md.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "learned/bloom_filter.h"
#include "seerdb/file_system.h"
#include "seerdb/result.h"
#include "sstable/block_index.h"
#include "sstable/table_format.h"
#include "sstable/table_properties.h"
#include "sstable/table_reader.h"
#include "sstable/tag_index.h"

namespace seerdb {

// Borrows its arguments.
class TableOpener {
 public:
  TableOpener(FileSystem& fs, const std::string& path, const TableOpenOptions& options)
      : fs_(fs), path_(path), options_(options) {}

  Status Run();
  // For verification: what no read needs, so that no byte of the file is outside some check: meta blocks
  // that this version skips, and the padding before each. Requires: Run succeeded, in read mode.
  Status CheckTheRest();

  FileSystem& fs_;
  const std::string& path_;
  const TableOpenOptions& options_;
  std::unique_ptr<RandomAccessFile> file_;
  std::shared_ptr<const MappedRegion> region_;
  TableProperties properties_;
  BlockIndex index_;
  BloomFilter filter_;
  TagIndex tags_;
  // Read mode: what index and filter borrow. unique_ptr, so that moving the list moves no bytes.
  std::vector<std::unique_ptr<std::string>> held_;
  uint64_t meta_bytes_ = 0;
  uint64_t held_bytes_ = 0;  // of them, what is not mapped

 private:
  Status ReadFooter();
  Status MapFile();
  // A view of the mapping, or of bytes added to held_.
  Result<Slice> Load(const char* part, uint64_t offset, uint64_t bytes);
  Result<std::optional<Slice>> LoadMeta(uint32_t id, const char* part, bool required);
  void ExpectMeta() const;
  Status LoadParts();
  Status LoadModel();
  Status LoadTags();
  Status CheckAgreement() const;
  void CountRead(uint64_t bytes) const {
    if (options_.statistics != nullptr) options_.statistics->Add(Counter::table_bytes_read, bytes);
  }

  uint64_t file_bytes_ = 0;
  TableFooter footer_;
  std::vector<MetaBlock> metas_;
};

}  // namespace seerdb
