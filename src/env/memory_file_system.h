// MemoryFileSystem: a FileSystem in memory for tests, that can show what a crash at this moment would leave.
//
// Bytes not synced and names whose directory was not synced are tracked apart; CrashClone makes a new,
// independent file system from them. Paths are absolute: "a/b" is "/a/b", and "/" exists. A file survives
// the deletion of its name as long as it is open or mapped. Not modelled: permissions, and the renaming of a
// directory into another one (kNotSupported).
// Thread safety: as FileSystem; files, regions and locks may outlive the file system.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "env/memory_tree.h"
#include "seerdb/file_system.h"

namespace seerdb {

struct MemoryState;

class MemoryFileSystem final : public FileSystem {
 public:
  MemoryFileSystem();
  ~MemoryFileSystem() override;

  // What a crash now would leave. The same operations and the same options give the same bytes and names.
  std::shared_ptr<MemoryFileSystem> CrashClone(const CrashOptions& options);

  // How many calls so far could have changed something: creations, appends, syncs, renames, ..., locks.
  uint64_t operations() const;
  // What GetSpaceInfo answers. Writing does not change it.
  void SetSpaceInfo(const SpaceInfo& space);
  // Gives a file a second name, as link(2) does.
  Status LinkFile(const std::string& from, const std::string& to);

  Result<std::unique_ptr<WritableFile>> NewWritableFile(const std::string& path, CreateMode mode) override;
  Result<std::unique_ptr<WritableFile>> NewLogFile(const std::string& path, LogMode mode) override;
  Result<std::unique_ptr<RandomAccessFile>> NewRandomAccessFile(const std::string& path) override;
  Result<std::vector<std::string>> ListDirectory(const std::string& path) override;
  Status CreateDirectory(const std::string& path) override;
  Status DeleteFile(const std::string& path) override;
  Status DeleteDirectory(const std::string& path) override;
  Status RenameFile(const std::string& from, const std::string& to) override;
  Status SyncDirectory(const std::string& path) override;
  Result<FileInfo> GetFileInfo(const std::string& path) override;
  Result<SpaceInfo> GetSpaceInfo(const std::string& path) override;
  Result<std::unique_ptr<FileLock>> LockFile(const std::string& path, const std::string& holder) override;

 private:
  explicit MemoryFileSystem(std::shared_ptr<MemoryState> state);

  const std::shared_ptr<MemoryState> state_;
};

}  // namespace seerdb
