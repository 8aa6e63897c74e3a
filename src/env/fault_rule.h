// FaultRule: which calls of a FaultFileSystem fail, and how. A plain value.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "seerdb/status.h"

namespace seerdb {

enum class FileOp : unsigned char {
  kOpenWrite,
  kOpenLog,
  kOpenRead,
  kAppend,
  kAppendSynced,
  kSync,
  kSyncAll,
  kAllocate,
  kTruncate,
  kClose,
  kRead,
  kMap,
  kForget,  // a hint: its error is not reported
  kList,
  kCreateDir,
  kDelete,  // of a file or a directory
  kRename,  // its path is either of the two
  kSyncDir,
  kInfo,  // of a file, its size, or the space
  kLock,
  kAny,  // in a rule: each of the above
};
inline constexpr size_t kFileOpCount = static_cast<size_t>(FileOp::kAny);

// "append", "sync", ...
const char* FileOpName(FileOp op);

// Whether a call can change what a crash leaves; the others are kOpenLog, kOpenRead, kClose, kRead, kMap,
// kForget, kList, kInfo.
bool IsMutating(FileOp op);

struct FaultRule {
  FileOp op = FileOp::kAny;
  std::string path_part;   // matches paths that contain it
  uint64_t countdown = 1;  // the first match that fires; 1 is the next
  bool repeat = false;     // fires at every match from then on, not once

  // What firing does, in this order:
  // 1. The call goes to the base file system, if `perform`; of an append only the first `append_bytes` bytes,
  //    if fewer (a short write; of a kDirect log whole sectors).
  bool perform = false;
  uint64_t append_bytes = UINT64_MAX;
  // 2. The callback, which may use the file system.
  std::function<void(FileOp, const std::string& path)> callback;
  // 3. The call returns this error. If it is OK, the rule only observes: the call goes its usual way after
  //    the callback, and `perform` and `append_bytes` have no effect.
  Status error;

  // Fails a call without performing it.
  static FaultRule Fail(FileOp op, std::string path_part, Status error, uint64_t countdown = 1);
  // Lets the first `bytes` bytes of an append through, then fails it.
  static FaultRule ShortWrite(std::string path_part, uint64_t bytes, Status error, uint64_t countdown = 1);
  // Calls `callback` before the call.
  static FaultRule Observe(FileOp op, std::string path_part,
                           std::function<void(FileOp, const std::string& path)> callback);
  // What the kernel reports for a failing device (EIO), a full one (ENOSPC), and too many descriptors
  // (EMFILE).
  static Status DeviceError();
  static Status NoSpaceError();
  static Status NoDescriptorError();
};

}  // namespace seerdb
