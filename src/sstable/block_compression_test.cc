#include "sstable/block_compression.h"

#include <gtest/gtest.h>

#include <string>

#include "base/coding.h"
#include "base/random.h"

namespace seerdb {
namespace {

class BlockCompressionTest : public testing::TestWithParam<CompressionType> {};

TEST_P(BlockCompressionTest, RoundTripsWhatShrinksAndDeclinesTheRest) {
  BlockCompressor compressor(GetParam());
  Random random(1);
  for (const size_t n : {0u, 1u, 5u, 100u, 4096u, 1u << 20}) {
    const std::string even(n, 'x');
    std::string noise(n, '\0');
    for (char& c : noise) c = static_cast<char>(random.Next());
    std::string stored;
    EXPECT_FALSE(compressor.Compress(noise, &stored)) << n;
    if (n < 100) continue;
    ASSERT_TRUE(compressor.Compress(even, &stored)) << n;
    EXPECT_LT(stored.size(), n);
    BlockBuffer raw;
    ASSERT_EQ(UncompressBlock(GetParam(), stored, &raw), nullptr);
    EXPECT_TRUE(raw.bytes() == even);
  }
}

TEST_P(BlockCompressionTest, FalseSizesGetNoMemory) {
  BlockCompressor compressor(GetParam());
  std::string stored;
  ASSERT_TRUE(compressor.Compress(std::string(4096, 'x'), &stored));
  for (const uint32_t claim : {0u, 1u, 4095u, 4097u, 1u << 30, UINT32_MAX}) {
    std::string bad = stored;
    StoreU32(bad.data(), claim);
    BlockBuffer raw;
    EXPECT_NE(UncompressBlock(GetParam(), bad, &raw), nullptr) << claim;
    EXPECT_LT(raw.held_bytes(), 100'000u) << claim;
  }
}

TEST_P(BlockCompressionTest, DamagedStreamsAreRefusedOrDecodeInBounds) {
  BlockCompressor compressor(GetParam());
  Random random(2);
  std::string raw;
  for (int i = 0; i < 300; ++i) raw += "entry " + std::to_string(random.Uniform(50));
  std::string stored;
  ASSERT_TRUE(compressor.Compress(raw, &stored));
  for (size_t n = 0; n < stored.size(); ++n) {
    BlockBuffer out;
    EXPECT_NE(UncompressBlock(GetParam(), Slice(stored).substr(0, n), &out), nullptr) << n;
    std::string bad = stored;
    bad[n] = static_cast<char>(bad[n] ^ (1 + random.Uniform(255)));
    if (UncompressBlock(GetParam(), bad, &out) == nullptr) {
      EXPECT_EQ(out.bytes().size(), LoadU32(bad.data()));
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Codecs, BlockCompressionTest,
                         testing::Values(CompressionType::kLz4, CompressionType::kZstd));

// Size before the frame and in it agree, and its one block gives less: 1000 times one byte.
TEST(ZstdFrameTest, SizeThatItsBlocksCannotGiveGetsNoMemory) {
  constexpr uint32_t kClaim = 16 << 20;
  std::string stored;
  AppendU32(&stored, kClaim);
  AppendU32(&stored, 0xfd2fb528);
  stored.push_back('\xa0');  // one segment, a content size of 4 bytes
  AppendU32(&stored, kClaim);
  const uint32_t block = 1 | 1 << 1 | 1000 << 3;
  for (int i = 0; i < 3; ++i) stored.push_back(static_cast<char>(block >> (8 * i)));
  stored.append(300, 'x');
  BlockBuffer raw;
  EXPECT_NE(UncompressBlock(CompressionType::kZstd, stored, &raw), nullptr);
  EXPECT_LT(raw.held_bytes(), 100'000u);
}

TEST(BlockCompressionTypeTest, UnknownTypesAreRefused) {
  BlockBuffer raw;
  EXPECT_NE(UncompressBlock(CompressionType::kNone, std::string(100, '\xff'), &raw), nullptr);
  EXPECT_NE(UncompressBlock(static_cast<CompressionType>(3), std::string(100, '\xff'), &raw), nullptr);
}

}  // namespace
}  // namespace seerdb
