#include "db/drain_meter.h"

#include <algorithm>

#include "base/units.h"

namespace seerdb {
namespace {

// Of what is older than this much working time, less than a third counts.
constexpr double kMemoryUs = 20 * kMicrosPerSecond;
// Jobs of next to nothing say nothing.
constexpr uint64_t kLeastBytes = 4096;
constexpr double kRatioWeight = 0.25;

}  // namespace

void SlowRate::Note(uint64_t bytes, uint64_t took_us) {
  const double us = static_cast<double>(std::max<uint64_t>(took_us, 1));
  const double keep = kMemoryUs / (kMemoryUs + us);
  bytes_ = bytes_ * keep + static_cast<double>(bytes);
  us_ = us_ * keep + us;
}

uint64_t SlowRate::bytes_per_second() const {
  return us_ <= 0 ? 0 : std::max<uint64_t>(1, static_cast<uint64_t>(bytes_ * kMicrosPerSecond / us_));
}

void DrainMeter::NoteFlush(uint64_t memory_bytes, uint64_t table_bytes, uint64_t took_us) {
  if (table_bytes < kLeastBytes) return;
  MutexLock lock(&mu_);
  flush_.Note(memory_bytes, took_us);
  const double ratio = static_cast<double>(memory_bytes) / static_cast<double>(table_bytes);
  memory_for_table_byte_ += kRatioWeight * (ratio - memory_for_table_byte_);
  flush_rate_.store(flush_.bytes_per_second(), std::memory_order_relaxed);
}

void DrainMeter::NoteL0(uint64_t table_bytes, uint64_t took_us) {
  if (table_bytes < kLeastBytes) return;
  MutexLock lock(&mu_);
  l0_.Note(static_cast<uint64_t>(static_cast<double>(table_bytes) * memory_for_table_byte_), took_us);
  l0_rate_.store(l0_.bytes_per_second(), std::memory_order_relaxed);
}

}  // namespace seerdb
