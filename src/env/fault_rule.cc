#include "env/fault_rule.h"

#include <cerrno>
#include <utility>

namespace seerdb {

const char* FileOpName(FileOp op) {
  switch (op) {
    case FileOp::kOpenWrite:
      return "open-write";
    case FileOp::kOpenLog:
      return "open-log";
    case FileOp::kOpenRead:
      return "open-read";
    case FileOp::kAppend:
      return "append";
    case FileOp::kAppendSynced:
      return "append-synced";
    case FileOp::kSync:
      return "sync";
    case FileOp::kSyncAll:
      return "sync-all";
    case FileOp::kAllocate:
      return "allocate";
    case FileOp::kTruncate:
      return "truncate";
    case FileOp::kClose:
      return "close";
    case FileOp::kRead:
      return "read";
    case FileOp::kForget:
      return "forget";
    case FileOp::kMap:
      return "map";
    case FileOp::kList:
      return "list";
    case FileOp::kCreateDir:
      return "create-dir";
    case FileOp::kDelete:
      return "delete";
    case FileOp::kRename:
      return "rename";
    case FileOp::kSyncDir:
      return "sync-dir";
    case FileOp::kInfo:
      return "info";
    case FileOp::kLock:
      return "lock";
    case FileOp::kAny:
      return "any";
  }
  return "unknown";
}

bool IsMutating(FileOp op) {
  switch (op) {
    case FileOp::kOpenLog:
    case FileOp::kOpenRead:
    case FileOp::kClose:
    case FileOp::kRead:
    case FileOp::kForget:
    case FileOp::kMap:
    case FileOp::kList:
    case FileOp::kInfo:
    case FileOp::kAny:
      return false;
    default:
      return true;
  }
}

FaultRule FaultRule::Fail(FileOp op, std::string path_part, Status error, uint64_t countdown) {
  FaultRule rule;
  rule.op = op;
  rule.path_part = std::move(path_part);
  rule.error = std::move(error);
  rule.countdown = countdown;
  return rule;
}

FaultRule FaultRule::ShortWrite(std::string path_part, uint64_t bytes, Status error, uint64_t countdown) {
  FaultRule rule = Fail(FileOp::kAppend, std::move(path_part), std::move(error), countdown);
  rule.perform = true;
  rule.append_bytes = bytes;
  return rule;
}

FaultRule FaultRule::Observe(FileOp op, std::string path_part,
                             std::function<void(FileOp, const std::string& path)> callback) {
  FaultRule rule;
  rule.op = op;
  rule.path_part = std::move(path_part);
  rule.callback = std::move(callback);
  rule.repeat = true;
  return rule;
}

Status FaultRule::DeviceError() { return Status::FromErrno("injected", EIO); }
Status FaultRule::NoSpaceError() { return Status::FromErrno("injected", ENOSPC); }
Status FaultRule::NoDescriptorError() { return Status::FromErrno("injected", EMFILE); }

}  // namespace seerdb
