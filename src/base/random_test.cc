#include "base/random.h"

#include <gtest/gtest.h>

#include <set>
#include <vector>

namespace seerdb {
namespace {

TEST(Random, TheSeedDecides) {
  Random a(42);
  Random b(42);
  Random c(43);
  bool differs = false;
  for (int i = 0; i < 100; ++i) {
    const uint64_t value = a.Next();
    EXPECT_EQ(value, b.Next());
    differs |= value != c.Next();
  }
  EXPECT_TRUE(differs);
}

// xoshiro256++ seeded by splitmix64, so that a failing test can be replayed on any machine.
TEST(Random, PersistentValues) {
  Random random(0);
  EXPECT_EQ(random.Next(), 0x53175d61490b23dfu);
  EXPECT_EQ(random.Next(), 0x61da6f3dc380d507u);
  EXPECT_EQ(random.Next(), 0x5c0fdf91ec9a7bfcu);
}

TEST(Random, UniformStaysInRangeAndReachesIt) {
  Random random(7);
  std::vector<int> counts(10);
  for (int i = 0; i < 10'000; ++i) {
    const uint64_t value = random.Uniform(10);
    ASSERT_LT(value, 10u);
    ++counts[value];
  }
  for (const int count : counts) EXPECT_GT(count, 800);
  for (int i = 0; i < 100; ++i) EXPECT_EQ(random.Uniform(1), 0u);
  EXPECT_GT(random.Uniform(UINT64_MAX) | random.Uniform(UINT64_MAX) | random.Uniform(UINT64_MAX), 1u << 31);
}

TEST(Random, DoublesAreInTheUnitInterval) {
  Random random(9);
  double sum = 0;
  for (int i = 0; i < 10'000; ++i) {
    const double value = random.NextDouble();
    ASSERT_GE(value, 0.0);
    ASSERT_LT(value, 1.0);
    sum += value;
  }
  EXPECT_NEAR(sum / 10'000, 0.5, 0.02);
}

TEST(Random, OneIn) {
  Random random(11);
  int hits = 0;
  for (int i = 0; i < 10'000; ++i) hits += random.OneIn(4) ? 1 : 0;
  EXPECT_NEAR(hits, 2500, 250);
  EXPECT_TRUE(random.OneIn(1));
}

TEST(SystemSeed, Differs) {
  std::set<uint64_t> seeds;
  for (int i = 0; i < 8; ++i) seeds.insert(SystemSeed());
  EXPECT_GT(seeds.size(), 6u);
}

}  // namespace
}  // namespace seerdb
