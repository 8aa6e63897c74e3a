// Tables with a learned index: they answer as a map does, whatever became of the trial with their first keys.
#include <gtest/gtest.h>

#include <cstdio>
#include <string>
#include <vector>

#include "base/random.h"
#include "sstable/test_table.h"

namespace seerdb {
namespace {

constexpr uint64_t kKeys = 6000;

std::string LearnedKey(uint64_t i) {
  char buffer[32];
  std::snprintf(buffer, sizeof buffer, "user%012llu", static_cast<unsigned long long>(i * 2));
  return buffer;
}

// So many keys that a model can learn, then others that it cannot.
TestEntries Entries(Random& random, uint64_t learnable, bool versions) {
  TestEntries entries;
  for (uint64_t i = 0; i < kKeys; ++i) {
    std::string key = LearnedKey(i);
    if (i >= learnable) key = "x" + LearnedKey(i / 50) + "eightbyt" + std::to_string(random.Next());
    uint64_t count = versions && random.OneIn(10) ? 1 + random.Uniform(random.OneIn(20) ? 200 : 3) : 1;
    for (; count > 0; --count) {
      const bool deleted = random.OneIn(10);
      const SequenceNumber sequence = 10 + count * 10 + random.Uniform(5);
      entries[{key, PackTrailer(sequence, deleted ? ValueType::kDeletion : ValueType::kValue)}] =
          deleted ? "" : std::string(20, 'v') + key;
    }
  }
  return entries;
}

void ExpectGet(const TestEntries& entries, const LookupKey& lookup, const Status& status,
               const Lookup& result) {
  ASSERT_TRUE(status.ok()) << status.ToString();
  const auto at = entries.lower_bound({std::string(lookup.key), SeekTrailer(lookup.sequence)});
  if (at == entries.end() || at->first.first != lookup.key) {
    ASSERT_EQ(result.state, Lookup::State::kAbsent) << lookup.key;
    return;
  }
  const bool deleted = TrailerType(at->first.second) == ValueType::kDeletion;
  ASSERT_EQ(result.state, deleted ? Lookup::State::kDeleted : Lookup::State::kFound) << lookup.key;
  ASSERT_EQ(result.sequence, TrailerSequence(at->first.second));
  ASSERT_EQ(result.value, at->second);
}

// One by one, and in steps taken together.
void ExpectGets(const TableReader& table, const TestEntries& entries, Random& random) {
  std::vector<LookupKey> lookups;
  std::vector<std::string> absent;
  absent.reserve(entries.size());
  for (const auto& [key, value] : entries) {
    lookups.push_back(MakeLookup(key.first, kMaxSequence));
    lookups.push_back(MakeLookup(key.first, TrailerSequence(key.second)));
    lookups.push_back(MakeLookup(key.first, random.Uniform(40)));
    absent.push_back(key.first + "0");
    lookups.push_back(MakeLookup(absent.back(), kMaxSequence));
  }
  for (const LookupKey& lookup : lookups) {
    Lookup result;
    const Status status = table.Get({}, lookup, &result);
    ASSERT_NO_FATAL_FAILURE(ExpectGet(entries, lookup, status, result));
  }
  constexpr size_t kTogether = 32;
  for (size_t i = 0; i < lookups.size(); i += kTogether) {
    const size_t n = std::min(kTogether, lookups.size() - i);
    TableProbe probes[kTogether];
    for (size_t j = 0; j < n; ++j) table.StartProbe(lookups[i + j]);
    for (size_t j = 0; j < n; ++j) table.FilterProbe(lookups[i + j], &probes[j]);
    for (size_t j = 0; j < n; ++j) {
      if (probes[j].passed) table.FindProbe(lookups[i + j], &probes[j]);
    }
    for (size_t j = 0; j < n; ++j) {
      if (probes[j].passed) table.EnterProbe(lookups[i + j], probes[j]);
    }
    for (size_t j = 0; j < n; ++j) {
      Lookup result;
      const Status status = table.FinishProbe({}, lookups[i + j], probes[j], &result);
      ASSERT_NO_FATAL_FAILURE(ExpectGet(entries, lookups[i + j], status, result));
    }
  }
}

void ExpectWalk(const TableReader& table, const TestEntries& entries) {
  const auto iterator = table.NewIterator({});
  iterator->SeekToFirst();
  for (const auto& [key, value] : entries) {
    ASSERT_TRUE(iterator->Valid());
    ASSERT_EQ(iterator->key(), key.first);
    ASSERT_EQ(iterator->trailer(), key.second);
    ASSERT_EQ(iterator->value(), value);
    iterator->Next();
  }
  ASSERT_FALSE(iterator->Valid());
  for (auto at = entries.begin(); at != entries.end();
       std::advance(at, std::min<ptrdiff_t>(97, std::distance(at, entries.end())))) {
    iterator->Seek(at->first.first, at->first.second);
    ASSERT_TRUE(iterator->Valid());
    ASSERT_EQ(iterator->key(), at->first.first);
    ASSERT_EQ(iterator->trailer(), at->first.second);
  }
}

struct Case {
  const char* name;
  uint64_t learnable;
  uint32_t min_keys;
  uint32_t bloom_bits;
  LookupKind kind;
  bool mostly_absent = false;
  IndexKind asked = IndexKind::kAuto;
  ModelKind model = ModelKind::kPla;
};

TEST(TableLearnedTest, EveryOutcomeOfTheTrialAnswersAsAMap) {
  const uint64_t seed = SystemSeed();
  std::printf("seed %llu\n", static_cast<unsigned long long>(seed));
  Random random(seed);
  const Case kCases[] = {
      {"learned", kKeys, 2048, 11, LookupKind::kTagIndex},
      {"learned at once", kKeys, 1, 11, LookupKind::kTagIndex},
      {"too few", kKeys, kKeys + 1, 11, LookupKind::kFewKeys},
      {"not asked for", kKeys, 0, 11, LookupKind::kNotAsked},
      {"no filter", kKeys, 1, 0, LookupKind::kNoFilter},
      {"finer filter", kKeys, 1, 13, LookupKind::kFinerFilter},
      {"newer run", kKeys, 1, 11, LookupKind::kMostlyAbsent, true},
      {"refused by the trial", 0, 2048, 11, LookupKind::kUnlearnable},
      {"refused at the end", 3000, 2048, 11, LookupKind::kUnlearnable},
      {"tag", kKeys, 2048, 11, LookupKind::kTagIndex, false, IndexKind::kTag},
      {"tag of few keys in a newer run", kKeys, kKeys + 1, 11, LookupKind::kTagIndex, true, IndexKind::kTag},
      {"tag without a filter", kKeys, 0, 0, LookupKind::kTagIndex, false, IndexKind::kTag},
      {"tag of any keys", 3000, 2048, 11, LookupKind::kTagIndex, false, IndexKind::kTag},
      {"pgm", kKeys, 2048, 11, LookupKind::kNotAsked, false, IndexKind::kPgm, ModelKind::kPgm},
      {"spline", 3000, 2048, 11, LookupKind::kNotAsked, false, IndexKind::kRadixSpline,
       ModelKind::kRadixSpline},
      {"alex", 3000, 2048, 11, LookupKind::kNotAsked, false, IndexKind::kAlex, ModelKind::kAlex},
      {"alex without a filter", kKeys, 2048, 0, LookupKind::kNoFilter, false, IndexKind::kAlex,
       ModelKind::kAlex},
      {"binary", 0, 2048, 11, LookupKind::kNotAsked, false, IndexKind::kBinary, ModelKind::kNone},
  };
  for (const Case& c : kCases) {
    for (const bool versions : {false, true}) {
      const TestEntries entries = Entries(random, c.learnable, versions);
      for (const auto& [compression, access] : {std::pair{CompressionType::kNone, TableAccess::kMapped},
                                                {CompressionType::kNone, TableAccess::kPread},
                                                {CompressionType::kLz4, TableAccess::kMapped}}) {
        SCOPED_TRACE(std::string(c.name) + (versions ? ", versions" : "") + ", compression " +
                     std::to_string(static_cast<int>(compression)));
        TableBuilderOptions options;
        options.compression = compression;
        options.learned_index_min_keys = c.min_keys;
        options.bloom_bits_per_key = c.bloom_bits;
        options.mostly_absent = c.mostly_absent;
        options.index_kind = c.asked;
        options.table_number = 5;
        TestTable table;
        ASSERT_TRUE(table.Build(entries, options).ok());
        const auto reader = table.Open(access, std::make_shared<BlockCache>(4 << 20));
        ASSERT_TRUE(reader.ok()) << reader.status().ToString();
        const TableProperties& properties = (*reader)->properties();
        EXPECT_EQ(properties.lookup, c.kind);
        EXPECT_EQ(properties.block_model, c.model);
        EXPECT_EQ(properties.tag_index_bytes != 0, c.kind == LookupKind::kTagIndex);
        EXPECT_EQ(properties.filter_bytes != 0, c.kind != LookupKind::kTagIndex && c.bloom_bits != 0);
        ASSERT_NO_FATAL_FAILURE(ExpectGets(**reader, entries, random));
        ASSERT_NO_FATAL_FAILURE(ExpectWalk(**reader, entries));
        VerifyResult verified;
        const Status status = (*reader)->Verify(&verified);
        EXPECT_TRUE(status.ok()) << status.ToString();
      }
    }
  }
}

// What a get counts is the same as with a filter.
TEST(TableLearnedTest, CountersTellTagsAsAFilter) {
  TestEntries entries;
  for (uint64_t i = 0; i < kKeys; ++i) entries[{LearnedKey(i), PackTrailer(1, ValueType::kValue)}] = "v";
  TestTable table;
  ASSERT_TRUE(table.Build(entries, {}).ok());
  const auto reader = table.Open(TableAccess::kMapped, nullptr);
  ASSERT_TRUE(reader.ok());
  ASSERT_EQ((*reader)->properties().lookup, LookupKind::kTagIndex);
  CounterShard counted;
  TableReadFlags flags;
  flags.shard = &counted;
  Lookup result;
  for (uint64_t i = 0; i < kKeys; ++i)
    ASSERT_TRUE((*reader)->Get(flags, MakeLookup(LearnedKey(i) + "x", 9), &result).ok());
  const uint64_t false_positives = counted.Get(Counter::filter_false_positives);
  EXPECT_EQ(counted.Get(Counter::filter_negatives) + false_positives, kKeys);
  EXPECT_LT(false_positives, kKeys / 50);
}

}  // namespace
}  // namespace seerdb
