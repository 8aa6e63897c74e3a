#include <algorithm>

#include "base/status_macros.h"
#include "seerdb/file_system.h"

namespace seerdb {

Result<std::string> ReadFileToString(FileSystem& fs, const std::string& path) {
  constexpr uint64_t kMinStepBytes = 4096;
  SEERDB_ASSIGN_OR_RETURN(const std::unique_ptr<RandomAccessFile> file, fs.NewRandomAccessFile(path));
  SEERDB_ASSIGN_OR_RETURN(const uint64_t size, file->Size());
  std::string text;
  // One byte more than the stated size, so that one read usually shows the end of the file.
  uint64_t step_bytes = size + 1;
  while (true) {
    const size_t start = text.size();
    text.resize(start + step_bytes);
    SEERDB_ASSIGN_OR_RETURN(const Slice got, file->Read(start, step_bytes, text.data() + start));
    if (got.data() != text.data() + start) got.copy(text.data() + start, got.size());
    text.resize(start + got.size());
    if (got.size() < step_bytes) return text;
    step_bytes = std::max(kMinStepBytes, step_bytes);
  }
}

}  // namespace seerdb
