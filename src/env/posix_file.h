// The operating system's files behind WritableFile and RandomAccessFile; opened by PosixFileSystem().
//
// Thread safety: as the interfaces state.
#pragma once

#include <memory>
#include <string>

#include "seerdb/file_system.h"

namespace seerdb {

Result<std::unique_ptr<WritableFile>> OpenPosixWritableFile(const std::string& path, CreateMode mode);
Result<std::unique_ptr<RandomAccessFile>> OpenPosixRandomAccessFile(const std::string& path);

}  // namespace seerdb
