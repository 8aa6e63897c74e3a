#include "compaction/compaction_stream.h"

#include <gtest/gtest.h>

#include <cstdio>
#include <map>
#include <optional>

#include "base/random.h"
#include "iter/vector_iterator.h"

namespace seerdb {
namespace {

using Entry = VectorIterator::Entry;

// "a5" = put of a at 5, "a7-" = tombstone of a at 7.
std::vector<Entry> Parse(const std::string& text) {
  std::vector<Entry> entries;
  size_t i = 0;
  while (i < text.size()) {
    if (text[i] == ' ') {
      ++i;
      continue;
    }
    Entry entry;
    entry.key = text[i++];
    SequenceNumber sequence = 0;
    while (i < text.size() && text[i] >= '0' && text[i] <= '9')
      sequence = sequence * 10 + static_cast<SequenceNumber>(text[i++] - '0');
    const bool deletion = i < text.size() && text[i] == '-';
    if (deletion) ++i;
    entry.trailer = PackTrailer(sequence, deletion ? ValueType::kDeletion : ValueType::kValue);
    entries.push_back(entry);
  }
  return entries;
}

std::string Compact(const std::vector<Entry>& input, std::vector<SequenceNumber> snapshots,
                    const std::string& below) {
  VectorIterator iterator(input);
  CompactionStreamOptions options;
  options.snapshots = std::move(snapshots);
  options.may_hold_below = [&](Slice key) { return below.find(key[0]) != std::string::npos; };
  CompactionStream stream(&iterator, std::move(options));
  std::string out;
  for (stream.SeekToFirst(); stream.Valid(); stream.Next()) {
    out += std::string(stream.key()) + std::to_string(TrailerSequence(stream.trailer()));
    if (TrailerType(stream.trailer()) == ValueType::kDeletion) out += '-';
    out += ' ';
  }
  return out;
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
    EXPECT_EQ(Compact(Parse(c.input), c.snapshots, c.below), c.want);
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
      const char key = static_cast<char>('a' + random.Uniform(4));
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
    std::vector<Entry> after = Parse(Compact(input, snapshots, keys_below));
    before.insert(before.end(), below.begin(), below.end());
    after.insert(after.end(), below.begin(), below.end());
    for (const SequenceNumber s : snapshots) {
      for (char key = 'a'; key <= 'd'; ++key) {
        ASSERT_EQ(Read(before, key, s), Read(after, key, s)) << text << " key " << key << " at " << s;
      }
    }
  }
}

}  // namespace
}  // namespace seerdb
