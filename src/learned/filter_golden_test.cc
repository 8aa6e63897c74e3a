// Files filter_* of tests/golden/v1 are read for ever, and what is written today is the same bytes.
// SEERDB_REWRITE=1 writes them anew.
#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "base/hash.h"
#include "learned/binary_fuse_builder.h"
#include "learned/filter_test_keys.h"
#include "learned/key_filter.h"

namespace seerdb {
namespace {

void ExpectGolden(const std::string& name, FilterKind kind, const std::string& written,
                  const testing::FilterKeySet& set) {
  SCOPED_TRACE(name);
  const std::string path = std::string(SEERDB_SOURCE_DIR) + "/tests/golden/v1/" + name;
  if (std::getenv("SEERDB_REWRITE") != nullptr) std::ofstream(path, std::ios::binary) << written;
  std::ifstream in(path, std::ios::binary);
  const std::string golden{std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
  ASSERT_FALSE(golden.empty()) << path;
  EXPECT_TRUE(golden == written) << "the bytes of the filter have changed";
  const auto filter = OpenFilter(kind, golden);
  ASSERT_TRUE(filter.ok()) << filter.status().ToString();
  for (const std::string& key : set.keys()) {
    EXPECT_TRUE((*filter)->MayContain(FilterProbe::Of(key, set.projection()))) << key;
  }
  size_t passed = 0;
  for (const std::string& key : set.absent()) {
    passed += (*filter)->MayContain(FilterProbe::Of(key, set.projection())) ? 1 : 0;
  }
  EXPECT_LT(passed, set.absent().size() / 20);
}

TEST(FilterGolden, EachKindWritesTheSameBytesForEver) {
  // No model, and a step, full stretches, empty ones, and keys behind them.
  const auto scattered = testing::MakeKeySet(
      "scattered", 40, [](uint64_t i) { return testing::BigEndian((i + 1) * 0x5851f42d4c957f2d); },
      [](uint64_t i) { return testing::BigEndian((i + 100) * 0x5851f42d4c957f2d); });
  const auto runs = testing::MakeKeySet(
      "runs", 400,
      [](uint64_t i) {
        return testing::Digits(i % 50 == 49 ? 7'000'000 + i * i / 11 * 2 : i / 100 * 1'000'000 + i * 2, 16);
      },
      [](uint64_t i) { return testing::Digits(2'000'003 + i * 37, 16); });
  const auto build = [](FilterKind kind, const testing::FilterKeySet& set) {
    return *BuildFilter(kind, set.input(), 10);
  };
  ExpectGolden("filter_blocked_bloom", FilterKind::kBlockedBloom, build(FilterKind::kBlockedBloom, scattered),
               scattered);
  ExpectGolden("filter_bit_packed_bloom", FilterKind::kBitPackedBloom,
               build(FilterKind::kBitPackedBloom, scattered), scattered);
  for (const uint32_t arity : {3u, 4u}) {
    ExpectGolden("filter_binary_fuse_" + std::to_string(arity), FilterKind::kBinaryFuse,
                 *BuildBinaryFuse(scattered.input().hashes, {arity == 3 ? 8u : 13u, arity}), scattered);
  }
  ExpectGolden("filter_learned_none", FilterKind::kLearned, build(FilterKind::kLearned, scattered),
               scattered);
  ExpectGolden("filter_learned", FilterKind::kLearned, build(FilterKind::kLearned, runs), runs);
}

}  // namespace
}  // namespace seerdb
