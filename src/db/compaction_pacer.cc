#include "db/compaction_pacer.h"

#include <algorithm>

#include "base/mutant.h"

namespace seerdb {
namespace {

constexpr uint64_t kShortestPauseUs = 1'000;
constexpr uint64_t kLongestPacedPauseUs = 5'000;
constexpr uint64_t kPacedBurstUs = 20'000;
constexpr uint64_t kIdleUs = 1'000'000;
// What compaction may read at least, and how many times what the tree needs, while nothing is urgent. The
// urgency corrects both.
constexpr uint64_t kFloorBytesPerSecond = uint64_t{32} << 20;
constexpr double kRateMargin = 1.2;
// What is left of that to a merge that makes way, however urgent L0 is.
constexpr double kLeastShare = 0.1;
constexpr uint64_t kLookUs = 100'000;
constexpr double kAverageUs = 2'000'000;

uint64_t NeededRate(const PaceInputs& inputs) {
  const double urgency =
      inputs.makes_way ? inputs.urgency_below : std::max(inputs.l0_urgency, inputs.urgency_below);
  if (inputs.hurried || inputs.idle || urgency >= 1) return 0;
  const double needed =
      kRateMargin * inputs.reads_of_a_byte * static_cast<double>(inputs.ingest_bytes_per_second);
  const double calm = std::max(static_cast<double>(kFloorBytesPerSecond), needed);
  const double share = inputs.makes_way ? std::clamp(1 - inputs.l0_urgency, kLeastShare, 1.0) : 1;
  constexpr double kMost = 1e15;
  return static_cast<uint64_t>(std::min(share * calm / (1 - std::max(0.0, urgency)), kMost));
}

}  // namespace

uint64_t CompactionRate(const PaceInputs& inputs) {
  const uint64_t needed = NeededRate(inputs);
  if (inputs.cap_bytes_per_second == 0) return needed;
  return needed == 0 ? inputs.cap_bytes_per_second : std::min(needed, inputs.cap_bytes_per_second);
}

void GrowthRate::Look(uint64_t total, uint64_t now_us) {
  if (!seen_ || total > total_) grown_us_ = now_us;
  if (!seen_) {
    seen_ = true;
    looked_us_ = now_us;
    total_ = total;
    return;
  }
  if (now_us < looked_us_ + kLookUs) return;
  const double us = static_cast<double>(now_us - looked_us_);
  const double grown = static_cast<double>(total - std::min(total, total_));
  per_second_ += std::min(1.0, us / kAverageUs) * (grown * 1e6 / us - per_second_);
  looked_us_ = now_us;
  total_ = total;
}

CompactionPacer::CompactionPacer(Parts parts)
    : parts_(std::move(parts)),
      l0_limiter_(kPacedBurstUs),
      limiter_below_(kPacedBurstUs),
      cap_limiter_(kPacedBurstUs) {}

CompactionPacer::Job::Job(CompactionPacer* pacer, bool of_l0, double reads_of_a_byte)
    : pacer_(pacer), of_l0_(of_l0), reads_of_a_byte_(reads_of_a_byte) {
  if (of_l0_) pacer_->l0_jobs_.fetch_add(1, std::memory_order_relaxed);
}

CompactionPacer::Job::~Job() {
  if (of_l0_) pacer_->l0_jobs_.fetch_sub(1, std::memory_order_relaxed);
}

uint64_t CompactionPacer::RateLocked(bool of_l0, double reads_of_a_byte, uint64_t now_us) {
  PaceInputs inputs;
  inputs.cap_bytes_per_second = parts_.cap_bytes_per_second;
  inputs.hurried = !parts_.has_threads || parts_.hurried();
  ingest_.Look(parts_.ingested_bytes(), now_us);
  inputs.idle = ingest_.still_for(kIdleUs, now_us);
  inputs.l0_urgency = parts_.l0_urgency();
  inputs.urgency_below = parts_.urgency_below();
  inputs.makes_way = !of_l0 && l0_jobs_.load(std::memory_order_relaxed) > 0;
  inputs.ingest_bytes_per_second = ingest_.per_second();
  inputs.reads_of_a_byte = reads_of_a_byte;
  return CompactionRate(inputs);
}

void CompactionPacer::Job::Pay(uint64_t bytes) {
  const Parts& parts = pacer_->parts_;
  const uint64_t start_us = parts.clock->NowMicros();
  uint64_t now_us = start_us;
  bool spent = false;
  while (!parts.cancelled->load(std::memory_order_relaxed) || SEERDB_MUTANT("paced-close-waits")) {
    uint64_t wait_us = 0;
    {
      MutexLock lock(&pacer_->mu_);
      RateLimiter& limiter = of_l0_ ? pacer_->l0_limiter_ : pacer_->limiter_below_;
      const uint64_t rate = pacer_->RateLocked(of_l0_, reads_of_a_byte_, now_us);
      if (rate == 0) {
        limiter.Forgive(now_us);
        break;
      }
      limiter.Advance(now_us, rate);
      if (!spent) limiter.Spend(bytes);
      wait_us = limiter.WaitUs(rate);
      if (const uint64_t cap = parts.cap_bytes_per_second; cap != 0) {
        pacer_->cap_limiter_.Advance(now_us, cap);
        if (!spent) pacer_->cap_limiter_.Spend(bytes);
        wait_us = std::max(wait_us, pacer_->cap_limiter_.WaitUs(cap));
      }
      spent = true;
    }
    if (wait_us < kShortestPauseUs) break;
    parts.clock->SleepMicros(std::min(wait_us, kLongestPacedPauseUs));
    now_us = parts.clock->NowMicros();
  }
  slept_us_ += now_us - start_us;
}

}  // namespace seerdb
