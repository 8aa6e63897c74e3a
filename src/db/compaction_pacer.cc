#include "db/compaction_pacer.h"

#include <algorithm>

#include "base/mutant.h"

namespace seerdb {
namespace {

constexpr uint64_t kShortestSleepUs = 1'000;
constexpr uint64_t kLongestSleepUs = 5'000;
constexpr uint64_t kBurstUs = 20'000;
constexpr uint64_t kIdleUs = 1'000'000;
// What compaction may read at least, and how many times what the tree needs, while nothing is urgent. The
// urgency corrects both.
constexpr uint64_t kFloorBytesPerSecond = uint64_t{32} << 20;
constexpr double kMargin = 1.2;
constexpr uint64_t kLookUs = 100'000;
constexpr double kAverageUs = 2'000'000;

uint64_t NeededRate(const PaceInputs& inputs) {
  if (inputs.hurried || inputs.idle || inputs.urgency >= 1) return 0;
  const double needed =
      kMargin * inputs.merges_of_a_byte * static_cast<double>(inputs.ingest_bytes_per_second);
  const double calm = std::max(static_cast<double>(kFloorBytesPerSecond), needed);
  constexpr double kMost = 1e15;
  return static_cast<uint64_t>(std::min(calm / (1 - std::max(0.0, inputs.urgency)), kMost));
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

CompactionPacer::CompactionPacer(Parts parts) : parts_(std::move(parts)), limiter_(kBurstUs) {}

uint64_t CompactionPacer::RateLocked(uint64_t now_us) {
  PaceInputs inputs;
  inputs.cap_bytes_per_second = parts_.cap_bytes_per_second;
  inputs.hurried = !parts_.has_threads || parts_.hurried();
  ingest_.Look(parts_.ingested_bytes(), now_us);
  inputs.idle = ingest_.still_for(kIdleUs, now_us);
  inputs.urgency = parts_.urgency();
  inputs.ingest_bytes_per_second = ingest_.per_second();
  inputs.merges_of_a_byte = parts_.merges_of_a_byte();
  return CompactionRate(inputs);
}

uint64_t CompactionPacer::Pay(uint64_t bytes) {
  const uint64_t start_us = parts_.clock->NowMicros();
  uint64_t now_us = start_us;
  bool spent = false;
  while (!parts_.cancelled->load(std::memory_order_relaxed) || SEERDB_MUTANT("paced-close-waits")) {
    uint64_t wait_us = 0;
    {
      MutexLock lock(&mu_);
      const uint64_t rate = RateLocked(now_us);
      if (rate == 0) {
        limiter_.Forgive(now_us);
        break;
      }
      limiter_.Advance(now_us, rate);
      if (!spent) limiter_.Spend(bytes);
      spent = true;
      wait_us = limiter_.WaitUs(rate);
    }
    if (wait_us < kShortestSleepUs) break;
    parts_.clock->SleepMicros(std::min(wait_us, kLongestSleepUs));
    now_us = parts_.clock->NowMicros();
  }
  return now_us - start_us;
}

}  // namespace seerdb
