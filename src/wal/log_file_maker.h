// PrepareLogFile: makes the file of a log segment ready before the log needs it.
//
// The file is created (or a released one renamed), its space allocated, for direct logs written, its bytes
// and its name durable. A crash at any moment leaves a file that the manifest does not list. An error leaves
// no file, if it can be deleted.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "base/large_page_gauge.h"
#include "seerdb/file_system.h"
#include "seerdb/result.h"

namespace seerdb {

struct LogFileSpec {
  std::string directory;
  std::string path;
  LogMode mode = LogMode::kBuffered;
  uint64_t bytes = 0;  // of the file; 0 = grows by appends
  // Where not empty: a released log of the same mode and size, to be renamed to `path`; if it has a second
  // name it is deleted instead, and a new file made. Never for a mapped log.
  std::string recycle_path;
  // For a mapped log, unless null: fills its pages in pieces that the page cache keeps in large pages where
  // it can, so that a page fault of the mapping serves 2 MiB instead of 4 KiB. Who then syncs writes as much
  // for a byte. The gauge is asked for each 2 MiB; while they are dear the pieces are smaller.
  LargePageGauge* large_pages = nullptr;
};

struct PreparedLogFile {
  std::unique_ptr<WritableFile> file;
  std::string path;
  LogMode mode = LogMode::kBuffered;  // what the file system could do: as asked for, or kBuffered
  uint64_t bytes = 0;
  uint64_t written_bytes = 0;  // into it, to make it ready
  bool large_pages = false;    // as asked for
};

// Writes so many zeros where `file` stands: by calls of kHugePageBytes, or by several for as much while large
// pages are dear.
Status FillLargePages(WritableFile& file, uint64_t bytes, LargePageGauge* gauge);

Result<PreparedLogFile> PrepareLogFile(FileSystem& fs, const LogFileSpec& spec);

}  // namespace seerdb
