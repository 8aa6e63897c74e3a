#include "env/fault_file_system.h"

#include <utility>

#include "env/fault_plan.h"

namespace seerdb {
namespace {

// What a device writes whole.
constexpr uint64_t kSectorBytes = 512;

class FaultWritableFile final : public WritableFile {
 public:
  FaultWritableFile(std::unique_ptr<WritableFile> base, std::shared_ptr<FaultPlan> plan, std::string path)
      : base_(std::move(base)), plan_(std::move(plan)), path_(std::move(path)) {}

  Status Append(Slice bytes) override {
    return plan_->Run(FileOp::kAppend, path_, path_,
                      [&](uint64_t limit) { return base_->Append(bytes.substr(0, limit)); });
  }
  Status AppendSynced(Slice bytes, bool all) override {
    return plan_->Run(FileOp::kAppendSynced, path_, path_, [&](uint64_t limit) {
      const uint64_t whole = limit / kSectorBytes * kSectorBytes;
      return base_->AppendSynced(bytes.substr(0, append_unit_bytes() == 1 ? limit : whole), all);
    });
  }
  uint64_t append_unit_bytes() const override { return base_->append_unit_bytes(); }
  Status Sync() override {
    return plan_->Run(FileOp::kSync, path_, [&] { return base_->Sync(); });
  }
  Status SyncAll() override {
    return plan_->Run(FileOp::kSyncAll, path_, [&] { return base_->SyncAll(); });
  }
  // A hint is no call that could fail.
  void StartWriteback(uint64_t offset, uint64_t bytes) override { base_->StartWriteback(offset, bytes); }
  Status Allocate(uint64_t bytes, bool extend) override {
    return plan_->Run(FileOp::kAllocate, path_, [&] { return base_->Allocate(bytes, extend); });
  }
  Status Truncate(uint64_t bytes) override {
    return plan_->Run(FileOp::kTruncate, path_, [&] { return base_->Truncate(bytes); });
  }
  Status Close() override {
    return plan_->Run(FileOp::kClose, path_, [&] { return base_->Close(); });
  }

 private:
  const std::unique_ptr<WritableFile> base_;
  const std::shared_ptr<FaultPlan> plan_;
  const std::string path_;
};

class FaultRandomAccessFile final : public RandomAccessFile {
 public:
  FaultRandomAccessFile(std::unique_ptr<RandomAccessFile> base, std::shared_ptr<FaultPlan> plan,
                        std::string path)
      : base_(std::move(base)), plan_(std::move(plan)), path_(std::move(path)) {}

  Result<Slice> Read(uint64_t offset, size_t n, char* scratch) const override {
    return plan_->Run(FileOp::kRead, path_, [&] { return base_->Read(offset, n, scratch); });
  }
  Result<uint64_t> Size() const override {
    return plan_->Run(FileOp::kInfo, path_, [&] { return base_->Size(); });
  }
  Result<std::shared_ptr<const MappedRegion>> Map() const override {
    return plan_->Run(FileOp::kMap, path_, [&] { return base_->Map(); });
  }
  void ReadAhead(uint64_t offset, size_t n) const override { base_->ReadAhead(offset, n); }
  void ForgetClean() const override {
    plan_
        ->Run(FileOp::kForget, path_,
              [&] {
                base_->ForgetClean();
                return Status();
              })
        .IgnoreError("a hint");
  }

 private:
  const std::unique_ptr<RandomAccessFile> base_;
  const std::shared_ptr<FaultPlan> plan_;
  const std::string path_;
};

}  // namespace

FaultFileSystem::FaultFileSystem(std::shared_ptr<FileSystem> base)
    : base_(std::move(base)), plan_(std::make_shared<FaultPlan>()) {}
FaultFileSystem::~FaultFileSystem() = default;

uint64_t FaultFileSystem::AddRule(FaultRule rule) { return plan_->Add(std::move(rule)); }
void FaultFileSystem::RemoveRule(uint64_t number) { plan_->Remove(number); }
void FaultFileSystem::ClearRules() { plan_->Clear(); }
void FaultFileSystem::SetHook(Hook before_each) { plan_->SetHook(std::move(before_each)); }
uint64_t FaultFileSystem::calls(FileOp op) const { return plan_->calls(op); }
uint64_t FaultFileSystem::mutations() const { return plan_->mutations(); }
uint64_t FaultFileSystem::faults_fired() const { return plan_->faults_fired(); }

Result<std::unique_ptr<WritableFile>> FaultFileSystem::NewWritableFile(const std::string& path,
                                                                       CreateMode mode) {
  auto file = plan_->Run(FileOp::kOpenWrite, path, [&] { return base_->NewWritableFile(path, mode); });
  if (!file.ok()) return file;
  return std::unique_ptr<WritableFile>(std::make_unique<FaultWritableFile>(*std::move(file), plan_, path));
}

Result<std::unique_ptr<WritableFile>> FaultFileSystem::NewLogFile(const std::string& path, LogMode mode) {
  auto file = plan_->Run(FileOp::kOpenLog, path, [&] { return base_->NewLogFile(path, mode); });
  if (!file.ok()) return file;
  return std::unique_ptr<WritableFile>(std::make_unique<FaultWritableFile>(*std::move(file), plan_, path));
}

Result<std::unique_ptr<RandomAccessFile>> FaultFileSystem::NewRandomAccessFile(const std::string& path) {
  auto file = plan_->Run(FileOp::kOpenRead, path, [&] { return base_->NewRandomAccessFile(path); });
  if (!file.ok()) return file;
  return std::unique_ptr<RandomAccessFile>(
      std::make_unique<FaultRandomAccessFile>(*std::move(file), plan_, path));
}

Result<std::vector<std::string>> FaultFileSystem::ListDirectory(const std::string& path) {
  return plan_->Run(FileOp::kList, path, [&] { return base_->ListDirectory(path); });
}

Status FaultFileSystem::CreateDirectory(const std::string& path) {
  return plan_->Run(FileOp::kCreateDir, path, [&] { return base_->CreateDirectory(path); });
}

Status FaultFileSystem::DeleteFile(const std::string& path) {
  return plan_->Run(FileOp::kDelete, path, [&] { return base_->DeleteFile(path); });
}

Status FaultFileSystem::DeleteDirectory(const std::string& path) {
  return plan_->Run(FileOp::kDelete, path, [&] { return base_->DeleteDirectory(path); });
}

Status FaultFileSystem::RenameFile(const std::string& from, const std::string& to) {
  return plan_->Run(FileOp::kRename, from, to, [&](uint64_t) { return base_->RenameFile(from, to); });
}

Status FaultFileSystem::SyncDirectory(const std::string& path) {
  return plan_->Run(FileOp::kSyncDir, path, [&] { return base_->SyncDirectory(path); });
}

Result<FileInfo> FaultFileSystem::GetFileInfo(const std::string& path) {
  return plan_->Run(FileOp::kInfo, path, [&] { return base_->GetFileInfo(path); });
}

Result<SpaceInfo> FaultFileSystem::GetSpaceInfo(const std::string& path) {
  return plan_->Run(FileOp::kInfo, path, [&] { return base_->GetSpaceInfo(path); });
}

Result<std::unique_ptr<FileLock>> FaultFileSystem::LockFile(const std::string& path,
                                                            const std::string& holder) {
  return plan_->Run(FileOp::kLock, path, [&] { return base_->LockFile(path, holder); });
}

}  // namespace seerdb
