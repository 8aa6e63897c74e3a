#include "seerdb/file_system.h"

#include "base/status_macros.h"

namespace seerdb {

const char* LogModeName(LogMode mode) {
  switch (mode) {
    case LogMode::kAuto:
      return "auto";
    case LogMode::kBuffered:
      return "buffered";
    case LogMode::kMapped:
      return "mapped";
    case LogMode::kDirect:
      return "direct";
  }
  return "unknown";
}

Status WritableFile::AppendParts(std::span<const Slice> parts) {
  for (const Slice part : parts) {
    if (!part.empty()) SEERDB_RETURN_IF_ERROR(Append(part));
  }
  return {};
}

Status WritableFile::AppendSynced(Slice bytes, bool all) {
  SEERDB_RETURN_IF_ERROR(Append(bytes));
  return (all ? SyncAll() : Sync()).WithDetail(StatusDetail::kSyncFailed);
}

Result<std::unique_ptr<WritableFile>> FileSystem::NewLogFile(const std::string& path, LogMode mode) {
  if (mode == LogMode::kBuffered) return NewWritableFile(path, CreateMode::kOverwrite);
  return Status::NotSupported("open " + path + ": this file system has no " + LogModeName(mode) + " logs");
}

}  // namespace seerdb
