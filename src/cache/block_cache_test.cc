#include "cache/block_cache.h"

#include <gtest/gtest.h>

#include <string>
#include <thread>
#include <vector>

#include "base/random.h"

namespace seerdb {
namespace {

BlockCache::Block MakeBlock(size_t bytes, char c = 'b') {
  return std::make_shared<const std::string>(bytes, c);
}

TEST(BlockCacheTest, FindsWhatWasInsertedAndReplaces) {
  BlockCache cache(1 << 20, nullptr);
  EXPECT_EQ(cache.Find(1, 0), nullptr);
  cache.Insert(1, 0, MakeBlock(100, 'x'));
  ASSERT_NE(cache.Find(1, 0), nullptr);
  EXPECT_EQ((*cache.Find(1, 0))[0], 'x');
  EXPECT_EQ(cache.Find(1, 8), nullptr);
  EXPECT_EQ(cache.Find(2, 0), nullptr);
  cache.Insert(1, 0, MakeBlock(50, 'y'));
  EXPECT_EQ((*cache.Find(1, 0))[0], 'y');
  EXPECT_GE(cache.bytes(), 50u);
  EXPECT_LT(cache.bytes(), 50u + 1000);
}

TEST(BlockCacheTest, NeverHoldsMoreThanItsCapacity) {
  for (const uint64_t capacity : {uint64_t{0}, uint64_t{1000}, uint64_t{100'000}, uint64_t{1} << 20}) {
    BlockCache cache(capacity, nullptr);
    Random random(7);
    for (uint64_t i = 0; i < 20'000; ++i) {
      const uint64_t offset = random.Uniform(3000);
      if (random.OneIn(2))
        cache.Find(1, offset);
      else
        cache.Insert(1, offset, MakeBlock(random.Uniform(5000)));
      ASSERT_LE(cache.bytes(), capacity);
    }
    // All blocks were charged: nothing is left when they are gone.
    cache.EraseFile(1);
    EXPECT_EQ(cache.bytes(), 0u);
  }
}

TEST(BlockCacheTest, CapacityIsUsed) {
  BlockCache cache(4 << 20, nullptr);
  for (uint64_t i = 0; i < 10'000; ++i) cache.Insert(1, i * 4096, MakeBlock(4096));
  EXPECT_GT(cache.bytes(), uint64_t{4 << 20} * 9 / 10);
}

TEST(BlockCacheTest, BlocksUsedAgainSurviveAScan) {
  BlockCache cache(4 << 20, nullptr);
  const uint64_t hot = 200;
  for (uint64_t i = 0; i < hot; ++i) cache.Insert(1, i, MakeBlock(4096));
  for (int round = 0; round < 3; ++round) {
    for (uint64_t i = 0; i < hot; ++i) cache.Find(1, i);
  }
  for (uint64_t i = 0; i < 2000; ++i) cache.Insert(2, i, MakeBlock(4096));
  uint64_t kept = 0;
  for (uint64_t i = 0; i < hot; ++i) kept += cache.Find(1, i) != nullptr ? 1 : 0;
  EXPECT_GT(kept, hot * 8 / 10);
  EXPECT_LT(cache.bytes(), uint64_t{4 << 20});
}

TEST(BlockCacheTest, PinnedBlockStaysReadableAfterEviction) {
  BlockCache cache(100'000, nullptr);
  cache.Insert(1, 0, MakeBlock(1000, 'p'));
  const BlockCache::Block pinned = cache.Find(1, 0);
  ASSERT_NE(pinned, nullptr);
  for (uint64_t i = 0; i < 10'000; ++i) cache.Insert(2, i, MakeBlock(1000));
  EXPECT_EQ(cache.Find(1, 0), nullptr);
  EXPECT_EQ(*pinned, std::string(1000, 'p'));
}

TEST(BlockCacheTest, EraseFileForgetsThatFileOnly) {
  BlockCache cache(1 << 20, nullptr);
  for (uint64_t i = 0; i < 50; ++i) {
    cache.Insert(1, i, MakeBlock(100));
    cache.Insert(2, i, MakeBlock(100));
  }
  cache.EraseFile(1);
  for (uint64_t i = 0; i < 50; ++i) {
    EXPECT_EQ(cache.Find(1, i), nullptr);
    EXPECT_NE(cache.Find(2, i), nullptr);
  }
}

TEST(BlockCacheTest, BlockLargerThanAShardIsNotKept) {
  BlockCache cache(1 << 20, nullptr);
  cache.Insert(1, 0, MakeBlock(1 << 20));
  EXPECT_EQ(cache.Find(1, 0), nullptr);
  EXPECT_EQ(cache.bytes(), 0u);
  cache.Insert(1, 0, nullptr);
  EXPECT_EQ(cache.Find(1, 0), nullptr);
}

TEST(BlockCacheTest, CountsHitsAndMisses) {
  auto statistics = std::make_shared<Statistics>(true);
  BlockCache cache(1 << 20, statistics);
  cache.Find(1, 0);
  cache.Insert(1, 0, MakeBlock(10));
  cache.Find(1, 0);
  cache.Find(1, 0);
  EXPECT_EQ(statistics->Get(Counter::cache_misses), 1u);
  EXPECT_EQ(statistics->Get(Counter::cache_hits), 2u);
}

TEST(BlockCacheTest, FileIdsAreUnique) { EXPECT_NE(BlockCache::NewFileId(), BlockCache::NewFileId()); }

TEST(BlockCacheTest, ThreadsMayDoEverythingAtOnce) {
  BlockCache cache(300'000, std::make_shared<Statistics>(true));
  std::vector<std::thread> threads;
  for (uint64_t t = 0; t < 4; ++t) {
    threads.emplace_back([&cache, t] {
      Random random(t + 1);
      for (int i = 0; i < 20'000; ++i) {
        const uint64_t file = 1 + random.Uniform(3);
        const uint64_t offset = random.Uniform(200);
        const char expected = static_cast<char>('a' + file);
        if (random.OneIn(500)) {
          cache.EraseFile(file);
        } else if (random.OneIn(3)) {
          cache.Insert(file, offset, MakeBlock(1 + random.Uniform(4000), expected));
        } else if (const BlockCache::Block block = cache.Find(file, offset); block != nullptr) {
          ASSERT_EQ(block->front(), expected);
          ASSERT_EQ(block->back(), expected);
        }
        if (random.OneIn(100)) {
          ASSERT_LE(cache.bytes(), 300'000u);
        }
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
}

}  // namespace
}  // namespace seerdb
