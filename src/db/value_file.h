// ValueFile: one value segment as writers, memtables and trees hold it; ValueFiles knows all of them.
//
// A segment lives as long as anything can point into it: tables of the current version, memtables, writers on
// their way to one. When nothing can any more it is marked obsolete, and FileRemover gets the file when the
// last view or iterator that may still read it lets go. Thread safety: all methods concurrently; each class's
// mu_ is a leaf but for the opening of a file.
#pragma once

#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "base/mutex.h"
#include "db/file_remover.h"
#include "manifest/version.h"
#include "seerdb/file_system.h"
#include "seerdb/result.h"
#include "vlog/value_reader.h"

namespace seerdb {

class ValueFile {
 public:
  // Until it is sealed the file is read through `growing_fs`, then through `fs`.
  ValueFile(std::shared_ptr<FileSystem> fs, std::shared_ptr<FileSystem> growing_fs, std::string path,
            ValueOpenOptions options, std::shared_ptr<FileRemover> remover)
      : fs_(std::move(fs)),
        growing_fs_(std::move(growing_fs)),
        path_(std::move(path)),
        options_(std::move(options)),
        remover_(std::move(remover)) {}
  ~ValueFile();

  uint64_t segment() const { return options_.segment; }
  const std::string& path() const { return path_; }
  // As ValueReader. The file is opened at the first call; after an I/O error, which may have passed, the next
  // one tries again.
  Status Fetch(const ValuePointer& pointer, FetchedValue* value) const EXCLUDES(mu_);
  Status FetchPart(const ValuePointer& pointer, uint64_t begin, uint64_t bytes, FetchedValue* value) const
      EXCLUDES(mu_);
  Status Check(const ValuePointer& pointer) const EXCLUDES(mu_);
  void ReadAhead(uint64_t offset, uint64_t bytes) const EXCLUDES(mu_);

  // Of the file.
  uint64_t bytes() const { return bytes_.load(std::memory_order_relaxed); }
  void SetBytes(uint64_t bytes) { bytes_.store(bytes, std::memory_order_relaxed); }
  // Nobody appends to it any more.
  void NoteSealed() EXCLUDES(mu_);
  bool sealed() const { return sealed_.load(std::memory_order_acquire); }
  void MarkObsolete();

  // A writer has values in it that no memtable knows yet.
  void AddWriter() { writers_.fetch_add(1, std::memory_order_relaxed); }
  void RemoveWriter() { writers_.fetch_sub(1, std::memory_order_release); }
  bool has_writers() const { return writers_.load(std::memory_order_acquire) != 0; }

 private:
  // A reader for one call; `keeper` keeps it where it may be replaced.
  Result<const ValueReader*> Reader(std::shared_ptr<const ValueReader>* keeper) const EXCLUDES(mu_);

  const std::shared_ptr<FileSystem> fs_;
  const std::shared_ptr<FileSystem> growing_fs_;
  const std::string path_;
  const ValueOpenOptions options_;
  const std::shared_ptr<FileRemover> remover_;
  mutable Mutex mu_;
  mutable std::shared_ptr<ValueReader> owner_ GUARDED_BY(mu_);
  mutable bool owner_is_final_ GUARDED_BY(mu_) = false;      // opened after the file was sealed
  mutable std::atomic<const ValueReader*> reader_{nullptr};  // owner_'s, once it is final
  mutable Status damage_ GUARDED_BY(mu_);
  std::atomic<uint64_t> bytes_{0};
  std::atomic<uint64_t> writers_{0};
  std::atomic<bool> sealed_{false};
  std::atomic<bool> obsolete_{false};
};
using ValueFilePtr = std::shared_ptr<ValueFile>;

// The segments that a version's tables point into. Immutable.
class ValueFileSet {
 public:
  ValueFileSet() = default;
  // Ascending.
  explicit ValueFileSet(std::vector<ValueFilePtr> files) : files_(std::move(files)) {}
  // Null if it is none of them.
  const ValueFile* Find(uint64_t segment) const;
  const std::vector<ValueFilePtr>& files() const { return files_; }

 private:
  std::vector<ValueFilePtr> files_;
};

// The segments that the entries of one memtable point into. The leader of the commit group adds; readers
// find. Lock free; a segment is there before the entries that need it are published.
class MemTableValues {
 public:
  MemTableValues() = default;
  ~MemTableValues();
  MemTableValues(const MemTableValues&) = delete;
  MemTableValues& operator=(const MemTableValues&) = delete;

  void Add(const ValueFilePtr& file);
  const ValueFile* Find(uint64_t segment) const;
  void RemoveFrom(std::set<uint64_t>* segments) const;

 private:
  struct Node {
    ValueFilePtr file;
    const Node* next = nullptr;
  };
  std::atomic<const Node*> first_{nullptr};
};

class ValueFiles {
 public:
  // File systems as ValueFile.
  ValueFiles(std::shared_ptr<FileSystem> fs, std::shared_ptr<FileSystem> growing_fs, std::string directory,
             ValueOpenOptions options, std::shared_ptr<FileRemover> remover);

  // A segment that is being written in this life.
  ValueFilePtr Create(uint64_t segment) EXCLUDES(mu_);
  // Of a version.
  ValueFileSet Of(const Version& version) EXCLUDES(mu_);
  // Segments that nobody appends to, and into which no writer points that no memtable knows yet.
  std::set<uint64_t> Idle() const EXCLUDES(mu_);
  // Marks those of `idle` as obsolete that `version` does not list. They are held by nobody, or by readers of
  // views that are going. Requires: `idle` was taken before what memtables and the version point into.
  void Drop(const std::set<uint64_t>& idle, const Version& version) EXCLUDES(mu_);
  // How segments are read that are met for the first time from here on.
  void SetAccess(TableAccess access) { access_.store(access, std::memory_order_relaxed); }
  // Of all segments that are not obsolete.
  uint64_t bytes() const EXCLUDES(mu_);
  uint64_t count() const EXCLUDES(mu_);
  // What the file of each sealed segment has, ascending.
  ValueBytesList SealedBytes() const EXCLUDES(mu_);

 private:
  ValueFilePtr MakeLocked(uint64_t segment) REQUIRES(mu_);

  const std::shared_ptr<FileSystem> fs_;
  const std::shared_ptr<FileSystem> growing_fs_;
  const std::string directory_;
  const ValueOpenOptions options_;
  std::atomic<TableAccess> access_;
  const std::shared_ptr<FileRemover> remover_;
  mutable Mutex mu_;
  std::map<uint64_t, ValueFilePtr> files_ GUARDED_BY(mu_);
};

}  // namespace seerdb
