// What the block cache's choice of victims is worth: hit rates of the same traces under a plain LRU list and
// under the cache. docs/decisions/0013 has the comparison that chose it.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstring>
#include <functional>
#include <list>
#include <map>
#include <vector>

#include "base/random.h"
#include "cache/block_cache.h"

namespace seerdb {
namespace {

constexpr uint64_t kBlocks = 4000;  // that fit
constexpr uint64_t kBlockBytes = 1000;

struct Step {
  uint64_t block;
  bool counted;  // scanned blocks are not
};
using Trace = std::vector<Step>;

// Draws numbers below n with the frequencies of Zipf's law.
class Zipf {
 public:
  explicit Zipf(uint64_t n) : sums_(n) {
    double sum = 0;
    for (uint64_t i = 0; i < n; ++i) sums_[i] = sum += 1 / std::pow(static_cast<double>(i + 1), 0.99);
  }
  uint64_t Next(Random* random) const {
    const double at = sums_.back() * static_cast<double>(random->Uniform(1 << 30)) / (1 << 30);
    const auto rank = std::lower_bound(sums_.begin(), sums_.end(), at) - sums_.begin();
    return static_cast<uint64_t>(rank) * 7919 % sums_.size();  // neighbours in rank are none in place
  }

 private:
  std::vector<double> sums_;
};

double HitRate(const Trace& trace, const std::function<bool(uint64_t)>& touch) {
  uint64_t hits = 0;
  uint64_t counted = 0;
  for (const Step& step : trace) {
    const bool hit = touch(step.block);
    if (!step.counted) continue;
    ++counted;
    hits += hit ? 1 : 0;
  }
  return static_cast<double>(hits) / static_cast<double>(counted);
}

double CacheHitRate(const Trace& trace) {
  BlockCache cache(kBlocks * (kBlockBytes + CachedBlock::kOverheadBytes));
  return HitRate(trace, [&cache](uint64_t block) {
    if (cache.Find(1, block * 4096) != nullptr) return true;
    BlockBuffer buffer;
    std::memset(buffer.Resize(kBlockBytes), 'b', kBlockBytes);
    cache.Insert(1, block * 4096, std::make_shared<const CachedBlock>(std::move(buffer), nullptr));
    return false;
  });
}

double LruHitRate(const Trace& trace) {
  std::list<uint64_t> order;
  std::map<uint64_t, std::list<uint64_t>::iterator> places;
  return HitRate(trace, [&](uint64_t block) {
    const auto found = places.find(block);
    if (found != places.end()) {
      order.splice(order.begin(), order, found->second);
      return true;
    }
    order.push_front(block);
    places[block] = order.begin();
    if (order.size() > kBlocks) {
      places.erase(order.back());
      order.pop_back();
    }
    return false;
  });
}

// A hot set of 60 % of the cache; in between, four scans of ten times the cache.
Trace HotSetAndScans() {
  Random random(1);
  const uint64_t hot = kBlocks * 6 / 10;
  Trace trace;
  uint64_t scanned = hot;
  for (int round = 0; round < 5; ++round) {
    for (uint64_t i = 0; i < 8 * hot; ++i) trace.push_back({random.Uniform(hot), round > 0});
    if (round == 4) break;
    for (uint64_t i = 0; i < 10 * kBlocks; ++i) trace.push_back({scanned++, false});
  }
  return trace;
}

// Skewed point reads from ten times the cache; every one followed by `scans` blocks that are read once.
Trace SkewedWithScans(uint64_t scans) {
  Random random(2);
  const Zipf zipf(kBlocks * 10);
  Trace trace;
  uint64_t scanned = kBlocks * 10;
  for (uint64_t i = 0; i < 100'000; ++i) {
    trace.push_back({zipf.Next(&random), i >= 20'000});
    for (uint64_t j = 0; j < scans; ++j) trace.push_back({scanned++, false});
  }
  return trace;
}

TEST(CachePolicy, AScanOfTenCachesLeavesTheHotSet) {
  const Trace trace = HotSetAndScans();
  const double lru = LruHitRate(trace);
  const double cache = CacheHitRate(trace);
  std::printf("[ HIT RATE ] hot set beside scans: cache %.3f, LRU %.3f\n", cache, lru);
  EXPECT_GT(cache, 0.95);
  EXPECT_LT(lru, 0.90);  // each scan costs it the whole hot set
}

TEST(CachePolicy, SkewedReadsBesideScans) {
  const Trace trace = SkewedWithScans(2);
  const double lru = LruHitRate(trace);
  const double cache = CacheHitRate(trace);
  std::printf("[ HIT RATE ] skewed reads beside scans: cache %.3f, LRU %.3f\n", cache, lru);
  EXPECT_GT(cache, lru + 0.1);
}

TEST(CachePolicy, SkewedReadsAlone) {
  const Trace trace = SkewedWithScans(0);
  const double lru = LruHitRate(trace);
  const double cache = CacheHitRate(trace);
  std::printf("[ HIT RATE ] skewed reads: cache %.3f, LRU %.3f\n", cache, lru);
  EXPECT_GT(cache, lru + 0.02);
}

}  // namespace
}  // namespace seerdb
