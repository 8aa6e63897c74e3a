#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>

#include <algorithm>
#include <cstdio>

#include "base/status_macros.h"
#include "env/errno_status.h"
#include "env/file_lock.h"
#include "env/posix_file.h"
#include "env/posix_log_file.h"
#include "env/unique_fd.h"
#include "seerdb/file_system.h"

namespace seerdb {
namespace {

// The directory that holds the last component of `path`: "/a" for "/a/b" and "/a/b//", "." for "b".
std::string ParentOf(const std::string& path) {
  size_t end = path.find_last_not_of('/');
  if (end == std::string::npos) return "/";
  end = path.find_last_of('/', end);
  if (end == std::string::npos) return ".";
  end = path.find_last_not_of('/', end);
  return end == std::string::npos ? "/" : path.substr(0, end + 1);
}

bool IsDirectory(const std::string& path) {
  struct stat info;
  return ::stat(path.c_str(), &info) == 0 && S_ISDIR(info.st_mode);
}

Result<UniqueFd> OpenDirectory(const char* operation, const std::string& path) {
  UniqueFd fd(RetryInterrupted([&] { return ::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC); }));
  if (!fd.valid()) return ErrnoStatus(operation, path, errno);
  return fd;
}

class PosixFiles final : public FileSystem {
 public:
  Result<std::unique_ptr<WritableFile>> NewWritableFile(const std::string& path, CreateMode mode) override {
    return OpenPosixWritableFile(path, mode);
  }

  Result<std::unique_ptr<WritableFile>> NewLogFile(const std::string& path, LogMode mode) override {
    switch (mode) {
      case LogMode::kMapped:
        return OpenPosixMappedLog(path);
      case LogMode::kDirect:
        return OpenPosixDirectLog(path);
      default:
        return FileSystem::NewLogFile(path, mode);
    }
  }

  Result<std::unique_ptr<RandomAccessFile>> NewRandomAccessFile(const std::string& path) override {
    return OpenPosixRandomAccessFile(path);
  }

  Result<std::vector<std::string>> ListDirectory(const std::string& path) override {
    DIR* const stream = ::opendir(path.c_str());
    if (stream == nullptr) return ErrnoStatus("list directory", path, errno);
    const std::unique_ptr<DIR, int (*)(DIR*)> closer(stream, ::closedir);
    std::vector<std::string> names;
    while (true) {
      errno = 0;
      const dirent* const entry = ::readdir(stream);
      if (entry == nullptr) break;
      const Slice name(entry->d_name);
      if (name != "." && name != "..") names.emplace_back(name);
    }
    if (errno != 0) return ErrnoStatus("list directory", path, errno);
    return names;
  }

  Status CreateDirectory(const std::string& path) override {
    // From the target up to the first directory that exists, then down again.
    std::vector<std::string> missing;
    std::string ancestor = path;
    while (!IsDirectory(ancestor)) {
      missing.push_back(ancestor);
      std::string parent = ParentOf(ancestor);
      if (parent == ancestor) break;
      ancestor = std::move(parent);
    }
    for (auto directory = missing.rbegin(); directory != missing.rend(); ++directory) {
      if (::mkdir(directory->c_str(), 0755) != 0) {
        const int error_number = errno;
        if (error_number != EEXIST || !IsDirectory(*directory))
          return ErrnoStatus("create directory", *directory, error_number);
      }
      SEERDB_RETURN_IF_ERROR(SyncDirectory(ParentOf(*directory)));
    }
    if (missing.empty()) {
      // A run that was killed between mkdir and the sync leaves a name that is not durable.
      SyncDirectory(ParentOf(path)).IgnoreError("the parent of a directory that exists may be unreadable");
    }
    return Status::Ok();
  }

  Status DeleteFile(const std::string& path) override {
    if (::unlink(path.c_str()) == 0) return Status::Ok();
    return ErrnoStatus("delete", path, errno);
  }

  Status DeleteDirectory(const std::string& path) override {
    if (::rmdir(path.c_str()) == 0) return Status::Ok();
    return ErrnoStatus("delete directory", path, errno);
  }

  Status RenameFile(const std::string& from, const std::string& to) override {
    if (::rename(from.c_str(), to.c_str()) == 0) return Status::Ok();
    return ErrnoStatus("rename", from + " to " + to, errno);
  }

  Status SyncDirectory(const std::string& path) override {
    SEERDB_ASSIGN_OR_RETURN(const UniqueFd fd, OpenDirectory("sync directory", path));
    if (RetryInterrupted([&] { return ::fsync(fd.get()); }) == 0) return Status::Ok();
    return ErrnoStatus("sync directory", path, errno).WithDetail(StatusDetail::kSyncFailed);
  }

  Result<FileInfo> GetFileInfo(const std::string& path) override {
    struct stat info;
    if (::stat(path.c_str(), &info) != 0) return ErrnoStatus("stat", path, errno);
    return FileInfo{static_cast<uint64_t>(info.st_size), static_cast<uint64_t>(info.st_nlink),
                    S_ISDIR(info.st_mode)};
  }

  Result<SpaceInfo> GetSpaceInfo(const std::string& path) override {
    struct statvfs info;
    if (RetryInterrupted([&] { return ::statvfs(path.c_str(), &info); }) != 0)
      return ErrnoStatus("space of", path, errno);
    const uint64_t unit_bytes = info.f_frsize;
    return SpaceInfo{info.f_bavail * unit_bytes, info.f_blocks * unit_bytes};
  }

  Result<std::unique_ptr<FileLock>> LockFile(const std::string& path, const std::string& holder) override {
    return LockPosixFile(path, holder);
  }
};

}  // namespace

std::shared_ptr<FileSystem> PosixFileSystem() {
  // Not destroyed at exit: threads that outlive main may still hold files.
  static const auto* const files = new std::shared_ptr<FileSystem>(std::make_shared<PosixFiles>());
  return *files;
}

}  // namespace seerdb
