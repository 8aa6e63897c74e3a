#include "wal/log_segment.h"

#include <utility>

#include "base/coding.h"
#include "base/mutant.h"

namespace seerdb {
namespace {

constexpr size_t kKeptBufferBytes = 256 * 1024;
constexpr size_t kSequenceBytes = 8;

}  // namespace

LogSegment::LogSegment(PreparedLogFile prepared, const LogIdentity& identity, uint64_t first_record)
    : prepared_(std::move(prepared)),
      identity_(identity),
      first_record_(first_record),
      next_record_(first_record) {}

bool LogSegment::HasRoom(uint64_t frame_bytes) const {
  const uint64_t written_bytes = bytes_.load(std::memory_order_relaxed);
  const uint64_t begin = written_bytes == 0 ? kLogHeaderBytes : written_bytes;
  const uint64_t unit_bytes = prepared_.file->append_unit_bytes();
  return (begin + frame_bytes + unit_bytes - 1) / unit_bytes * unit_bytes <= prepared_.bytes;
}

void LogSegment::Encode(const std::vector<Record>& records, uint64_t durable_record) {
  buffer_.clear();
  if (bytes_.load(std::memory_order_relaxed) == 0) {
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
  const size_t unit_bytes = prepared_.file->append_unit_bytes();
  if (unit_bytes > 1) buffer_.resize((buffer_.size() + unit_bytes - 1) / unit_bytes * unit_bytes, '\0');
}

Status LogSegment::Write(const std::vector<Record>& records, uint64_t durable_record, Durability durability) {
  if (failed_.load(std::memory_order_acquire)) return failure();
  if (records.empty()) return {};
  for (const Record& record : records) {
    const size_t payload_bytes = kSequenceBytes + record.operations.size();
    if (payload_bytes > UINT32_MAX) {
      return Status::InvalidArgument("append " + path() + ": found a record of " +
                                     std::to_string(payload_bytes) + " bytes, expected less than 4 GiB");
    }
  }
  Encode(records, durable_record);
  Status status = durability == Durability::kKernel
                      ? prepared_.file->Append(buffer_)
                      : prepared_.file->AppendSynced(buffer_, durability == Durability::kSyncedAll);
  const uint64_t written_bytes = buffer_.size();
  if (buffer_.capacity() > kKeptBufferBytes) std::string().swap(buffer_);
  if (!status.ok()) [[unlikely]]
    return Fail(std::move(status));
  bytes_.store(bytes_.load(std::memory_order_relaxed) + written_bytes, std::memory_order_relaxed);
  next_record_.store(next_record_.load(std::memory_order_relaxed) + records.size(),
                     std::memory_order_release);
  return {};
}

Status LogSegment::Sync(bool all) {
  if (sync_failed_.load(std::memory_order_acquire)) return failure();
  Status status =
      (all ? prepared_.file->SyncAll() : prepared_.file->Sync()).WithDetail(StatusDetail::kSyncFailed);
  if (!status.ok()) [[unlikely]]
    return Fail(std::move(status));
  return {};
}

Status LogSegment::Fail(Status status) {
  MutexLock lock(&mu_);
  // A failed sync outweighs a failed append: what was appended before may be lost.
  const bool sync_failed = status.detail() == StatusDetail::kSyncFailed;
  if (failure_.ok() || sync_failed) failure_ = std::move(status);
  if (sync_failed) sync_failed_.store(true, std::memory_order_release);
  if (!SEERDB_MUTANT("log-failure-forgotten")) failed_.store(true, std::memory_order_release);
  return failure_;
}

Status LogSegment::failure() const {
  MutexLock lock(&mu_);
  return failure_;
}

}  // namespace seerdb
