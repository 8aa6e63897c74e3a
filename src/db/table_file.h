// TableFile: one table of the tree as readers hold it; TableFiles hands them out.
//
// A file that cannot be opened is kept with its error: reads that need it fail, others go on; after an I/O
// error, which may have passed, each such read tries again. When the
// manifest no longer lists a table it is marked obsolete, and the file is removed when the last reader, view
// or iterator lets go of it.
// Thread safety: all methods concurrently; each class's mu_ is held while a table is opened.
#pragma once

#include <atomic>
#include <map>
#include <memory>
#include <string>

#include "base/mutex.h"
#include "manifest/table_meta.h"
#include "seerdb/file_system.h"
#include "seerdb/result.h"
#include "sstable/table_reader.h"

namespace seerdb {

// Whether files may still be removed: only while the database holds its directory. Iterators outlive Close,
// and the names may belong to another database by then.
// Thread safety: all methods concurrently. mu_ is held while a file is removed.
class DeletePermit {
 public:
  void Withdraw() EXCLUDES(mu_);
  // A file of `bytes` is to be removed when its last holder lets go; then Delete is called with the same.
  void NoteObsolete(uint64_t bytes) { obsolete_bytes_.fetch_add(bytes, std::memory_order_relaxed); }
  // Removes the file unless the permit was withdrawn.
  void Delete(FileSystem& fs, const std::string& path, uint64_t bytes) EXCLUDES(mu_);
  uint64_t obsolete_bytes() const { return obsolete_bytes_.load(std::memory_order_relaxed); }

 private:
  std::atomic<uint64_t> obsolete_bytes_{0};
  Mutex mu_;
  bool open_ GUARDED_BY(mu_) = true;
};

class TableFile {
 public:
  // Opens the file at once; see damaged().
  TableFile(std::shared_ptr<FileSystem> fs, std::string path, TableMetaPtr meta, TableOpenOptions options,
            std::shared_ptr<DeletePermit> permit);
  ~TableFile();

  const TableMeta& meta() const { return *meta_; }
  // The reader, which lives as long as this object, or why the table cannot be read.
  Result<const TableReader*> reader() const {
    if (const TableReader* reader = reader_.load(std::memory_order_acquire)) [[likely]]
      return reader;
    return OpenAgain();
  }
  Result<std::shared_ptr<const TableReader>> shared_reader() const EXCLUDES(mu_);
  bool damaged() const { return reader_.load(std::memory_order_acquire) == nullptr; }
  void MarkObsolete() EXCLUDES(mu_);

 private:
  Result<const TableReader*> OpenAgain() const EXCLUDES(mu_);
  void OpenLocked() const REQUIRES(mu_);

  const std::shared_ptr<FileSystem> fs_;
  const std::string path_;
  const TableMetaPtr meta_;
  const TableOpenOptions options_;
  const std::shared_ptr<DeletePermit> permit_;
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
  TableFiles(std::shared_ptr<FileSystem> fs, std::string directory, TableOpenOptions options);

  // The open file of a table; opens it if it is not. Never null: see TableFile::damaged.
  std::shared_ptr<TableFile> Get(const TableMetaPtr& meta) EXCLUDES(mu_);
  // The table is no longer listed: its file goes with the last reference.
  void MarkObsolete(uint64_t number) EXCLUDES(mu_);
  // Bytes of tables that are no longer listed and that somebody still holds.
  uint64_t obsolete_bytes() const { return permit_->obsolete_bytes(); }
  // The directory is about to be given up: marked files that are still held stay, for the next open to sweep.
  void StopDeleting() { permit_->Withdraw(); }

 private:
  const std::shared_ptr<FileSystem> fs_;
  const std::string directory_;
  const TableOpenOptions options_;
  const std::shared_ptr<DeletePermit> permit_;
  Mutex mu_;
  std::map<uint64_t, std::weak_ptr<TableFile>> files_ GUARDED_BY(mu_);
};

}  // namespace seerdb
