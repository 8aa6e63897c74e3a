// A library for LD_PRELOAD that keeps apart what a process wrote and what it made durable.
//
// All calls of the process go to the real file system, but for fsync and fdatasync, which do nothing but
// write the file's content into a journal (power_journal.h). Every change of a name in the watched directory
// is written there too. When the process has been killed, power_cut.h makes from the directory and the
// journal what a power cut at that moment could have left. One lock orders the journal as the changes of
// names. Writes are not intercepted, so it makes no difference how they are done (pwrite, mapping, direct
// I/O); but a file that is made durable by another call (msync, sync_file_range, O_DSYNC) needs that call
// here.
#include <dlfcn.h>
#include <fcntl.h>
#include <stdarg.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <mutex>
#include <string>

#include "tests/kill/power_journal.h"

namespace seerdb::testing {
namespace {

std::mutex& Lock() {
  static std::mutex* const lock = new std::mutex;  // threads may outlive main
  return *lock;
}

struct Watched {
  std::string directory;  // with a final slash; empty: nothing is watched
  ino_t inode = 0;
  int journal_fd = -1;
};

const Watched& TheWatched() {
  static const Watched* const watched = [] {
    auto* const made = new Watched;
    const char* const directory = std::getenv(kPowerDirectoryVariable);
    const char* const journal = std::getenv(kPowerJournalVariable);
    struct stat info;
    if (directory == nullptr || journal == nullptr || stat(directory, &info) != 0) return made;
    made->directory = std::string(directory) + "/";
    made->inode = info.st_ino;
    made->journal_fd = static_cast<int>(
        syscall(SYS_openat, AT_FDCWD, journal, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644));
    if (made->journal_fd < 0) std::abort();
    return made;
  }();
  return *watched;
}

// The name inside the watched directory, or null.
const char* NameOf(const char* path) {
  const std::string& directory = TheWatched().directory;
  if (directory.empty() || std::strncmp(path, directory.c_str(), directory.size()) != 0) return nullptr;
  return path + directory.size();
}

void Record(PowerRecord kind, const std::string& name, uint64_t inode, const std::string& content) {
  const PowerRecordHead head = {kind, static_cast<uint32_t>(name.size()), inode, content.size()};
  std::string record(reinterpret_cast<const char*>(&head), sizeof head);
  record += name;
  record += content;
  for (size_t done = 0; done < record.size();) {
    const ssize_t written =
        syscall(SYS_write, TheWatched().journal_fd, record.data() + done, record.size() - done);
    if (written <= 0) std::abort();
    done += static_cast<size_t>(written);
  }
}

// The whole content as the kernel has it, through a descriptor that may read.
std::string ContentOf(const char* path) {
  std::string content;
  const int fd = static_cast<int>(syscall(SYS_openat, AT_FDCWD, path, O_RDONLY | O_CLOEXEC));
  if (fd < 0) return content;
  char buffer[16384];
  for (;;) {
    const ssize_t got = pread(fd, buffer, sizeof buffer, static_cast<off_t>(content.size()));
    if (got <= 0) break;
    content.append(buffer, static_cast<size_t>(got));
  }
  close(fd);
  return content;
}

template <class Function>
Function* Next(const char* name) {
  return reinterpret_cast<Function*>(dlsym(RTLD_NEXT, name));
}

int OpenWatched(const char* path, int flags, mode_t mode) {
  const char* const name = NameOf(path);
  if (name == nullptr || (flags & O_CREAT) == 0) {
    return static_cast<int>(syscall(SYS_openat, AT_FDCWD, path, flags, mode));
  }
  const std::lock_guard<std::mutex> lock(Lock());
  struct stat info;
  const bool existed = stat(path, &info) == 0;
  const int fd = static_cast<int>(syscall(SYS_openat, AT_FDCWD, path, flags, mode));
  if (fd >= 0 && !existed && fstat(fd, &info) == 0) Record(PowerRecord::kCreated, name, info.st_ino, "");
  return fd;
}

int SyncWatched(int fd, const char* name) {
  struct stat info;
  if (TheWatched().directory.empty() || fstat(fd, &info) != 0) return Next<int(int)>(name)(fd);
  const std::lock_guard<std::mutex> lock(Lock());
  if (S_ISDIR(info.st_mode)) {
    if (info.st_ino == TheWatched().inode) Record(PowerRecord::kDirectory, "", info.st_ino, "");
  } else {
    const std::string self = "/proc/self/fd/" + std::to_string(fd);
    Record(PowerRecord::kFile, "", info.st_ino, ContentOf(self.c_str()));
  }
  return 0;
}

// Without its sync flags; these bytes, and no others, are durable then.
ssize_t WriteWatched(int fd, const iovec* parts, int count, off_t offset, int flags) {
  using Call = ssize_t(int, const iovec*, int, off_t, int);
  const int sync_flags = flags & (RWF_DSYNC | RWF_SYNC);
  struct stat info;
  if (TheWatched().directory.empty() || sync_flags == 0 || fstat(fd, &info) != 0) {
    return Next<Call>("pwritev2")(fd, parts, count, offset, flags);
  }
  const ssize_t written = Next<Call>("pwritev2")(fd, parts, count, offset, flags & ~sync_flags);
  if (written <= 0) return written;
  std::string content;
  for (int i = 0; i < count; ++i)
    content.append(static_cast<const char*>(parts[i].iov_base), parts[i].iov_len);
  content.resize(static_cast<size_t>(written));
  const std::lock_guard<std::mutex> lock(Lock());
  Record(PowerRecord::kRange, std::to_string(offset), info.st_ino, content);
  return written;
}

}  // namespace
}  // namespace seerdb::testing

