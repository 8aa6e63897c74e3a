#include "learned/prefix_key_filter.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "learned/filter_test_keys.h"

namespace seerdb {
namespace {

// The first `bytes` bytes; none of shorter keys.
Slice PrefixOf(Slice key, size_t bytes) { return key.size() < bytes ? Slice() : key.substr(0, bytes); }

std::string BuildPrefixes(FilterKind kind, const std::vector<std::string>& keys, size_t bytes,
                          size_t* count) {
  PrefixKeyFilterBuilder builder(kind, 10, KeyProjection());
  for (const std::string& key : keys) builder.Add(PrefixOf(key, bytes));
  *count = builder.prefixes();
  const Result<std::string> encoded = builder.Finish();
  EXPECT_TRUE(encoded.ok()) << encoded.status().ToString();
  return *encoded;
}

TEST(PrefixKeyFilterTest, KnowsThePrefixesOfAllKeysAndFewOthers) {
  Random random(21);
  std::vector<std::string> keys = {"", "a", "/us"};
  for (int i = 0; i < 20'000; ++i) {
    keys.push_back("user" + testing::Digits(random.Uniform(5000) * 2, 4) + "/" +
                   testing::RandomPath(&random));
  }
  std::sort(keys.begin(), keys.end());
  for (const FilterKind kind : kFilterKinds) {
    SCOPED_TRACE(static_cast<int>(kind));
    size_t prefixes = 0;
    const std::string encoded = BuildPrefixes(kind, keys, 8, &prefixes);
    EXPECT_GT(prefixes, 4000u);
    EXPECT_LE(prefixes, 5000u);
    const auto filter = PrefixKeyFilter::Open(kind, encoded, KeyProjection());
    ASSERT_TRUE(filter.ok()) << filter.status().ToString();
    EXPECT_EQ(filter->filter().kind(), kind);
    for (const std::string& key : keys) ASSERT_TRUE(filter->MayContain(PrefixOf(key, 8))) << key;
    int passed = 0;
    for (int i = 0; i < 4000; ++i) {
      passed += filter->MayContain("user" + testing::Digits(static_cast<uint64_t>(i) * 2 + 1, 4)) ? 1 : 0;
    }
    EXPECT_LT(passed, 120);
  }
}

// Two prefixes with equal windows, of which the model must not take one for the other.
TEST(PrefixKeyFilterTest, PrefixesLongerThanWindowsAreToldByTheirHashes) {
  std::vector<std::string> keys;
  for (int i = 0; i < 3000; ++i) keys.push_back(testing::Digits(static_cast<uint64_t>(i), 8) + "-yes");
  size_t prefixes = 0;
  const std::string encoded = BuildPrefixes(FilterKind::kLearned, keys, 12, &prefixes);
  EXPECT_EQ(prefixes, keys.size());
  const auto filter = PrefixKeyFilter::Open(FilterKind::kLearned, encoded, KeyProjection());
  ASSERT_TRUE(filter.ok());
  int passed = 0;
  for (const std::string& key : keys) {
    ASSERT_TRUE(filter->MayContain(key));
    passed += filter->MayContain(key.substr(0, 8) + "--no") ? 1 : 0;
  }
  EXPECT_LT(passed, 90);
}

TEST(PrefixKeyFilterTest, APrefixIsNotAKeyWithTheSameBytes) {
  EXPECT_NE(PrefixHash("prefix"), Hash64("prefix"));
  const auto filter = PrefixKeyFilter::Open(FilterKind::kBinaryFuse, "", KeyProjection());
  EXPECT_TRUE(filter.status().IsCorruption());
}

}  // namespace
}  // namespace seerdb
