// PosixFileLock: an exclusive flock on a file that names its holder.
//
// Thread safety: LockPosixFile may be called concurrently.
#pragma once

#include <memory>
#include <string>

#include "seerdb/file_system.h"

namespace seerdb {

// See FileSystem::LockFile.
Result<std::unique_ptr<FileLock>> LockPosixFile(const std::string& path, const std::string& holder);

// `holder` as one line: control characters become spaces.
std::string LockHolderLine(const std::string& holder);

// The answer to an attempt on a lock that `holder` has; an empty text means that it is not known.
Status LockedStatus(const std::string& path, const std::string& holder);

}  // namespace seerdb
