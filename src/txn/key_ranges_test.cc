#include "txn/key_ranges.h"

#include <gtest/gtest.h>

#include <bitset>
#include <string>

#include "base/random.h"

namespace seerdb {
namespace {

TEST(KeyRanges, JoinsWhatMeetsOrTouches) {
  KeyRanges ranges;
  ranges.Add("c", "e");
  ranges.Add("g", "i");
  EXPECT_EQ(ranges.size(), 2u);
  ranges.Add("e", "g");
  EXPECT_EQ(ranges.size(), 1u);
  ASSERT_NE(ranges.Find("f"), nullptr);
  EXPECT_EQ(ranges.Find("f")->first, "c");
  EXPECT_EQ(ranges.Find("f")->second, "i");
  EXPECT_EQ(ranges.Find("i"), nullptr);
  ranges.Add("x", "x");
  ranges.Add("z", "y");
  EXPECT_EQ(ranges.size(), 1u) << "empty ranges were added";
  ranges.Clear();
  EXPECT_TRUE(ranges.empty());
  EXPECT_EQ(ranges.bytes(), 0u);
}

TEST(KeyRanges, AgreesWithABitmap) {
  Random random(3);
  const auto key = [](uint64_t i) { return std::to_string(100 + i); };
  for (int round = 0; round < 50; ++round) {
    KeyRanges ranges;
    std::bitset<101> bits;
    for (int i = 0; i < 20; ++i) {
      const uint64_t begin = random.Uniform(100);
      const uint64_t end = std::min<uint64_t>(100, begin + random.Uniform(12));
      ranges.Add(key(begin), key(end));
      for (uint64_t k = begin; k < end; ++k) bits.set(k);
      for (uint64_t k = 0; k < 100; ++k) ASSERT_EQ(ranges.Find(key(k)) != nullptr, bits[k]);
      const uint64_t from = random.Uniform(100);
      const uint64_t to = std::min<uint64_t>(100, from + random.Uniform(10));
      bool meets = false;
      for (uint64_t k = from; k < to; ++k) meets |= bits[k];
      ASSERT_EQ(ranges.Meets(key(from), key(to)), meets);
    }
    size_t pieces = 0;
    for (uint64_t k = 0; k < 100; ++k) pieces += bits[k] && !bits[k + 1] ? 1 : 0;
    ASSERT_EQ(ranges.size(), pieces);
  }
}

}  // namespace
}  // namespace seerdb
