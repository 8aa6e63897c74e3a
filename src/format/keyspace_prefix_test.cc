#include "format/keyspace_prefix.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "base/random.h"

namespace seerdb {
namespace {

std::string Prefix(uint32_t keyspace) {
  std::string out;
  AppendKeyspacePrefix(&out, keyspace);
  return out;
}

TEST(KeyspacePrefix, Bytes) {
  EXPECT_EQ(Prefix(0), std::string(1, '\0'));
  EXPECT_EQ(Prefix(127), "\x7f");
  EXPECT_EQ(Prefix(128), std::string("\x80\0", 2));
  EXPECT_EQ(Prefix(128 + 255), "\x80\xff");
  EXPECT_EQ(Prefix(16'511), "\xbf\xff");
  EXPECT_EQ(Prefix(16'512), std::string("\xc0\0\0\x40\x80", 5));
  EXPECT_EQ(Prefix(UINT32_MAX), "\xc0\xff\xff\xff\xff");
}

TEST(KeyspacePrefix, RoundTripAndOrder) {
  std::vector<uint32_t> keyspaces;
  for (uint32_t k = 0; k < 20'000; ++k) keyspaces.push_back(k);
  for (uint32_t k = 20'000; k < UINT32_MAX - 60'000'000; k += 54'321'987) keyspaces.push_back(k);
  keyspaces.push_back(UINT32_MAX);
  std::string previous;
  for (const uint32_t want : keyspaces) {
    const std::string prefix = Prefix(want);
    ASSERT_LE(prefix.size(), kMaxKeyspacePrefixBytes);
    // All keys of a smaller keyspace sort first.
    if (want > 0) {
      ASSERT_LT(previous + std::string(10, '\xff'), prefix) << want;
    }
    previous = prefix;
    uint32_t keyspace = 0;
    Slice user_key;
    const std::string engine_key = prefix + "user\0key";
    ASSERT_TRUE(ParseEngineKey(engine_key, &keyspace, &user_key));
    ASSERT_EQ(keyspace, want);
    ASSERT_EQ(user_key, "user\0key");
  }
}

TEST(KeyspacePrefix, MalformedPrefixes) {
  uint32_t keyspace = 0;
  Slice user_key;
  for (const std::string& bytes :
       {std::string(), std::string("\x80"), std::string("\xbf"), std::string("\xc0"),
        std::string("\xc0\0\1\0", 4), std::string("\xc1\1\1\1\1key"), std::string("\xff\1\1\1\1key"),
        // Ids that have a shorter form.
        std::string("\xc0\0\0\0\0", 5), std::string("\xc0\0\0\x40\x7f", 5)}) {
    EXPECT_FALSE(ParseEngineKey(bytes, &keyspace, &user_key)) << ::testing::PrintToString(bytes);
  }
}

}  // namespace
}  // namespace seerdb
