#include "sstable/tag_search.h"

#include <gtest/gtest.h>

#include <cstdio>
#include <string>

#include "base/random.h"

namespace seerdb {
namespace {

TEST(TagSearchTest, SixteenAtAStepFindWhatOneByOneFinds) {
  const uint64_t seed = SystemSeed();
  std::printf("seed %llu\n", static_cast<unsigned long long>(seed));
  Random random(seed);
  for (int round = 0; round < 20'000; ++round) {
    std::string tags(16 + random.Uniform(16), '\0');
    // Few values, so that many are equal; the sign bit among them.
    for (char& tag : tags) tag = static_cast<char>(random.Uniform(4) * 64 + random.Uniform(2));
    const auto wanted =
        static_cast<uint8_t>(random.OneIn(2) ? tags[3] : static_cast<char>(random.Uniform(256)));
    const char* const begin = tags.data() + (tags.size() - 16);
    uint32_t expected = 0;
    for (uint32_t i = 0; i < 16; ++i) {
      if (static_cast<uint8_t>(begin[i]) == wanted) expected |= uint32_t{1} << i;
    }
    ASSERT_EQ(MatchTags16(begin, wanted), expected);
    const size_t few = random.Uniform(16);
    ASSERT_EQ(MatchTagsFew(begin, few, wanted), expected & ((uint32_t{1} << few) - 1));
  }
}

}  // namespace
}  // namespace seerdb
