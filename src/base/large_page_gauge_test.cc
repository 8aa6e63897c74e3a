#include "base/large_page_gauge.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

#include "base/arena.h"
#include "base/chunk_pool.h"

namespace seerdb {
namespace {

constexpr uint64_t kCheapUs = 100;
constexpr uint64_t kColdUs = 4000;

// Goes on by the same time with each look at it.
class SteppingClock final : public Clock {
 public:
  uint64_t NowMicros() override { return now_us_ += step_us_; }
  uint64_t WallMicros() override { return now_us_; }
  void SleepMicros(uint64_t micros) override { now_us_ += micros; }

  void set_step_us(uint64_t us) { step_us_ = us; }

 private:
  uint64_t now_us_ = 0;
  uint64_t step_us_ = 0;
};

class LargePageGaugeTest : public testing::Test {
 protected:
  void Fill(bool large, uint64_t us) {
    clock_->set_step_us(us);
    const LargePageGauge::Fill fill(&gauge_, large);
  }
  // Fills that the gauge wants in small pages, each of so long, before one that shall be large.
  int SmallFills(uint64_t us) {
    int fills = 0;
    for (; !gauge_.Choose(); ++fills) Fill(false, us);
    return fills;
  }

  const std::shared_ptr<SteppingClock> clock_ = std::make_shared<SteppingClock>();
  LargePageGauge gauge_{clock_};
};

TEST_F(LargePageGaugeTest, PagesAreLargeWhileTheyAreCheap) {
  EXPECT_FALSE(gauge_.PrefersLarge()) << "nobody knows yet";
  for (int i = 0; i < 100; ++i) {
    EXPECT_TRUE(gauge_.Choose());
    Fill(true, i % 2 == 0 ? kCheapUs : LargePageGauge::kDearUs);
    EXPECT_TRUE(gauge_.PrefersLarge());
  }
}

TEST_F(LargePageGaugeTest, ADearOneIsFollowedBySmallOnesAndTriedAgain) {
  int expected = LargePageGauge::kFirstPause;
  for (int i = 0; i < 5; ++i) {
    ASSERT_TRUE(gauge_.Choose());
    Fill(true, kColdUs);
    EXPECT_FALSE(gauge_.PrefersLarge());
    EXPECT_EQ(SmallFills(700), expected);
    expected = std::min(2 * expected, LargePageGauge::kLongestPause);
  }
  Fill(true, kCheapUs);
  EXPECT_TRUE(gauge_.PrefersLarge());
  EXPECT_EQ(SmallFills(700), 0);
  Fill(true, kColdUs);
  EXPECT_EQ(SmallFills(700), LargePageGauge::kFirstPause) << "it begins anew";
}

TEST_F(LargePageGaugeTest, WhereSmallPagesTakeAsLongPagesAreLarge) {
  Fill(true, kColdUs);
  EXPECT_EQ(SmallFills(kColdUs / LargePageGauge::kDearRatio + 1), LargePageGauge::kFirstPause);
  Fill(true, kColdUs);
  EXPECT_TRUE(gauge_.PrefersLarge());
}

TEST_F(LargePageGaugeTest, WithoutAClockAllAreLarge) {
  LargePageGauge gauge(nullptr);
  EXPECT_TRUE(gauge.PrefersLarge());
  for (int i = 0; i < 100; ++i) {
    EXPECT_TRUE(gauge.Choose());
    const LargePageGauge::Fill fill(&gauge, true);
  }
}

TEST_F(LargePageGaugeTest, APoolHasSmallPagesWhileLargeOnesAreDear) {
  constexpr size_t kMost = 8;
  ChunkPool pool(kMost, nullptr, std::make_shared<LargePageGauge>(clock_));
  clock_->set_step_us(kColdUs);
  pool.PrepareSpares();
  std::vector<ChunkPool::Chunk> chunks;
  for (size_t i = 0; i < ChunkPool::kSpares; ++i) {
    chunks.push_back(pool.Take());
    ASSERT_NE(chunks.back().memory, nullptr);
    // The first is tried, and taken last.
    EXPECT_EQ(chunks.back().large_pages, i + 1 == ChunkPool::kSpares);
  }
  EXPECT_FALSE(pool.PrefersLargePages());
  for (const ChunkPool::Chunk& chunk : chunks) ASSERT_TRUE(pool.Give(chunk));
  // They come and go, and stay as they are until it is time to try another one. Then memory is at hand.
  const auto take_and_give = [&] {
    chunks.clear();
    for (size_t i = 0; i < ChunkPool::kSpares; ++i) chunks.push_back(pool.Take());
    for (const ChunkPool::Chunk& chunk : chunks) ASSERT_TRUE(pool.Give(chunk));
  };
  const auto large = [&] {
    return std::count_if(chunks.begin(), chunks.end(), [](const auto& chunk) { return chunk.large_pages; });
  };
  clock_->set_step_us(kCheapUs);
  int trims = 0;
  for (; !pool.PrefersLargePages() && trims < 2 * LargePageGauge::kFirstPause; ++trims) {
    take_and_give();
    EXPECT_EQ(large(), 1);
    pool.Trim();
  }
  EXPECT_EQ(trims, LargePageGauge::kFirstPause - 2)
      << "three spares were small before, and the next one is large";
  take_and_give();
  EXPECT_EQ(large(), static_cast<ptrdiff_t>(ChunkPool::kSpares)) << "all of them, as it was cheap";
}

}  // namespace
}  // namespace seerdb
