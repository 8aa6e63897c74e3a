#include "learned/optimal_pla.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdio>
#include <vector>

#include "base/random.h"
#include "learned/pla_builder.h"
#include "learned/rank_points.h"

namespace seerdb {
namespace {

// Whether a line passes within epsilon of points [begin, end]: the steepest slope that two of them need is
// not above the flattest that two of them allow.
bool OnALine(const std::vector<RankPoint>& points, size_t begin, size_t end, int64_t epsilon) {
  using Wide = __int128;
  for (size_t a = begin; a <= end; ++a) {
    for (size_t b = a + 1; b <= end; ++b) {
      for (size_t c = begin; c <= end; ++c) {
        for (size_t d = c + 1; d <= end; ++d) {
          const Wide need = static_cast<Wide>(points[b].rank) - points[a].rank - 2 * epsilon;
          const Wide allow = static_cast<Wide>(points[d].rank) - points[c].rank + 2 * epsilon;
          if (need * (points[d].window - points[c].window) > allow * (points[b].window - points[a].window)) {
            return false;
          }
        }
      }
    }
  }
  return true;
}

// By trying every way to cut them.
size_t FewestSegments(const std::vector<RankPoint>& points, int64_t epsilon) {
  std::vector<size_t> fewest(points.size() + 1, SIZE_MAX);
  fewest[0] = 0;
  for (size_t end = 0; end < points.size(); ++end) {
    for (size_t begin = 0; begin <= end; ++begin) {
      if (OnALine(points, begin, end, epsilon)) {
        fewest[end + 1] = std::min(fewest[end + 1], fewest[begin] + 1);
      }
    }
  }
  return fewest.back();
}

// Points that ascend, with jumps of all sizes in both directions.
std::vector<RankPoint> DrawnPoints(Random* random, size_t count) {
  std::vector<RankPoint> points;
  RankPoint point;
  point.window = random->OneIn(2) ? 0 : random->Next() >> 2;
  const uint64_t most_run = uint64_t{1} << random->Uniform(52);
  const uint64_t most_rise = uint64_t{1} << random->Uniform(8);
  for (size_t i = 0; i < count; ++i) {
    points.push_back(point);
    point.window += 1 + random->Uniform(random->OneIn(3) ? 3 : most_run);
    point.rank += static_cast<uint32_t>(random->Uniform(most_rise + 1));
  }
  return points;
}

size_t SegmentsOf(const std::vector<RankPoint>& points, uint32_t epsilon) {
  OptimalSegments segments(epsilon);
  for (const RankPoint& point : points) segments.Add(point);
  return segments.Take(UINT32_MAX - 1).size();
}

TEST(OptimalPlaTest, HasAsFewSegmentsAsAnyCutOfThePoints) {
  const uint64_t seed = SystemSeed();
  std::printf("seed %llu\n", static_cast<unsigned long long>(seed));
  Random random(seed);
  size_t several = 0;
  for (int round = 0; round < 4000; ++round) {
    const std::vector<RankPoint> points = DrawnPoints(&random, 1 + random.Uniform(14));
    const auto epsilon = static_cast<uint32_t>(random.Uniform(random.OneIn(2) ? 3 : 20));
    const size_t fewest = FewestSegments(points, epsilon);
    ASSERT_EQ(SegmentsOf(points, epsilon), fewest) << "round " << round << ", epsilon " << epsilon;
    several += fewest > 1 ? 1 : 0;
  }
  EXPECT_GT(several, 1000u);
}

// The longest first segment, the longest one behind it, and so on, by comparing each point with all before it
// in the segment. No cut has fewer: it can be moved to these ends one after the other.
size_t SegmentsByPairs(const std::vector<RankPoint>& points, int64_t epsilon) {
  using Wide = __int128;
  struct Slope {
    Wide rise;
    Wide run;
  };
  size_t segments = 0;
  for (size_t begin = 0, end = 0; begin < points.size(); begin = end) {
    ++segments;
    Slope need{-1, 0};
    Slope allow{1, 0};
    for (end = begin + 1; end < points.size(); ++end) {
      for (size_t i = begin; i < end; ++i) {
        const Wide run = points[end].window - points[i].window;
        const Wide rise = static_cast<Wide>(points[end].rank) - points[i].rank;
        if ((rise - 2 * epsilon) * need.run > need.rise * run) need = {rise - 2 * epsilon, run};
        if ((rise + 2 * epsilon) * allow.run < allow.rise * run) allow = {rise + 2 * epsilon, run};
      }
      if (need.rise * allow.run > allow.rise * need.run) break;
    }
  }
  return segments;
}

// Segments so long that chains bend often, and lose corners at both ends.
TEST(OptimalPlaTest, HasAsFewSegmentsAsPairsOfPointsAllow) {
  const uint64_t seed = SystemSeed();
  std::printf("seed %llu\n", static_cast<unsigned long long>(seed));
  Random random(seed);
  for (int round = 0; round < 100; ++round) {
    const std::vector<RankPoint> points = DrawnPoints(&random, 1 + random.Uniform(600));
    const auto epsilon = static_cast<uint32_t>(random.Uniform(uint64_t{1} << random.Uniform(10)));
    ASSERT_EQ(SegmentsOf(points, epsilon), SegmentsByPairs(points, epsilon))
        << "round " << round << ", epsilon " << epsilon;
  }
}

// A cone's first point is its line's: a line that need not pass there can take more.
TEST(OptimalPlaTest, NeverHasMoreSegmentsThanTheGreedyCone) {
  Random random(17);
  size_t greedy_total = 0;
  size_t optimal_total = 0;
  for (int round = 0; round < 300; ++round) {
    const auto epsilon = static_cast<uint32_t>(random.Uniform(40));
    PlaBuilder greedy(epsilon);
    OptimalPlaBuilder optimal(epsilon);
    uint64_t window = random.Uniform(1000);
    const uint64_t most_step = uint64_t{2} << random.Uniform(40);
    for (uint64_t n = 1 + random.Uniform(3000); n > 0; --n) {
      window += 1 + random.Uniform(random.OneIn(50) ? most_step * 64 : most_step);
      greedy.Add(window);
      optimal.Add(window);
    }
    // A run of more than epsilon windows at the end, here of one, is a point more to the optimal one.
    const size_t end = epsilon == 0 ? 1 : 0;
    const size_t greedy_segments = greedy.Finish().segments().size();
    const size_t optimal_segments = optimal.Finish().segments().size();
    ASSERT_LE(optimal_segments, greedy_segments + end) << "round " << round << ", epsilon " << epsilon;
    greedy_total += greedy_segments;
    optimal_total += optimal_segments;
  }
  std::printf("greedy %zu segments, optimal %zu\n", greedy_total, optimal_total);
  EXPECT_LT(optimal_total, greedy_total);
}

// At the points integers cost nothing; between two, ranks may rise by one more.
TEST(OptimalPlaTest, IsOffByEpsilonAndAStep) {
  Random random(23);
  for (const uint32_t epsilon : {1u, 2u, 16u, 64u, 1000u}) {
    for (int round = 0; round < 20; ++round) {
      OptimalPlaBuilder builder(epsilon);
      uint64_t window = 0;
      const uint64_t most_step = uint64_t{2} << random.Uniform(45);
      for (int i = 0; i < 5000; ++i) builder.Add(window += 1 + random.Uniform(most_step));
      EXPECT_LE(builder.Finish().max_error(), epsilon + 1) << "round " << round;
    }
  }
}

TEST(OptimalPlaTest, TakesALineWholeAndNothingFromNothing) {
  EXPECT_TRUE(OptimalPlaBuilder(4).Finish().empty());
  OptimalPlaBuilder builder(1);
  for (uint64_t i = 0; i < 100'000; ++i) builder.Add(1'000'000 + 3 * i);
  const PlaModel model = builder.Finish();
  EXPECT_EQ(model.segments().size(), 1u);
  EXPECT_LE(model.max_error(), 2u);
}

// The last windows are one run: what lies behind it is found, and costs the other windows nothing.
TEST(OptimalPlaTest, ARunThatEndsTheWindowsIsNoError) {
  OptimalPlaBuilder builder(8);
  for (uint64_t i = 0; i < 1000; ++i) builder.Add(10 * i);
  for (uint64_t i = 0; i < 5000; ++i) builder.Add(10'000);
  EXPECT_LE(builder.Finish().max_error(), 10u);
}

}  // namespace
}  // namespace seerdb
