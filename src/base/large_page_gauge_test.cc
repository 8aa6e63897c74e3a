#include "base/large_page_gauge.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <thread>
#include <vector>

#include "base/arena.h"
#include "base/chunk_pool.h"
#include "base/memory_account.h"

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
  // Whether it was a large page.
  bool Fill(uint64_t us) {
    clock_->set_step_us(us);
    LargePageGauge::Fill fill(&gauge_);
    fill.Done();
    return fill.large();
  }
  // Fills in small pages, each of so long, before a large one of so long.
  int SmallFills(uint64_t small_us, uint64_t large_us) {
    for (int fills = 0;; ++fills) {
      LargePageGauge::Fill fill(&gauge_);
      clock_->set_step_us(fill.large() ? large_us : small_us);
      fill.Done();
      if (fill.large()) return fills;
    }
  }

  const std::shared_ptr<SteppingClock> clock_ = std::make_shared<SteppingClock>();
  LargePageGauge gauge_{clock_};
};

TEST_F(LargePageGaugeTest, PagesAreLargeWhileTheyAreCheap) {
  EXPECT_FALSE(gauge_.PrefersLarge()) << "nobody knows yet";
  for (int i = 0; i < 100; ++i) {
    EXPECT_TRUE(Fill(i % 2 == 0 ? kCheapUs : LargePageGauge::kDearUs));
    EXPECT_TRUE(gauge_.PrefersLarge());
  }
}

TEST_F(LargePageGaugeTest, ADearOneIsFollowedBySmallOnesAndTriedAgain) {
  ASSERT_TRUE(Fill(kColdUs));
  int expected = LargePageGauge::kFirstPause;
  for (int i = 0; i < 5; ++i) {
    EXPECT_FALSE(gauge_.PrefersLarge());
    EXPECT_EQ(SmallFills(700, kColdUs), expected);
    expected = std::min(2 * expected, LargePageGauge::kLongestPause);
  }
  EXPECT_EQ(SmallFills(700, kCheapUs), expected);
  EXPECT_TRUE(gauge_.PrefersLarge());
  EXPECT_TRUE(Fill(kColdUs));
  EXPECT_EQ(SmallFills(700, kCheapUs), LargePageGauge::kFirstPause) << "it begins anew";
}

TEST_F(LargePageGaugeTest, WhereSmallPagesTakeAsLongPagesAreLarge) {
  ASSERT_TRUE(Fill(kColdUs));
  constexpr uint64_t kAsLongUs = kColdUs / LargePageGauge::kDearRatio + 1;
  EXPECT_EQ(SmallFills(kAsLongUs, kColdUs), LargePageGauge::kFirstPause);
  EXPECT_TRUE(gauge_.PrefersLarge());
}

TEST_F(LargePageGaugeTest, TheQuickestSmallOneSinceTheLastDearOneIsWhatCounts) {
  ASSERT_TRUE(Fill(kColdUs));
  ASSERT_FALSE(Fill(700));
  EXPECT_EQ(SmallFills(kColdUs, kColdUs), LargePageGauge::kFirstPause - 1);
  EXPECT_FALSE(gauge_.PrefersLarge()) << "one of them was quick";
  EXPECT_EQ(SmallFills(kColdUs, kColdUs), 2 * LargePageGauge::kFirstPause);
  EXPECT_TRUE(gauge_.PrefersLarge()) << "that was long ago";
}

// As where chunks only come and go: nothing is filled in small pages between two trials.
TEST_F(LargePageGaugeTest, WithoutSmallOnesSinceTheLastDearOneThoseBeforeCount) {
  ASSERT_TRUE(Fill(kColdUs));
  ASSERT_FALSE(Fill(kColdUs));
  const auto pass_pause = [this](int pause) {
    for (int i = 0; i < pause; ++i) EXPECT_FALSE(LargePageGauge::Fill(&gauge_).large());
  };
  pass_pause(LargePageGauge::kFirstPause - 1);
  ASSERT_TRUE(Fill(2 * LargePageGauge::kDearRatio * kColdUs));
  EXPECT_FALSE(gauge_.PrefersLarge());
  pass_pause(2 * LargePageGauge::kFirstPause);
  ASSERT_TRUE(Fill(kColdUs));
  EXPECT_TRUE(gauge_.PrefersLarge()) << "no dearer than small pages were";
}

