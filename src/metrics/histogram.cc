#include "metrics/histogram.h"

#include <algorithm>
#include <cmath>

#include "base/mutant.h"
#include "base/units.h"

namespace seerdb {

double HistogramBuckets::Middle(size_t bucket) {
  if (bucket < kSubBuckets) return static_cast<double>(bucket);
  const size_t shift = (bucket >> kSubBits) - 1;
  const uint64_t low = ((bucket & (kSubBuckets - 1)) + kSubBuckets) << shift;
  const uint64_t width = uint64_t{1} << shift;
  return static_cast<double>(low) + static_cast<double>(width - 1) / 2;
}

void Histogram::Add(uint64_t ns, size_t shard) {
  Shard& own = shards_[shard % shard_count_];
  own.buckets[HistogramBuckets::Of(ns)].fetch_add(1, std::memory_order_relaxed);
  own.sum_ns.fetch_add(ns, std::memory_order_relaxed);
  uint64_t max_ns = own.max_ns.load(std::memory_order_relaxed);
  while (ns > max_ns && !own.max_ns.compare_exchange_weak(max_ns, ns, std::memory_order_relaxed)) {
  }
}

HistogramReading Histogram::Read() const {
  HistogramReading reading;
  for (size_t s = 0; s < shard_count_; ++s) {
    const Shard& shard = shards_[s];
    for (size_t i = 0; i < HistogramBuckets::kCount; ++i) {
      const uint64_t n = shard.buckets[i].load(std::memory_order_relaxed);
      reading.buckets_[i] += n;
      reading.count_ += n;  // so that it is the sum of the buckets whatever is added meanwhile
    }
    reading.sum_ns_ += shard.sum_ns.load(std::memory_order_relaxed);
    reading.max_ns_ = std::max(reading.max_ns_, shard.max_ns.load(std::memory_order_relaxed));
  }
  return reading;
}

void HistogramReading::Merge(const HistogramReading& other) {
  for (size_t i = 0; i < buckets_.size(); ++i) buckets_[i] += other.buckets_[i];
  count_ += other.count_;
  sum_ns_ += other.sum_ns_;
  max_ns_ = std::max(max_ns_, other.max_ns_);
}

double HistogramReading::QuantileNanos(double quantile) const {
  if (count_ == 0) return 0;
  const double wanted = std::ceil(quantile * static_cast<double>(count_));
  uint64_t rank = wanted < 1 ? 1 : static_cast<uint64_t>(wanted);
  if (SEERDB_MUTANT("percentile-off-by-a-tail")) rank = std::max<uint64_t>(1, rank * 9 / 10);
  uint64_t seen = 0;
  for (size_t i = 0; i < buckets_.size(); ++i) {
    seen += buckets_[i];
    if (seen >= rank) return std::min(HistogramBuckets::Middle(i), static_cast<double>(max_ns_));
  }
  return static_cast<double>(max_ns_);
}

LatencySummary HistogramReading::Summary() const {
  LatencySummary summary;
  summary.count = count_;
  if (count_ == 0) return summary;
  summary.mean_us = static_cast<double>(sum_ns_) / static_cast<double>(count_) / kNanosPerMicro;
  summary.p50_us = QuantileNanos(0.5) / kNanosPerMicro;
  summary.p95_us = QuantileNanos(0.95) / kNanosPerMicro;
  summary.p99_us = QuantileNanos(0.99) / kNanosPerMicro;
  summary.p999_us = QuantileNanos(0.999) / kNanosPerMicro;
  summary.max_us = static_cast<double>(max_ns_) / kNanosPerMicro;
  return summary;
}

}  // namespace seerdb
