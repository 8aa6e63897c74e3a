#include "db/space_watch.h"

#include <algorithm>

namespace seerdb {
namespace {

constexpr uint64_t kWatchUs = 100'000;
constexpr uint64_t kLongestIntervalUs = 10'000'000;
// Writes that went on for this long count as recovered.
constexpr uint64_t kRecoveredUs = 60'000'000;
// After so many looks that found too little space, an attempt is made all the same.
constexpr uint64_t kMaxRefusals = 50;

}  // namespace

void SpaceWatch::NoteStopped() {
  const uint64_t now_us = parts_.clock->NowMicros();
  MutexLock lock(&mu_);
  if (resumed_us_ == 0 || now_us - resumed_us_ >= kRecoveredUs) interval_us_ = kWatchUs;
  next_us_ = now_us + interval_us_;
  refused_ = 0;
  stopped_anew_ = true;
  ScheduleLocked();
}

void SpaceWatch::NoteResumed() {
  const uint64_t now_us = parts_.clock->NowMicros();
  MutexLock lock(&mu_);
  resumed_us_ = std::max<uint64_t>(now_us, 1);
}

bool SpaceWatch::ShouldTry() {
  const uint64_t now_us = parts_.clock->NowMicros();
  {
    MutexLock lock(&mu_);
    if (now_us < next_us_) return false;
    next_us_ = now_us + kWatchUs;  // whoever asks meanwhile is put off
  }
  const Result<SpaceInfo> space = parts_.fs->GetSpaceInfo(parts_.directory);
  const bool enough = !space.ok() || space->available_bytes >= parts_.needed_bytes();
  MutexLock lock(&mu_);
  if (!enough && ++refused_ < kMaxRefusals) return false;
  refused_ = 0;
  next_us_ = now_us + interval_us_;
  interval_us_ = std::min(2 * interval_us_, kLongestIntervalUs);
  return true;
}

void SpaceWatch::ScheduleLocked() {
  if (over_ || scheduled_ || polling_ || parts_.executor->cooperative()) return;
  scheduled_ = true;
  parts_.executor->ScheduleAfter(kWatchUs, Executor::Lane::kFlush, [weak = weak_from_this()] {
    if (const std::shared_ptr<SpaceWatch> self = weak.lock()) self->Poll();
  });
}

void SpaceWatch::Poll() {
  {
    MutexLock lock(&mu_);
    scheduled_ = false;
    if (over_) return;
    stopped_anew_ = false;
    polling_ = true;
  }
  const bool done = parts_.attempt();
  MutexLock lock(&mu_);
  polling_ = false;
  if (!done || stopped_anew_) ScheduleLocked();
  idle_.SignalAll();
}

void SpaceWatch::Stop() {
  MutexLock lock(&mu_);
  over_ = true;
  while (polling_) idle_.Wait(&mu_);
}

}  // namespace seerdb
