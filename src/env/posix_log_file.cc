#include "env/posix_log_file.h"

#include <fcntl.h>
#include <linux/magic.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/uio.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <utility>

#include "base/status_macros.h"
#include "env/awaited_log.h"
#include "env/errno_status.h"
#include "env/populate.h"
#include "env/unique_fd.h"

#ifndef XFS_SUPER_MAGIC
#define XFS_SUPER_MAGIC 0x58465342
#endif

namespace seerdb {
namespace {

constexpr uint64_t kBlockBytes = 4096;
// Largest write past the page cache in one call; longer appends take several and a sync.
constexpr size_t kDirectBufferBytes = size_t{1} << 20;
constexpr uint64_t kStatBlockBytes = 512;  // unit of st_blocks

Status SyncFile(int fd, const std::string& path, bool all) {
  if (RetryInterrupted([&] { return all ? ::fsync(fd) : ::fdatasync(fd); }) == 0) return {};
  return ErrnoStatus(all ? "fsync" : "fdatasync", path, errno);
}

// What both kinds of log refuse or do not need.
class PosixLogFile : public WritableFile {
 public:
  PosixLogFile(UniqueFd fd, std::string path) : fd_(std::move(fd)), path_(std::move(path)) {}
  Status Sync() override { return SyncFile(fd_.get(), path_, false); }
  Status SyncAll() override { return SyncFile(fd_.get(), path_, true); }
  Status Allocate(uint64_t, bool) override { return NotResizable("allocate"); }
  Status Truncate(uint64_t) override { return NotResizable("truncate"); }
  Status Close() override {
    const int error_number = fd_.Close();
    return error_number == 0 ? Status() : ErrnoStatus("close", path_, error_number);
  }

 protected:
  UniqueFd fd_;
  const std::string path_;
  uint64_t position_ = 0;

 private:
  Status NotResizable(const char* operation) const {
    return Status::NotSupported(std::string(operation) + " " + path_ +
                                ": a log that is in use keeps its size");
  }
};

class PosixMappedLog final : public PosixLogFile {
 public:
  PosixMappedLog(UniqueFd fd, std::string path, char* start, size_t bytes)
      : PosixLogFile(std::move(fd), std::move(path)), start_(start), bytes_(bytes) {}
  PosixMappedLog(const PosixMappedLog&) = delete;
  PosixMappedLog& operator=(const PosixMappedLog&) = delete;
  ~PosixMappedLog() override { ::munmap(start_, bytes_); }

  Status Append(Slice bytes) override {
    if (!fd_.valid()) return ErrnoStatusAt("append", path_, position_, EBADF);
    if (bytes.size() > bytes_ - position_) return ErrnoStatusAt("append", path_, position_, EFBIG);
    std::memcpy(start_ + position_, bytes.data(), bytes.size());
    position_ += bytes.size();
    return {};
  }

 private:
  char* const start_;
  const size_t bytes_;
};

class PosixDirectLog final : public PosixLogFile {
 public:
  using PosixLogFile::PosixLogFile;

  uint64_t append_unit_bytes() const override { return kBlockBytes; }

  Status Append(Slice bytes) override { return Write(bytes, 0); }

  Status AppendSynced(Slice bytes, bool all) override {
    // The flag of the last call says nothing about the calls before it.
    if (bytes.size() > kDirectBufferBytes || !has_sync_flag_) return AppendThenSync(bytes, all);
    Status status = Write(bytes, all ? RWF_SYNC : RWF_DSYNC);
    if (!status.IsNotSupported()) return status;
    has_sync_flag_ = false;  // nothing was written
    return AppendThenSync(bytes, all);
  }

 private:
  Status AppendThenSync(Slice bytes, bool all) {
    SEERDB_RETURN_IF_ERROR(Write(bytes, 0));
    return SyncFile(fd_.get(), path_, all).WithDetail(StatusDetail::kSyncFailed);
  }

  Status Write(Slice bytes, int flags) {
    if (bytes.size() % kBlockBytes != 0) return ErrnoStatusAt("append", path_, position_, EINVAL);
    SEERDB_RETURN_IF_ERROR(MakeBuffer(std::min(bytes.size(), kDirectBufferBytes)));
    while (!bytes.empty()) {
      const size_t n = std::min(bytes.size(), buffer_bytes_);
      std::memcpy(buffer_.get(), bytes.data(), n);
      SEERDB_RETURN_IF_ERROR(WriteBuffer(n, flags));
      bytes.remove_prefix(n);
    }
    return {};
  }

  Status WriteBuffer(size_t n, int flags) {
    for (size_t done = 0; done < n;) {
      const iovec part{buffer_.get() + done, n - done};
      const ssize_t written = RetryInterrupted(
          [&] { return ::pwritev2(fd_.get(), &part, 1, static_cast<off_t>(position_), flags); });
      if (written < 0) {
        // The flag is unknown; or so is the alignment, which shows at the first write.
        const bool refused =
            (flags != 0 && (errno == EOPNOTSUPP || errno == ENOSYS)) || (errno == EINVAL && position_ == 0);
        return ErrnoStatusAt("append", path_, position_, refused ? EOPNOTSUPP : errno);
      }
      // A short write ends at a block unless the device has failed; a write of nothing would loop for ever.
      if (written == 0 || written % static_cast<ssize_t>(kBlockBytes) != 0) {
        return ErrnoStatusAt("append", path_, position_, EIO);
      }
      done += static_cast<size_t>(written);
      position_ += static_cast<uint64_t>(written);
    }
    return {};
  }

