#include <cerrno>

#include "base/status_macros.h"
#include "env/errno_status.h"
#include "env/memory_state.h"

namespace seerdb {
namespace {

// Above this a file is refused instead of ending the process for want of memory.
constexpr uint64_t kMaxMemoryFileBytes = uint64_t{1} << 34;
// Of a kDirect log. An append may end at any sector, so that a test can cut one short.
constexpr uint64_t kDirectBlockBytes = 4096;

class MemoryWritableFile final : public WritableFile {
 public:
  MemoryWritableFile(std::shared_ptr<MemoryState> state, MemoryNodePtr node, std::string path, LogMode mode,
                     uint64_t position)
      : state_(std::move(state)),
        node_(std::move(node)),
        path_(std::move(path)),
        mode_(mode),
        position_(position) {}

  Status Append(Slice bytes) override {
    MutexLock lock(&state_->mutex);
    return AppendLocked(bytes);
  }

  Status AppendSynced(Slice bytes, bool all) override {
    if (mode_ != LogMode::kDirect) return WritableFile::AppendSynced(bytes, all);
    MutexLock lock(&state_->mutex);
    const uint64_t begin = position_;
    SEERDB_RETURN_IF_ERROR(AppendLocked(bytes));
    node_->content.SyncRange(begin, position_);
    return Status::Ok();
  }

  uint64_t append_unit_bytes() const override { return mode_ == LogMode::kDirect ? kDirectBlockBytes : 1; }

  Status Sync() override { return SyncAs("fdatasync"); }
  Status SyncAll() override { return SyncAs("fsync"); }

  Status Allocate(uint64_t bytes, bool extend) override {
    MutexLock lock(&state_->mutex);
    if (closed_) return ErrnoStatus("allocate", path_, EBADF);
    if (bytes > kMaxMemoryFileBytes) return ErrnoStatus("allocate", path_, EFBIG);
    ++state_->operations;
    if (extend && bytes > node_->content.size()) node_->content.Resize(bytes);
    return Status::Ok();
  }

  Status Truncate(uint64_t bytes) override {
    MutexLock lock(&state_->mutex);
    if (closed_) return ErrnoStatus("truncate", path_, EBADF);
    if (bytes > kMaxMemoryFileBytes) return ErrnoStatus("truncate", path_, EFBIG);
    ++state_->operations;
    node_->content.Resize(bytes);
    return Status::Ok();
  }

  Status Close() override {
    MutexLock lock(&state_->mutex);
    if (closed_) return ErrnoStatus("close", path_, EBADF);
    closed_ = true;
    return Status::Ok();
  }

 private:
  Status AppendLocked(Slice bytes) REQUIRES(state_->mutex) {
    if (closed_) return ErrnoStatus("append", path_, EBADF);
    if (bytes.size() > kMaxMemoryFileBytes - position_) return ErrnoStatus("append", path_, EFBIG);
    // A mapping does not grow, and a direct write covers whole sectors.
    if (mode_ == LogMode::kMapped && bytes.size() > node_->content.size() - position_)
      return ErrnoStatus("append", path_, EFBIG);
    if (mode_ == LogMode::kDirect && bytes.size() % MemoryContent::kSectorBytes != 0)
      return ErrnoStatus("append", path_, EINVAL);
    ++state_->operations;
    node_->content.Write(position_, bytes);
    position_ += bytes.size();
    return Status::Ok();
  }

  Status SyncAs(const char* operation) {
    MutexLock lock(&state_->mutex);
    if (closed_) return ErrnoStatus(operation, path_, EBADF);
    ++state_->operations;
    node_->content.Sync();
    return Status::Ok();
  }

  const std::shared_ptr<MemoryState> state_;
  const MemoryNodePtr node_ GUARDED_BY(state_->mutex);
  const std::string path_;
  const LogMode mode_;
  uint64_t position_ GUARDED_BY(state_->mutex);
  bool closed_ GUARDED_BY(state_->mutex) = false;
};

class MemoryMappedRegion final : public MappedRegion {
 public:
  explicit MemoryMappedRegion(std::shared_ptr<const std::string> bytes) : bytes_(std::move(bytes)) {}
  Slice bytes() const override { return *bytes_; }

 private:
  const std::shared_ptr<const std::string> bytes_;
};

class MemoryRandomAccessFile final : public RandomAccessFile {
 public:
  MemoryRandomAccessFile(std::shared_ptr<MemoryState> state, MemoryNodePtr node)
      : state_(std::move(state)), node_(std::move(node)) {}

  Result<Slice> Read(uint64_t offset, size_t n, char* scratch) const override {
    MutexLock lock(&state_->mutex);
    return Slice(scratch, node_->content.Read(offset, n, scratch));
  }

  Result<uint64_t> Size() const override {
    MutexLock lock(&state_->mutex);
    return node_->content.size();
  }

  Result<std::shared_ptr<const MappedRegion>> Map() const override {
    MutexLock lock(&state_->mutex);
    return std::shared_ptr<const MappedRegion>(std::make_shared<MemoryMappedRegion>(node_->content.Share()));
  }

 private:
  const std::shared_ptr<MemoryState> state_;
  const MemoryNodePtr node_ GUARDED_BY(state_->mutex);
};

class MemoryFileLock final : public FileLock {
 public:
  MemoryFileLock(std::shared_ptr<MemoryState> state, MemoryNodePtr node)
      : state_(std::move(state)), node_(std::move(node)) {}
  ~MemoryFileLock() override {
    MutexLock lock(&state_->mutex);
    node_->locked = false;
    node_->content.Resize(0);
  }

 private:
  const std::shared_ptr<MemoryState> state_;
  const MemoryNodePtr node_ GUARDED_BY(state_->mutex);
};

}  // namespace

std::unique_ptr<WritableFile> NewMemoryWritableFile(std::shared_ptr<MemoryState> state, MemoryNodePtr node,
                                                    const std::string& path, LogMode mode,
                                                    uint64_t position) {
  return std::make_unique<MemoryWritableFile>(std::move(state), std::move(node), path, mode, position);
}

std::unique_ptr<RandomAccessFile> NewMemoryRandomAccessFile(std::shared_ptr<MemoryState> state,
                                                            MemoryNodePtr node) {
  return std::make_unique<MemoryRandomAccessFile>(std::move(state), std::move(node));
}

std::unique_ptr<FileLock> NewMemoryFileLock(std::shared_ptr<MemoryState> state, MemoryNodePtr node) {
  return std::make_unique<MemoryFileLock>(std::move(state), std::move(node));
}

}  // namespace seerdb
