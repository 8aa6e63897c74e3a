#include "seerdb/clock.h"

#include <gtest/gtest.h>

#include <ctime>

#include "env/manual_clock.h"

namespace seerdb {
namespace {

TEST(SystemClock, NeverGoesBackAndSleepsAtLeastAsLongAsAsked) {
  const auto clock = SystemClock();
  EXPECT_EQ(clock, SystemClock());
  uint64_t last_us = clock->NowMicros();
  for (int i = 0; i < 1000; ++i) {
    const uint64_t now_us = clock->NowMicros();
    ASSERT_GE(now_us, last_us);
    last_us = now_us;
  }
  for (const uint64_t micros : {0, 1, 5000}) {
    const uint64_t start_us = clock->NowMicros();
    clock->SleepMicros(micros);
    EXPECT_GE(clock->NowMicros() - start_us, micros);
  }
}

TEST(SystemClock, WallTimeIsThatOfTheSystem) {
  const auto before = static_cast<uint64_t>(std::time(nullptr));
  const uint64_t wall_us = SystemClock()->WallMicros();
  const auto after = static_cast<uint64_t>(std::time(nullptr));
  EXPECT_GE(wall_us / 1000000 + 1, before);
  EXPECT_LE(wall_us / 1000000, after + 1);
}

TEST(ManualClock, MovesOnlyWhenTold) {
  ManualClock clock(100, 5000);
  EXPECT_EQ(clock.NowMicros(), 100u);
  EXPECT_EQ(clock.NowMicros(), 100u);
  clock.Advance(10);
  clock.SleepMicros(7);
  EXPECT_EQ(clock.NowMicros(), 117u);
  EXPECT_EQ(clock.WallMicros(), 5017u);
  EXPECT_EQ(clock.slept_us(), 7u);
  clock.SetWallMicros(3);
  EXPECT_EQ(clock.WallMicros(), 3u);
  EXPECT_EQ(clock.NowMicros(), 117u);
}

}  // namespace
}  // namespace seerdb