  Status MakeBuffer(size_t n) {
    if (n <= buffer_bytes_) return {};
    buffer_.reset(static_cast<char*>(std::aligned_alloc(kBlockBytes, n)));
    buffer_bytes_ = buffer_ == nullptr ? 0 : n;
    return buffer_ == nullptr ? ErrnoStatus("append", path_, ENOMEM) : Status();
  }

  struct Free {
    void operator()(char* p) const { std::free(p); }
  };
  std::unique_ptr<char, Free> buffer_;  // a multiple of kBlockBytes
  size_t buffer_bytes_ = 0;
  bool has_sync_flag_ = true;
};

Result<UniqueFd> OpenLog(const std::string& path, int flags) {
  UniqueFd fd(RetryInterrupted([&] { return ::open(path.c_str(), flags | O_CLOEXEC | O_NONBLOCK); }));
  if (fd.valid()) return fd;
  // What a file system says that has no O_DIRECT.
  if (errno == EINVAL && (flags & O_DIRECT) != 0) return ErrnoStatus("open", path, EOPNOTSUPP);
  return ErrnoStatus("open", path, errno);
}

// Where a hypervisor keeps page tables of its own, a page that is populated is still not in them: who touches
// it first waits for that. Changes no byte; ends when somebody waits for the log. Requires: the pages are
// populated, and nobody writes to them.
void TouchPages(volatile char* start, size_t bytes) {
  constexpr size_t kBytesBetweenLooks = size_t{128} << 10;
  for (size_t i = 0; i < bytes; i += kBlockBytes) {
    if (i % kBytesBetweenLooks == 0 && AwaitedLog::Any()) return;
    start[i] = start[i];
  }
}

// Whether a page fault of a mapping of the file finds its block, and journals no more than buffered writes
// do.
bool MapsWell(int fd) {
  struct statfs info;
  if (::fstatfs(fd, &info) != 0) return false;
  return info.f_type == EXT4_SUPER_MAGIC || info.f_type == XFS_SUPER_MAGIC;
}

}  // namespace

Result<std::unique_ptr<WritableFile>> OpenPosixMappedLog(const std::string& path) {
  SEERDB_ASSIGN_OR_RETURN(UniqueFd fd, OpenLog(path, O_RDWR));
  struct stat info;
  if (::fstat(fd.get(), &info) != 0) return ErrnoStatus("stat", path, errno);
  const uint64_t allocated_bytes = static_cast<uint64_t>(info.st_blocks) * kStatBlockBytes;
  if (!S_ISREG(info.st_mode) || info.st_size == 0 || allocated_bytes < static_cast<uint64_t>(info.st_size) ||
      !MapsWell(fd.get())) {
    return ErrnoStatus("map", path, EOPNOTSUPP);
  }
  const size_t bytes = static_cast<size_t>(info.st_size);
  void* const start = ::mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd.get(), 0);
  if (start == MAP_FAILED) return ErrnoStatus("map", path, EOPNOTSUPP);
  auto file = std::make_unique<PosixMappedLog>(std::move(fd), path, static_cast<char*>(start), bytes);
  // Whatever it meets, a write call meets it too, and reports it as an error.
  if (PopulatePages(static_cast<char*>(start), bytes, MADV_POPULATE_WRITE) != bytes) {
    return ErrnoStatus("populate", path, EOPNOTSUPP);
  }
  TouchPages(static_cast<volatile char*>(start), bytes);
  return std::unique_ptr<WritableFile>(std::move(file));
}

Result<std::unique_ptr<WritableFile>> OpenPosixDirectLog(const std::string& path) {
  SEERDB_ASSIGN_OR_RETURN(UniqueFd fd, OpenLog(path, O_WRONLY | O_DIRECT));
  struct stat info;
  if (::fstat(fd.get(), &info) != 0) return ErrnoStatus("stat", path, errno);
  if (!S_ISREG(info.st_mode)) return ErrnoStatus("open", path, EOPNOTSUPP);
#ifdef STATX_DIOALIGN
  struct statx aligned;
  if (::statx(fd.get(), "", AT_EMPTY_PATH, STATX_DIOALIGN, &aligned) == 0 &&
      (aligned.stx_mask & STATX_DIOALIGN) != 0 &&
      (aligned.stx_dio_offset_align == 0 || aligned.stx_dio_offset_align > kBlockBytes ||
       aligned.stx_dio_mem_align > kBlockBytes)) {
    return ErrnoStatus("open", path, EOPNOTSUPP);
  }
#endif
  return std::unique_ptr<WritableFile>(std::make_unique<PosixDirectLog>(std::move(fd), path));
}

}  // namespace seerdb
