// TestTable: for tests, a table in a file system of its own, and the sorted entries it was built from.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/hash.h"
#include "env/memory_file_system.h"
#include "format/internal_key.h"
#include "sstable/block_index.h"
#include "sstable/table_builder.h"
#include "sstable/table_format.h"
#include "sstable/table_reader.h"

namespace seerdb {

struct InternalLess {
  bool operator()(const std::pair<std::string, uint64_t>& a,
                  const std::pair<std::string, uint64_t>& b) const {
    return CompareInternal(a.first, a.second, b.first, b.second) < 0;
  }
};
// (key, trailer) -> value, in internal order.
using TestEntries = std::map<std::pair<std::string, uint64_t>, std::string, InternalLess>;

class TestTable {
 public:
  static constexpr const char* kPath = "/table.sst";

  TestTable() : fs_(std::make_shared<MemoryFileSystem>()) {}

  Status Build(const TestEntries& entries, const TableBuilderOptions& options) {
    options_ = options;
    Result<std::unique_ptr<WritableFile>> file = fs_->NewWritableFile(kPath, CreateMode::kTruncate);
    if (!file.ok()) return file.status();
    TableBuilder builder(options, file->get());
    for (const auto& [key, value] : entries) {
      if (Status status = builder.Add(key.first, key.second, value); !status.ok()) return status;
    }
    Result<TableProperties> properties = builder.Finish();
    if (!properties.ok()) return properties.status();
    properties_ = *properties;
    return (*file)->Close();
  }
  // As Build, from entries with sequence 0 that all get `sequence` when the rest has been written.
  Status BuildLoaded(const TestEntries& entries, const TableBuilderOptions& options,
                     SequenceNumber sequence) {
    options_ = options;
    Result<std::unique_ptr<WritableFile>> file = fs_->NewWritableFile(kPath, CreateMode::kTruncate);
    if (!file.ok()) return file.status();
    TableBuilder builder(options, file->get());
    for (const auto& [key, value] : entries) {
      if (Status status = builder.Add(key.first, key.second, value); !status.ok()) return status;
    }
    Result<EndlessTable> endless = builder.FinishWithoutEnd();
    if (!endless.ok()) return endless.status();
    file = fs_->NewWritableFile(kPath, CreateMode::kAppend);
    if (!file.ok()) return file.status();
    Result<TableProperties> properties = AppendTableEnd(*endless, sequence, file->get());
    if (!properties.ok()) return properties.status();
    properties_ = *properties;
    return (*file)->Close();
  }
  // Replaces the file's bytes.
  Status Write(Slice bytes) {
    Result<std::unique_ptr<WritableFile>> file = fs_->NewWritableFile(kPath, CreateMode::kTruncate);
    if (!file.ok()) return file.status();
    if (Status status = (*file)->Append(bytes); !status.ok()) return status;
    return (*file)->Close();
  }
  std::string Bytes() { return *ReadFileToString(*fs_, kPath); }

  Result<std::shared_ptr<TableReader>> Open(TableAccess access, std::shared_ptr<BlockCache> cache = nullptr,
                                            std::shared_ptr<Statistics> statistics = nullptr) {
    TableOpenOptions options;
    options.access = access;
    options.cache = std::move(cache);
    options.statistics = std::move(statistics);
    options.table_number = options_.table_number;
    return TableReader::Open(*fs_, kPath, options);
  }

  MemoryFileSystem& fs() { return *fs_; }
  const TableProperties& properties() const { return properties_; }

 private:
  std::shared_ptr<MemoryFileSystem> fs_;
  TableBuilderOptions options_;
  TableProperties properties_;
};

// Of the bytes of a whole table; empty if they are none.
inline std::vector<MetaBlock> MetaBlocksOf(Slice bytes) {
  const auto footer = DecodeTableFooter(bytes.substr(bytes.size() - kTableFooterBytes), bytes.size());
  if (!footer.ok()) return {};
  const auto metas = DecodeMetaList(bytes.substr(footer->meta_list_offset, footer->meta_list_bytes),
                                    footer->meta_list_offset);
  return metas.ok() ? *metas : std::vector<MetaBlock>();
}

inline Result<BlockIndex> IndexOf(Slice bytes) {
  for (const MetaBlock& meta : MetaBlocksOf(bytes)) {
    if (meta.id == kMetaIndex) return BlockIndex::Decode(bytes.substr(meta.offset, meta.bytes), meta.offset);
  }
  return Status::Corruption("table without index");
}

inline LookupKey MakeLookup(const std::string& key, SequenceNumber sequence) {
  return {key, sequence, Hash64(key)};
}

}  // namespace seerdb
