#include "iter/range_tombstone_map.h"

#include <gtest/gtest.h>

#include <atomic>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "base/random.h"

namespace seerdb {
namespace {

// Every tombstone, looked through one by one.
struct Naive {
  struct Range {
    SequenceNumber sequence;
    std::string begin;
    std::string end;
  };
  std::vector<Range> ranges;

  SequenceNumber Find(Slice key, SequenceNumber at) const {
    SequenceNumber newest = 0;
    for (const Range& range : ranges) {
      if (range.sequence <= at && Slice(range.begin) <= key && key < Slice(range.end))
        newest = range.sequence;
    }
    return newest;
  }
};

constexpr int kSpan = 60;

std::string KeyAt(uint64_t i) {
  return std::string(1, static_cast<char>('a' + i / 10)) + std::to_string(i % 10);
}

class Pair {
 public:
  void Add(SequenceNumber at, const std::string& begin, const std::string& end) {
    map.Add(at, begin, end);
    naive.ranges.push_back({at, begin, end});
  }
  void AddRandom(Random* random) {
    uint64_t a = random->Uniform(kSpan), b = random->Uniform(kSpan);
    if (a == b) b = a + 1;
    sequence += random->Uniform(3);  // several may have the same one
    sequence = std::max<SequenceNumber>(sequence, 1);
    Add(sequence, KeyAt(std::min(a, b)), KeyAt(std::max(a, b)));
  }

