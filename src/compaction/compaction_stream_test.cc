#include "compaction/compaction_stream.h"

#include <gtest/gtest.h>

#include <cstdio>
#include <optional>

#include "base/random.h"
#include "compaction/stream_test_util.h"

namespace seerdb {
namespace {

// `below`: the keys that a deeper level may hold.
std::vector<Entry> CompactAt(uint64_t now_us, const std::vector<Entry>& input,
                             std::vector<SequenceNumber> snapshots, const std::string& below) {
  VectorIterator iterator(input);
  CompactionStreamOptions options;
  options.snapshots = std::move(snapshots);
  options.may_hold_below = [&](Slice key) { return below.find(key[0]) != std::string::npos; };
  options.keyspaces = Keyspaces();
  options.filter_above = 0;
  options.now_us = now_us;
  CompactionStream stream(&iterator, std::move(options));
  std::vector<Entry> out;
  for (stream.SeekToFirst(); stream.Valid(); stream.Next()) {
    EXPECT_EQ(stream.starts_key(), out.empty() || out.back().key != stream.key());
    out.push_back({std::string(stream.key()), stream.trailer(), std::string(stream.value())});
  }
  EXPECT_TRUE(stream.status().ok());
  EXPECT_EQ(stream.entries_read(), input.size());
  EXPECT_EQ(stream.entries_dropped(), input.size() - out.size());
  return out;
}

std::vector<Entry> Compact(const std::vector<Entry>& input, std::vector<SequenceNumber> snapshots,
                           const std::string& below) {
  return CompactAt(0, input, std::move(snapshots), below);
}

TEST(CompactionStream, KeepsExactlyWhatSomeReaderCanSee) {
  struct Case {
    const char* name;
    const char* input;
    std::vector<SequenceNumber> snapshots;  // the last is the visible sequence
    const char* below;
    const char* want;
  };
  const Case cases[] = {
      {"newest version only", "a5 a3 a1 b2", {9}, "", "a5 b2 "},
      {"one version a snapshot", "a5 a3 a1", {1, 4, 9}, "", "a5 a3 a1 "},
      {"the version a snapshot reads is the newest at or below it", "a5 a3 a2 a1", {4, 9}, "", "a5 a3 "},
      {"a snapshot equal to a version's sequence sees it", "a5 a3", {3, 9}, "", "a5 a3 "},
      {"a snapshot just below a version does not", "a5 a3", {2, 9}, "", "a5 "},
      {"bottom tombstone goes", "a5- a3", {9}, "", ""},
      {"tombstone stays above older data", "a5- a3", {9}, "a", "a5- "},
      {"tombstone stays while a snapshot reads what it hides", "a5- a3", {4, 9}, "", "a5- a3 "},
      {"tombstone in the oldest stripe goes, newer value stays", "a7 a5- a3", {6, 9}, "", "a7 "},
      {"two tombstones, snapshot between", "a7- a5-", {6, 9}, "", "a7- "},
      {"tombstone of another key's range", "a5- b4", {9}, "b", "b4 "},
  };
  for (const Case& c : cases) {
    SCOPED_TRACE(c.name);
    EXPECT_EQ(Show(Compact(Parse(c.input), c.snapshots, c.below)), c.want);
  }
}

// What a reader at `sequence` sees of a key: the newest version at or below it, tombstones as absence.
std::optional<SequenceNumber> Read(const std::vector<Entry>& entries, char key, SequenceNumber sequence) {
  const Entry* best = nullptr;
  for (const Entry& entry : entries) {
    if (entry.key[0] != key || TrailerSequence(entry.trailer) > sequence) continue;
    if (best == nullptr || entry.trailer > best->trailer) best = &entry;
  }
  if (best == nullptr || TrailerType(best->trailer) == ValueType::kDeletion) return std::nullopt;
  return TrailerSequence(best->trailer);
}

TEST(CompactionStream, EveryReaderReadsTheSameBeforeAndAfter) {
  const uint64_t seed = SystemSeed();
  std::printf("seed %llu\n", static_cast<unsigned long long>(seed));
  Random random(seed);
  for (int round = 0; round < 3000; ++round) {
    const SequenceNumber visible = 1 + random.Uniform(40);
    std::string text;
    std::vector<Entry> below;
    for (SequenceNumber s = 1; s <= visible; ++s) {
      const char key = static_cast<char>('a' + random.Uniform(3));
      const std::string one = key + std::to_string(s) + (random.OneIn(3) ? "-" : "");
      if (s <= visible / 4) {  // older than every input: lies in a deeper level
        for (Entry& entry : Parse(one)) below.push_back(entry);
      } else {
        text += one + " ";
      }
    }
    std::vector<SequenceNumber> snapshots;
    for (SequenceNumber s = 0; s < visible; ++s) {
      if (random.OneIn(6)) snapshots.push_back(s);
    }
    snapshots.push_back(visible);
    std::string keys_below;
    for (const Entry& entry : below) keys_below += entry.key;
    const std::vector<Entry> input = Parse(text);
    std::vector<Entry> before = input;
    std::vector<Entry> after = Compact(input, snapshots, keys_below);
    before.insert(before.end(), below.begin(), below.end());
    after.insert(after.end(), below.begin(), below.end());
    for (const SequenceNumber s : snapshots) {
      for (char key = 'a'; key <= 'c'; ++key) {
        ASSERT_EQ(Read(before, key, s), Read(after, key, s)) << text << " key " << key << " at " << s;
      }
    }
  }
}

TEST(CompactionStream, FoldsMergesWithinTheirStripe) {
  struct Case {
    const char* name;
    const char* input;
    std::vector<SequenceNumber> snapshots;  // the last is the visible sequence
    const char* below;
    const char* want;
  };
  const Case cases[] = {
      {"down to the value", "a5+ a4+ a3 a2", {9}, "a", "a5=3,4,5 "},
      {"down to the tombstone", "a5+ a4+ a3- a2", {9}, "a", "a5=4,5 "},
      {"into one operand while older data may lie below", "a5+ a4+", {9}, "a", "a5+=4,5 "},
      {"into a value at the bottom", "a5+ a4+", {9}, "", "a5=4,5 "},
      {"not across a snapshot", "a5+ a4+ a3", {4, 9}, "", "a5+ a4=3,4 "},
      {"a snapshot may read each of them", "a5+ a4+ a3", {3, 4, 9}, "", "a5+ a4+ a3 "},
      {"in the middle stripe", "a7+ a5+ a4+ a2", {3, 6, 9}, "", "a7+ a5+=4,5 a2 "},
      {"an older stripe is older data", "a5+ a4", {4, 9}, "", "a5+ a4 "},
      {"a tombstone alone in the oldest stripe goes", "a5+ a4-", {4, 9}, "", "a5+ "},
      {"each key for itself", "a5+ b4+ b3", {9}, "a", "a5+ b4=3,4 "},
      {"under a newer value they go", "a6 a5+ a4+", {9}, "a", "a6 "},
      {"without an operator they stay", "c5+ c4+ c3 c2", {9}, "", "c5+ c4+ c3 "},
  };
  for (const Case& c : cases) {
    SCOPED_TRACE(c.name);
    EXPECT_EQ(Show(Compact(Parse(c.input), c.snapshots, c.below)), c.want);
  }
}

TEST(CompactionStream, WhatHasExpiredCoversWhatIsOlderAndGoesAtTheBottom) {
  struct Case {
    const char* name;
    const char* input;
    std::vector<SequenceNumber> snapshots;
    const char* below;
    const char* want;  // at time 50
  };
  const Case cases[] = {
      {"not yet", "a5@51 a3", {9}, "a", "a5@51 "},
      {"a tombstone above older data", "a5@50 a3", {9}, "a", "a5- "},
      {"gone at the bottom", "a5@50 a3", {9}, "", ""},
      {"a tombstone above what a snapshot reads", "a5@50 a3", {4, 9}, "", "a5- a3 "},
      {"hidden from the snapshot that reads it, too", "a5 a3@50 a2", {4, 9}, "", "a5 "},
      {"an expired operand", "a5+@50 a4", {9}, "a", "a5- "},
      {"an expired operand at the bottom", "a5+@50 a4", {9}, "", ""},
      {"under an operand", "a5+ a4@50 a3", {9}, "a", "a5 "},
      {"an operand under an operand", "a5+ a4+@50 a3", {9}, "a", "a5 "},
      {"what expires first stays apart", "a5+ a4+ a3@60", {9}, "a", "a5+=4,5 a3@60 "},
      {"with the time of the newest", "a5+@55 a4+@60 a3", {9}, "a", "a5@55=3,4,5 "},
      {"without an operator, too", "c5+@50 c4", {9}, "c", "c5- "},
  };
  for (const Case& c : cases) {
    SCOPED_TRACE(c.name);
    EXPECT_EQ(Show(CompactAt(50, Parse(c.input), c.snapshots, c.below)), c.want);
  }
}

TEST(CompactionStream, WhatAFilterRemovesCoversWhatIsOlderAndGoesAtTheBottom) {
  struct Case {
    const char* name;
    const char* input;
    const char* below;
    const char* want;
  };
  const Case cases[] = {
      {"a tombstone above older data", "e5 e3", "e", "e5- "},
      {"gone at the bottom", "e5 e3", "", ""},
      {"what merges come to", "e5+ e4", "e", "e5- "},
      {"what merges come to at the bottom", "e5+ e4", "", ""},
      {"operands are no value yet", "e5+ e4+", "e", "e5+=4,5 "},
      {"operands apart from their value", "e5+ e4@60 e3", "e", "e5+ e4@60 "},
      {"a tombstone is none either", "e5- e4", "e", "e5- "},
  };
  for (const Case& c : cases) {
    SCOPED_TRACE(c.name);
    EXPECT_EQ(Show(CompactAt(50, Parse(c.input), {9}, c.below)), c.want);
  }
}

TEST(CompactionStream, NothingOfADroppedKeyspaceSurvives) {
  const auto input = Parse("a9 d8 d7+ d6- d5+ d4@60 d3+@60 d2");
  EXPECT_EQ(Show(CompactAt(50, input, {1, 3, 5, 6, 7, 9}, "abcd")), "a9 ");
}

TEST(CompactionStream, EveryReaderMergesTheSameBeforeAndAfterAtEveryLaterTime) {
  const uint64_t seed = SystemSeed();
  std::printf("seed %llu\n", static_cast<unsigned long long>(seed));
  Random random(seed);
  constexpr SequenceNumber kVisible = 16;
  for (int round = 0; round < 3000; ++round) {
    std::string text;
    std::string text_below;
    for (SequenceNumber s = 1; s <= kVisible; ++s) {
      std::string one = (random.OneIn(2) ? "a" : "b") + std::to_string(s);
      const uint64_t kind = random.Uniform(5);
      one += kind == 0 ? "-" : (kind == 1 ? "" : "+");
      if (kind != 0 && random.OneIn(2)) one += "@" + std::to_string(1 + random.Uniform(12));
      (s <= kVisible / 4 ? text_below : text) += one + " ";
    }
    std::vector<SequenceNumber> snapshots;
    for (SequenceNumber s = kVisible / 4; s < kVisible; ++s) {
      if (random.OneIn(5)) snapshots.push_back(s);
    }
    snapshots.push_back(kVisible);
    const uint64_t now_us = random.Uniform(13);
    const std::vector<Entry> below = Parse(text_below);
    std::vector<Entry> before = Parse(text);
    std::vector<Entry> after = CompactAt(now_us, before, snapshots, text_below);
    const std::string compacted = Show(after);
    before.insert(before.end(), below.begin(), below.end());
    after.insert(after.end(), below.begin(), below.end());
    for (const SequenceNumber s : snapshots) {
      for (uint64_t later_us = now_us; later_us < 14; ++later_us) {
        for (const char key : {'a', 'b'}) {
          ASSERT_EQ(ReadMerged(before, key, s, later_us), ReadMerged(after, key, s, later_us))
              << text << "\nabove " << text_below << "\ncompacted at " << now_us << " to " << compacted
              << "\nkey " << key << " at sequence " << s << ", time " << later_us;
        }
      }
    }
  }
}

}  // namespace
}  // namespace seerdb
