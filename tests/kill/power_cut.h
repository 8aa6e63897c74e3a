// PowerCut: what a directory may look like after the power failed at the moment its process was killed.
//
// Made from three things: the content before the process started, which was durable; the journal of what it
// made durable (power_journal.h); and the directory as the kill left it, which has every write. The names
// are those that were durable, with part of the later changes; a file has the content that was durable,
// with any sectors of the later writes, and a length between both.
// Not modelled: a write that was itself overwritten before it was synced.
// Thread safety: external synchronization.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "seerdb/result.h"

namespace seerdb::testing {

using FileContents = std::map<std::string, std::string>;  // by name

// The files of a directory.
Result<FileContents> ReadDirectoryFiles(const std::string& directory);
// Makes `directory` hold these files and no others.
Status WriteDirectoryFiles(const std::string& directory, const FileContents& files);

class PowerCut {
 public:
  enum class Kind : unsigned char {
    kSyncedOnly,  // nothing stays that was not synced
    kInOrder,     // a prefix of the later changes of names stays, and any sectors
    kAnyOrder,    // any of the later changes of names stay, and any sectors
  };

  // Before the process starts: remembers the content of `directory`.
  static Result<PowerCut> Begin(const std::string& directory);

  // After the kill: reads the journal, if the process came so far as to begin one, and the directory.
  Status End(const std::string& journal_path);

  FileContents Image(Kind kind, uint64_t seed) const;

  // Of the journal.
  uint64_t file_syncs() const { return file_syncs_; }
  uint64_t directory_syncs() const { return directory_syncs_; }
  // Changes of names that were not durable, files with writes that were not.
  uint64_t pending_names() const { return pending_.size(); }
  uint64_t unsynced_files() const;

 private:
  struct File {
    std::string synced;
    std::string current;
    bool gone = false;  // `current` was kept before its last name went
    uint64_t inode = 0;
  };
  using Names = std::map<std::string, std::shared_ptr<File>>;
  struct NameChange {
    std::string removed;  // empty: none
    std::string added;    // empty: none
    std::shared_ptr<File> file;
  };

  Status Replay(const std::string& journal);
  Status Change(const std::string& removed, const std::string& added, std::shared_ptr<File> file);
  std::string ContentAfterCut(const File& file, uint64_t seed) const;

  std::string directory_;
  std::map<uint64_t, std::shared_ptr<File>> by_inode_;
  Names names_;          // as seen
  Names durable_names_;  // as durable
  std::vector<NameChange> pending_;
  uint64_t file_syncs_ = 0;
  uint64_t directory_syncs_ = 0;
};

}  // namespace seerdb::testing
