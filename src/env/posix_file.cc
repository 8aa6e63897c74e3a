#include "env/posix_file.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <limits>

#include "base/status_macros.h"
#include "env/errno_status.h"
#include "env/populate.h"
#include "env/unique_fd.h"

namespace seerdb {
namespace {

// One call loads no more than the device's read-ahead, of which this is the usual size.
constexpr size_t kReadAheadBytes = 128 << 10;
constexpr uint64_t kMaxFileBytes = static_cast<uint64_t>(std::numeric_limits<off_t>::max());

class PosixWritableFile final : public WritableFile {
 public:
  PosixWritableFile(UniqueFd fd, std::string path, uint64_t position)
      : fd_(std::move(fd)), path_(std::move(path)), position_(position) {}

  Status Append(Slice bytes) override {
    while (!bytes.empty()) {
      const ssize_t written = RetryInterrupted(
          [&] { return ::pwrite(fd_.get(), bytes.data(), bytes.size(), static_cast<off_t>(position_)); });
      if (written < 0) return ErrnoStatusAt("append", path_, position_, errno);
      // A write of nothing without an error would loop for ever.
      if (written == 0) return ErrnoStatusAt("append", path_, position_, EIO);
      position_ += static_cast<uint64_t>(written);
      bytes.remove_prefix(static_cast<size_t>(written));
    }
    return Status::Ok();
  }

  Status AppendParts(std::span<const Slice> parts) override {
    constexpr size_t kMostParts = 8;
    iovec vector[kMostParts];
    int count = 0;
    uint64_t bytes = 0;
    for (const Slice part : parts) {
      if (part.empty()) continue;
      if (count == kMostParts) return WritableFile::AppendParts(parts);
      vector[count++] = {const_cast<char*>(part.data()), part.size()};  // pwritev only reads it
      bytes += part.size();
    }
    if (count < 2) return WritableFile::AppendParts(parts);
    const ssize_t written =
        RetryInterrupted([&] { return ::pwritev(fd_.get(), vector, count, static_cast<off_t>(position_)); });
    if (written < 0) return ErrnoStatusAt("append", path_, position_, errno);
    position_ += static_cast<uint64_t>(written);
    return static_cast<uint64_t>(written) == bytes ? Status::Ok()
                                                   : AppendRest(parts, static_cast<uint64_t>(written));
  }

  Status Sync() override {
    SEERDB_RETURN_IF_ERROR(WritebackStatus());
    if (RetryInterrupted([&] { return ::fdatasync(fd_.get()); }) == 0) return Status::Ok();
    return ErrnoStatus("fdatasync", path_, errno);
  }

  Status SyncAll() override {
    SEERDB_RETURN_IF_ERROR(WritebackStatus());
    if (RetryInterrupted([&] { return ::fsync(fd_.get()); }) == 0) return Status::Ok();
    return ErrnoStatus("fsync", path_, errno);
  }

  // Without waiting, which would take from fdatasync the errors of the pages waited for.
  void StartWriteback(uint64_t offset, uint64_t bytes) override {
    if (offset > kMaxFileBytes || bytes > kMaxFileBytes - offset) return;
    const int failed = RetryInterrupted([&] {
      return ::sync_file_range(fd_.get(), static_cast<off_t>(offset), static_cast<off_t>(bytes),
                               SYNC_FILE_RANGE_WRITE);
    });
    if (failed == 0 || errno == ENOSYS || errno == EINVAL || errno == ESPIPE || errno == EOPNOTSUPP) return;
    writeback_errno_.store(errno, std::memory_order_relaxed);
  }

  Status Allocate(uint64_t bytes, bool extend) override {
    if (bytes == 0) return Status::Ok();
    if (bytes > kMaxFileBytes) return ErrnoStatus("allocate", path_, EFBIG);
    const int mode = extend ? 0 : FALLOC_FL_KEEP_SIZE;
    if (RetryInterrupted([&] { return ::fallocate(fd_.get(), mode, 0, static_cast<off_t>(bytes)); }) == 0)
      return Status::Ok();
    return ErrnoStatus("allocate", path_, errno == ENOSYS ? EOPNOTSUPP : errno);
  }

  Status Truncate(uint64_t bytes) override {
    if (bytes > kMaxFileBytes) return ErrnoStatus("truncate", path_, EFBIG);
    if (RetryInterrupted([&] { return ::ftruncate(fd_.get(), static_cast<off_t>(bytes)); }) == 0)
      return Status::Ok();
    return ErrnoStatus("truncate", path_, errno);
  }

  Status Close() override {
    const int error_number = fd_.Close();
    return error_number == 0 ? Status::Ok() : ErrnoStatus("close", path_, error_number);
  }

