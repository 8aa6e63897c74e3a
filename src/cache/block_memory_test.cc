#include "cache/block_memory.h"

#include <gtest/gtest.h>

#include <cstring>
#include <deque>
#include <thread>
#include <utility>
#include <vector>

#include "base/random.h"
#include "base/system_memory.h"

namespace seerdb {
namespace {

using Slot = BlockMemory::Slot;

bool InSpan(const Slot& slot) { return slot.span != nullptr; }

TEST(BlockMemoryTest, SlotsAreAsLargeAsAskedForAndLittleMore) {
  BlockMemory memory;
  for (size_t bytes = 1; bytes <= BlockMemory::kMostSlotBytes + 100; ++bytes) {
    const Slot slot = memory.Take(bytes);
    ASSERT_EQ(InSpan(slot), bytes >= BlockMemory::kLeastSlotBytes && bytes <= BlockMemory::kMostSlotBytes);
    ASSERT_GE(slot.bytes, bytes);
    ASSERT_LE(slot.bytes, bytes + bytes / (bytes <= 8192 ? 10 : 3)) << bytes;
    memory.Give(slot);
  }
}

TEST(BlockMemoryTest, SlotsInUseShareNoByte) {
  BlockMemory memory;
  Random random(11);
  struct Used {
    Slot slot;
    size_t bytes;
    char mark;
  };
  std::vector<Used> used;
  const auto is_whole = [](const Used& it) {
    for (size_t i = 0; i < it.bytes; ++i) {
      if (it.slot.data[i] != it.mark) return false;
    }
    return true;
  };
  for (int i = 0; i < 20'000; ++i) {
    if (used.size() < 300 || random.OneIn(2)) {
      const size_t bytes = 1 + random.Uniform(random.OneIn(20) ? 40'000 : 5000);
      const Used it{memory.Take(bytes), bytes, static_cast<char>(random.Next())};
      std::memset(it.slot.data, it.mark, bytes);
      used.push_back(it);
    } else {
      std::swap(used[random.Uniform(used.size())], used.back());
      ASSERT_TRUE(is_whole(used.back()));
      memory.Give(used.back().slot);
      used.pop_back();
    }
  }
  for (const Used& it : used) {
    ASSERT_TRUE(is_whole(it));
    memory.Give(it.slot);
  }
  EXPECT_LE(memory.idle_bytes(), kHugePageBytes);
}

TEST(BlockMemoryTest, ASlotThatIsGivenBackIsTheNextOne) {
  BlockMemory memory;
  const Slot first = memory.Take(4200);
  const Slot second = memory.Take(4200);
  memory.Give(first);
  EXPECT_EQ(memory.Take(4300).data, first.data);
  memory.Give(second);
  memory.Give(first);
}

TEST(BlockMemoryTest, WhatIsIdleIsCountedAndAllButOneRegionGoesBack) {
  BlockMemory memory;
  EXPECT_EQ(memory.idle_bytes(), 0u);
  std::vector<Slot> slots;
  uint64_t used_bytes = 0;
  while (used_bytes < 10 * kHugePageBytes) {
    slots.push_back(memory.Take(4200));
    used_bytes += slots.back().bytes;
  }
  // What is left of the last region, and a slot's alignment of each.
  EXPECT_LT(memory.idle_bytes(), kHugePageBytes + 32 * slots.size());
  EXPECT_EQ((memory.idle_bytes() + used_bytes) % kHugePageBytes, 0u);
  for (const Slot& slot : slots) memory.Give(slot);
  EXPECT_EQ(memory.idle_bytes(), kHugePageBytes);
}

// Blocks leave a cache about in the order they came in.
TEST(BlockMemoryTest, MemoryOfOneSizeServesAnotherWhenItsSlotsAreFree) {
  BlockMemory memory;
  std::deque<Slot> slots;
  const auto turn_over = [&](size_t bytes) {
    for (size_t given = 0; given < 8 * kHugePageBytes;) {
      given += slots.front().bytes;
      memory.Give(slots.front());
      slots.pop_front();
    }
    for (size_t taken = 0; taken < 8 * kHugePageBytes; taken += slots.back().bytes) {
      slots.push_back(memory.Take(bytes));
    }
  };
  for (size_t taken = 0; taken < 16 * kHugePageBytes; taken += 4352) slots.push_back(memory.Take(4352));
  for (const size_t bytes : {4352u, 8192u, 700u, 32768u, 4352u}) turn_over(bytes);
  EXPECT_LT(memory.idle_bytes(), 3 * kHugePageBytes);
  for (const Slot& slot : slots) memory.Give(slot);
}

TEST(BlockMemoryTest, ThreadsTakeAndGiveAtOnce) {
  BlockMemory memory;
  std::vector<std::thread> threads;
  for (uint64_t seed = 1; seed <= 4; ++seed) {
    threads.emplace_back([&memory, seed] {
      Random random(seed);
      std::vector<std::pair<Slot, char>> used;
      for (int i = 0; i < 20'000; ++i) {
        if (used.size() < 100) {
          const Slot slot = memory.Take(1 + random.Uniform(9000));
          std::memset(slot.data, static_cast<char>(i), slot.bytes);
          used.emplace_back(slot, static_cast<char>(i));
          continue;
        }
        std::swap(used[random.Uniform(used.size())], used.back());
        const auto& [slot, mark] = used.back();
        ASSERT_EQ(slot.data[0], mark);
        ASSERT_EQ(slot.data[slot.bytes - 1], mark);
        memory.Give(slot);
        used.pop_back();
      }
      for (const auto& [slot, mark] : used) memory.Give(slot);
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_LE(memory.idle_bytes(), kHugePageBytes);
}

TEST(BlockBufferTest, GivesItsSlotBackWhenItIsReplacedMovedOrGone) {
  const auto memory = std::make_shared<BlockMemory>();
  for (const bool pooled : {true, false}) {
    BlockBuffer buffer(pooled ? memory : nullptr);
    EXPECT_EQ(buffer.bytes(), Slice());
    std::memcpy(buffer.Resize(5000), "first", 5);
    const char* const place = buffer.bytes().data();
    EXPECT_EQ(buffer.Resize(100), place);
    buffer.Truncate(5);
    EXPECT_EQ(buffer.bytes(), "first");
    EXPECT_GE(buffer.held_bytes(), 5000u);
    BlockBuffer other(std::move(buffer));
    EXPECT_EQ(other.bytes().data(), place);
    BlockBuffer third(memory);
    third.Resize(600);
    third = std::move(other);
    EXPECT_EQ(third.bytes(), "first");
    third.Resize(40'000);
  }
  EXPECT_EQ(memory->idle_bytes(), kHugePageBytes);
}

}  // namespace
}  // namespace seerdb
