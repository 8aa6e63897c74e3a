#include "learned/alex_model.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

#include "learned/alex_test_util.h"
#include "learned/bracket_search.h"

namespace seerdb {
namespace {

TEST(AlexModelTest, FindsTheLowerBoundOfEveryWindow) {
  Random random(5);
  for (const AlexKeys kind : kAllAlexKeys) {
    for (const uint64_t repeats : {1, 5, 300}) {
      SCOPED_TRACE(AlexKeySource::Name(kind));
      AlexKeySource source(kind, &random);
      std::vector<uint64_t> windows;
      while (windows.size() < 20'000) {
        windows.insert(windows.end(), 1 + random.Uniform(repeats), source.Next());
      }
      std::sort(windows.begin(), windows.end());
      const AlexModel model = AlexModel::Build(windows);
      ASSERT_EQ(model.tree().Broken(), "");
      ASSERT_TRUE(model.IsOf(windows.size()));
      ASSERT_FALSE(model.IsOf(windows.size() + 1));
      std::vector<uint64_t> probes = {0, UINT64_MAX};
      for (const uint64_t window : windows) probes.insert(probes.end(), {window - 1, window, window + 1});
      for (const uint64_t probe : probes) {
        const ApproxRange range = model.Find(probe);
        const auto expected = std::lower_bound(windows.begin(), windows.end(), probe) - windows.begin();
        ASSERT_EQ(range.pos, expected) << probe;
        ASSERT_EQ(range.lo, range.pos);
        ASSERT_EQ(range.hi, range.pos);
        const BracketResult found = BracketSearch(
            &range, windows.size(), probe, [&](size_t i) { return windows[i]; },
            [](size_t) { return false; });
        ASSERT_EQ(found.rank, static_cast<size_t>(expected));
        ASSERT_TRUE(found.bracketed);
      }
    }
  }
}

TEST(AlexModelTest, OfNothingIsEmpty) {
  const AlexModel model = AlexModel::Build({});
  EXPECT_TRUE(model.empty());
  EXPECT_FALSE(model.IsOf(0));
  EXPECT_EQ(model.memory_bytes(), 0u);
  EXPECT_EQ(model.ranks(), 0u);
}

TEST(AlexModelTest, OfOneWindow) {
  for (const uint64_t window : {uint64_t{0}, uint64_t{77}, UINT64_MAX}) {
    const AlexModel model = AlexModel::Build(std::vector<uint64_t>(3, window));
    EXPECT_EQ(model.ranks(), 3u);
    EXPECT_EQ(model.Find(window).pos, 0u);
    EXPECT_EQ(model.Find(window == 0 ? 0 : window - 1).pos, 0u);
    EXPECT_EQ(model.Find(window + 1).pos, window == UINT64_MAX ? 0u : 3u);
    EXPECT_GT(model.memory_bytes(), 0u);
  }
}

}  // namespace
}  // namespace seerdb
