// Names of the files of a database directory.
//
//   CURRENT          names the live manifest          LOCK             held by the process that has it open
//   MANIFEST-000007  version edits                    000012.log       log segment
//   000015.sst       table                            000015.sst.tmp, CURRENT.tmp    being written; swept
//   000016.run.tmp   a sorted run of a bulk load; swept
//   000017.vlog      value segment
//   REPAIR           a repair is under way            lost/  what repairs have set aside
// Numbers come from one counter and are never reused.
#pragma once

#include <cstdint>
#include <string>

#include "seerdb/slice.h"

namespace seerdb {

// File numbers stay below this, so that counting on from any of them cannot overflow.
inline constexpr uint64_t kMaxFileNumber = uint64_t{1} << 62;

enum class FileKind : uint8_t {
  kCurrent,
  kLock,
  kManifest,
  kLog,
  kTable,
  kValues,
  kTemporary,
  kRepair,
  kUnknown
};

std::string CurrentFilePath(const std::string& directory);
std::string LockFilePath(const std::string& directory);
std::string RepairMarkerPath(const std::string& directory);
std::string LostDirectoryPath(const std::string& directory);
std::string ManifestFileName(uint64_t number);
std::string ManifestFilePath(const std::string& directory, uint64_t number);
std::string LogFilePath(const std::string& directory, uint64_t number);
std::string TableFilePath(const std::string& directory, uint64_t number);
std::string ValueFilePath(const std::string& directory, uint64_t number);
// What a table is called until it is whole and synced: "000015.sst.tmp".
std::string TemporaryPath(const std::string& path);
std::string SortRunPath(const std::string& directory, uint64_t number);

// Kind of a name inside a database directory, and its number (0 if it has none). A name with a number above
// kMaxFileNumber is not ours. A temporary's number is
// that of the file it would become.
FileKind ParseFileName(Slice name, uint64_t* number);

}  // namespace seerdb
