// The operating system's files opened as logs: through a shared mapping, or past the page cache.
//
// Both are refused (kNotSupported) where what they rely on is missing, so that the caller can fall back to
// write calls: a mapped log needs ext4 or xfs, a file with all its blocks and MADV_POPULATE_WRITE (Linux
// 5.14), which takes every page fault that could fail before the first byte is copied; a direct log needs
// O_DIRECT with an alignment of 4096 or less.
#pragma once

#include <memory>
#include <string>

#include "seerdb/file_system.h"
#include "seerdb/result.h"

namespace seerdb {

Result<std::unique_ptr<WritableFile>> OpenPosixMappedLog(const std::string& path);
Result<std::unique_ptr<WritableFile>> OpenPosixDirectLog(const std::string& path);

}  // namespace seerdb