 private:
  // What a call that wrote the first `written` bytes has left.
  Status AppendRest(std::span<const Slice> parts, uint64_t written) {
    for (Slice part : parts) {
      const uint64_t done = std::min<uint64_t>(written, part.size());
      written -= done;
      part.remove_prefix(done);
      if (!part.empty()) SEERDB_RETURN_IF_ERROR(Append(part));
    }
    return Status::Ok();
  }

  Status WritebackStatus() const {
    const int error_number = writeback_errno_.load(std::memory_order_relaxed);
    return error_number == 0 ? Status::Ok() : ErrnoStatus("write back", path_, error_number);
  }

  UniqueFd fd_;
  const std::string path_;
  uint64_t position_ = 0;
  std::atomic<int> writeback_errno_{0};  // Sync may run beside the appender
};

class PosixMappedRegion final : public MappedRegion {
 public:
  PosixMappedRegion(const char* start, size_t n, std::string path)
      : bytes_(start, n), path_(std::move(path)) {}
  PosixMappedRegion(const PosixMappedRegion&) = delete;
  PosixMappedRegion& operator=(const PosixMappedRegion&) = delete;
  ~PosixMappedRegion() override {
    if (!bytes_.empty()) ::munmap(const_cast<char*>(bytes_.data()), bytes_.size());
  }
  Slice bytes() const override { return bytes_; }

  void ExpectRandomReads() const override {
    if (!bytes_.empty()) ::madvise(const_cast<char*>(bytes_.data()), bytes_.size(), MADV_RANDOM);
  }

  bool WillNeed(uint64_t offset, uint64_t bytes) const override {
    constexpr size_t kPagesAtOnce = 512;
    const size_t page_bytes = PageBytes();
    unsigned char resident[kPagesAtOnce];
    bool missing = false;
    Pages rest = PagesOf(offset, bytes);
    while (rest.bytes != 0) {
      const Pages part{rest.start, std::min(rest.bytes, kPagesAtOnce * page_bytes)};
      if (::mincore(part.start, part.bytes, resident) != 0) break;
      if (LoadMissing(part, resident)) missing = true;
      rest = {rest.start + part.bytes, rest.bytes - part.bytes};
    }
    return missing;
  }

  Status Load(uint64_t offset, uint64_t bytes) const override {
    const Pages pages = PagesOf(offset, bytes);
    const size_t done = PopulatePages(pages.start, pages.bytes, MADV_POPULATE_READ);
    // It only prepares: where memory is short, a read may still have it.
    if (done == pages.bytes || errno == EINVAL || errno == ENOMEM || errno == EAGAIN) return {};
    return Status::FromErrno("load " + path_ + " @" + std::to_string(pages.start + done - bytes_.data()),
                             errno == EFAULT ? EIO : errno);
  }

 private:
  // Whole pages of the mapping; the last one may end behind the file.
  struct Pages {
    char* start = nullptr;
    size_t bytes = 0;
  };
  static size_t PageBytes() {
    static const auto bytes = static_cast<size_t>(::sysconf(_SC_PAGESIZE));
    return bytes;
  }
  // Those that hold what of [offset, offset + bytes) the mapping has.
  Pages PagesOf(uint64_t offset, uint64_t bytes) const {
    if (offset >= bytes_.size() || bytes == 0) return {};
    const size_t page_bytes = PageBytes();
    const size_t begin = offset / page_bytes * page_bytes;
    const size_t end = offset + std::min<uint64_t>(bytes, bytes_.size() - offset);
    const size_t pages = (end - begin + page_bytes - 1) / page_bytes;
    return {const_cast<char*>(bytes_.data()) + begin, pages * page_bytes};
  }
  // Asks for each stretch of pages that are not resident. True if there is one.
  static bool LoadMissing(const Pages& pages, const unsigned char* resident) {
    const size_t page_bytes = PageBytes();
    const size_t count = pages.bytes / page_bytes;
    bool missing = false;
    for (size_t begin = 0; begin < count;) {
      size_t end = begin;
      while (end < count && (resident[end] & 1) == 0 && (end - begin) * page_bytes < kReadAheadBytes) ++end;
      if (end > begin) {
        ::madvise(pages.start + begin * page_bytes, (end - begin) * page_bytes, MADV_WILLNEED);
        missing = true;
      }
      begin = std::max(end, begin + 1);
    }
    return missing;
  }

  const Slice bytes_;
  const std::string path_;
};

class PosixRandomAccessFile final : public RandomAccessFile {
 public:
  PosixRandomAccessFile(UniqueFd fd, std::string path) : fd_(std::move(fd)), path_(std::move(path)) {}

