// TableFile: one table of the tree as readers hold it; TableFiles hands them out.
//
// A file that cannot be opened is kept with its error: reads that need it fail, others go on. When the
// manifest no longer lists a table it is marked obsolete, and the file is removed when the last reader, view
// or iterator lets go of it.
// Thread safety: TableFile is immutable but for the mark; TableFiles: all methods concurrently, mu_ is held
// while a table is opened.
#pragma once

#include <atomic>
#include <map>
#include <memory>
#include <string>

#include "base/mutex.h"
#include "manifest/table_meta.h"
#include "seerdb/file_system.h"
#include "sstable/table_reader.h"

namespace seerdb {

class TableFile {
 public:
  TableFile(std::shared_ptr<FileSystem> fs, std::string path, TableMetaPtr meta,
            Result<std::shared_ptr<TableReader>> reader);
  ~TableFile();

  const TableMeta& meta() const { return *meta_; }
  // Null when damaged.
  const TableReader* reader() const { return reader_.get(); }
  const std::shared_ptr<TableReader>& shared_reader() const { return reader_; }
  // Why the table cannot be read; OK otherwise.
  const Status& damage() const { return damage_; }
  void MarkObsolete() { obsolete_.store(true, std::memory_order_release); }

 private:
  const std::shared_ptr<FileSystem> fs_;
  const std::string path_;
  const TableMetaPtr meta_;
  std::shared_ptr<TableReader> reader_;
  Status damage_;
  std::atomic<bool> obsolete_{false};
};

class TableFiles {
 public:
  TableFiles(std::shared_ptr<FileSystem> fs, std::string directory, TableOpenOptions options);

  // The open file of a table; opens it if it is not. Never null: see TableFile::damage.
  std::shared_ptr<TableFile> Get(const TableMetaPtr& meta) EXCLUDES(mu_);
  // The table is no longer listed: its file goes with the last reference.
  void MarkObsolete(uint64_t number) EXCLUDES(mu_);

 private:
  const std::shared_ptr<FileSystem> fs_;
  const std::string directory_;
  const TableOpenOptions options_;
  Mutex mu_;
  std::map<uint64_t, std::weak_ptr<TableFile>> files_ GUARDED_BY(mu_);
};

}  // namespace seerdb
