// Prefixes in filters: none of a table's is denied, and most others are.
#include "sstable/prefix_filter.h"

#include <gtest/gtest.h>

#include <cstdio>
#include <string>

#include "base/random.h"
#include "sstable/test_table.h"

namespace seerdb {
namespace {

std::string Key(uint32_t keyspace, const std::string& user_key) {
  std::string key;
  AppendKeyspacePrefix(&key, keyspace);
  return key + user_key;
}

// Few bytes, so that prefixes are shared, with the greatest and the least among them.
std::string RandomUserKey(Random* random) {
  std::string key;
  for (uint64_t bytes = random->Uniform(12); key.size() < bytes;)
    key.push_back("\0a\xff"[random->Uniform(3)]);
  return key;
}

TEST(PrefixFilter, CutsBehindTheKeyspaceAndKnowsNoShorterKeys) {
  for (const uint32_t keyspace : {0u, 127u, 128u, 16'511u, 16'512u, 4'000'000'000u}) {
    EXPECT_EQ(FilterPrefix(Key(keyspace, "abcd"), 3), Key(keyspace, "abc"));
    EXPECT_EQ(FilterPrefix(Key(keyspace, "abc"), 3), Key(keyspace, "abc"));
    EXPECT_TRUE(FilterPrefix(Key(keyspace, "ab"), 3).empty());
  }
  EXPECT_TRUE(FilterPrefix("", 3).empty());
  EXPECT_TRUE(FilterPrefix("\x80", 0).empty()) << "half the name of a keyspace";
}

TEST(PrefixFilter, NoPrefixOfATableIsDenied) {
  const uint64_t seed = SystemSeed();
  std::printf("seed %llu\n", static_cast<unsigned long long>(seed));
  Random random(seed);
  for (const uint32_t bytes : {1u, 3u, 8u, 255u}) {
    TestEntries entries;
    for (const uint32_t keyspace : {0u, 128u, 70'000u}) {
      for (int i = 0; i < 500; ++i) {
        entries[{Key(keyspace, RandomUserKey(&random)), PackTrailer(7, ValueType::kValue)}] = "v";
      }
      entries[{Key(keyspace, std::string(300, 'x')), PackTrailer(7, ValueType::kDeletion)}] = "";
    }
    TableBuilderOptions options;
    options.prefix_filter_bytes = bytes;
    options.block_bytes = 256;
    TestTable table;
    ASSERT_TRUE(table.Build(entries, options).ok());
    const auto reader = table.Open(TableAccess::kMapped);
    ASSERT_TRUE(reader.ok());
    EXPECT_EQ((*reader)->properties().prefix_filter_bytes, bytes);
    for (const auto& [key, value] : entries) {
      for (size_t n = 1; n <= key.first.size(); ++n) {
        ASSERT_TRUE((*reader)->MayHavePrefix(Slice(key.first).substr(0, n)));
      }
    }
    VerifyResult verified;
    EXPECT_TRUE((*reader)->Verify(&verified).ok());
  }
}

TEST(PrefixFilter, MostOtherPrefixesAreDenied) {
  TestEntries entries;
  for (int i = 0; i < 1000; ++i) {
    entries[{Key(0, std::to_string(10'000 + i) + "/one"), PackTrailer(1, ValueType::kValue)}] = "";
    entries[{Key(0, std::to_string(10'000 + i) + "/two"), PackTrailer(1, ValueType::kValue)}] = "";
  }
  TableBuilderOptions options;
  options.prefix_filter_bytes = 5;
  TestTable table;
  ASSERT_TRUE(table.Build(entries, options).ok());
  const auto reader = table.Open(TableAccess::kMapped);
  ASSERT_TRUE(reader.ok());
  int passed = 0;
  for (int i = 0; i < 1000; ++i) {
    const std::string absent = std::to_string(20'000 + i);
    passed += (*reader)->MayHavePrefix(Key(0, absent + "/t"));
    EXPECT_TRUE((*reader)->MayHavePrefix(Key(0, absent.substr(0, 4))))
        << "the filter does not know so short ones";
  }
  EXPECT_LT(passed, 50);
}

TEST(PrefixFilter, TablesWithoutOnePassAll) {
  TestEntries entries;
  entries[{Key(0, "abcdef"), PackTrailer(1, ValueType::kValue)}] = "";
  for (const uint32_t bloom_bits : {0u, 11u}) {
    TableBuilderOptions options;
    options.bloom_bits_per_key = bloom_bits;
    options.prefix_filter_bytes = bloom_bits == 0 ? 2 : 0;
    TestTable table;
    ASSERT_TRUE(table.Build(entries, options).ok());
    const auto reader = table.Open(TableAccess::kMapped);
    ASSERT_TRUE(reader.ok());
    EXPECT_TRUE((*reader)->MayHavePrefix(Key(0, "xyz")));
  }
}

}  // namespace
}  // namespace seerdb
