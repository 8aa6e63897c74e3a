#include "base/rate_limiter.h"

#include <gtest/gtest.h>

namespace seerdb {
namespace {

constexpr uint64_t kMB = 1'000'000;  // at 1 MB/s a byte takes a microsecond

TEST(RateLimiterTest, WaitsForWhatIsOwed) {
  RateLimiter limiter(0);
  limiter.Advance(100, kMB);
  EXPECT_EQ(limiter.WaitUs(kMB), 0u);
  limiter.Spend(500);
  EXPECT_EQ(limiter.WaitUs(kMB), 500u);
  limiter.Advance(300, kMB);
  EXPECT_EQ(limiter.WaitUs(kMB), 300u);
  EXPECT_EQ(limiter.WaitUs(3 * kMB), 100u) << "the rest at the new rate";
  limiter.Advance(250, kMB);  // a clock that goes back
  EXPECT_EQ(limiter.WaitUs(kMB), 300u);
  limiter.Advance(400, 3 * kMB);
  EXPECT_EQ(limiter.WaitUs(kMB), 0u);
}

TEST(RateLimiterTest, KeepsUnusedTimeUpToTheBurst) {
  RateLimiter limiter(200);
  limiter.Advance(10'000, kMB);
  limiter.Spend(250);
  EXPECT_EQ(limiter.WaitUs(kMB), 50u);
  limiter.Advance(10'100, kMB);  // 50 too late
  limiter.Spend(50);
  EXPECT_EQ(limiter.WaitUs(kMB), 0u) << "what was lost by waking late comes back";
}

TEST(RateLimiterTest, ForgivingKeepsNothing) {
  RateLimiter limiter(1'000);
  limiter.Advance(10'000, kMB);
  limiter.Spend(90'000);
  limiter.Forgive(20'000);
  limiter.Advance(20'000, kMB);
  EXPECT_EQ(limiter.WaitUs(kMB), 0u);
  limiter.Spend(10);
  EXPECT_EQ(limiter.WaitUs(kMB), 10u);
}

TEST(RateLimiterTest, TheRateHoldsInTheLongRunHoweverItIsSpent) {
  for (const uint64_t piece : {uint64_t{1}, uint64_t{700}, uint64_t{50'000}}) {
    RateLimiter limiter(1'000);
    uint64_t now_us = 5'000, bytes = 0;
    while (bytes < 3 * kMB) {
      limiter.Advance(now_us, 2 * kMB);
      limiter.Spend(piece);
      bytes += piece;
      now_us += limiter.WaitUs(2 * kMB);
    }
    const double took_us = static_cast<double>(now_us - 5'000);
    EXPECT_NEAR(took_us, static_cast<double>(bytes) / 2, 2'000) << piece;
  }
}

}  // namespace
}  // namespace seerdb
