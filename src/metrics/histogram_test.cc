#include "metrics/histogram.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <thread>
#include <vector>

#include "base/random.h"

namespace seerdb {
namespace {

constexpr double kRelativeError = 1.0 / (2 * HistogramBuckets::kSubBuckets);

TEST(Histogram, EveryLengthLiesInABucketWhoseMiddleIsNear) {
  Random random(1);
  size_t before = 0;
  for (uint64_t bits = 0; bits < HistogramBuckets::kMaxBits; ++bits) {
    for (int i = 0; i < 200; ++i) {
      const uint64_t low = uint64_t{1} << bits;
      const uint64_t ns = i == 0 ? low : i == 1 ? 2 * low - 1 : low + random.Uniform(low);
      const size_t bucket = HistogramBuckets::Of(ns);
      ASSERT_LT(bucket, HistogramBuckets::kCount);
      EXPECT_NEAR(HistogramBuckets::Middle(bucket), static_cast<double>(ns),
                  static_cast<double>(ns) * kRelativeError)
          << ns;
      if (i == 0) {
        EXPECT_GT(bucket, before) << ns;
      }
    }
    before = HistogramBuckets::Of((uint64_t{2} << bits) - 1);
  }
  EXPECT_EQ(HistogramBuckets::Of((uint64_t{1} << HistogramBuckets::kMaxBits) - 1),
            HistogramBuckets::kCount - 1);
  EXPECT_EQ(HistogramBuckets::Of(UINT64_MAX), HistogramBuckets::kCount - 1);
}

TEST(Histogram, BucketsAscendWithoutGaps) {
  for (size_t i = 1; i < HistogramBuckets::kCount; ++i) {
    EXPECT_GT(HistogramBuckets::Middle(i), HistogramBuckets::Middle(i - 1)) << i;
    EXPECT_EQ(HistogramBuckets::Of(static_cast<uint64_t>(HistogramBuckets::Middle(i))), i);
  }
}

struct Shape {
  const char* name;
  std::function<uint64_t(Random*)> draw;
};

// The quantile as a sorted list has it: the smallest value that a part q of all does not exceed.
double Exact(const std::vector<uint64_t>& sorted, double q) {
  const double rank = std::ceil(q * static_cast<double>(sorted.size()));
  return static_cast<double>(sorted[static_cast<size_t>(std::max(rank, 1.0)) - 1]);
}

TEST(Histogram, QuantilesAreThoseOfASortedListWithinHalfABucket) {
  const uint64_t seed = SystemSeed();
  std::printf("seed %llu\n", static_cast<unsigned long long>(seed));
  const Shape shapes[] = {
      {"constant", [](Random*) -> uint64_t { return 12345; }},
      {"uniform", [](Random* r) { return r->Uniform(1'000'000); }},
      {"exponential",
       [](Random* r) { return static_cast<uint64_t>(-300.0 * std::log(1 - r->NextDouble())); }},
      {"heavy tail",
       [](Random* r) { return static_cast<uint64_t>(200 / std::pow(1 - r->NextDouble(), 1.5)); }},
      {"two peaks",
       [](Random* r) { return r->OneIn(50) ? 5'000'000 + r->Uniform(1000) : 400 + r->Uniform(50); }},
      {"log-uniform", [](Random* r) { return uint64_t{1} << r->Uniform(36); }},
  };
  for (const Shape& shape : shapes) {
    for (const size_t count : {size_t{1}, size_t{2}, size_t{7}, size_t{1000}, size_t{100'000}}) {
      Random random(seed);
      Histogram histogram(3);
      std::vector<uint64_t> values;
      double sum = 0;
      for (size_t i = 0; i < count; ++i) {
        const uint64_t ns = std::min(shape.draw(&random), (uint64_t{1} << HistogramBuckets::kMaxBits) - 1);
        values.push_back(ns);
        sum += static_cast<double>(ns);
        histogram.Add(ns, i);
      }
      std::sort(values.begin(), values.end());
      const HistogramReading reading = histogram.Read();
      EXPECT_EQ(reading.count(), count);
      for (const double q : {0.0, 0.1, 0.5, 0.9, 0.95, 0.99, 0.999, 1.0}) {
        const double exact = Exact(values, q);
        EXPECT_NEAR(reading.QuantileNanos(q), exact, exact * kRelativeError)
            << shape.name << " of " << count << ", quantile " << q;
      }
      const LatencySummary summary = reading.Summary();
      EXPECT_EQ(summary.count, count);
      EXPECT_DOUBLE_EQ(summary.max_us, static_cast<double>(values.back()) / 1000);
      EXPECT_NEAR(summary.mean_us, sum / static_cast<double>(count) / 1000, 1e-6 * sum);
      EXPECT_EQ(summary.p50_us, reading.QuantileNanos(0.5) / 1000);
      EXPECT_EQ(summary.p95_us, reading.QuantileNanos(0.95) / 1000);
      EXPECT_EQ(summary.p99_us, reading.QuantileNanos(0.99) / 1000);
      EXPECT_EQ(summary.p999_us, reading.QuantileNanos(0.999) / 1000);
    }
  }
}

TEST(Histogram, NothingSeenIsAllZeros) {
  const LatencySummary summary = Histogram(1).Read().Summary();
  EXPECT_EQ(summary.count, 0u);
  EXPECT_EQ(summary.mean_us + summary.p50_us + summary.p999_us + summary.max_us, 0);
}

TEST(Histogram, MergedReadingsAreOneReadingOfAll) {
  Random random(3);
  Histogram all(1);
  Histogram parts[2] = {Histogram(1), Histogram(2)};
  for (int i = 0; i < 10'000; ++i) {
    const uint64_t ns = random.Uniform(i % 2 == 0 ? 1000 : 1'000'000);
    all.Add(ns, 0);
    parts[i % 2].Add(ns, static_cast<size_t>(i));
  }
  HistogramReading merged = parts[0].Read();
  merged.Merge(parts[1].Read());
  EXPECT_EQ(merged.count(), 10'000u);
  for (const double q : {0.01, 0.5, 0.99, 1.0})
    EXPECT_EQ(merged.QuantileNanos(q), all.Read().QuantileNanos(q));
  EXPECT_EQ(merged.Summary().mean_us, all.Read().Summary().mean_us);
}

TEST(Histogram, ThreadsLoseNothing) {
  constexpr int kThreads = 4, kEach = 20'000;
  Histogram histogram(2);
  std::vector<std::thread> threads;
  for (int t = 0; t < kThreads; ++t) {
    threads.emplace_back([&histogram, t] {
      for (int i = 0; i < kEach; ++i) histogram.Add(static_cast<uint64_t>(i), static_cast<size_t>(t));
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(histogram.Read().count(), uint64_t{kThreads} * kEach);
  EXPECT_DOUBLE_EQ(histogram.Read().Summary().max_us, (kEach - 1) / 1000.0);
}

}  // namespace
}  // namespace seerdb
