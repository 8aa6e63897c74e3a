// TableFile: one table of the tree as readers hold it; TableFiles hands them out.
//
// A file that cannot be opened is kept with its error: reads that need it fail, others go on; after an I/O
// error, which may have passed, each such read tries again. When the
// manifest no longer lists a table it is marked obsolete, and FileRemover gets the file when the last reader,
// view or iterator lets go of it.
// Thread safety: all methods concurrently; each class's mu_ is held while a table is opened.
#pragma once

#include <atomic>
#include <map>
#include <memory>
#include <string>

#include "base/mutex.h"
#include "db/file_remover.h"
#include "manifest/table_meta.h"
#include "seerdb/file_system.h"
#include "seerdb/result.h"
#include "sstable/table_reader.h"

namespace seerdb {

// That a table's file says of it what the manifest has.
Status CheckAsListed(const TableReader& table, const TableMeta& listed);

class TableFile {
 public:
  // Opens the file at once; see damaged().
  TableFile(std::shared_ptr<FileSystem> fs, std::string path, TableMetaPtr meta, TableOpenOptions options,
            std::shared_ptr<FileRemover> remover);
  ~TableFile();

  const TableMeta& meta() const { return *meta_; }
  // The reader, which lives as long as this object, or why the table cannot be read.
  Result<const TableReader*> reader() const {
    if (const TableReader* reader = reader_if_open()) [[likely]]
      return reader;
    return OpenAgain();
  }
  // Null: it could not be opened so far. Without I/O.
  const TableReader* reader_if_open() const { return reader_.load(std::memory_order_acquire); }
  Result<std::shared_ptr<const TableReader>> shared_reader() const EXCLUDES(mu_);
  bool damaged() const { return reader_if_open() == nullptr; }
  void MarkObsolete() EXCLUDES(mu_);

 private:
  Result<const TableReader*> OpenAgain() const EXCLUDES(mu_);
  void OpenLocked() const REQUIRES(mu_);

  const std::shared_ptr<FileSystem> fs_;
  const std::string path_;
  const TableMetaPtr meta_;
  const TableOpenOptions options_;
  const std::shared_ptr<FileRemover> remover_;
  mutable Mutex mu_;
  mutable std::shared_ptr<TableReader> owner_ GUARDED_BY(mu_);
  mutable Status damage_ GUARDED_BY(mu_);
  mutable MemoryCharge metadata_ GUARDED_BY(mu_);
  mutable MemoryCharge mapped_ GUARDED_BY(mu_);
  mutable std::atomic<const TableReader*> reader_{nullptr};  // owner_'s, once there is one
  std::atomic<bool> obsolete_{false};
};

class TableFiles {
 public:
  TableFiles(std::shared_ptr<FileSystem> fs, std::string directory, TableOpenOptions options,
             std::shared_ptr<Executor> executor, FileRemover::Pace removal_pace);

  // The open file of a table; opens it if it is not. Never null: see TableFile::damaged.
  std::shared_ptr<TableFile> Get(const TableMetaPtr& meta) EXCLUDES(mu_);
  // Nobody holds the table, and none will ask for it.
  void Forget(uint64_t number) EXCLUDES(mu_);
  // The table is no longer listed: its file goes with the last reference.
  void MarkObsolete(uint64_t number) EXCLUDES(mu_);
  // How tables are read that are opened from here on.
  void SetAccess(TableAccess access) { access_.store(access, std::memory_order_relaxed); }
  FileRemover& remover() const { return *remover_; }
  const std::shared_ptr<FileRemover>& shared_remover() const { return remover_; }

 private:
  const std::shared_ptr<FileSystem> fs_;
  const std::string directory_;
  const TableOpenOptions options_;
  std::atomic<TableAccess> access_;
  const std::shared_ptr<FileRemover> remover_;
  Mutex mu_;
  std::map<uint64_t, std::weak_ptr<TableFile>> files_ GUARDED_BY(mu_);
};

}  // namespace seerdb
