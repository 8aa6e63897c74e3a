#include "learned/pgm_model.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "base/random.h"
#include "learned/optimal_pla.h"
#include "learned/pgm_codec.h"

namespace seerdb {
namespace {

std::vector<uint64_t> RoughWindows(Random* random, int count) {
  std::vector<uint64_t> windows;
  uint64_t window = 0;
  for (int i = 0; i < count; ++i) {
    window += random->OneIn(20) ? random->Uniform(uint64_t{1} << random->Uniform(45)) : random->Uniform(9);
    windows.push_back(window);
  }
  return windows;
}

PgmModel Built(const std::vector<uint64_t>& windows, uint32_t epsilon, uint32_t inner_epsilon) {
  PgmBuilder builder(epsilon, inner_epsilon);
  for (const uint64_t window : windows) builder.Add(window);
  return builder.Finish();
}

// Walking down the levels ends at the very segment that a search of the lowest level would find.
TEST(PgmModelTest, FindsWhatASearchOfItsSegmentsFinds) {
  Random random(1);
  for (const uint32_t inner_epsilon : {0u, 1u, 4u, 16u}) {
    SCOPED_TRACE(inner_epsilon);
    const std::vector<uint64_t> windows = RoughWindows(&random, 30'000);
    const PgmModel pgm = Built(windows, 2, inner_epsilon);
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
  EXPECT_EQ(Built(windows, 4, 4).level_count(), 1u);
  EXPECT_TRUE(Built({}, 4, 4).empty());
  EXPECT_EQ(Built({9}, 4, 4).ranks(), 1u);
}

TEST(PgmCodecTest, RoundTripsAndRefusesWhatItDidNotWrite) {
  Random random(9);
  std::string bytes;
  const std::vector<uint64_t> windows = RoughWindows(&random, 1500);
  const PgmModel model = Built(windows, 2, 1);
  ASSERT_GE(model.level_count(), 3u);
  AppendPgmModel(model, &bytes);
  const Result<PgmModel> decoded = DecodePgmModel(bytes);
  ASSERT_TRUE(decoded.ok());
  EXPECT_EQ(decoded->ranks(), model.ranks());
  EXPECT_EQ(decoded->max_error(), model.max_error());
  EXPECT_EQ(decoded->memory_bytes(), model.memory_bytes());
  for (const uint64_t window : windows) {
    ASSERT_EQ(decoded->Find(window + 1).pos, model.Find(window + 1).pos);
  }
  std::string empty;
  AppendPgmModel(PgmModel(), &empty);
  EXPECT_TRUE(DecodePgmModel(empty)->empty());
  for (size_t n = 0; n < bytes.size(); ++n) {
    ASSERT_TRUE(DecodePgmModel(Slice(bytes).substr(0, n)).status().IsCorruption()) << n;
  }
  ASSERT_TRUE(DecodePgmModel(bytes + "x").status().IsCorruption());
  size_t accepted = 0;
  for (int round = 0; round < 20'000; ++round) {
    std::string bad = bytes;
    bad[random.Uniform(random.OneIn(2) ? 48 : bad.size())] = static_cast<char>(random.Uniform(256));
    const Result<PgmModel> result = DecodePgmModel(bad);
    if (!result.ok()) {
      ASSERT_TRUE(result.status().IsCorruption());
      continue;
    }
    ++accepted;
    // Whatever passes must predict inside its ranks.
    for (const uint64_t probe : {uint64_t{0}, windows[700], random.Next(), UINT64_MAX}) {
      const ApproxRange range = result->Find(probe);
      ASSERT_LE(range.hi, result->ranks());
      ASSERT_LE(range.lo, range.hi);
    }
  }
  EXPECT_GT(accepted, 100u);
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
