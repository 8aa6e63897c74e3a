#include "learned/bloom_filter.h"

#include <gtest/gtest.h>

#include <cstdio>
#include <string>

#include "base/hash.h"
#include "base/random.h"

namespace seerdb {
namespace {

uint64_t KeyHash(uint64_t n) { return Hash64(Slice(reinterpret_cast<const char*>(&n), sizeof n)); }

double FalsePositiveShare(uint64_t keys, uint32_t bits_per_key) {
  BloomFilterBuilder builder(bits_per_key);
  for (uint64_t i = 0; i < keys; ++i) builder.AddHash(KeyHash(i));
  const std::string bytes = builder.Finish();
  const Result<BloomFilter> filter = BloomFilter::Decode(bytes);
  EXPECT_TRUE(filter.ok());
  for (uint64_t i = 0; i < keys; ++i) {
    if (!filter->MayContain(KeyHash(i))) {
      ADD_FAILURE() << "key " << i << " of " << keys << " is missing";
      break;
    }
  }
  constexpr uint64_t kProbes = 200'000;
  uint64_t passed = 0;
  for (uint64_t i = 0; i < kProbes; ++i)
    passed += filter->MayContain(KeyHash(keys + 1'000'000'000 + i)) ? 1 : 0;
  return static_cast<double>(passed) / kProbes;
}

TEST(BloomFilterTest, DefaultBitsPassAtMostOneInAHundredAtAnySize) {
  for (const uint64_t keys : {1u, 2u, 10u, 46u, 47u, 93u, 500u, 10'000u, 1'000'000u, 10'000'000u}) {
    const double share = FalsePositiveShare(keys, 11);
    std::printf("%8llu keys, 11 bits: %.3f %% false positives\n", static_cast<unsigned long long>(keys),
                share * 100);
    EXPECT_LE(share, 0.01) << keys;
  }
}

TEST(BloomFilterTest, MoreBitsPassFewer) {
  double before = 1;
  for (const uint32_t bits : {1u, 2u, 4u, 8u, 11u, 14u, 20u, 32u}) {
    const double share = FalsePositiveShare(100'000, bits);
    std::printf("  100000 keys, %2u bits: %.4f %% false positives\n", bits, share * 100);
    EXPECT_LT(share, before) << bits;
    before = share;
  }
  EXPECT_LT(before, 0.0005);
}

TEST(BloomFilterTest, NoBitsOrNoKeysGiveNoFilter) {
  BloomFilterBuilder no_bits(0);
  no_bits.AddHash(1);
  EXPECT_TRUE(no_bits.Finish().empty());
  EXPECT_TRUE(BloomFilterBuilder(11).Finish().empty());
  EXPECT_TRUE(BloomFilter().MayContain(42));
}

TEST(BloomFilterTest, DecodeRefusesWhatDoesNotFit) {
  BloomFilterBuilder builder(11);
  for (uint64_t i = 0; i < 100; ++i) builder.AddHash(KeyHash(i));
  const std::string bytes = builder.Finish();
  ASSERT_TRUE(BloomFilter::Decode(bytes).ok());
  for (size_t n = 0; n < bytes.size(); ++n)
    EXPECT_FALSE(BloomFilter::Decode(Slice(bytes).substr(0, n)).ok()) << n;
  const size_t tail = bytes.size() - 16;
  for (const uint64_t lines : {uint64_t{0}, uint64_t{1}, uint64_t{1} << 58, UINT64_MAX}) {
    std::string bad = bytes;
    StoreU64(bad.data() + tail, lines);
    EXPECT_FALSE(BloomFilter::Decode(bad).ok()) << lines;
  }
  for (const uint32_t probes : {0u, 15u, 1000u}) {
    std::string bad = bytes;
    StoreU32(bad.data() + tail + 8, probes);
    EXPECT_FALSE(BloomFilter::Decode(bad).ok()) << probes;
  }
}

}  // namespace
}  // namespace seerdb
