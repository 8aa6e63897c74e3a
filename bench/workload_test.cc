#include "workload.h"

#include <gtest/gtest.h>

#include <cmath>
#include <string>
#include <unordered_set>
#include <vector>

#include "path_names.h"

namespace seerdb::bench {
namespace {

TEST(PermutationTest, IsABijection) {
  for (uint64_t count : {1u, 2u, 3u, 4u, 5u, 63u, 64u, 65u, 1000u, 4097u}) {
    SCOPED_TRACE(count);
    const Permutation permutation(count, 7);
    std::vector<bool> seen(count, false);
    for (uint64_t i = 0; i < count; ++i) {
      const uint64_t image = permutation(i);
      ASSERT_LT(image, count);
      EXPECT_FALSE(seen[image]);
      seen[image] = true;
    }
  }
}

TEST(PermutationTest, DependsOnTheSeedAndScatters) {
  const Permutation one(10'000, 1);
  const Permutation two(10'000, 2);
  uint64_t equal = 0;
  uint64_t ascents = 0;
  for (uint64_t i = 0; i + 1 < 10'000; ++i) {
    equal += one(i) == two(i) ? 1 : 0;
    ascents += one(i) < one(i + 1) ? 1 : 0;
  }
  EXPECT_LT(equal, 100u);
  EXPECT_GT(ascents, 4'000u);
  EXPECT_LT(ascents, 6'000u);
}

TEST(KeyCodecTest, KeysAreDecimalOrderedAndNeverEqualAbsentOnes) {
  for (KeySpacing spacing : {KeySpacing::kEven, KeySpacing::kJitter}) {
    for (uint64_t key_bytes : {16u, 24u}) {
      const KeyCodec codec(key_bytes, spacing, 3);
      KeyBuffer present(&codec);
      KeyBuffer absent(&codec);
      std::string previous;
      for (uint64_t i = 0; i < 5'000; ++i) {
        const std::string key(present.Set(i));
        const std::string missing(absent.Set(i, true));
        ASSERT_EQ(key.size(), key_bytes);
        ASSERT_EQ(key.find_first_not_of("0123456789"), std::string::npos);
        ASSERT_LT(previous, key);
        ASSERT_LT(key, missing);
        previous = missing;
      }
    }
  }
}

TEST(KeyCodecTest, EncodesTheNumber) {
  const KeyCodec codec(18, KeySpacing::kEven, 0);
  KeyBuffer key(&codec);
  EXPECT_EQ(key.Set(617'283'945), "000000001234567890");
  EXPECT_EQ(key.Set(617'283'945, true), "000000001234567891");
  EXPECT_EQ(key.Set(4'382'716'049'382'716), "008765432098765432");
  EXPECT_EQ(key.Set(4'999'999'999'999'999, true), "009999999999999999");
}

TEST(KeyCodecTest, PathsAreDistinctAndAsLongAsDebians) {
  const KeyCodec codec(67, KeySpacing::kPaths, 3);
  KeyBuffer key(&codec);
  std::unordered_set<std::string> seen;
  uint64_t bytes = 0;
  constexpr uint64_t kRecords = 200'000;
  // The latter are the first packages that need a number in their name, and far ones.
  for (uint64_t begin : {uint64_t{0}, uint64_t{1'000'000}, uint64_t{1} << 40}) {
    for (uint64_t i = begin; i < begin + kRecords; ++i) {
      for (bool absent : {false, true}) {
        const std::string_view path = key.Set(i, absent);
        ASSERT_LE(path.size(), kMaxPathBytes);
        ASSERT_TRUE(path.starts_with("/usr/"));
        ASSERT_TRUE(seen.emplace(path).second) << path << " of " << i;
        if (begin == 0) bytes += path.size();
      }
    }
  }
  EXPECT_NEAR(static_cast<double>(bytes) / (2 * kRecords), 67, 1);
}

TEST(KeyCodecTest, PathsAreTheSameWhateverTheSeed) {
  const KeyCodec one(16, KeySpacing::kPaths, 1);
  const KeyCodec two(67, KeySpacing::kPaths, 2);
  KeyBuffer key_one(&one);
  KeyBuffer key_two(&two);
  EXPECT_EQ(key_one.Set(12'345), key_two.Set(12'345));
  EXPECT_NE(key_one.Set(12'345), key_two.Set(12'346));
}

TEST(ZipfianTest, FollowsTheLaw) {
  constexpr uint64_t kCount = 1'000;
  constexpr int kDraws = 200'000;
  const Zipfian zipfian(kCount);
  Rng rng(11);
  std::vector<int> counts(kCount, 0);
  for (int i = 0; i < kDraws; ++i) {
    const uint64_t rank = zipfian.Draw(&rng);
    ASSERT_LT(rank, kCount);
    ++counts[rank];
  }
  double zeta = 0;
  for (uint64_t i = 1; i <= kCount; ++i) zeta += std::pow(static_cast<double>(i), -0.99);
  const double share_first = static_cast<double>(counts[0]) / kDraws;
  const double share_second = static_cast<double>(counts[1]) / kDraws;
  EXPECT_NEAR(share_first, 1.0 / zeta, 0.01);
  EXPECT_NEAR(share_second, std::pow(2.0, -0.99) / zeta, 0.01);
}

TEST(ValuePoolTest, ValuesHaveTheSizeAndDifferByRecordAndVersion) {
  for (uint64_t bytes : {0u, 1u, 100u, 4'096u, 3'000'000u}) {
    SCOPED_TRACE(bytes);
    const ValuePool pool(bytes, 5);
    EXPECT_EQ(pool.Value(1, 0).size(), bytes);
    EXPECT_EQ(pool.Value(1, 0), ValuePool(bytes, 5).Value(1, 0));
    if (bytes >= 100) {
      EXPECT_NE(pool.Value(1, 0), pool.Value(2, 0));
      EXPECT_NE(pool.Value(1, 0), pool.Value(1, 1));
    }
  }
}

TEST(ValuePoolTest, VariedSizesAreSpreadAroundTheMean) {
  const ValuePool pool(100, 5, true);
  uint64_t sum = 0;
  for (uint64_t i = 0; i < 10'000; ++i) {
    const uint64_t bytes = pool.Value(i, 0).size();
    ASSERT_GE(bytes, 50u);
    ASSERT_LE(bytes, 150u);
    sum += bytes;
  }
  EXPECT_NEAR(static_cast<double>(sum) / 10'000, 100, 2);
}

TEST(RngTest, BelowStaysBelow) {
  Rng rng(1);
  for (int i = 0; i < 10'000; ++i) {
    ASSERT_LT(rng.Below(3), 3u);
    const double unit = rng.Unit();
    ASSERT_GE(unit, 0.0);
    ASSERT_LT(unit, 1.0);
  }
}

}  // namespace
}  // namespace seerdb::bench
