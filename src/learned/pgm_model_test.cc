#include "learned/pgm_model.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "base/random.h"
#include "learned/optimal_pla.h"
#include "learned/pgm_codec.h"
#include "learned/rank_model_test_util.h"

namespace seerdb {
namespace {

PgmModel BuiltPgm(const std::vector<uint64_t>& windows, uint32_t epsilon, uint32_t inner_epsilon) {
  PgmBuilder builder(epsilon, inner_epsilon);
  for (const uint64_t window : windows) builder.Add(window);
  return builder.Finish();
}

// Walking down the levels ends at the very segment that a search of the lowest level would find.
TEST(PgmModelTest, FindsWhatASearchOfItsSegmentsFinds) {
  Random random(1);
  for (const uint32_t inner_epsilon : {0u, 1u, 4u, 16u}) {
    SCOPED_TRACE(inner_epsilon);
    const std::vector<uint64_t> windows = RoughWindows(&random, 0, 30'000);
    const PgmModel pgm = BuiltPgm(windows, 2, inner_epsilon);
    OptimalPlaBuilder builder(2);
    for (const uint64_t window : windows) builder.Add(window);
    const PlaModel flat = builder.Finish();
    ASSERT_EQ(pgm.SegmentsOf(0).size(), flat.segments().size());
    ASSERT_EQ(pgm.max_error(), flat.max_error());
    EXPECT_GE(pgm.level_count(), 3u);
    EXPECT_EQ(pgm.SegmentsOf(pgm.level_count() - 1).size(), 1u);
    const auto compare = [&](uint64_t probe) {
      ASSERT_EQ(pgm.Find(probe).pos, flat.Find(probe).pos) << probe;
      ASSERT_EQ(pgm.Find(probe).lo, flat.Find(probe).lo) << probe;
      ASSERT_EQ(pgm.Find(probe).hi, flat.Find(probe).hi) << probe;
    };
    for (const PlaSegment& segment : flat.segments()) {
      for (const uint64_t step : {uint64_t{0}, uint64_t{1}, UINT64_MAX}) compare(segment.first_window + step);
    }
    for (int i = 0; i < 20'000; ++i) {
      compare(random.Next());
      compare(random.Uniform(windows.back() + 2));
    }
  }
}

TEST(PgmModelTest, ALineIsOneLevel) {
  std::vector<uint64_t> windows;
  for (uint64_t i = 0; i < 1000; ++i) windows.push_back(5 * i);
  EXPECT_EQ(BuiltPgm(windows, 4, 4).level_count(), 1u);
  EXPECT_TRUE(BuiltPgm({}, 4, 4).empty());
  EXPECT_EQ(BuiltPgm({9}, 4, 4).ranks(), 1u);
}

TEST(PgmCodecTest, RoundTripsAndRefusesWhatItDidNotWrite) {
  Random random(9);
  const std::vector<uint64_t> windows = RoughWindows(&random, 0, 1500);
  const PgmModel model = BuiltPgm(windows, 2, 1);
  ASSERT_GE(model.level_count(), 3u);
  CheckCodec(model, windows, 48, AppendPgmModel, DecodePgmModel, [](const PgmModel&, size_t) {});
}

TEST(PgmCodecTest, RefusesLevelsThatAreNone) {
  const auto refused = [](const std::vector<uint32_t>& words) {
    std::string bytes(reinterpret_cast<const char*>(words.data()), words.size() * sizeof(uint32_t));
    return DecodePgmModel(bytes).status().IsCorruption();
  };
  const std::vector<uint32_t> segment = {0, 0, 0, 0, 0, 0};
  const auto with = [&](std::vector<uint32_t> words) {
    words.insert(words.end(), segment.begin(), segment.end());
    return words;
  };
  EXPECT_FALSE(refused({0, 0}));
  EXPECT_FALSE(refused(with({1, 5, 1, 5})));
  EXPECT_TRUE(refused({0, 5})) << "ranks without levels";
  EXPECT_TRUE(refused(with({1, 0, 1, 0}))) << "levels without ranks";
  EXPECT_TRUE(refused({UINT32_MAX, 5, 1, 5})) << "more levels than there can be";
  EXPECT_TRUE(refused({1, 5, UINT32_MAX, 5})) << "no root";
  EXPECT_TRUE(refused(with({1, UINT32_MAX, 1, 5}))) << "too many ranks";
  EXPECT_TRUE(refused(with({1, 5, 1, 6}))) << "error above the ranks";
  EXPECT_TRUE(refused(with({2, 5, 1, 5, 0, 0}))) << "a level above the root";
  EXPECT_TRUE(refused(with(with(with(with(with({2, 5, 3, 5, 2, 0}))))))) << "two roots";
}

}  // namespace
}  // namespace seerdb
