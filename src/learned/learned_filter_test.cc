#include "learned/learned_filter.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "base/coding.h"
#include "learned/filter_test_keys.h"

namespace seerdb {
namespace {

using testing::FilterKeySet;
using Stretch = OccupancyMap::Stretch;

std::string BuildLearned(const FilterKeySet& set, uint32_t bits) {
  const FilterKeys keys = set.input();
  const Result<std::string> bytes =
      LearnedFilter::Build(keys.hashes, keys.windows, {bits, keys.windows_tell_keys});
  EXPECT_TRUE(bytes.ok()) << bytes.status().ToString();
  return *bytes;
}

TEST(LearnedFilterTest, SaysWhetherThereIsAModel) {
  for (const FilterKeySet& set : testing::LearnableKeySets()) {
    const std::string bytes = BuildLearned(set, 10);
    EXPECT_TRUE(LearnedFilter::Decode(bytes)->has_model()) << set.name();
  }
  for (const FilterKeySet& set : testing::PlainKeySets()) {
    const std::string bytes = BuildLearned(set, 10);
    const LearnedFilter filter = *LearnedFilter::Decode(bytes);
    EXPECT_FALSE(filter.has_model()) << set.name();
    // Then it is the filter behind it, and a tail.
    BloomFilterBuilder builder(10);
    for (const uint64_t hash : set.input().hashes) builder.AddHash(hash);
    EXPECT_EQ(bytes.size(), builder.Finish().size() + LearnedFilter::kTailBytes) << set.name();
    EXPECT_EQ(filter.has_backup(), !set.keys().empty()) << set.name();
  }
}

TEST(LearnedFilterTest, KeysThatFillTheirStretchesNeedNoBitsAndLetNoOtherPass) {
  for (const FilterKeySet& set : testing::LearnableKeySets()) {
    if (set.name() == "clustered" || set.name() == "both ends") continue;
    SCOPED_TRACE(set.name());
    const std::string bytes = BuildLearned(set, 10);
    const LearnedFilter filter = *LearnedFilter::Decode(bytes);
    // Every 99 keys a hole: two stretches of 64 bits for each.
    EXPECT_LT(bytes.size() * 8, set.keys().size() * (set.name() == "with holes" ? 14 : 1) / 10);
    EXPECT_FALSE(filter.has_backup());
    for (const std::string& key : set.absent()) {
      ASSERT_FALSE(filter.MayContain(Hash64(key), set.projection().Window(key))) << key;
    }
  }
}

TEST(LearnedFilterTest, WithoutWindowsThatTellKeysNothingIsAcceptedUnseen) {
  for (const FilterKeySet& set : testing::LearnableKeySets()) {
    SCOPED_TRACE(set.name());
    const FilterKeys keys = set.input();
    const std::string bytes = *LearnedFilter::Build(keys.hashes, keys.windows, {10, false});
    const LearnedFilter filter = *LearnedFilter::Decode(bytes);
    for (uint32_t i = 0; i < filter.model().stretches(); ++i) {
      ASSERT_NE(filter.model().StretchAt(i), Stretch::kFull);
    }
    // Other keys with the windows of keys.
    size_t passed = 0;
    for (size_t i = 0; i < keys.windows.size(); ++i)
      passed += filter.MayContain(~keys.hashes[i], keys.windows[i]);
    EXPECT_LT(passed, keys.windows.size() / 50);
  }
}

TEST(LearnedFilterTest, RejectsMostOfWhatLiesBetweenClusters) {
  for (const FilterKeySet& set : testing::LearnableKeySets()) {
    if (set.name() != "clustered") continue;
    const std::string bytes = BuildLearned(set, 10);
    const LearnedFilter filter = *LearnedFilter::Decode(bytes);
    ASSERT_TRUE(filter.has_model());
    Random random(5);
    size_t empty = 0;
    for (int i = 0; i < 1000; ++i) empty += filter.model().At(random.Next()) == Stretch::kEmpty ? 1 : 0;
    EXPECT_GT(empty, 990u);
  }
}

// Against the windows themselves, near every one of them.
void CheckMap(const std::vector<uint64_t>& windows, bool tell) {
  const EncodedOccupancy encoded = BuildOccupancy(windows, {10, tell});
  if (encoded.bytes.empty()) return;
  const auto map = OccupancyMap::Decode(encoded.bytes, encoded.stretches, encoded.shift);
  ASSERT_TRUE(map.ok()) << map.status().ToString();
  for (const uint64_t window : windows) {
    for (const uint64_t distance : {0u, 1u, 2u, 3u, 7u, 500u}) {
      for (const uint64_t probe : {window - distance, window + distance}) {
        const bool is_there = std::binary_search(windows.begin(), windows.end(), probe);
        const Stretch stretch = map->At(probe);
        ASSERT_FALSE(stretch == Stretch::kEmpty && is_there) << probe;
        ASSERT_FALSE(stretch == Stretch::kFull && !is_there) << probe;
      }
    }
  }
}

TEST(OccupancyMapTest, IsRightAboutRandomRunsAnywhere) {
  Random random(17);
  int maps = 0;
  for (int round = 0; round < 400; ++round) {
    const uint64_t width = 1 + random.Uniform(63);
    const uint64_t step = random.OneIn(2) ? 1 : 1 + random.Uniform(1000);
    std::vector<uint64_t> windows;
    for (uint64_t runs = 1 + random.Uniform(8); runs > 0; --runs) {
      uint64_t window = random.Next() >> (64 - width);
      if (random.OneIn(10)) window = UINT64_MAX - 1000;
      window -= window % step;
      for (uint64_t keys = random.Uniform(300); keys > 0 && window <= UINT64_MAX - step; --keys) {
        windows.push_back(window);
        window += step * (random.OneIn(60) ? random.Uniform(5) : 1);
      }
    }
    if (random.OneIn(10)) windows.push_back(UINT64_MAX);
    if (random.OneIn(10)) windows.push_back(0);
    std::sort(windows.begin(), windows.end());
    maps += BuildOccupancy(windows, {10, true}).bytes.empty() ? 0 : 1;
    CheckMap(windows, true);
    CheckMap(windows, false);
    if (::testing::Test::HasFatalFailure()) FAIL() << "round " << round;
  }
  EXPECT_GT(maps, 200);
}

TEST(OccupancyMapTest, DecodeRefusesWhatIsNoMap) {
  const auto make = [](std::vector<uint64_t> entries, uint64_t first, uint64_t last, uint64_t step) {
    std::string bytes;
    for (const uint64_t entry : entries) AppendU64(&bytes, entry);
    for (const uint64_t word : {first, last, step}) AppendU64(&bytes, word);
    return bytes;
  };
  const std::string good = make({1, 10 << 2 | 0, 20 << 2 | 2}, 5, 5 + 7 * 30, 7);
  ASSERT_TRUE(OccupancyMap::Decode(good, 3, 0).ok());
  const struct {
    const char* name;
    std::string bytes;
    uint32_t stretches;
    uint32_t shift;
  } kCases[] = {
      {"no stretch", make({}, 0, 9, 1), 0, 0},
      {"fewer", good, 2, 0},
      {"more", good, 4, 0},
      {"far more", good, UINT32_MAX, 0},
      {"shift", good, 3, 64},
      {"step of nothing", make({2}, 0, 9, 0), 1, 0},
      {"step does not divide", make({2}, 0, 9, 2), 1, 0},
      {"range turned round", make({2}, 9, 0, 1), 1, 0},
      {"range too wide", make({2}, 0, UINT64_MAX, 1), 1, 1},
      {"unknown kind", make({3}, 0, 9, 1), 1, 0},
      {"late begin", make({1 << 2 | 1}, 0, 9, 1), 1, 0},
      {"equal positions", make({1, 0}, 0, 9, 1), 2, 0},
      {"beyond the last window", make({1, 10 << 2 | 2}, 0, 9, 1), 2, 0},
      {"one kind twice", make({1, 5 << 2 | 1}, 0, 9, 1), 2, 0},
  };
  for (const auto& c : kCases) {
    EXPECT_TRUE(OccupancyMap::Decode(c.bytes, c.stretches, c.shift).status().IsCorruption()) << c.name;
  }
}

TEST(LearnedFilterTest, RefusesWhatDoesNotFit) {
  const std::vector<uint64_t> hashes = {1, 2, 3};
  EXPECT_TRUE(LearnedFilter::Build(hashes, {}, {0, false}).status().IsInvalidArgument());
  const std::vector<uint64_t> few = {1, 2};
  EXPECT_TRUE(LearnedFilter::Build(hashes, few, {10, false}).status().IsInvalidArgument());
  const std::vector<uint64_t> unordered = {1, 3, 2};
  EXPECT_TRUE(LearnedFilter::Build(hashes, unordered, {10, false}).status().IsInvalidArgument());

  const std::string plain = *LearnedFilter::Build(hashes, {}, {10, false});
  ASSERT_TRUE(LearnedFilter::Decode(plain).ok());
  const auto refuses = [&](size_t from_end, char byte) {
    std::string bad = plain;
    bad[bad.size() - from_end] = byte;
    return LearnedFilter::Decode(bad).status().IsCorruption();
  };
  EXPECT_TRUE(refuses(8, 1)) << "a model that is not there";
  EXPECT_TRUE(refuses(5, 127)) << "more stretches than bytes";
  EXPECT_TRUE(refuses(4, 1)) << "a shift without a model";
  EXPECT_TRUE(refuses(3, 2)) << "a flag of no meaning";
  EXPECT_TRUE(refuses(3, 0)) << "a filter that no flag tells";
  EXPECT_TRUE(refuses(1, 1)) << "a reserved byte";
  EXPECT_FALSE(LearnedFilter().MayContain(1, 1));
}

}  // namespace
}  // namespace seerdb
