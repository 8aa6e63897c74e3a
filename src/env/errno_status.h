// What a failed call of the operating system is told as.
//
// Thread safety: concurrently.
#pragma once

#include <cstdint>
#include <string>

#include "seerdb/status.h"

namespace seerdb {

inline Status ErrnoStatus(const char* operation, const std::string& path, int error_number) {
  return Status::FromErrno(std::string(operation) + " " + path, error_number);
}

inline Status ErrnoStatusAt(const char* operation, const std::string& path, uint64_t offset,
                            int error_number) {
  return Status::FromErrno(std::string(operation) + " " + path + " @" + std::to_string(offset), error_number);
}

}  // namespace seerdb
