#include "learned/alex_tree.h"

#include <gtest/gtest.h>

#include <cstdio>
#include <cstdlib>

#include "learned/alex_test_util.h"

namespace seerdb {
namespace {

// SEERDB_SEED replays a run.
uint64_t Seed() {
  const char* const text = std::getenv("SEERDB_SEED");
  const uint64_t seed = text == nullptr ? SystemSeed() : std::strtoull(text, nullptr, 10);
  std::printf("seed %llu\n", static_cast<unsigned long long>(seed));
  return seed;
}

AlexOptions SmallNodes() { return {.max_leaf_keys = 32, .max_fanout_bits = 3}; }

std::vector<AlexEntry> SortedEntries(std::vector<uint64_t> keys) {
  std::sort(keys.begin(), keys.end());
  keys.erase(std::unique(keys.begin(), keys.end()), keys.end());
  std::vector<AlexEntry> entries;
  for (const uint64_t key : keys) entries.push_back({key, ~key});
  return entries;
}

TEST(AlexTreeTest, AnswersLikeAMapWhateverTheKeys) {
  const uint64_t seed = Seed();
  for (const AlexKeys kind : kAllAlexKeys) {
    SCOPED_TRACE(AlexKeySource::Name(kind));
    for (const AlexOptions& options :
         {SmallNodes(), AlexOptions{.max_leaf_keys = 200, .max_fanout_bits = 6}, AlexOptions{}}) {
      AlexDifferential differential(kind, options, seed);
      differential.Run(20'000, 4000);
      ASSERT_FALSE(HasFatalFailure());
    }
  }
}

TEST(AlexTreeTest, BulkLoadAnswersForEveryKeyAndBesideIt) {
  Random random(3);
  for (const AlexKeys kind : kAllAlexKeys) {
    SCOPED_TRACE(AlexKeySource::Name(kind));
    AlexKeySource source(kind, &random);
    std::vector<uint64_t> keys;
    for (int i = 0; i < 30'000; ++i) keys.push_back(source.Next());
    const std::vector<AlexEntry> entries = SortedEntries(keys);
    for (const AlexOptions& options : {SmallNodes(), AlexOptions{}}) {
      AlexTree tree(options);
      tree.BulkLoad(entries);
      ASSERT_EQ(tree.Broken(), "");
      ASSERT_EQ(tree.size(), entries.size());
      for (size_t i = 0; i < entries.size(); ++i) {
        const uint64_t key = entries[i].key;
        ASSERT_EQ(tree.Find(key), std::optional(~key));
        if (key == UINT64_MAX) continue;
        const AlexTree::Cursor cursor = tree.LowerBound(key + 1);
        ASSERT_EQ(cursor.Valid(), i + 1 < entries.size());
        if (!cursor.Valid()) continue;
        ASSERT_EQ(cursor.key(), entries[i + 1].key);
        ASSERT_EQ(tree.Find(key + 1).has_value(), entries[i + 1].key == key + 1);
      }
    }
  }
}

TEST(AlexTreeTest, ExtremeKeys) {
  AlexTree tree(SmallNodes());
  EXPECT_FALSE(tree.Find(0).has_value());
  EXPECT_FALSE(tree.Find(UINT64_MAX).has_value());
  EXPECT_FALSE(tree.Begin().Valid());
  EXPECT_FALSE(tree.Erase(0));
  EXPECT_TRUE(tree.Insert(UINT64_MAX, 1));
  EXPECT_FALSE(tree.Insert(UINT64_MAX, 2));
  EXPECT_TRUE(tree.Insert(0, 3));
  EXPECT_EQ(tree.Find(UINT64_MAX), std::optional<uint64_t>(1));
  EXPECT_EQ(tree.Find(0), std::optional<uint64_t>(3));
  // All around both ends, and around where doubles lose the last bits.
  for (uint64_t i = 1; i < 500; ++i) {
    for (const uint64_t center : {uint64_t{0}, uint64_t{1} << 53, uint64_t{1} << 63}) {
      ASSERT_TRUE(tree.Insert(center + i, i));
      ASSERT_TRUE(tree.Insert(center - 1 - i, i));
    }
    ASSERT_EQ(tree.Broken(), "");
  }
  EXPECT_FALSE(tree.InsertOrAssign(UINT64_MAX, 5));
  EXPECT_EQ(tree.Find(UINT64_MAX), std::optional<uint64_t>(5));
  EXPECT_TRUE(tree.Erase(UINT64_MAX));
  EXPECT_FALSE(tree.Find(UINT64_MAX).has_value());
  EXPECT_FALSE(tree.LowerBound(UINT64_MAX).Valid());
  EXPECT_TRUE(tree.Insert(UINT64_MAX, 6));
  EXPECT_EQ(tree.LowerBound(UINT64_MAX).payload(), 6u);
  EXPECT_EQ(tree.Broken(), "");
}

struct Order {
  const char* name;
  uint64_t (*key)(uint64_t i, uint64_t count);
  size_t most_depth;
  double most_moved;  // slots an insert
};

// Orders in which a gapped array alone would move half of itself for each key.
constexpr Order kHostileOrders[] = {
    {"ascending", [](uint64_t i, uint64_t) { return i; }, 2, 2},
    {"descending", [](uint64_t i, uint64_t count) { return count - i; }, 2, 2},
    {"ascending, far apart", [](uint64_t i, uint64_t) { return i << 43; }, 2, 2},
    {"outward", [](uint64_t i, uint64_t) { return (uint64_t{1} << 63) + (i % 2 == 0 ? i : -i); }, 3, 2},
    {"inward", [](uint64_t i, uint64_t) { return (i % 2 == 0 ? i : uint64_t{0} - i) << 20; }, 4, 4},
    {"ascending between neighbours",
     [](uint64_t i, uint64_t) { return i < 1000 ? i << 50 : (uint64_t{500} << 50) + i; }, 4, 8},
    {"two ascending at once", [](uint64_t i, uint64_t) { return (i % 2 << 62) + i; }, 4, 4},
    {"ever denser", [](uint64_t i, uint64_t count) { return UINT64_MAX / (count - i); }, 10, 8},
    {"ever sparser", [](uint64_t i, uint64_t) { return i * i * i; }, 10, 8},
};

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr uint64_t kKeys = 200'000;
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
constexpr uint64_t kKeys = 200'000;
#else
constexpr uint64_t kKeys = 1'000'000;
#endif
#else
constexpr uint64_t kKeys = 1'000'000;
#endif

TEST(AlexTreeTest, HostileOrdersMoveFewSlotsAndStayShallow) {
  for (const Order& order : kHostileOrders) {
    SCOPED_TRACE(order.name);
    AlexTree tree;
    for (uint64_t i = 0; i < kKeys; ++i) tree.InsertOrAssign(order.key(i, kKeys), i);
    const AlexShape shape = tree.Shape();
    const double moved = static_cast<double>(tree.counters().slots_moved) / kKeys;
    std::printf("%-30s %7zu keys, %5zu leaves, depth %zu, %.2f slots moved, %.1f bytes a key\n", order.name,
                tree.size(), shape.leaves, shape.depth, moved,
                static_cast<double>(tree.memory_bytes()) / static_cast<double>(tree.size()));
    EXPECT_LE(moved, order.most_moved);
    EXPECT_LE(shape.depth, order.most_depth);
    EXPECT_EQ(tree.Broken(), "");
  }
}

// A queue: what is taken away in front leaves nothing behind.
TEST(AlexTreeTest, AQueueDoesNotGrow) {
  AlexTree tree;
  size_t most_bytes = 0;
  for (uint64_t i = 0; i < 1'000'000; ++i) {
    ASSERT_TRUE(tree.Insert(i * 1000, i));
    if (i >= 1000) {
      ASSERT_TRUE(tree.Erase((i - 1000) * 1000));
    }
    if (i % 10'000 == 0) most_bytes = std::max(most_bytes, tree.memory_bytes());
  }
  std::printf("a queue of 1000 keys took %zu bytes at most\n", most_bytes);
  EXPECT_LT(most_bytes, 2'000'000u);
  EXPECT_EQ(tree.Broken(), "");
  EXPECT_GT(tree.counters().joins, 10u);
}

TEST(AlexTreeTest, EveryKindOfChangeIsMade) {
  Random random(17);
  AlexTree tree;
  for (int i = 0; i < 200'000; ++i) tree.Insert(random.Next() >> 20, 1);
  for (uint64_t i = 0; i < 100'000; ++i) tree.Insert((uint64_t{1} << 44) + i, 1);
  for (uint64_t i = 0; i < 100'000; ++i) tree.Insert((uint64_t{1} << 60) + i * i, 1);
  for (uint64_t key = 0; key < uint64_t{1} << 43;) {
    const AlexTree::Cursor cursor = tree.LowerBound(key);
    ASSERT_TRUE(cursor.Valid());
    key = cursor.key();
    ASSERT_TRUE(tree.Erase(key));
  }
  const AlexCounters& counters = tree.counters();
  EXPECT_GT(counters.expansions, 0u);
  EXPECT_GT(counters.rebuilds, 0u);
  EXPECT_GT(counters.splits_sideways, 0u);
  EXPECT_GT(counters.splits_down, 0u);
  EXPECT_GT(counters.extensions, 0u);
  EXPECT_GT(counters.contractions, 0u);
  EXPECT_GT(counters.joins, 0u);
  EXPECT_GT(counters.slots_moved, 0u);
  EXPECT_EQ(tree.Broken(), "");
}

TEST(AlexTreeTest, ReturnsToNothing) {
  Random random(23);
  AlexTree tree;
  const size_t bytes = tree.memory_bytes();
  std::vector<uint64_t> keys(100'000);
  for (uint64_t& key : keys) tree.InsertOrAssign(key = random.Next(), 1);
  for (const uint64_t key : keys) tree.Erase(key);
  EXPECT_TRUE(tree.empty());
  EXPECT_EQ(tree.Shape().leaves, 1u);
  EXPECT_EQ(tree.Shape().inner_nodes, 0u);
  EXPECT_LT(tree.memory_bytes(), bytes + 4000);
  EXPECT_EQ(tree.Broken(), "");
}

TEST(AlexTreeTest, BatchesOfEveryLengthAreTaken) {
  Random random(29);
  for (const uint64_t length : {1, 7, 100, 5000, 100'000}) {
    for (const AlexOptions& options : {SmallNodes(), AlexOptions{}}) {
      AlexTree tree(options);
      std::map<uint64_t, uint64_t> map;
      uint64_t ascending = 0;
      for (uint64_t round = 0; round < std::min<uint64_t>(100, 300'000 / length); ++round) {
        std::vector<uint64_t> keys;
        for (uint64_t i = 0; i < length; ++i) {
          keys.push_back(round % 3 == 0   ? random.Next()
                         : round % 3 == 1 ? ++ascending
                                          : random.Uniform(1000));
        }
        const std::vector<AlexEntry> batch = SortedEntries(keys);
        const size_t before = map.size();
        for (const AlexEntry& entry : batch) map[entry.key] = entry.payload;
        ASSERT_EQ(tree.InsertBatch(batch), map.size() - before);
        ASSERT_EQ(tree.size(), map.size());
      }
      ASSERT_EQ(tree.Broken(), "");
      for (const auto& [key, payload] : map) ASSERT_EQ(tree.Find(key), std::optional(payload));
      EXPECT_LE(tree.Shape().depth, options.max_fanout_bits == 3 ? 30u : 5u);
    }
  }
}

}  // namespace
}  // namespace seerdb
