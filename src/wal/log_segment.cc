#include "wal/log_segment.h"

#include <utility>

#include "base/coding.h"
#include "base/mutant.h"
#include "base/status_macros.h"

namespace seerdb {
namespace {

constexpr size_t kKeptBufferBytes = 256 * 1024;
constexpr size_t kSequenceBytes = 8;

// Renames a released file to `path`. False if it may not be reused; it is gone then.
Result<bool> Recycle(FileSystem& fs, const std::string& path, const std::string& recycle_path) {
  const Result<FileInfo> info = fs.GetFileInfo(recycle_path);
  if (!info.ok()) {
    if (info.status().detail() == StatusDetail::kNotFound) return false;
    return info.status();
  }
  // A second name means that a checkpoint still holds these bytes.
  if (info->links != 1 && !SEERDB_MUTANT("linked-log-recycled")) {
    SEERDB_RETURN_IF_ERROR(fs.DeleteFile(recycle_path));
    return false;
  }
  SEERDB_RETURN_IF_ERROR(fs.RenameFile(recycle_path, path));
  return true;
}

Status MakeDurable(WritableFile& file, uint64_t allocate_bytes) {
  if (allocate_bytes > 0) {
    const Status allocated = file.Allocate(allocate_bytes, /*extend=*/true);
    if (!allocated.ok() && !allocated.IsNotSupported()) return allocated;
  }
  SEERDB_RETURN_IF_ERROR(file.SyncAll());
  return file.Close();
}

}  // namespace

Status LogSegment::Prepare(FileSystem& fs, const std::string& directory, const std::string& path,
                           const std::string& recycle_path, uint64_t bytes) {
  bool recycled = false;
  if (!recycle_path.empty()) {
    SEERDB_ASSIGN_OR_RETURN(recycled, Recycle(fs, path, recycle_path));
  }
  SEERDB_ASSIGN_OR_RETURN(
      const std::unique_ptr<WritableFile> file,
      fs.NewWritableFile(path, recycled ? CreateMode::kOverwrite : CreateMode::kMustNotExist));
  // A recycled file keeps its size: its blocks are allocated and written already.
  Status status = MakeDurable(*file, recycled ? 0 : bytes);
  if (status.ok()) status = fs.SyncDirectory(directory);
  if (!status.ok()) fs.DeleteFile(path).IgnoreError("an unlisted file; the sweep at open removes it");
  return status;
}

Result<std::unique_ptr<LogSegment>> LogSegment::Open(FileSystem& fs, const std::string& path,
                                                     const LogIdentity& identity, uint64_t first_record) {
  SEERDB_ASSIGN_OR_RETURN(std::unique_ptr<WritableFile> file,
                          fs.NewWritableFile(path, CreateMode::kOverwrite));
  return std::unique_ptr<LogSegment>(new LogSegment(std::move(file), path, identity, first_record));
}

LogSegment::LogSegment(std::unique_ptr<WritableFile> file, std::string path, const LogIdentity& identity,
                       uint64_t first_record)
    : file_(std::move(file)),
      path_(std::move(path)),
      identity_(identity),
      first_record_(first_record),
      next_record_(first_record) {}

Status LogSegment::Append(const std::vector<Record>& records, uint64_t durable_record) {
  if (failed_.load(std::memory_order_acquire)) return failure();
  if (records.empty()) return {};
  const uint64_t written_bytes = bytes_.load(std::memory_order_relaxed);
  size_t total = written_bytes == 0 ? kLogHeaderBytes : 0;
  for (const Record& record : records) {
    const size_t payload_bytes = kSequenceBytes + record.operations.size();
    if (payload_bytes > UINT32_MAX) {
      return Status::InvalidArgument("append " + path_ + ": found a record of " +
                                     std::to_string(payload_bytes) + " bytes, expected less than 4 GiB");
    }
    total += kLogFrameHeadBytes + payload_bytes;
  }

  buffer_.clear();
  buffer_.reserve(total);
  if (written_bytes == 0) {
    char header[kLogHeaderBytes];
    EncodeLogHeader({identity_, first_record_}, header);
    buffer_.append(header, sizeof header);
  }
  uint64_t number = next_record_.load(std::memory_order_relaxed);
  for (const Record& record : records) {
    char sequence[kSequenceBytes];
    StoreU64(sequence, record.base_sequence);
    AppendLogFrame(&buffer_, identity_, number++, durable_record, Slice(sequence, sizeof sequence),
                   record.operations);
  }
  Status status = file_->Append(buffer_);
  if (buffer_.capacity() > kKeptBufferBytes) std::string().swap(buffer_);
  if (!status.ok()) [[unlikely]]
    return Fail(std::move(status));
  bytes_.store(written_bytes + total, std::memory_order_relaxed);
  next_record_.store(number, std::memory_order_release);
  return {};
}

Status LogSegment::Sync(bool all) {
  if (failed_.load(std::memory_order_acquire)) return failure();
  Status status = all ? file_->SyncAll() : file_->Sync();
  if (!status.ok()) [[unlikely]]
    return Fail(std::move(status));
  return {};
}

Status LogSegment::Fail(Status status) {
  MutexLock lock(&mu_);
  if (failure_.ok()) failure_ = std::move(status);
  if (!SEERDB_MUTANT("log-failure-forgotten")) failed_.store(true, std::memory_order_release);
  return failure_;
}

Status LogSegment::failure() const {
  MutexLock lock(&mu_);
  return failure_;
}

}  // namespace seerdb