  Result<Slice> Read(uint64_t offset, size_t n, char* scratch) const override {
    size_t done = 0;
    while (done < n && offset <= kMaxFileBytes - done) {
      const size_t wanted = static_cast<size_t>(std::min<uint64_t>(n - done, kMaxFileBytes - offset - done));
      if (wanted == 0) break;
      const ssize_t got = RetryInterrupted(
          [&] { return ::pread(fd_.get(), scratch + done, wanted, static_cast<off_t>(offset + done)); });
      if (got < 0) return ErrnoStatusAt("read", path_, offset + done, errno);
      if (got == 0) break;
      done += static_cast<size_t>(got);
    }
    return Slice(scratch, done);
  }

  Result<uint64_t> Size() const override {
    struct stat info;
    if (::fstat(fd_.get(), &info) != 0) return ErrnoStatus("stat", path_, errno);
    return static_cast<uint64_t>(info.st_size);
  }

  Result<std::shared_ptr<const MappedRegion>> Map() const override {
    SEERDB_ASSIGN_OR_RETURN(const uint64_t size, Size());
    const char* start = nullptr;
    if (size > 0) {
      void* mapping = ::mmap(nullptr, size, PROT_READ, MAP_SHARED, fd_.get(), 0);
      // ENOMEM: the process has as many mappings as it may (vm.max_map_count); its files can be read all the
      // same.
      const bool refused = mapping == MAP_FAILED && (errno == ENODEV || errno == ENOMEM);
      if (mapping == MAP_FAILED) return ErrnoStatus("map", path_, refused ? EOPNOTSUPP : errno);
      start = static_cast<const char*>(mapping);
    }
    return std::shared_ptr<const MappedRegion>(std::make_shared<PosixMappedRegion>(start, size, path_));
  }

  void ReadAhead(uint64_t offset, size_t n) const override {
    if (offset > kMaxFileBytes || n > kMaxFileBytes - offset) return;
    for (size_t done = 0; done < n; done += kReadAheadBytes) {
      ::posix_fadvise(fd_.get(), static_cast<off_t>(offset + done),
                      static_cast<off_t>(std::min(n - done, kReadAheadBytes)), POSIX_FADV_WILLNEED);
    }
  }
  void ForgetClean() const override { ::posix_fadvise(fd_.get(), 0, 0, POSIX_FADV_DONTNEED); }

 private:
  const UniqueFd fd_;
  const std::string path_;
};

// Opens a regular file. O_NONBLOCK has no effect on those, and keeps the open of a pipe from waiting for
// its other end.
Result<UniqueFd> OpenRegularFile(const std::string& path, int flags) {
  UniqueFd fd(RetryInterrupted([&] { return ::open(path.c_str(), flags | O_CLOEXEC | O_NONBLOCK, 0644); }));
  if (!fd.valid()) return ErrnoStatus("open", path, errno);
  struct stat info;
  if (::fstat(fd.get(), &info) != 0) return ErrnoStatus("stat", path, errno);
  if (S_ISDIR(info.st_mode)) return ErrnoStatus("open", path, EISDIR);
  if (!S_ISREG(info.st_mode))
    return Status::IoError("open " + path + ": found a special file, expected a regular one");
  return fd;
}

}  // namespace

Result<std::unique_ptr<WritableFile>> OpenPosixWritableFile(const std::string& path, CreateMode mode) {
  int flags = O_WRONLY;
  switch (mode) {
    case CreateMode::kTruncate:
      flags |= O_CREAT | O_TRUNC;
      break;
    case CreateMode::kMustNotExist:
      flags |= O_CREAT | O_EXCL;
      break;
    case CreateMode::kOverwrite:
    case CreateMode::kAppend:
      break;
  }
  SEERDB_ASSIGN_OR_RETURN(UniqueFd fd, OpenRegularFile(path, flags));
  uint64_t position = 0;
  if (mode == CreateMode::kAppend) {
    struct stat info;
    if (::fstat(fd.get(), &info) != 0) return ErrnoStatus("stat", path, errno);
    position = static_cast<uint64_t>(info.st_size);
  }
  return std::unique_ptr<WritableFile>(std::make_unique<PosixWritableFile>(std::move(fd), path, position));
}

Result<std::unique_ptr<RandomAccessFile>> OpenPosixRandomAccessFile(const std::string& path) {
  SEERDB_ASSIGN_OR_RETURN(UniqueFd fd, OpenRegularFile(path, O_RDONLY));
  return std::unique_ptr<RandomAccessFile>(std::make_unique<PosixRandomAccessFile>(std::move(fd), path));
}

}  // namespace seerdb
