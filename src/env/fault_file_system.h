// FaultFileSystem: passes every call to another FileSystem, except where a rule says that it fails; counts
// the calls, and shows each one that changes something to a hook first.
//
// A crash test clones the MemoryFileSystem below in the hook: that is the state just before the call.
// Thread safety: all methods may be called concurrently; hook and callbacks run on the calling thread, with
// no lock held, and may use this file system.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "env/fault_rule.h"
#include "seerdb/file_system.h"

namespace seerdb {

class FaultPlan;

class FaultFileSystem final : public FileSystem {
 public:
  // Called before each mutating call (IsMutating) with its number, counted from 0.
  using Hook = std::function<void(FileOp op, const std::string& path, uint64_t index)>;

  explicit FaultFileSystem(std::shared_ptr<FileSystem> base);
  ~FaultFileSystem() override;

  // Returns the rule's number. Of several rules that fire on one call the one added first acts; each counts.
  uint64_t AddRule(FaultRule rule);
  void RemoveRule(uint64_t number);
  void ClearRules();
  void SetHook(Hook before_each);

  // The calls so far: of one operation (all for kAny), those that change something, those a rule fired on.
  uint64_t calls(FileOp op) const;
  uint64_t mutations() const;
  uint64_t faults_fired() const;

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
  const std::shared_ptr<FileSystem> base_;
  const std::shared_ptr<FaultPlan> plan_;  // also of the open files
};

}  // namespace seerdb
