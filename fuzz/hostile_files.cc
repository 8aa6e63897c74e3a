#include "fuzz/hostile_files.h"

#include "base/assert.h"

namespace seerdb::fuzz {

HostileFiles::HostileFiles()
    : memory_(std::make_shared<MemoryFileSystem>()), faults_(std::make_shared<FaultFileSystem>(memory_)) {}

void HostileFiles::Write(const std::string& path, Slice bytes) {
  auto file = memory_->NewWritableFile(path, CreateMode::kTruncate);
  SEERDB_ASSERT(file.ok() && (*file)->Append(bytes).ok());
}

void HostileFiles::ArmFault(uint8_t choice) {
  const uint64_t countdown = uint64_t{choice} / 8 + 1;
  const auto fail = [&](FileOp op, Status error) {
    faults_->AddRule(FaultRule::Fail(op, "", std::move(error), countdown));
  };
  switch (choice % 8) {
    case 1:
      return fail(FileOp::kRead, FaultRule::DeviceError());
    case 2:
      return fail(FileOp::kOpenRead, FaultRule::DeviceError());
    case 3:
      return fail(FileOp::kMap, FaultRule::DeviceError());
    case 4:
      return fail(FileOp::kInfo, FaultRule::DeviceError());
    case 5:
      return fail(FileOp::kMap, Status::NotSupported("no mappings here"));
    case 6: {
      FaultRule shrink = FaultRule::Observe(FileOp::kRead, "", [this](FileOp, const std::string& path) {
        const auto info = memory_->GetFileInfo(path);
        if (!info.ok()) return;
        auto file = memory_->NewWritableFile(path, CreateMode::kOverwrite);
        SEERDB_ASSERT(file.ok() && (*file)->Truncate(info->bytes / 2).ok());
      });
      shrink.repeat = false;
      shrink.countdown = countdown;
      faults_->AddRule(std::move(shrink));
      return;
    }
    default:
      return;
  }
}

}  // namespace seerdb::fuzz
