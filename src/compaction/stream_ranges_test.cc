// What the compaction stream does about range tombstones.
#include <gtest/gtest.h>

#include <algorithm>

#include "base/random.h"
#include "compaction/stream_test_util.h"

namespace seerdb {
namespace {

struct Range {
  SequenceNumber sequence;
  std::string begin;
  std::string end;
};

// Without what the ranges hide from who reads at `sequence`.
std::vector<Entry> NotHidden(const std::vector<Entry>& entries, const std::vector<Range>& ranges,
                             SequenceNumber sequence) {
  std::vector<Entry> left;
  for (const Entry& entry : entries) {
    bool hidden = false;
    for (const Range& range : ranges) {
      hidden |= range.sequence <= sequence && TrailerSequence(entry.trailer) < range.sequence &&
                range.begin <= entry.key && entry.key < range.end;
    }
    if (!hidden) left.push_back(entry);
  }
  return left;
}

TEST(CompactionStream, RangeTombstonesHideWhatNoReaderSees) {
  struct Case {
    const char* name;
    std::vector<Range> ranges;
    const char* input;
    std::vector<SequenceNumber> snapshots;
    const char* below;
    const char* want;
    SequenceNumber hidden_after;  // the least
  };
  const SequenceNumber never = kMaxSequence;
  const Case cases[] = {
      {"older versions go", {{6, "a", "c"}}, "a5 b7 b4 c3", {9}, "", "b7 c3 ", never},
      {"as old as it stays", {{5, "a", "b"}}, "a5", {9}, "", "a5 ", never},
      {"a snapshot before it keeps them", {{6, "a", "b"}}, "a5 a4", {5, 9}, "", "a5 ", 5},
      {"a snapshot behind it does not", {{6, "a", "b"}}, "a5", {6, 9}, "", "", never},
      {"each stripe by its own", {{4, "a", "b"}, {8, "a", "b"}}, "a7 a3", {5, 9}, "", "", never},
      {"the older one of two is seen at the snapshot",
       {{4, "a", "b"}, {8, "a", "b"}},
       "a5 a3",
       {6, 9},
       "",
       "a5 ",
       6},
      {"a tombstone goes as well", {{6, "a", "b"}}, "a5- a3", {9}, "a", "", never},
      {"operands on it start from nothing", {{6, "a", "b"}}, "a8+=x a7+=y a5=z", {9}, "a", "a8=y,x ", never},
      {"operands may rest on what is below", {{6, "a", "b"}}, "a8+=x a7+=y", {9}, "a", "a8+=y,x ", never},
      {"what is hidden is not merged into", {{6, "a", "b"}}, "a8+=x a5+=y", {9}, "a", "a8=x ", never},
      {"a snapshot between operands", {{6, "a", "b"}}, "a8+=x a5+=y", {5, 9}, "", "a8+=x a5=y ", 5},
  };
  for (const Case& c : cases) {
    SCOPED_TRACE(c.name);
    Arena arena;
    RangeTombstoneMap map(&arena);
    for (const Range& range : c.ranges) map.Add(range.sequence, range.begin, range.end);
    VectorIterator iterator(Parse(c.input));
    CompactionStreamOptions options;
    options.snapshots = c.snapshots;
    options.may_hold_below = [&](Slice key) {
      return std::string(c.below).find(key[0]) != std::string::npos;
    };
    options.keyspaces = Keyspaces();
    options.ranges.AddMap(&map, kMaxSequence);
    CompactionStream stream(&iterator, std::move(options));
    std::vector<Entry> out;
    SequenceNumber hidden_after = kMaxSequence;
    for (stream.SeekToFirst(); stream.Valid(); stream.Next()) {
      hidden_after = std::min(hidden_after, stream.hidden_after());
      out.push_back({std::string(stream.key()), stream.trailer(), std::string(stream.value())});
    }
    EXPECT_EQ(Show(out), c.want);
    EXPECT_EQ(hidden_after, c.hidden_after);
  }
}

// Puts, deletions, operands and range tombstones at random, above some that are deeper: each reader reads the
// same; and tombstones that are said to be applied can be forgotten.
TEST(CompactionStream, WithRangeTombstonesEveryReaderReadsTheSame) {
  const uint64_t seed = SystemSeed();
  std::printf("seed %llu\n", static_cast<unsigned long long>(seed));
  Random random(seed);
  constexpr SequenceNumber kVisible = 24;
  constexpr SequenceNumber kNewest = 18;  // entry; range tombstones that follow may be in memory alone
  for (int round = 0; round < 3'000; ++round) {
    std::string text, text_below;
    std::vector<Range> ranges;
    Arena arena;
    RangeTombstoneMap map(&arena);
    for (SequenceNumber s = 1; s <= kVisible; ++s) {
      if (random.OneIn(5)) {
        const char begin = random.OneIn(2) ? 'a' : 'b';
        ranges.push_back({s, std::string(1, begin), random.OneIn(2) ? "b" : "c"});
        if (ranges.back().begin >= ranges.back().end) ranges.back().end = "c";
        map.Add(s, ranges.back().begin, ranges.back().end);
        continue;
      }
      if (s > kNewest) continue;
      const char* const kinds[] = {"", "-", "+"};
      std::string one = (random.OneIn(2) ? "a" : "b") + std::to_string(s) + kinds[random.Uniform(3)] + " ";
      (s <= kVisible / 4 ? text_below : text) += one;
    }
    std::vector<SequenceNumber> snapshots;
    for (SequenceNumber s = kVisible / 4; s < kVisible; ++s) {
      if (random.OneIn(5)) snapshots.push_back(s);
    }
    snapshots.push_back(kVisible);
    const SequenceNumber durable = kNewest + random.Uniform(kVisible - kNewest + 1);
    VectorIterator iterator(Parse(text));
    CompactionStreamOptions options;
    options.snapshots = snapshots;
    options.may_hold_below = [&](Slice key) { return text_below.find(key[0]) != std::string::npos; };
    options.keyspaces = Keyspaces();
    options.ranges.AddMap(&map, durable);
    CompactionStream stream(&iterator, std::move(options));
    std::vector<Entry> after;
    SequenceNumber applied = durable;
    for (stream.SeekToFirst(); stream.Valid(); stream.Next()) {
      applied = std::min(applied, stream.hidden_after());
      after.push_back({std::string(stream.key()), stream.trailer(), std::string(stream.value())});
    }
    std::vector<Range> unapplied;
    for (const Range& range : ranges) {
      if (range.sequence > applied) unapplied.push_back(range);
    }
    const std::vector<Entry> before = Parse(text), below = Parse(text_below);
    for (const SequenceNumber s : snapshots) {
      const std::vector<Entry> deep = NotHidden(below, ranges, s);
      std::vector<Entry> want = NotHidden(before, ranges, s), got = NotHidden(after, unapplied, s);
      want.insert(want.end(), deep.begin(), deep.end());
      got.insert(got.end(), deep.begin(), deep.end());
      for (const char key : {'a', 'b'}) {
        ASSERT_EQ(ReadMerged(want, key, s, 0), ReadMerged(got, key, s, 0))
            << text << "\nabove " << text_below << "\ncompacted to " << Show(after) << "\nkey " << key
            << " at " << s << ", tombstones up to " << durable << ", applied up to " << applied;
      }
    }
  }
}

}  // namespace
}  // namespace seerdb
