#include "memtable/key_splitters.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "base/random.h"

namespace seerdb {
namespace {

std::string Number(uint64_t value) {
  std::string digits = std::to_string(value);
  return std::string(12 - digits.size(), '0') + digits;
}

// Borrows the sample.
KeySplitters SplitterOf(const std::vector<std::string>& sample, size_t parts) {
  Slice shared = sample.front();
  for (const std::string& key : sample) shared = shared.substr(0, CommonPrefixBytes(shared, key));
  std::vector<uint64_t> windows;
  for (const std::string& key : sample) windows.push_back(LoadWindow(key, shared.size()));
  return {shared, windows, parts};
}

TEST(KeySplittersTest, PartsAscendWithKeysAndHaveAboutAsManyEach) {
  Random random(3);
  const auto make = [&random] { return "key/" + Number(random.Uniform(100'000'000)); };
  std::vector<std::string> sample(10'000);
  for (std::string& key : sample) key = make();
  const KeySplitters splitters = SplitterOf(sample, 64);
  ASSERT_EQ(splitters.parts(), 64u);

  std::vector<std::string> keys(100'000);
  for (std::string& key : keys) key = make();
  std::sort(keys.begin(), keys.end());
  std::vector<size_t> counts(64);
  size_t last = 0;
  for (const std::string& key : keys) {
    const size_t part = splitters.PartOf(key);
    ASSERT_GE(part, last) << key;
    last = part;
    ++counts[part];
  }
  for (const size_t count : counts) {
    EXPECT_GT(count, 100'000u / 64 / 2);
    EXPECT_LT(count, 100'000u / 64 * 2);
  }
}

TEST(KeySplittersTest, KeysUnlikeTheSampleHavePartsInTheirOrder) {
  const std::vector<std::string> sample{"m/aaaa", "m/bbbb", "m/cccc", "m/dddd"};
  const KeySplitters splitters = SplitterOf(sample, 4);
  ASSERT_EQ(splitters.parts(), 4u);
  size_t last = 0;
  for (const char* key :
       {"", "a", "m", "m/", "m/aaaa", "m/b", "m/bbbb", "m/bbbb0", "m/cccc", "m/x", "n", "zz"}) {
    EXPECT_GE(splitters.PartOf(key), last) << key;
    last = splitters.PartOf(key);
    EXPECT_LT(last, 4u);
  }
  EXPECT_EQ(splitters.PartOf("m"), 0u);
  EXPECT_EQ(splitters.PartOf("m/bbbb"), 1u);
  EXPECT_EQ(splitters.PartOf("n"), 3u);
}

TEST(KeySplittersTest, WhatASampleCannotTellApartIsOnePart) {
  EXPECT_EQ(KeySplitters().parts(), 1u);
  EXPECT_EQ(KeySplitters().PartOf("any"), 0u);
  EXPECT_EQ(SplitterOf({"same", "same", "same"}, 8).parts(), 1u);
  EXPECT_EQ(SplitterOf({"a", "b", "b", "b", "b", "b", "b", "b"}, 8).parts(), 2u);
  EXPECT_EQ(KeySplitters("", {}, 8).parts(), 1u);
  EXPECT_EQ(KeySplitters("", {5, 1, 9}, 1).parts(), 1u);
}

}  // namespace
}  // namespace seerdb
