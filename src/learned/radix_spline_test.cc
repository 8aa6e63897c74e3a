#include "learned/radix_spline.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "base/random.h"
#include "learned/radix_spline_codec.h"
#include "learned/rank_model_test_util.h"

namespace seerdb {
namespace {

RadixSpline BuiltSpline(const std::vector<uint64_t>& windows, uint32_t epsilon, uint32_t radix_bits = 0) {
  RadixSplineBuilder builder(epsilon, radix_bits);
  for (const uint64_t window : windows) builder.Add(window);
  return builder.Finish();
}

TEST(RadixSplineTest, PassesThroughItsKnotsWithinEpsilonOfAllElse) {
  Random random(1);
  for (const uint32_t epsilon : {1u, 4u, 32u}) {
    SCOPED_TRACE(epsilon);
    std::vector<uint64_t> windows = RoughWindows(&random, 1 << 20, 20'000);
    windows.erase(std::unique(windows.begin(), windows.end()), windows.end());
    const RadixSpline model = BuiltSpline(windows, epsilon);
    EXPECT_LT(model.knot_count(), windows.size() / 2);
    for (size_t i = 0; i < model.knot_count(); ++i) {
      ASSERT_EQ(model.Find(model.Knot(i).window).pos, model.Knot(i).rank);
    }
    // Rounding down costs one, and so does a step between two windows.
    EXPECT_LE(model.max_error(), epsilon + 2);
    EXPECT_EQ(model.Knot(0).window, windows.front());
    EXPECT_EQ(model.Knot(model.knot_count() - 1).window, windows.back());
  }
}

// The table says where to look for knots, and nothing about what they are.
TEST(RadixSplineTest, FindsTheSameWithAnyNumberOfBits) {
  Random random(2);
  const std::vector<uint64_t> windows = RoughWindows(&random, 1 << 20, 20'000);
  const RadixSpline model = BuiltSpline(windows, 2);
  EXPECT_EQ(model.radix_bits(), RadixSpline::UsualRadixBits(model.knot_count()));
  const uint32_t most = RadixSpline::MaxRadixBits(model.knot_count());
  for (const uint32_t bits : {1u, 2u, 7u, most, 60u}) {
    SCOPED_TRACE(bits);
    const RadixSpline other = BuiltSpline(windows, 2, bits);
    EXPECT_EQ(other.radix_bits(), std::min(bits, most));
    EXPECT_EQ(other.knot_count(), model.knot_count());
    EXPECT_EQ(other.max_error(), model.max_error());
    for (int i = 0; i < 20'000; ++i) {
      const uint64_t probe = i % 4 == 0 ? random.Next() : random.Uniform(windows.back() + 2);
      ASSERT_EQ(other.Find(probe).pos, model.Find(probe).pos) << probe;
    }
  }
}

TEST(RadixSplineTest, ALineHasTwoKnots) {
  std::vector<uint64_t> windows;
  for (uint64_t i = 0; i < 1000; ++i) windows.push_back(UINT64_MAX / 1000 * i);
  const RadixSpline model = BuiltSpline(windows, 4);
  EXPECT_EQ(model.knot_count(), 2u);
  EXPECT_LE(model.max_error(), 2u);
  EXPECT_TRUE(BuiltSpline({}, 4).empty());
  EXPECT_EQ(BuiltSpline({9}, 4).ranks(), 1u);
}

TEST(RadixSplineTest, ARunThatEndsTheWindowsIsNoError) {
  std::vector<uint64_t> windows;
  for (uint64_t i = 0; i < 1000; ++i) windows.push_back(10 * i);
  windows.insert(windows.end(), 5000, 10'000);
  EXPECT_LE(BuiltSpline(windows, 8).max_error(), 10u);
}

TEST(RadixSplineCodecTest, RoundTripsAndRefusesWhatItDidNotWrite) {
  Random random(9);
  const std::vector<uint64_t> windows = RoughWindows(&random, 1 << 20, 1000);
  CheckCodec(BuiltSpline(windows, 2, 5), windows, 16, AppendRadixSpline, DecodeRadixSpline,
             [](const RadixSpline& model, size_t bytes) { ASSERT_LE(model.memory_bytes(), 8 * bytes); });
}

}  // namespace
}  // namespace seerdb
