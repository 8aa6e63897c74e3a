#include "db/disk_guard.h"

#include <algorithm>
#include <utility>

#include "base/mutant.h"

namespace seerdb {
namespace {

constexpr uint64_t kAskUs = 10'000'000;
constexpr uint64_t kRetryUs = 1'000'000;
// So close above the limit each write asks.
constexpr uint64_t kNearBytes = uint64_t{64} << 20;

}  // namespace

DiskGuard::DiskGuard(Parts parts)
    : parts_(std::move(parts)),
      retry_(std::make_shared<RetryTimer>(parts_.executor, kRetryUs, parts_.retry)) {}

uint64_t DiskGuard::available_bytes() const {
  const uint64_t heard = heard_bytes_.load(std::memory_order_relaxed);
  return heard - std::min(heard, admitted_bytes_.load(std::memory_order_relaxed));
}

uint64_t DiskGuard::Ask() {
  asked_us_.store(parts_.clock->NowMicros() | 1, std::memory_order_relaxed);
  const Result<SpaceInfo> space = parts_.fs->GetSpaceInfo(parts_.directory);
  const uint64_t bytes = space.ok() ? space->available_bytes : UINT64_MAX;
  heard_bytes_.store(bytes, std::memory_order_relaxed);
  admitted_bytes_.store(0, std::memory_order_relaxed);
  return bytes;
}

bool DiskGuard::MayBeBelow(uint64_t bytes) const {
  const uint64_t near = parts_.min_bytes + std::min(parts_.min_bytes, kNearBytes);
  return refused_.load(std::memory_order_relaxed) || available_bytes() < near + bytes;
}

Status DiskGuard::Refuse(const char* what, uint64_t bytes, uint64_t available_bytes) {
  return Status::IoError(std::string(what) + " " + parts_.directory + ": found " +
                             std::to_string(available_bytes) + " bytes of disk space, expected at least " +
                             std::to_string(parts_.min_bytes) + " (min_disk_space_bytes) beside the " +
                             std::to_string(bytes) + " that are to be written",
                         StatusDetail::kDiskSpaceFull);
}

Status DiskGuard::AdmitWrite(uint64_t bytes) {
  const uint64_t asked_us = asked_us_.load(std::memory_order_relaxed);
  const bool old = asked_us == 0 || parts_.clock->NowMicros() >= asked_us + kAskUs;
  if (!old && !MayBeBelow(bytes)) [[likely]] {
    admitted_bytes_.fetch_add(bytes, std::memory_order_relaxed);
    return {};
  }
  const uint64_t available = Ask();
  const bool below = available < parts_.min_bytes || available - parts_.min_bytes < bytes;
  refused_.store(below, std::memory_order_relaxed);
  if (below && !SEERDB_MUTANT("disk-guard-asleep")) return Refuse("write", bytes, available);
  admitted_bytes_.fetch_add(bytes, std::memory_order_relaxed);
  return {};
}

Status DiskGuard::AdmitJob(const char* what, uint64_t bytes) {
  const uint64_t available = Ask();
  if (available >= parts_.min_bytes && available - parts_.min_bytes >= bytes) return {};
  return Refuse(what, bytes, available);
}

uint64_t DiskGuard::job_room_bytes() const {
  if (asked_us_.load(std::memory_order_relaxed) == 0) return UINT64_MAX;
  const uint64_t available = available_bytes();
  return available - std::min(available, parts_.min_bytes);
}

Status DiskGuard::AdmitFlush(uint64_t bytes) {
  const uint64_t available = Ask();
  if (available >= bytes) return {};
  return Status::IoError("flush " + parts_.directory + ": found " + std::to_string(available) +
                             " bytes of disk space, expected " + std::to_string(bytes),
                         StatusDetail::kNoSpace);
}

}  // namespace seerdb
