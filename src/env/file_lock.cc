#include "env/file_lock.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>

#include "base/status_macros.h"
#include "env/unique_fd.h"

namespace seerdb {
namespace {

constexpr size_t kMaxHolderBytes = 512;

class PosixFileLock final : public FileLock {
 public:
  explicit PosixFileLock(UniqueFd fd) : fd_(std::move(fd)), owner_(::getpid()) {}
  ~PosixFileLock() override {
    // A forked child shares the lock; only the process that took it may release it.
    if (::getpid() != owner_) return;
    // Emptied first, so that no text of a past holder is taken for that of the next.
    if (::ftruncate(fd_.get(), 0) != 0) {
      // The text is information only.
    }
    ::flock(fd_.get(), LOCK_UN);
  }

 private:
  const UniqueFd fd_;
  const pid_t owner_;
};

std::string ReadHolder(int fd) {
  char buffer[kMaxHolderBytes];
  const ssize_t got = RetryInterrupted([&] { return ::pread(fd, buffer, sizeof buffer, 0); });
  std::string text(buffer, got > 0 ? static_cast<size_t>(got) : 0);
  return LockHolderLine(text.substr(0, text.find('\n')));
}

Status WriteHolder(int fd, const std::string& path, const std::string& holder) {
  std::string line = LockHolderLine(holder);
  line.push_back('\n');
  if (RetryInterrupted([&] { return ::ftruncate(fd, 0); }) != 0)
    return Status::FromErrno("truncate " + path, errno);
  size_t done = 0;
  while (done < line.size()) {
    const ssize_t written = RetryInterrupted(
        [&] { return ::pwrite(fd, line.data() + done, line.size() - done, static_cast<off_t>(done)); });
    if (written <= 0) return Status::FromErrno("write " + path, written < 0 ? errno : EIO);
    done += static_cast<size_t>(written);
  }
  return Status::Ok();
}

// Whether `path` still names the file behind `fd`: it may have been deleted between open and flock, and a
// lock on a file without a name excludes nobody.
bool StillNamed(int fd, const std::string& path) {
  struct stat opened;
  struct stat named;
  return ::fstat(fd, &opened) == 0 && ::stat(path.c_str(), &named) == 0 && opened.st_dev == named.st_dev &&
         opened.st_ino == named.st_ino;
}

}  // namespace

std::string LockHolderLine(const std::string& holder) {
  std::string line = holder.substr(0, kMaxHolderBytes - 1);
  for (char& c : line) {
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) c = ' ';
  }
  return line;
}

Status LockedStatus(const std::string& path, const std::string& holder) {
  return Status::Busy("lock " + path + ": held by " + (holder.empty() ? "an unnamed holder" : holder),
                      StatusDetail::kLocked);
}

Result<std::unique_ptr<FileLock>> LockPosixFile(const std::string& path, const std::string& holder) {
  constexpr int kAttempts = 16;
  for (int attempt = 0; attempt < kAttempts; ++attempt) {
    UniqueFd fd(RetryInterrupted(
        [&] { return ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NONBLOCK, 0644); }));
    if (!fd.valid()) return Status::FromErrno("lock " + path, errno);
    if (RetryInterrupted([&] { return ::flock(fd.get(), LOCK_EX | LOCK_NB); }) != 0) {
      if (errno == EWOULDBLOCK) return LockedStatus(path, ReadHolder(fd.get()));
      return Status::FromErrno("lock " + path, errno);
    }
    if (!StillNamed(fd.get(), path)) continue;
    const int raw_fd = fd.get();
    std::unique_ptr<FileLock> lock = std::make_unique<PosixFileLock>(std::move(fd));
    // Who holds it is said for the curious: a full disk must not keep a database from being opened or
    // destroyed.
    const Status written = WriteHolder(raw_fd, path, holder);
    if (!written.ok() && !written.IsNoSpace()) return written;
    return lock;
  }
  return Status::Busy("lock " + path + ": the file is deleted again and again", StatusDetail::kLocked);
}

}  // namespace seerdb
