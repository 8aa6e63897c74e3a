// SyncNames: makes the names in a directory durable, and tells a failed sync from one that was not tried.
#pragma once

#include <string>

#include "seerdb/file_system.h"
#include "seerdb/status.h"

namespace seerdb {

// kSyncFailed: names of any files there may be lost. kNoResources: there was no descriptor to sync by;
// nothing has changed.
inline Status SyncNames(FileSystem& fs, const std::string& directory) {
  Status status = fs.SyncDirectory(directory);
  return status.detail() == StatusDetail::kNoResources ? status
                                                       : status.WithDetail(StatusDetail::kSyncFailed);
}

}  // namespace seerdb
