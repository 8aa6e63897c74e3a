#include "format/internal_key.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "base/random.h"

namespace seerdb {
namespace {

TEST(InternalKey, TrailerRoundTrip) {
  for (const SequenceNumber sequence : {SequenceNumber{0}, SequenceNumber{1}, kMaxSequence}) {
    for (uint8_t type = 0; type <= kMaxValueType; ++type) {
      const uint64_t trailer = PackTrailer(sequence, static_cast<ValueType>(type));
      EXPECT_EQ(TrailerSequence(trailer), sequence);
      EXPECT_EQ(TrailerType(trailer), static_cast<ValueType>(type));
      // A read at a sequence meets its versions, and none newer.
      EXPECT_LE(CompareInternal("k", SeekTrailer(sequence), "k", trailer), 0);
      if (sequence < kMaxSequence) {
        EXPECT_GT(CompareInternal("k", SeekTrailer(sequence), "k",
                                  PackTrailer(sequence + 1, static_cast<ValueType>(type))),
                  0);
      }
      EXPECT_LE(CompareInternal("k", kFirstTrailer, "k", trailer), 0);
      EXPECT_GE(CompareInternal("k", kLastTrailer, "k", trailer), 0);
    }
  }
}

// Keys that are prefixes of one another, and bytes above 127: listed in their order.
TEST(InternalKey, OrderOfAwkwardKeys) {
  using Entry = std::pair<std::string, uint64_t>;
  std::vector<Entry> sorted;
  for (const std::string& key :
       {std::string(), std::string(1, '\0'), std::string(2, '\0'), std::string("\0a", 2), std::string("a"),
        std::string("a\0", 2), std::string("a\0\xff", 3), std::string("aa"), std::string("a\x7f"),
        std::string("a\x80"), std::string("a\xff"), std::string("a\xff\xff"), std::string("b"),
        std::string("\x7f"), std::string("\x80"), std::string("\xff"), std::string("\xff\0", 2),
        std::string("\xff\xff")}) {
    sorted.emplace_back(key, PackTrailer(kMaxSequence, ValueType::kValue));
    sorted.emplace_back(key, PackTrailer(256, ValueType::kValue));
    sorted.emplace_back(key, PackTrailer(255, ValueType::kMerge));
    sorted.emplace_back(key, PackTrailer(255, ValueType::kDeletion));
    sorted.emplace_back(key, PackTrailer(1, ValueType::kValue));
  }
  for (size_t i = 0; i < sorted.size(); ++i) {
    for (size_t j = 0; j < sorted.size(); ++j) {
      const int order = CompareInternal(sorted[i].first, sorted[i].second, sorted[j].first, sorted[j].second);
      ASSERT_EQ(order < 0, i < j) << i << " " << j;
      ASSERT_EQ(order == 0, i == j) << i << " " << j;
    }
  }
  std::vector<Entry> shuffled = sorted;
  Random random(3);
  for (size_t i = shuffled.size(); i > 1; --i) std::swap(shuffled[i - 1], shuffled[random.Uniform(i)]);
  std::sort(shuffled.begin(), shuffled.end(), [](const Entry& a, const Entry& b) {
    return CompareInternal(a.first, a.second, b.first, b.second) < 0;
  });
  EXPECT_EQ(shuffled, sorted);
}

}  // namespace
}  // namespace seerdb
