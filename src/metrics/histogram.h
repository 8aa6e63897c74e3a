// Histogram: how often each length of time was seen, cheap to add to from any thread.
//
// Buckets are log-linear: kSubBuckets of equal width for each power of two of nanoseconds, so that a bucket's
// middle is within 1 / (2 * kSubBuckets) of whatever fell into it. Memory is fixed: about 8 KiB a shard. The
// buckets follow G. Tene's HdrHistogram. Thread safety: Add and Read concurrently; what Read returns is plain
// data.
#pragma once

#include <array>
#include <atomic>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <memory>

#include "seerdb/statistics.h"

namespace seerdb {

struct HistogramBuckets {
  static constexpr uint32_t kSubBits = 5;
  static constexpr uint32_t kSubBuckets = 1 << kSubBits;
  // Longer times count as this one: 137 s.
  static constexpr uint32_t kMaxBits = 37;
  static constexpr size_t kCount = (kMaxBits - kSubBits + 1) * kSubBuckets;

  static size_t Of(uint64_t ns) {
    if (ns < kSubBuckets) return ns;
    const uint32_t bits = static_cast<uint32_t>(std::bit_width(ns));
    if (bits > kMaxBits) return kCount - 1;
    const uint32_t shift = bits - kSubBits - 1;
    return (size_t{shift} << kSubBits) + (ns >> shift);
  }
  // The middle of what falls into a bucket.
  static double Middle(size_t bucket);
};

// What a histogram held when it was read.
class HistogramReading {
 public:
  uint64_t count() const { return count_; }
  // The time that a part `quantile` (0 .. 1) of all does not exceed. 0 if there is none.
  double QuantileNanos(double quantile) const;
  LatencySummary Summary() const;
  void Merge(const HistogramReading& other);

 private:
  friend class Histogram;
  std::array<uint64_t, HistogramBuckets::kCount> buckets_{};
  uint64_t count_ = 0;
  uint64_t sum_ns_ = 0;
  uint64_t max_ns_ = 0;
};

class Histogram {
 public:
  // Of several shards, threads use the one that they name.
  explicit Histogram(size_t shards) : shard_count_(shards), shards_(std::make_unique<Shard[]>(shards)) {}

  void Add(uint64_t ns, size_t shard);
  HistogramReading Read() const;

 private:
  struct alignas(64) Shard {
    std::atomic<uint64_t> sum_ns{0};
    std::atomic<uint64_t> max_ns{0};
    std::array<std::atomic<uint64_t>, HistogramBuckets::kCount> buckets{};
  };
  const size_t shard_count_;
  const std::unique_ptr<Shard[]> shards_;
};

}  // namespace seerdb
