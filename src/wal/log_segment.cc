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
      seed_(LogSeed(identity)),
      unit_bytes_(prepared_.file->append_unit_bytes()),
      first_record_(first_record),
      next_record_(first_record) {}

void LogSegment::Encode(const std::vector<Record>& records, uint64_t durable_record) {
  buffer_.Clear();
  if (bytes() == 0) {
    EncodeLogHeader({identity_, first_record_}, buffer_.Room(kLogHeaderBytes));
    buffer_.Grow(kLogHeaderBytes);
  }
  uint64_t number = next_record_.load(std::memory_order_relaxed);
  for (const Record& record : records) {
    const LogRecord frame{number++, durable_record, record.base_sequence, record.operations};
    const uint64_t frame_bytes = frame.frame_bytes();
    EncodeLogFrame(seed_, frame, buffer_.Room(frame_bytes));
    buffer_.Grow(frame_bytes);
  }
  if (unit_bytes_ > 1) buffer_.AppendZeros(WholeUnits(buffer_.size()) - buffer_.size());
}

Status LogSegment::TooLarge(const Record& record) const {
  return Status::InvalidArgument("append " + path() + ": found a record of " +
                                 std::to_string(kSequenceBytes + record.operations.size()) +
                                 " bytes, expected less than 4 GiB");
}

Status LogSegment::Write(const std::vector<Record>& records, uint64_t durable_record, Durability durability) {
  if (failed_.load(std::memory_order_acquire)) [[unlikely]]
    return failure();
  if (records.empty()) return {};
  for (const Record& record : records) {
    if (record.operations.size() > UINT32_MAX - kSequenceBytes) [[unlikely]]
      return TooLarge(record);
  }
  Encode(records, durable_record);
  Status status = durability == Durability::kKernel
                      ? prepared_.file->Append(buffer_.bytes())
                      : prepared_.file->AppendSynced(buffer_.bytes(), durability == Durability::kSyncedAll);
  const uint64_t written_bytes = buffer_.size();
  if (written_bytes > kKeptBufferBytes) buffer_ = OutputBuffer();
  if (!status.ok()) [[unlikely]]
    return Fail(std::move(status));
  bytes_.store(bytes() + written_bytes, std::memory_order_relaxed);
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
