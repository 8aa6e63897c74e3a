#include "base/arena.h"

#include <gtest/gtest.h>

#include <cstring>
#include <string>
#include <vector>

#include "base/random.h"

namespace seerdb {
namespace {

TEST(ArenaTest, TakesNothingBeforeTheFirstAllocation) {
  const Arena arena;
  EXPECT_EQ(arena.bytes_used(), 0u);
  EXPECT_EQ(arena.bytes_reserved(), 0u);
}

// Pieces keep their bytes, so no two overlap and none is moved.
TEST(ArenaTest, PiecesAreApartAndAligned) {
  const uint64_t seed = 11;
  SCOPED_TRACE("seed " + std::to_string(seed));
  Random random(seed);
  Arena arena;
  struct Piece {
    char* memory;
    size_t bytes;
    int fill;
  };
  std::vector<Piece> pieces;
  uint64_t total_bytes = 0;
  for (int i = 0; i < 3000; ++i) {
    size_t bytes = 1 + random.Uniform(200);
    if (random.OneIn(50)) bytes = 1 + random.Uniform(100 * 1024);
    if (random.OneIn(300)) bytes = 1 + random.Uniform(3 * Arena::kChunkBytes);
    const size_t alignment = size_t{1} << random.Uniform(13);
    char* memory = arena.Allocate(bytes, alignment);
    ASSERT_NE(memory, nullptr);
    ASSERT_EQ(reinterpret_cast<uintptr_t>(memory) % alignment, 0u);
    std::memset(memory, i & 0xff, bytes);
    pieces.push_back({memory, bytes, i & 0xff});
    total_bytes += bytes;
    ASSERT_GE(arena.bytes_used(), total_bytes);
    ASSERT_LE(arena.bytes_used(), arena.bytes_reserved());
  }
  for (const Piece& piece : pieces) {
    ASSERT_EQ(std::string(piece.memory, piece.bytes),
              std::string(piece.bytes, static_cast<char>(piece.fill)));
  }
}

TEST(ArenaTest, StaysSmallForASmallOwner) {
  Arena arena;
  arena.Allocate(100);
  EXPECT_EQ(arena.bytes_used(), 100u);
  EXPECT_EQ(arena.bytes_reserved(), Arena::kFirstChunkBytes);
}

TEST(ArenaTest, LargeChunksGoToThePoolAndComeFromIt) {
  const auto account = std::make_shared<MemoryAccount>();
  const auto pool = std::make_shared<ChunkPool>(2, account);
  const auto fill = [&] {
    Arena arena(account, pool);
    while (arena.bytes_reserved() < 5 * Arena::kChunkBytes) arena.Allocate(4096)[7] = 'x';
    EXPECT_GE(account->total_bytes(), arena.bytes_reserved());
  };
  const auto trim = [&] {
    for (int i = 1; i < ChunkPool::kPatience; ++i) {
      const size_t before = account->total_bytes();
      pool->Trim();
      EXPECT_EQ(account->total_bytes(), before) << "too early";
    }
    pool->Trim();
  };
  fill();
  EXPECT_EQ(account->total_bytes(), 2 * Arena::kChunkBytes) << "no more than it may keep";
  fill();
  EXPECT_EQ(account->total_bytes(), 2 * Arena::kChunkBytes);
  trim();
  EXPECT_EQ(account->total_bytes(), 2 * Arena::kChunkBytes) << "they were used since";
  const ChunkPool::Chunk chunk = pool->Take();
  ASSERT_NE(chunk.memory, nullptr);
  ASSERT_TRUE(pool->Give(chunk));
  trim();
  EXPECT_EQ(account->total_bytes(), Arena::kChunkBytes) << "one of them was";
  trim();
  EXPECT_EQ(account->total_bytes(), 0u);
  EXPECT_EQ(pool->Take().memory, nullptr);
  fill();
  pool->Clear();
  EXPECT_EQ(account->total_bytes(), 0u);
  EXPECT_EQ(pool->Take().memory, nullptr);
}

TEST(ArenaTest, APoolAsksForSparesAsAnArenaGrows) {
  const auto account = std::make_shared<MemoryAccount>();
  const auto pool = std::make_shared<ChunkPool>(8, account);
  Arena arena(account, pool);
  arena.Allocate(1000);
  EXPECT_FALSE(pool->TakeSpareRequest()) << "it may stay small";
  while (arena.bytes_reserved() < Arena::kChunkBytes / 2) arena.Allocate(1000);
  EXPECT_TRUE(pool->TakeSpareRequest());
  EXPECT_FALSE(pool->TakeSpareRequest()) << "asked for twice";
  const size_t before = account->total_bytes();
  pool->PrepareSpares();
  EXPECT_EQ(account->total_bytes(), before + ChunkPool::kSpares * Arena::kChunkBytes);
  pool->PrepareSpares();
  EXPECT_EQ(account->total_bytes(), before + ChunkPool::kSpares * Arena::kChunkBytes) << "there are enough";
  const ChunkPool::Chunk taken = pool->Take();
  const char* const spare = static_cast<const char*>(taken.memory);
  ASSERT_NE(spare, nullptr);
  EXPECT_EQ(std::count(spare, spare + Arena::kChunkBytes, '\0'), static_cast<ptrdiff_t>(Arena::kChunkBytes));
  EXPECT_TRUE(pool->TakeSpareRequest());
  ASSERT_TRUE(pool->Give(taken));
}

// What is kept counts: 2 chunks here, and spares are no more than may be kept.
TEST(ArenaTest, SparesAreNoMoreThanThePoolKeeps) {
  const auto account = std::make_shared<MemoryAccount>();
  ChunkPool pool(2, account);
  pool.Expect();
  EXPECT_TRUE(pool.TakeSpareRequest());
  pool.PrepareSpares();
  EXPECT_EQ(account->total_bytes(), 2 * Arena::kChunkBytes);
  ChunkPool none(0, account);
  none.Expect();
  EXPECT_FALSE(none.TakeSpareRequest());
}

TEST(ArenaTest, WastesLittle) {
  for (const size_t bytes : {size_t{8}, size_t{136}, size_t{4096}, size_t{200 * 1024}, size_t{300 * 1024}}) {
    SCOPED_TRACE(bytes);
    Arena arena;
    while (arena.bytes_used() < 64 * Arena::kChunkBytes) arena.Allocate(bytes);
    EXPECT_LE(arena.bytes_reserved(), arena.bytes_used() + arena.bytes_used() / 4);
  }
}

// A big piece does not end the chunk that small ones come from.
TEST(ArenaTest, BigPiecesStandApart) {
  Arena arena;
  const char* first = arena.Allocate(64);
  arena.Allocate(10 * Arena::kChunkBytes + 1);
  EXPECT_EQ(arena.Allocate(64), first + 64);
}

}  // namespace
}  // namespace seerdb