  Arena arena;
  RangeTombstoneMap map{&arena};
  Naive naive;
  SequenceNumber sequence = 0;
};

TEST(RangeTombstoneMap, EmptyCoversNothing) {
  Pair pair;
  EXPECT_TRUE(pair.map.empty());
  EXPECT_EQ(pair.map.Find("k", kMaxSequence), 0u);
  EXPECT_EQ(pair.map.last_sequence(), 0u);
  const CoveredStretch all = pair.map.StretchAt("k", kMaxSequence);
  EXPECT_TRUE(all.sequence == 0 && all.begin.empty() && !all.has_end);
  pair.map.Visit(kMaxSequence, [](const CoveredStretch&) { ADD_FAILURE(); });
}

TEST(RangeTombstoneMap, BeginIsCoveredAndEndIsNot) {
  Pair pair;
  pair.Add(5, "b", "d");
  EXPECT_EQ(pair.map.Find(Slice("a\xff", 2), 9), 0u);
  EXPECT_EQ(pair.map.Find("b", 9), 5u);
  EXPECT_EQ(pair.map.Find(Slice("c\xff", 2), 9), 5u);
  EXPECT_EQ(pair.map.Find("d", 9), 0u);
  EXPECT_EQ(pair.map.Find("b", 4), 0u);
  EXPECT_EQ(pair.map.Find("b", 5), 5u);
}

TEST(RangeTombstoneMap, EveryStateIsThatOfAllTombstonesUpToIt) {
  for (uint64_t seed = 1; seed <= 30; ++seed) {
    Random random(seed);
    Pair pair;
    const uint64_t count = 1 + random.Uniform(120);
    for (uint64_t i = 0; i < count; ++i) pair.AddRandom(&random);
    EXPECT_EQ(pair.map.count(), count);
    EXPECT_EQ(pair.map.last_sequence(), pair.sequence);
    for (SequenceNumber at = 0; at <= pair.sequence + 1; ++at) {
      std::string next;  // where the last stretch ended
      std::vector<SequenceNumber> visited(kSpan, 0);
      pair.map.Visit(at, [&](const CoveredStretch& stretch) {
        ASSERT_TRUE(stretch.has_end && stretch.begin < stretch.end && stretch.begin >= Slice(next));
        next = stretch.end;
        for (uint64_t i = 0; i < kSpan; ++i) {
          const std::string key = KeyAt(i);
          if (stretch.begin <= Slice(key) && Slice(key) < stretch.end) visited[i] = stretch.sequence;
        }
      });
      for (uint64_t i = 0; i < kSpan; ++i) {
        const std::string key = KeyAt(i);
        const SequenceNumber want = pair.naive.Find(key, at);
        ASSERT_EQ(pair.map.Find(key, at), want) << "seed " << seed << " " << key << " at " << at;
        ASSERT_EQ(visited[i], want);
        const CoveredStretch stretch = pair.map.StretchAt(key, at);
        ASSERT_EQ(stretch.sequence, want);
        ASSERT_TRUE(stretch.begin <= Slice(key) && (!stretch.has_end || Slice(key) < stretch.end));
        for (uint64_t j = 0; j < kSpan; ++j) {
          const std::string other = KeyAt(j);
          const bool inside =
              stretch.begin <= Slice(other) && (!stretch.has_end || Slice(other) < stretch.end);
          if (!inside) continue;
          ASSERT_EQ(pair.naive.Find(other, at), want) << other << " beside " << key;
        }
      }
    }
  }
}

// Shapes that would make n * n pieces of n ranges.
TEST(RangeTombstoneMap, MemoryDoesNotDependOnHowRangesLie) {
  constexpr uint64_t kRanges = 20'000;
  const auto key = [](uint64_t i) {
    char text[16];
    std::snprintf(text, sizeof text, "%08llu", static_cast<unsigned long long>(i));
    return std::string(text);
  };
  for (const char* shape : {"nested", "growing", "same", "side by side", "overlapping"}) {
    Arena arena;
    RangeTombstoneMap map(&arena);
    for (uint64_t i = 0; i < kRanges; ++i) {
      const std::string name = shape;
      uint64_t begin = i, end = i + 1;
      if (name == "nested") end = 3 * kRanges - i;
      if (name == "growing") begin = kRanges - i, end = kRanges + i + 1;
      if (name == "same") begin = 5, end = 7;
      if (name == "overlapping") end = i + 100;
      map.Add(i + 1, key(begin), key(end));
    }
    EXPECT_LT(arena.bytes_used() / kRanges, 3'000u) << shape;
    EXPECT_EQ(map.Find(key(kRanges), kMaxSequence) != 0,
              std::string(shape) != "same" && std::string(shape) != "side by side")
        << shape;
  }
}

// Keys for which the tree would be a list, by the map's own arithmetic, if nothing in it were secret.
TEST(RangeTombstoneMap, ChosenKeysDoNotMakeAListOfIt) {
  const auto mix = [](uint64_t x) {
    x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9;
    x = (x ^ x >> 27) * 0x94d049bb133111eb;
    return x ^ x >> 31;
  };
  const auto key = [](uint64_t number) {
    std::string bytes(8, '\0');
    for (int i = 0; i < 8; ++i) bytes[static_cast<size_t>(i)] = static_cast<char>(number >> (56 - 8 * i));
    return bytes;
  };
  const auto bytes_with = [&](uint64_t secret) {
    Arena arena;
    RangeTombstoneMap map(&arena, secret);
    std::set<std::string> ends = {std::string(9, '\xff')};
    map.Add(1, key(0), *ends.begin());  // nodes 1 and 2
    for (uint64_t i = 3; i < 2'000; ++i) {
      const std::string begin = key(mix(i));
      map.Add(i, begin, *ends.upper_bound(begin));
      ends.insert(begin);
    }
    return arena.bytes_used() / 2'000;
  };
  EXPECT_GT(bytes_with(0), 20'000u) << "the keys are well chosen";
  EXPECT_LT(bytes_with(0x9e3779b97f4a7c15), 3'000u);
}

// A reader asks as of what was published, while the writer goes on.
TEST(RangeTombstoneMap, ReadersSeeWhatWasPublished) {
  Pair all;
  Random random(7);
  for (int i = 0; i < 400; ++i) {
    all.sequence += 1;
    const uint64_t a = random.Uniform(kSpan), b = a + 1 + random.Uniform(kSpan);
    all.naive.ranges.push_back({all.sequence, KeyAt(a), KeyAt(b)});
  }
  Arena arena;
  RangeTombstoneMap map(&arena);
  std::atomic<SequenceNumber> visible{0};
  std::thread writer([&] {
    for (const auto& range : all.naive.ranges) {
      map.Add(range.sequence, range.begin, range.end);
      visible.store(range.sequence, std::memory_order_release);
    }
  });
  Random choose(8);
  for (int i = 0; i < 2'000; ++i) {
    const SequenceNumber now = visible.load(std::memory_order_acquire);
    const SequenceNumber at = choose.OneIn(2) ? now : choose.Uniform(now + 1);
    const std::string key = KeyAt(choose.Uniform(kSpan));
    ASSERT_EQ(map.Find(key, at), all.naive.Find(key, at)) << key << " at " << at;
  }
  writer.join();
}

}  // namespace
}  // namespace seerdb
