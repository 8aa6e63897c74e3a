#include "base/key_window.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "base/random.h"

namespace seerdb {
namespace {

TEST(KeyWindow, TakesEightBytesAndPadsWithZeros) {
  const struct {
    Slice key;
    size_t offset;
    uint64_t window;
  } kCases[] = {
      {"", 0, 0},
      {"a", 0, 0x6100000000000000},
      {"a", 1, 0},
      {"abcdefg", 0, 0x6162636465666700},
      {"abcdefg", 5, 0x6667000000000000},
      {"abcdefgh", 0, 0x6162636465666768},
      {"abcdefgh", 1, 0x6263646566676800},
      {"abcdefghi", 1, 0x6263646566676869},
      {"abcdefghi", 8, 0x6900000000000000},
      {"abcdefghi", 9, 0},
      {Slice("\xff\0\xff", 3), 0, 0xff00ff0000000000},
  };
  for (const auto& c : kCases) EXPECT_EQ(LoadWindow(c.key, c.offset), c.window) << c.key << " " << c.offset;
}

// Short keys of few bytes, so that prefixes, equal windows and the bytes 0 and 255 all occur.
TEST(KeyWindow, DifferentWindowsOrderKeys) {
  const uint64_t seed = SystemSeed();
  SCOPED_TRACE("seed " + std::to_string(seed));
  Random random(seed);
  const char bytes[] = {'\0', '\1', 'a', '\xff'};
  std::vector<std::string> keys;
  for (int i = 0; i < 300; ++i) {
    std::string key(random.Uniform(20), '\0');
    for (char& c : key) c = bytes[random.OneIn(3) ? random.Uniform(4) : 0];
    keys.push_back(key);
  }
  for (const std::string& a : keys) {
    for (const std::string& b : keys) {
      size_t shared = 0;
      while (shared < a.size() && shared < b.size() && a[shared] == b[shared]) ++shared;
      ASSERT_EQ(CommonPrefixBytes(a, b), shared);
      for (size_t offset = 0; offset <= shared; ++offset) {
        const uint64_t x = LoadWindow(a, offset);
        const uint64_t y = LoadWindow(b, offset);
        ASSERT_TRUE(x == y || (x < y) == (a < b)) << offset;
      }
    }
  }
}

TEST(BeginsWith, AsComparisonSays) {
  const std::string text = "0123456789abcdefghijklmnopqrstuvwxyz";
  for (size_t bytes = 0; bytes <= text.size(); ++bytes) {
    const Slice prefix = Slice(text).substr(0, bytes);
    EXPECT_TRUE(BeginsWith(text, prefix)) << bytes;
    EXPECT_TRUE(BeginsWith(prefix, prefix)) << bytes;
    EXPECT_FALSE(BeginsWith(prefix, text + "+")) << bytes;
    for (size_t i = 0; i < bytes; ++i) {
      std::string other = text;
      other[i] = '-';
      EXPECT_FALSE(BeginsWith(other, prefix)) << bytes << " " << i;
    }
  }
}

TEST(SameBytes, AsComparisonSays) {
  for (size_t bytes = 0; bytes < 40; ++bytes) {
    const std::string text(bytes, 'x');
    EXPECT_TRUE(SameBytes(text, std::string(text))) << bytes;
    EXPECT_FALSE(SameBytes(text, text + "x")) << bytes;
    for (size_t i = 0; i < bytes; ++i) {
      std::string other = text;
      other[i] = 'y';
      EXPECT_FALSE(SameBytes(text, other)) << bytes << " " << i;
    }
  }
}

}  // namespace
}  // namespace seerdb
