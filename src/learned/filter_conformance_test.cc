// What every kind of filter promises, whatever the keys: no key is denied, few others pass, and bytes that no
// filter was encoded to do no harm.
#include <gtest/gtest.h>

#include <cmath>
#include <string>
#include <vector>

#include "learned/binary_fuse_filter.h"
#include "learned/bit_packed_bloom_filter.h"
#include "learned/bloom_filter.h"
#include "learned/filter_test_keys.h"
#include "learned/key_filter.h"

namespace seerdb {
namespace {

using testing::FilterKeySet;

const char* NameOf(FilterKind kind) {
  switch (kind) {
    case FilterKind::kBlockedBloom:
      return "BlockedBloom";
    case FilterKind::kBitPackedBloom:
      return "BitPackedBloom";
    case FilterKind::kBinaryFuse:
      return "BinaryFuse";
    case FilterKind::kLearned:
      return "Learned";
  }
  return "?";
}

double BlockedBloomRate(double bits, double probes) {
  // Putze, Sanders, Singler, 2007: lines are filters of their own, with a Poisson number of keys.
  double rate = 0;
  double share = std::exp(-512 / bits);
  for (int keys = 0; keys < 2000; ++keys) {
    rate += share * std::pow(1 - std::pow(1 - 1 / 512.0, keys * probes), probes);
    share *= 512 / bits / (keys + 1);
  }
  return rate;
}

double BitPackedBloomRate(Slice bytes, double keys) {
  if (keys == 0) return 0;
  const double probes = BitPackedBloomFilter::Decode(bytes)->probes();
  const double array_bits = static_cast<double>(bytes.size()) * 8 - 128;
  // Steps near a simple fraction of the array take few different bits; it shows in the smallest arrays.
  return std::pow(1 - std::exp(-probes * keys / array_bits), probes) + 0.15 / array_bits;
}

// The share of absent keys that pass, by theory.
double ExpectedRate(FilterKind kind, Slice bytes, double bits, double keys) {
  switch (kind) {
    case FilterKind::kBitPackedBloom:
      return BitPackedBloomRate(bytes, keys);
    case FilterKind::kBinaryFuse:
      return std::pow(0.5, BinaryFuseFilter::Decode(bytes)->shape().fingerprint_bits);
    default: {
      // The learned filter passes no more than what it is before.
      BloomFilterBuilder builder(static_cast<uint32_t>(bits));
      builder.AddHash(1);
      return BlockedBloomRate(bits, BloomFilter::Decode(builder.Finish())->probes());
    }
  }
}

class FilterConformance : public ::testing::TestWithParam<FilterKind> {
 protected:
  static const std::vector<FilterKeySet>& Sets() {
    static const std::vector<FilterKeySet> sets = testing::FilterKeySets();
    return sets;
  }
};

// Of `bits` a key: every key passes, and of the absent ones about as many as theory says.
void CheckAnswers(FilterKind kind, const FilterKeySet& set, uint32_t bits) {
  const Result<std::string> bytes = BuildFilter(kind, set.input(), bits);
  ASSERT_TRUE(bytes.ok()) << bytes.status().ToString();
  const Result<std::unique_ptr<KeyFilter>> filter = OpenFilter(kind, *bytes);
  ASSERT_TRUE(filter.ok()) << filter.status().ToString();
  ASSERT_EQ((*filter)->kind(), kind);
  ASSERT_GE((*filter)->memory_bytes(), bytes->size());
  ASSERT_LE((*filter)->memory_bytes(), bytes->size() * (kind == FilterKind::kLearned ? 2 : 1));
  const auto passes = [&](Slice key) {
    return (*filter)->MayContain(FilterProbe::Of(key, set.projection()));
  };
  for (const std::string& key : set.keys()) ASSERT_TRUE(passes(key)) << key;
  if (kind == FilterKind::kBlockedBloom && set.keys().empty()) return;  // which passes all
  double passed = 0;
  for (const std::string& key : set.absent()) passed += passes(key) ? 1 : 0;
  const auto probes = static_cast<double>(set.absent().size());
  const auto keys = static_cast<double>(set.input().hashes.size());
  const double expected = probes * ExpectedRate(kind, *bytes, bits, keys);
  EXPECT_LE(passed, 1.2 * expected + 4 * std::sqrt(expected) + 4) << "of " << probes;
}

// It takes the bits that it is given.
void CheckBits(FilterKind kind, const FilterKeySet& set, uint32_t bits) {
  if (set.keys().size() < 10'000) return;
  const auto keys = static_cast<double>(set.input().hashes.size());
  const double taken = static_cast<double>(BuildFilter(kind, set.input(), bits)->size()) * 8 / keys;
  // A model takes less than it is worth, which may be a little more than the filter behind it.
  EXPECT_LE(taken, bits + (kind == FilterKind::kLearned ? 0.5 : 0.2));
  // A model may save any number, and equal keys count once in a fuse filter.
  if (kind == FilterKind::kLearned || set.name() == "duplicates") return;
  // What a longer fingerprint would take is more than the bits allow.
  EXPECT_GE(taken, bits - 1.3);
}

TEST_P(FilterConformance, NoKeyIsDeniedAndFewOthersPass) {
  for (const FilterKeySet& set : Sets()) {
    for (const uint32_t bits : {1u, 8u, 10u, 16u}) {
      if (set.keys().size() > 100'000 && bits != 10) continue;
      SCOPED_TRACE(set.name() + ", " + std::to_string(bits) + " bits a key");
      CheckAnswers(GetParam(), set, bits);
      if (bits > 1) CheckBits(GetParam(), set, bits);
    }
  }
}

TEST_P(FilterConformance, AnswersFromBytesThatItDidNotWriteOrRefusesThem) {
  Random random(3);
  const FilterKeySet sets[] = {
      testing::MakeKeySet(
          "every third of some runs", 300,
          [](uint64_t i) { return testing::Digits(i / 50 * 90'000 + i * 3, 16); },
          [&](uint64_t) { return testing::Digits(random.Uniform(600'000), 16); }),
      testing::MakeKeySet(
          "uniform", 100, [&](uint64_t) { return testing::BigEndian(random.Next()); },
          [&](uint64_t) { return testing::BigEndian(random.Next()); })};
  size_t refused = 0;
  size_t opened = 0;
  const auto ask = [&](const FilterKeySet& set, const std::string& bytes) {
    // On the heap at its exact size, so that a read beyond it is noticed.
    const std::vector<char> exact(bytes.begin(), bytes.end());
    const auto filter = OpenFilter(GetParam(), Slice(exact.data(), exact.size()));
    if (!filter.ok()) {
      ASSERT_TRUE(filter.status().IsCorruption()) << filter.status().ToString();
      ++refused;
      return;
    }
    ++opened;
    for (size_t i = 0; i < 40; ++i) {
      (*filter)->MayContain(FilterProbe::Of(set.absent()[i], set.projection()));
      (*filter)->MayContain({random.Next(), random.Next()});
    }
    for (const uint64_t extreme : {uint64_t{0}, UINT64_MAX}) (*filter)->MayContain({extreme, extreme});
  };
  for (const FilterKeySet& set : sets) {
    const std::string bytes = *BuildFilter(GetParam(), set.input(), 10);
    for (size_t n = 0; n <= bytes.size(); ++n) ask(set, bytes.substr(0, n));
    for (size_t n = 0; n <= bytes.size(); ++n) ask(set, bytes.substr(n));
    for (size_t bit = 0; bit < bytes.size() * 8; ++bit) {
      std::string flipped = bytes;
      flipped[bit / 8] = static_cast<char>(flipped[bit / 8] ^ 1 << (bit % 8));
      ask(set, flipped);
    }
    for (int round = 0; round < 3000; ++round) {
      std::string garbled = bytes;
      for (uint64_t n = 1 + random.Uniform(4); n > 0; --n) {
        const size_t from_end = 1 + random.Uniform(random.OneIn(2) ? bytes.size() : 24);
        garbled[bytes.size() - from_end] = static_cast<char>(random.OneIn(3) ? 0xff : random.Next());
      }
      ask(set, garbled);
    }
  }
  EXPECT_GT(refused, 100u);
  EXPECT_GT(opened, 100u);
}

TEST_P(FilterConformance, RefusesToBuildWithoutBits) {
  EXPECT_TRUE(BuildFilter(GetParam(), {}, 0).status().IsInvalidArgument());
  const auto kind = static_cast<FilterKind>(99);
  EXPECT_TRUE(BuildFilter(kind, {}, 10).status().IsInvalidArgument());
  EXPECT_TRUE(OpenFilter(kind, "").status().IsInvalidArgument());
}

INSTANTIATE_TEST_SUITE_P(Kinds, FilterConformance, ::testing::ValuesIn(kFilterKinds),
                         [](const auto& tested) { return std::string(NameOf(tested.param)); });

}  // namespace
}  // namespace seerdb
