// What the tests of the log share.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <utility>

#include "seerdb/file_system.h"
#include "wal/log_segment.h"

namespace seerdb {

inline std::string LogPath(uint64_t log) { return "/db/" + std::to_string(log) + ".log"; }

// A segment in the file at `path`, which exists. Null if it cannot be opened.
inline std::unique_ptr<LogSegment> OpenSegment(FileSystem& fs, const std::string& path,
                                               const LogIdentity& identity, uint64_t first_record,
                                               LogMode mode = LogMode::kBuffered) {
  const auto info = fs.GetFileInfo(path);
  auto file = fs.NewLogFile(path, mode);
  if (!info.ok() || !file.ok()) return nullptr;
  PreparedLogFile prepared{*std::move(file), path, mode, info->bytes};
  return std::make_unique<LogSegment>(std::move(prepared), identity, first_record);
}

}  // namespace seerdb
