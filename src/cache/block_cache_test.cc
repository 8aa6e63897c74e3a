#include "cache/block_cache.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <thread>
#include <vector>

#include "base/random.h"

namespace seerdb {
namespace {

BlockCache::Block MakeBlock(size_t bytes, char c = 'b', std::shared_ptr<MemoryAccount> account = nullptr) {
  BlockBuffer buffer;
  std::fill_n(buffer.Resize(bytes), bytes, c);
  return std::make_shared<const CachedBlock>(std::move(buffer), std::move(account));
}

TEST(BlockCacheTest, FindsWhatWasInsertedAndKeepsTheFirst) {
  BlockCache cache(1 << 20);
  EXPECT_EQ(cache.Find(1, 0), nullptr);
  EXPECT_TRUE(cache.Insert(1, 0, MakeBlock(100, 'x')).kept);
  ASSERT_NE(cache.Find(1, 0), nullptr);
  EXPECT_EQ(cache.Find(1, 0)->bytes()[0], 'x');
  EXPECT_EQ(cache.Find(1, 8), nullptr);
  EXPECT_EQ(cache.Find(2, 0), nullptr);
  // Two threads that miss load the same bytes: one of the two blocks is used by both.
  const BlockCache::Inserted second = cache.Insert(1, 0, MakeBlock(100, 'y'));
  EXPECT_FALSE(second.kept);
  EXPECT_EQ(second.block, cache.Find(1, 0));
  EXPECT_EQ(second.block->bytes()[0], 'x');
  EXPECT_GE(cache.bytes(), 100u);
  EXPECT_LT(cache.bytes(), 100u + 1000);
}

TEST(BlockCacheTest, NeverHoldsMoreThanItsCapacity) {
  for (const uint64_t capacity : {uint64_t{0}, uint64_t{1000}, uint64_t{100'000}, uint64_t{1} << 20}) {
    BlockCache cache(capacity);
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
  BlockCache cache(4 << 20);
  for (uint64_t i = 0; i < 10'000; ++i) cache.Insert(1, i * 4096, MakeBlock(4096));
  EXPECT_GT(cache.bytes(), uint64_t{4 << 20} * 9 / 10);
}

// Blocks of a size that is no longer asked for leave holes, and stand in the way of those to come.
TEST(BlockCacheTest, WithWhatLiesIdleBetweenBlocksItTakesNoMoreThanItsCapacity) {
  constexpr uint64_t kCapacity = 32 << 20;
  BlockCache cache(kCapacity);
  const std::shared_ptr<BlockMemory> memory = cache.memory();
  ASSERT_NE(memory, nullptr);
  Random random(5);
  for (const size_t bytes : {4200u, 20'000u, 600u, 9000u}) {
    for (uint64_t i = 0; i < 200'000'000 / bytes; ++i) {
      BlockBuffer buffer(memory);
      buffer.Resize(bytes);
      const uint64_t offset = bytes * 1'000'000 + random.Uniform(60'000);
      if (cache.Find(1, offset) != nullptr) continue;
      cache.Insert(1, offset, std::make_shared<const CachedBlock>(std::move(buffer), nullptr));
      // While old blocks are let go faster than new ones come.
      ASSERT_LE(cache.bytes() + memory->idle_bytes(), kCapacity + kCapacity / 2) << bytes;
      ASSERT_GE(cache.capacity_bytes(), kCapacity * 3 / 4) << bytes;
    }
    EXPECT_LE(cache.bytes() + memory->idle_bytes(), kCapacity + (2 << 20)) << bytes;
    EXPECT_GT(cache.bytes(), kCapacity * 3 / 4) << bytes;
  }
  EXPECT_EQ(BlockCache(1 << 20).memory(), nullptr);
  EXPECT_EQ(BlockCache(kCapacity, std::make_shared<MemoryAccount>(), kCapacity).memory(), nullptr);
}

// Readers that keep a block here and there keep its neighbours' places from going back.
TEST(BlockCacheTest, BlocksThatReadersKeepLeaveTheCacheItsRoom) {
  constexpr uint64_t kCapacity = 32 << 20;
  BlockCache cache(kCapacity);
  std::vector<BlockCache::Block> kept;
  for (const size_t bytes : {4200u, 9000u}) {
    for (uint64_t i = 0; i < 3 * kCapacity / bytes; ++i) {
      BlockBuffer buffer(cache.memory());
      buffer.Resize(bytes);
      const auto inserted = cache.Insert(1, bytes * 1'000'000 + i,
                                         std::make_shared<const CachedBlock>(std::move(buffer), nullptr));
      if (bytes == 4200 && i % 25 == 0) kept.push_back(inserted.block);
    }
    EXPECT_GT(cache.bytes(), kCapacity * 3 / 4) << bytes;
  }
}

TEST(BlockCacheTest, BlocksUsedAgainSurviveAScan) {
  BlockCache cache(4 << 20);
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
  BlockCache cache(100'000);
  cache.Insert(1, 0, MakeBlock(1000, 'p'));
  const BlockCache::Block pinned = cache.Find(1, 0);
  ASSERT_NE(pinned, nullptr);
  cache.AddCapacity(-100'000);
  cache.Trim();
  EXPECT_EQ(cache.Find(1, 0), nullptr);
  EXPECT_EQ(pinned->bytes(), std::string(1000, 'p'));
}

TEST(BlockCacheTest, EraseFileForgetsThatFileOnly) {
  BlockCache cache(1 << 20);
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
  BlockCache cache(1 << 20);
  const BlockCache::Block large = MakeBlock(1 << 20);
  const BlockCache::Inserted inserted = cache.Insert(1, 0, large);
  EXPECT_FALSE(inserted.kept);
  EXPECT_EQ(inserted.block, large);
  EXPECT_EQ(cache.Find(1, 0), nullptr);
  EXPECT_EQ(cache.bytes(), 0u);
}

TEST(BlockCacheTest, EachByteIsChargedToTheCacheOrToReaders) {
  const auto account = std::make_shared<MemoryAccount>();
  BlockCache::Block pinned;
  {
    BlockCache cache(100'000);
    pinned = MakeBlock(1000, 'p', account);
    EXPECT_EQ(account->bytes(MemoryClass::kPinnedBlocks), pinned->charged_bytes());
    cache.Insert(1, 0, pinned);
    EXPECT_EQ(account->bytes(MemoryClass::kPinnedBlocks), 0u);
    for (uint64_t i = 0; i < 1000; ++i) {
      cache.Insert(2, i, MakeBlock(1000, 'q', account));
      ASSERT_EQ(account->bytes(MemoryClass::kBlockCache), cache.bytes());
    }
    EXPECT_EQ(account->bytes(MemoryClass::kPinnedBlocks), pinned->charged_bytes());
    cache.EraseFile(2);
    EXPECT_EQ(account->bytes(MemoryClass::kBlockCache), 0u);
    cache.Insert(3, 0, pinned);
  }
  EXPECT_EQ(account->bytes(MemoryClass::kPinnedBlocks), pinned->charged_bytes());
  pinned.reset();
  EXPECT_EQ(account->total_bytes(), 0u);
}

TEST(BlockCacheTest, GivesWayToWhatElseTheBudgetHolds) {
  const auto account = std::make_shared<MemoryAccount>();
  BlockCache cache(8 << 20, account, 4 << 20);
  const auto fill = [&] {
    for (uint64_t i = 0; i < 2000; ++i) cache.Insert(1, i, MakeBlock(4096, 'b', account));
  };
  fill();
  EXPECT_GT(cache.bytes(), 3'500'000u);
  EXPECT_LE(account->total_bytes(), uint64_t{4} << 20);
  {
    const MemoryCharge other(account, MemoryClass::kActiveMemTable, 3 << 20);
    EXPECT_EQ(cache.capacity_bytes(), uint64_t{1} << 20);
    cache.Trim();
    EXPECT_LE(account->total_bytes(), uint64_t{4} << 20);
    const MemoryCharge more(account, MemoryClass::kPinnedBlocks, 2 << 20);
    cache.Trim();
    EXPECT_EQ(cache.bytes(), 0u);
    fill();
    EXPECT_EQ(cache.bytes(), 0u);
  }
  fill();
  EXPECT_GT(cache.bytes(), 3'500'000u);
  cache.AddCapacity(-(7 << 20));
  cache.Trim();
  EXPECT_LE(cache.bytes(), uint64_t{1} << 20);
}

TEST(BlockCacheTest, FileIdsAreUnique) { EXPECT_NE(BlockCache::NewFileId(), BlockCache::NewFileId()); }

TEST(BlockCacheTest, ThreadsMayDoEverythingAtOnce) {
  BlockCache cache(300'000);
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
          ASSERT_EQ(block->bytes().front(), expected);
          ASSERT_EQ(block->bytes().back(), expected);
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
