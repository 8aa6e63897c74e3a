#include "learned/binary_fuse_filter.h"

#include <gtest/gtest.h>

#include <cmath>
#include <string>
#include <vector>

#include "base/random.h"
#include "learned/binary_fuse_builder.h"

namespace seerdb {
namespace {

constexpr size_t kTail = BinaryFuseFilter::kTailBytes;

std::vector<uint64_t> Hashes(size_t count, uint64_t seed) {
  Random random(seed);
  std::vector<uint64_t> hashes;
  for (size_t i = 0; i < count; ++i) hashes.push_back(random.Next());
  return hashes;
}

// How many of `probes` other hashes pass. Every one of `hashes` must.
uint64_t Passed(const std::vector<uint64_t>& hashes, const std::string& bytes, uint64_t probes) {
  const Result<BinaryFuseFilter> filter = BinaryFuseFilter::Decode(bytes);
  EXPECT_TRUE(filter.ok()) << filter.status().ToString();
  if (!filter.ok()) return 0;
  for (const uint64_t hash : hashes) {
    if (!filter->MayContain(hash)) {
      ADD_FAILURE() << hash << " of " << hashes.size() << " is denied";
      break;
    }
  }
  Random random(991);
  uint64_t passed = 0;
  for (uint64_t i = 0; i < probes; ++i) passed += filter->MayContain(random.Next()) ? 1 : 0;
  return passed;
}

TEST(BinaryFuseFilterTest, FingerprintsOfAnyLengthPassOneInTwoToThatMany) {
  const std::vector<uint64_t> hashes = Hashes(30'000, 1);
  for (const uint32_t arity : {3u, 4u}) {
    for (uint32_t bits = 1; bits <= BinaryFuseFilter::kMaxFingerprintBits; ++bits) {
      const std::string bytes = *BuildBinaryFuse(hashes, {bits, arity});
      constexpr uint64_t kProbes = 20'000;
      const double expected = kProbes * std::pow(0.5, bits);
      const auto passed = static_cast<double>(Passed(hashes, bytes, kProbes));
      EXPECT_LE(passed, expected + 5 * std::sqrt(expected) + 3) << bits << " bits, " << arity << " places";
      EXPECT_GE(passed, expected - 5 * std::sqrt(expected) - 3) << bits << " bits, " << arity << " places";
    }
  }
}

TEST(BinaryFuseFilterTest, EveryNumberOfKeysAndSomeNeedAnotherSeed) {
  uint64_t first_seed = 0;
  int other_seeds = 0;
  for (const uint32_t arity : {3u, 4u}) {
    for (size_t count = 1; count < 1500; count += count < 300 ? 1 : 37) {
      const std::vector<uint64_t> hashes = Hashes(count, count);
      const std::string bytes = *BuildBinaryFuse(hashes, {8, arity});
      Passed(hashes, bytes, 0);
      const uint64_t seed = BinaryFuseFilter::Decode(bytes)->shape().seed;
      if (first_seed == 0) first_seed = seed;
      other_seeds += seed != first_seed ? 1 : 0;
    }
  }
  EXPECT_GT(other_seeds, 0);
}

TEST(BinaryFuseFilterTest, TakesWhatThePaperSays) {
  const std::vector<uint64_t> hashes = Hashes(1'000'000, 2);
  for (const auto& [arity, most] : {std::pair{3u, 1.14}, std::pair{4u, 1.09}}) {
    const std::string bytes = *BuildBinaryFuse(hashes, {8, arity});
    const double places = static_cast<double>(bytes.size() - kTail) / static_cast<double>(hashes.size());
    EXPECT_LT(places, most) << arity;
    EXPECT_LT(Passed(hashes, bytes, 100'000), 600u) << arity;
  }
}

TEST(BinaryFuseFilterTest, HashesThatComeMoreThanOnceCountOnce) {
  std::vector<uint64_t> hashes = Hashes(5000, 3);
  const std::string once = *BuildBinaryFuse(hashes, {8, 3});
  hashes.insert(hashes.end(), hashes.begin(), hashes.end());
  hashes.insert(hashes.end(), 300, hashes.front());
  const std::string more = *BuildBinaryFuse(hashes, {8, 3});
  EXPECT_EQ(more.size(), once.size());
  Passed(hashes, more, 0);
  const std::vector<uint64_t> same(1000, 42);
  Passed(same, *BuildBinaryFuse(same, {8, 4}), 0);
  Passed({0, UINT64_MAX, 1}, *BuildBinaryFuse(std::vector<uint64_t>{0, UINT64_MAX, 1}, {8, 4}), 0);
}

TEST(BinaryFuseFilterTest, HashesInARowAreBuiltToo) {
  std::vector<uint64_t> hashes;
  for (uint64_t i = 0; i < 50'000; ++i) hashes.push_back(i);
  EXPECT_LT(Passed(hashes, *BuildBinaryFuse(hashes, {8, 3}), 20'000), 160u);
}

TEST(BinaryFuseFilterTest, NoKeysPassNothing) {
  const std::string bytes = *BuildBinaryFuse({}, {8, 3});
  EXPECT_EQ(bytes.size(), kTail);
  EXPECT_EQ(Passed({}, bytes, 1000), 0u);
  EXPECT_FALSE(BinaryFuseFilter().MayContain(1));
}

TEST(BinaryFuseFilterTest, RefusesOptionsOutOfRange) {
  const std::vector<uint64_t> hashes = Hashes(10, 4);
  for (const FuseOptions& options :
       {FuseOptions{0, 3}, FuseOptions{33, 3}, FuseOptions{8, 2}, FuseOptions{8, 5}}) {
    EXPECT_TRUE(BuildBinaryFuse(hashes, options).status().IsInvalidArgument());
  }
}

TEST(BinaryFuseFilterTest, FingerprintsAreAsLongAsTheBitsAllow) {
  for (const size_t count : {1u, 100u, 10'000u, 1'000'000u}) {
    for (const uint32_t bits : {2u, 8u, 12u, 16u}) {
      const FuseOptions options = FuseOptionsFor(count, bits, 3);
      const auto bits_of = [&](uint32_t fingerprint_bits) {
        const std::string bytes = *BuildBinaryFuse(Hashes(count, 5), {fingerprint_bits, 3});
        return static_cast<double>(bytes.size() - kTail) * 8 / static_cast<double>(count);
      };
      // Of few keys an array takes more than that, whatever it holds.
      if (count < 1000 || (count > 100'000 && bits != 12)) continue;
      EXPECT_LE(bits_of(options.fingerprint_bits), bits + 0.02);
      EXPECT_GT(bits_of(options.fingerprint_bits + 1), bits);
    }
  }
  EXPECT_EQ(FuseOptionsFor(1'000'000, 1000, 3).fingerprint_bits, BinaryFuseFilter::kMaxFingerprintBits);
  EXPECT_EQ(FuseOptionsFor(0, 10, 3).fingerprint_bits, 1u);
}

TEST(BinaryFuseFilterTest, DecodeRefusesWhatDoesNotFit) {
  const std::string bytes = *BuildBinaryFuse(Hashes(100, 6), {8, 3});
  ASSERT_TRUE(BinaryFuseFilter::Decode(bytes).ok());
  for (size_t n = 0; n < kTail; ++n) {
    EXPECT_TRUE(BinaryFuseFilter::Decode(Slice(bytes).substr(0, n)).status().IsCorruption()) << n;
  }
  EXPECT_TRUE(BinaryFuseFilter::Decode(Slice(bytes).substr(1)).status().IsCorruption());
  // From the end: reserved, fingerprint, places, segment, segments.
  const std::pair<size_t, int> kBad[] = {{1, 1}, {2, 0}, {2, 33}, {2, 9},   {3, 2}, {3, 5},
                                         {3, 4}, {4, 9}, {4, 19}, {5, 255}, {8, 0}, {8, 255}};
  for (const auto& [from_end, byte] : kBad) {
    std::string bad = bytes;
    bad[bad.size() - from_end] = static_cast<char>(byte);
    EXPECT_TRUE(BinaryFuseFilter::Decode(bad).status().IsCorruption()) << from_end << ": " << byte;
  }
}

}  // namespace
}  // namespace seerdb
