#include "vlog/value_writer.h"

#include <utility>

#include "base/assert.h"
#include "base/mutant.h"
#include "base/status_macros.h"

namespace seerdb {
namespace {

// Values up to this size are copied; a call for each would cost more.
constexpr uint64_t kCopiedBytes = 32 << 10;
constexpr uint64_t kBufferBytes = 256 << 10;
// The device begins to write so early that a sync finds little left to do.
constexpr uint64_t kWritebackBytes = uint64_t{1} << 20;

}  // namespace

ValueWriter::ValueWriter(std::string path, const ValueSegmentHeader& header,
                         std::unique_ptr<WritableFile> file)
    : path_(std::move(path)), header_(header), file_(std::move(file)) {
  AppendValueSegmentHeader(&buffer_, header_);
  offset_ = buffer_.size();
}

Result<std::unique_ptr<ValueWriter>> ValueWriter::Create(FileSystem& fs, const std::string& path,
                                                         const ValueSegmentHeader& header) {
  SEERDB_ASSIGN_OR_RETURN(std::unique_ptr<WritableFile> file,
                          fs.NewWritableFile(path, CreateMode::kMustNotExist));
  return std::unique_ptr<ValueWriter>(new ValueWriter(path, header, std::move(file)));
}

Status ValueWriter::Add(Slice prefix, Slice key, Slice value, ValuePointer* pointer) {
  if (failed()) return Status::IoError("append " + path_ + ": an earlier append failed");
  const uint64_t key_bytes = prefix.size() + key.size();
  const uint64_t value_offset = offset_ + kValueRecordHeadBytes + key_bytes;
  const std::string table = ChunkTable(header_.segment, value_offset, value);
  const uint32_t crc = ValueCrc(header_.segment, value_offset, value, table);
  AppendValueRecordHead(&buffer_, header_.segment, offset_, prefix, key,
                        {crc, static_cast<uint32_t>(key_bytes), value.size()});
  *pointer = {header_.segment, value_offset, value.size(), crc};
  offset_ += ValueRecordBytes(key_bytes, value.size());
  if (value.size() > kCopiedBytes) return Write(value, table);
  buffer_.append(value);
  return buffer_.size() >= kBufferBytes ? Flush() : Status();
}

Status ValueWriter::Write(Slice value, Slice table) {
  const Slice parts[] = {Slice(buffer_), value, table};
  const Status status = file_->AppendParts(parts);
  buffer_.clear();
  if (!status.ok()) {
    failed_.store(true, std::memory_order_relaxed);
    // Nothing points behind the last Flush: what was written there is given back.
    file_->Truncate(bytes()).IgnoreError("it is garbage");
    return status;
  }
  flushed_.store(offset_, std::memory_order_release);
  if (offset_ - started_ >= kWritebackBytes) {
    file_->StartWriteback(started_, offset_ - started_);
    started_ = offset_;
  }
  return {};
}

Status ValueWriter::Flush() {
  if (failed()) return Status::IoError("append " + path_ + ": an earlier append failed");
  return buffer_.empty() ? Status() : Write(Slice(), Slice());
}

Status ValueWriter::Sync() {
  const uint64_t flushed = bytes();
  if (flushed <= synced_.load(std::memory_order_acquire)) return {};
  if (sync_failed_.load(std::memory_order_acquire)) {
    return Status::IoError("sync " + path_ + ": an earlier sync failed", StatusDetail::kSyncFailed);
  }
  if (!SEERDB_MUTANT("value-log-skips-sync")) {
    if (Status status = file_->Sync(); !status.ok()) {
      sync_failed_.store(true, std::memory_order_release);
      return status.WithDetail(StatusDetail::kSyncFailed);
    }
  }
  uint64_t known = synced_.load(std::memory_order_relaxed);
  while (flushed > known && !synced_.compare_exchange_weak(known, flushed, std::memory_order_release,
                                                           std::memory_order_relaxed)) {
  }
  return {};
}

Status ValueWriter::Close() { return file_->Close(); }

}  // namespace seerdb