#define SEERDB_INTERCEPT extern "C" __attribute__((visibility("default")))

SEERDB_INTERCEPT int open(const char* path, int flags, ...) {
  mode_t mode = 0;
  if ((flags & (O_CREAT | O_TMPFILE)) != 0) {
    va_list arguments;
    va_start(arguments, flags);
    mode = va_arg(arguments, mode_t);
    va_end(arguments);
  }
  return seerdb::testing::OpenWatched(path, flags, mode);
}

SEERDB_INTERCEPT int open64(const char* path, int flags, ...) {
  mode_t mode = 0;
  if ((flags & (O_CREAT | O_TMPFILE)) != 0) {
    va_list arguments;
    va_start(arguments, flags);
    mode = va_arg(arguments, mode_t);
    va_end(arguments);
  }
  return seerdb::testing::OpenWatched(path, flags, mode);
}

SEERDB_INTERCEPT int fsync(int fd) { return seerdb::testing::SyncWatched(fd, "fsync"); }
SEERDB_INTERCEPT int fdatasync(int fd) { return seerdb::testing::SyncWatched(fd, "fdatasync"); }

SEERDB_INTERCEPT ssize_t pwritev2(int fd, const iovec* parts, int count, off_t offset, int flags) {
  return seerdb::testing::WriteWatched(fd, parts, count, offset, flags);
}
SEERDB_INTERCEPT ssize_t pwritev64v2(int fd, const iovec* parts, int count, off64_t offset, int flags) {
  return seerdb::testing::WriteWatched(fd, parts, count, offset, flags);
}

SEERDB_INTERCEPT int rename(const char* from, const char* to) {
  using namespace seerdb::testing;  // lint: using namespace: extern "C" functions stand outside
  const char* const old_name = NameOf(from);
  const char* const new_name = NameOf(to);
  if (old_name == nullptr || new_name == nullptr)
    return Next<int(const char*, const char*)>("rename")(from, to);
  const std::lock_guard<std::mutex> lock(Lock());
  struct stat info;
  if (stat(to, &info) == 0) Record(PowerRecord::kLastContent, new_name, info.st_ino, ContentOf(to));
  const int outcome = Next<int(const char*, const char*)>("rename")(from, to);
  if (outcome == 0) Record(PowerRecord::kRenamed, std::string(old_name) + '\0' + new_name, 0, "");
  return outcome;
}

SEERDB_INTERCEPT int unlink(const char* path) {
  using namespace seerdb::testing;  // lint: using namespace: extern "C" functions stand outside
  const char* const name = NameOf(path);
  if (name == nullptr) return Next<int(const char*)>("unlink")(path);
  const std::lock_guard<std::mutex> lock(Lock());
  struct stat info;
  if (stat(path, &info) == 0) Record(PowerRecord::kLastContent, name, info.st_ino, ContentOf(path));
  const int outcome = Next<int(const char*)>("unlink")(path);
  if (outcome == 0) Record(PowerRecord::kUnlinked, name, 0, "");
  return outcome;
}