TEST_F(LargePageGaugeTest, AFillThatIsNotDoneSaysNothing) {
  EXPECT_TRUE(LargePageGauge::Fill(&gauge_).large()) << "refused at once";
  EXPECT_FALSE(gauge_.PrefersLarge());
  ASSERT_TRUE(Fill(kColdUs)) << "another one may try";
  EXPECT_FALSE(LargePageGauge::Fill(&gauge_).large());
  ASSERT_FALSE(Fill(kColdUs));
  EXPECT_EQ(SmallFills(kColdUs, kColdUs), LargePageGauge::kFirstPause - 2);
  EXPECT_TRUE(gauge_.PrefersLarge()) << "the one that was refused was not quick";
}

TEST_F(LargePageGaugeTest, OneAtATimeFindsOut) {
  clock_->set_step_us(kColdUs);
  LargePageGauge::Fill trial(&gauge_);
  EXPECT_TRUE(trial.large());
  EXPECT_FALSE(LargePageGauge::Fill(&gauge_).large());
  trial.Done();
  EXPECT_EQ(SmallFills(700, kCheapUs), LargePageGauge::kFirstPause);
  // While they are cheap all are large, and those that turn out dear together count once.
  LargePageGauge::Fill one(&gauge_);
  LargePageGauge::Fill other(&gauge_);
  EXPECT_TRUE(one.large());
  EXPECT_TRUE(other.large());
  clock_->set_step_us(2 * kColdUs);
  one.Done();
  other.Done();
  EXPECT_EQ(SmallFills(700, kCheapUs), LargePageGauge::kFirstPause);
}

TEST_F(LargePageGaugeTest, WithoutAClockAllAreLarge) {
  LargePageGauge gauge(nullptr);
  EXPECT_TRUE(gauge.PrefersLarge());
  for (int i = 0; i < 100; ++i) {
    LargePageGauge::Fill fill(&gauge);
    EXPECT_TRUE(fill.large());
    fill.Done();
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
    EXPECT_TRUE(pool.Trim()) << "some are small";
    pool.Renew();
  }
  EXPECT_EQ(trims, LargePageGauge::kFirstPause - 2)
      << "three spares were small before, and the next one is large";
  take_and_give();
  EXPECT_EQ(large(), static_cast<ptrdiff_t>(ChunkPool::kSpares)) << "all of them, as it was cheap";
  EXPECT_FALSE(pool.Trim());
}

// Small chunks that nobody needs are given back, not made anew.
TEST_F(LargePageGaugeTest, APoolDoesNotRenewWhatNobodyNeeds) {
  const auto account = std::make_shared<MemoryAccount>();
  ChunkPool pool(8, account, std::make_shared<LargePageGauge>(clock_));
  clock_->set_step_us(kColdUs);
  pool.PrepareSpares();
  for (int i = 0; i < ChunkPool::kPatience; ++i) EXPECT_TRUE(pool.Trim());
  EXPECT_EQ(account->total_bytes(), ChunkPool::kSpares * Arena::kChunkBytes) << "not idle for so long yet";
  for (int i = 0; i < ChunkPool::kPatience; ++i) EXPECT_FALSE(pool.Trim());
  EXPECT_EQ(account->total_bytes(), 0u);
}

TEST_F(LargePageGaugeTest, APoolIsRenewedBesideThoseWhoUseIt) {
  const auto account = std::make_shared<MemoryAccount>();
  ChunkPool pool(8, account, std::make_shared<LargePageGauge>(clock_));
  clock_->set_step_us(kColdUs);
  pool.PrepareSpares();
  clock_->set_step_us(kCheapUs);
  std::thread user([&pool] {
    for (int i = 0; i < 2000; ++i) {
      const ChunkPool::Chunk chunk = pool.Take();
      if (chunk.memory == nullptr) continue;
      *static_cast<char*>(chunk.memory) = 'x';
      ASSERT_TRUE(pool.Give(chunk));
    }
  });
  for (int i = 0; i < 2 * LargePageGauge::kFirstPause; ++i) {
    pool.Renew();
    if (i % 8 == 0) pool.Trim();
    pool.PrepareSpares();
  }
  user.join();
  EXPECT_EQ(account->total_bytes() % Arena::kChunkBytes, 0u);
  pool.Clear();
  EXPECT_EQ(account->total_bytes(), 0u);
}

}  // namespace
}  // namespace seerdb
