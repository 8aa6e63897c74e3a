#include <gtest/gtest.h>

#include <cstdio>
#include <iterator>
#include <string>
#include <vector>

#include "base/digits_test_util.h"
#include "base/random.h"
#include "sstable/test_table.h"

namespace seerdb {
namespace {

std::string RandomBytes(Random& random, size_t n) {
  std::string out(n, '\0');
  for (char& c : out) c = static_cast<char>(random.Uniform(256));
  return out;
}

struct KeyShape {
  const char* name;
  std::vector<std::string> keys;
};

std::vector<KeyShape> KeyShapes(Random& random) {
  std::vector<KeyShape> shapes;
  shapes.push_back({"one", {"key"}});
  shapes.push_back({"empty key", {""}});
  shapes.push_back({"prefixes",
                    {"", std::string(1, '\0'), "a", std::string("a\0", 2), std::string("a\0\0", 3), "a\xff",
                     "a\xff\xff", "aa", "ab", "b", "\x7f", "\x80", "\xff", "\xff\xff"}});
  KeyShape digits{"digits", {}};
  KeyShape paths{"paths", {}};
  KeyShape random_bytes{"random bytes", {}};
  KeyShape long_prefix{"long prefix", {}};
  KeyShape few_symbols{"few symbols", {}};
  for (uint64_t i = 0; i < 500; ++i) {
    digits.keys.push_back(Digits(i * 7, 16));
    paths.keys.push_back("/usr/share/doc/package" + Digits(random.Uniform(40), 2) + "/file" +
                         Digits(random.Uniform(10000), 0));
    random_bytes.keys.push_back(RandomBytes(random, random.Uniform(20)));
    long_prefix.keys.push_back(std::string(40, 'p') + Digits(random.Next() % 100000, 0));
    std::string symbols;
    for (uint64_t n = random.Uniform(9); n > 0; --n) symbols.push_back("\0a\xff"[random.Uniform(3)]);
    few_symbols.keys.push_back(symbols);
  }
  KeyShape huge{"huge keys", {}};
  for (int i = 0; i < 8; ++i) {
    huge.keys.push_back(std::string(64 * 1024 - 4, 'h') + Digits(static_cast<uint64_t>(i), 4));
  }
  huge.keys.push_back(std::string(64 * 1024, 'g'));
  for (KeyShape* shape : {&digits, &paths, &random_bytes, &long_prefix, &few_symbols, &huge}) {
    shapes.push_back(std::move(*shape));
  }
  return shapes;
}

TestEntries MakeEntries(const KeyShape& shape, Random& random, bool many_versions) {
  TestEntries entries;
  SequenceNumber sequence = random.OneIn(2) ? 1 : kMaxSequence - 200'000;
  for (const std::string& key : shape.keys) {
    uint64_t versions = random.OneIn(4) ? 1 + random.Uniform(4) : 1;
    if (many_versions && random.OneIn(100)) versions = 300;
    for (; versions > 0; --versions) {
      sequence += 1 + random.Uniform(3);
      const ValueType type = random.OneIn(5)   ? ValueType::kDeletion
                             : random.OneIn(9) ? ValueType::kMerge
                                               : ValueType::kValue;
      const size_t bytes = random.OneIn(6) ? 0 : random.Uniform(random.OneIn(50) ? 3000 : 60);
      entries[{key, PackTrailer(sequence, type)}] =
          type == ValueType::kDeletion
              ? ""
              : RandomBytes(random, random.OneIn(2) ? bytes : 0) + std::string(bytes, 'v');
    }
  }
  return entries;
}

// What Get must answer.
void ExpectGet(const TableReader& table, const TestEntries& entries, const std::string& key,
               SequenceNumber sequence) {
  Lookup result;
  const Status status = table.Get({}, MakeLookup(key, sequence), &result);
  ASSERT_TRUE(status.ok()) << status.ToString();
  const auto at = entries.lower_bound({key, SeekTrailer(sequence)});
  if (at == entries.end() || at->first.first != key) {
    ASSERT_EQ(result.state, Lookup::State::kAbsent) << key;
    return;
  }
  const ValueType type = TrailerType(at->first.second);
  ASSERT_EQ(result.state, type == ValueType::kDeletion ? Lookup::State::kDeleted : Lookup::State::kFound)
      << key;
  ASSERT_EQ(result.type, type);
  ASSERT_EQ(result.sequence, TrailerSequence(at->first.second));
  ASSERT_EQ(result.value, at->second);
}

void ExpectAt(const InternalIterator& iterator, const TestEntries& entries, TestEntries::const_iterator at) {
  ASSERT_TRUE(iterator.status().ok()) << iterator.status().ToString();
  ASSERT_EQ(iterator.Valid(), at != entries.end());
  if (at == entries.end()) return;
  ASSERT_EQ(iterator.key(), at->first.first);
  ASSERT_EQ(iterator.trailer(), at->first.second);
  ASSERT_EQ(iterator.value(), at->second);
}

void ExpectWalks(InternalIterator& iterator, const TestEntries& entries) {
  iterator.SeekToFirst();
  for (auto at = entries.begin(); at != entries.end(); ++at) {
    ASSERT_NO_FATAL_FAILURE(ExpectAt(iterator, entries, at));
    iterator.Next();
  }
  ASSERT_FALSE(iterator.Valid());
  iterator.SeekToLast();
  for (auto at = entries.rbegin(); at != entries.rend(); ++at) {
    ASSERT_NO_FATAL_FAILURE(ExpectAt(iterator, entries, std::prev(at.base())));
    iterator.Prev();
  }
  ASSERT_FALSE(iterator.Valid());
  ASSERT_TRUE(iterator.status().ok());
}

std::string NearKey(const TestEntries& entries, Random& random) {
  auto at = entries.lower_bound({RandomBytes(random, random.Uniform(4)), kFirstTrailer});
  if (random.OneIn(2) || at == entries.end()) {
    at = std::next(entries.begin(), static_cast<ptrdiff_t>(random.Uniform(entries.size())));
  }
  std::string key = at->first.first;
  switch (random.Uniform(6)) {
    case 0:
      key.push_back('\0');
      break;
    case 1:
      if (!key.empty()) key.pop_back();
      break;
    case 2:
      if (!key.empty()) ++key[random.Uniform(key.size())];
      break;
    case 3:
      if (!key.empty()) --key[random.Uniform(key.size())];
      break;
    default:
      break;
  }
  return key;
}

void ExpectSeeks(const TableReader& table, InternalIterator& iterator, const TestEntries& entries,
                 Random& random) {
  for (int i = 0; i < (entries.size() > 10 ? 150 : 20); ++i) {
    const std::string key = NearKey(entries, random);
    SequenceNumber sequence = random.OneIn(3) ? kMaxSequence : random.Uniform(5000);
    if (const auto near = entries.lower_bound({key, kFirstTrailer});
        near != entries.end() && random.OneIn(2)) {
      sequence = TrailerSequence(near->first.second);
    }
    ASSERT_NO_FATAL_FAILURE(ExpectGet(table, entries, key, sequence));
    const uint64_t trailer = random.OneIn(4)   ? PackTrailer(sequence, ValueType::kValue)
                             : random.OneIn(4) ? kFirstTrailer
                             : random.OneIn(4) ? kLastTrailer
                                               : SeekTrailer(sequence);
    auto at = entries.lower_bound({key, trailer});
    if (random.OneIn(2)) {
      iterator.Seek(key, trailer);
    } else {
      iterator.SeekForPrev(key, trailer);
      at = entries.upper_bound({key, trailer});
      at = at == entries.begin() ? entries.end() : std::prev(at);
    }
    for (int step = 0; step < 6; ++step) {
      ASSERT_NO_FATAL_FAILURE(ExpectAt(iterator, entries, at)) << "seed step " << i;
      if (at == entries.end()) break;
      if (random.OneIn(2)) {
        iterator.Next();
        ++at;
      } else {
        iterator.Prev();
        at = at == entries.begin() ? entries.end() : std::prev(at);
      }
    }
  }
}

struct Config {
  CompressionType compression;
  TableAccess access;
  uint32_t block_bytes;
  bool cache;
  bool sequential;
  uint32_t learned_min_keys = 2048;
};

void ExpectTableEquals(const TestEntries& entries, const Config& config, Random& random) {
  TestTable table;
  TableBuilderOptions options;
  options.compression = config.compression;
  options.block_bytes = config.block_bytes;
  options.bloom_bits_per_key = config.cache ? 11 : 0;
  options.learned_index_min_keys = config.learned_min_keys;
  options.table_number = 77;
  const Status built = table.Build(entries, options);
  ASSERT_TRUE(built.ok()) << built.ToString();
  auto cache = config.cache ? std::make_shared<BlockCache>(200'000) : nullptr;
  auto reader = table.Open(config.access, cache);
  ASSERT_TRUE(reader.ok()) << reader.status().ToString();
  ASSERT_EQ((*reader)->properties().entries, entries.size());
  ASSERT_EQ((*reader)->properties().file_bytes, table.Bytes().size());
  TableReadFlags flags;
  flags.sequential_pread = config.sequential;
  const auto iterator = (*reader)->NewIterator(flags);
  ASSERT_NO_FATAL_FAILURE(ExpectWalks(*iterator, entries));
  for (const auto& [key, value] : entries) {
    ASSERT_NO_FATAL_FAILURE(ExpectGet(**reader, entries, key.first, TrailerSequence(key.second)));
  }
  ASSERT_NO_FATAL_FAILURE(ExpectSeeks(**reader, *iterator, entries, random));
  VerifyResult verified;
  const Status status = (*reader)->Verify(&verified);
  ASSERT_TRUE(status.ok()) << status.ToString();
  EXPECT_EQ(verified.sstables_verified, 1u);
  EXPECT_EQ(verified.blocks_verified, table.properties().data_blocks);
  EXPECT_EQ(verified.sstable_bytes_verified, table.properties().file_bytes);
}

TEST(TableRoundTripTest, EveryShapeCodecAccessAndBlockSizeMatchesAMap) {
  const uint64_t seed = SystemSeed();
  std::printf("seed %llu\n", static_cast<unsigned long long>(seed));
  Random random(seed);
  for (const KeyShape& shape : KeyShapes(random)) {
    const TestEntries entries = MakeEntries(shape, random, true);
    for (const CompressionType compression :
         {CompressionType::kNone, CompressionType::kLz4, CompressionType::kZstd}) {
      for (const TableAccess access : {TableAccess::kMapped, TableAccess::kPread}) {
        for (const uint32_t block_bytes : {64u, 4096u, 65536u}) {
          const auto learned = static_cast<uint32_t>(random.OneIn(4) ? 0 : 1 + random.Uniform(20));
          const Config config{compression, access, block_bytes, random.OneIn(2), random.OneIn(3), learned};
          SCOPED_TRACE(std::string(shape.name) + " compression " +
                       std::to_string(static_cast<int>(compression)) + " access " +
                       std::to_string(static_cast<int>(access)) + " block " + std::to_string(block_bytes) +
                       " cache " + std::to_string(config.cache) + " sequential " +
                       std::to_string(config.sequential) + " learned " + std::to_string(learned));
          ASSERT_NO_FATAL_FAILURE(ExpectTableEquals(entries, config, random));
        }
      }
    }
  }
}

TEST(TableRoundTripTest, LargeValueAndSmallNeighbours) {
  Random random(1);
  TestEntries entries;
  for (const CompressionType compression :
       {CompressionType::kNone, CompressionType::kLz4, CompressionType::kZstd}) {
    entries[{"a", PackTrailer(5, ValueType::kValue)}] = "small";
    entries[{"b", PackTrailer(6, ValueType::kValue)}] = RandomBytes(random, 3 << 20);
    entries[{"c", PackTrailer(7, ValueType::kValue)}] = std::string(3 << 20, 'c');
    entries[{"d", PackTrailer(8, ValueType::kDeletion)}] = "";
    for (const TableAccess access : {TableAccess::kMapped, TableAccess::kPread}) {
      for (const bool sequential : {false, true}) {
        ASSERT_NO_FATAL_FAILURE(
            ExpectTableEquals(entries, {compression, access, 4096, true, sequential}, random));
      }
    }
  }
}

// One key's versions fill several blocks: the probe must walk on.
TEST(TableRoundTripTest, VersionsOfOneKeyAcrossBlocks) {
  TestEntries entries;
  entries[{"before", PackTrailer(3, ValueType::kValue)}] = "x";
  for (SequenceNumber sequence = 10; sequence < 1010; sequence += 2) {
    entries[{"key", PackTrailer(sequence, sequence % 20 == 0 ? ValueType::kDeletion : ValueType::kValue)}] =
        sequence % 20 == 0 ? "" : std::to_string(sequence);
  }
  entries[{"key2", PackTrailer(4, ValueType::kValue)}] = "y";
  TestTable table;
  TableBuilderOptions options;
  options.block_bytes = 64;
  ASSERT_TRUE(table.Build(entries, options).ok());
  ASSERT_GT(table.properties().data_blocks, 100u);
  const auto reader = table.Open(TableAccess::kMapped);
  ASSERT_TRUE(reader.ok());
  for (SequenceNumber sequence = 0; sequence < 1020; ++sequence) {
    for (const char* key : {"before", "key", "key2", "ke", "key1"}) {
      ASSERT_NO_FATAL_FAILURE(ExpectGet(**reader, entries, key, sequence));
    }
  }
}

TEST(TableRoundTripTest, KeysOnlyHidesValues) {
  TestEntries entries;
  entries[{"a", PackTrailer(1, ValueType::kValue)}] = "value";
  TestTable table;
  ASSERT_TRUE(table.Build(entries, {}).ok());
  const auto reader = table.Open(TableAccess::kMapped);
  ASSERT_TRUE(reader.ok());
  TableReadFlags flags;
  flags.keys_only = true;
  const auto iterator = (*reader)->NewIterator(flags);
  iterator->SeekToFirst();
  ASSERT_TRUE(iterator->Valid());
  EXPECT_EQ(iterator->key(), "a");
  EXPECT_TRUE(iterator->value().empty());
}

TEST(TableRoundTripTest, ValuesInTheMappingHaveNoOwnerAndOthersDo) {
  TestEntries entries;
  for (int i = 0; i < 50; ++i) {
    entries[{Digits(static_cast<uint64_t>(i), 4), PackTrailer(1, ValueType::kValue)}] = std::string(200, 'v');
  }
  for (const CompressionType compression : {CompressionType::kNone, CompressionType::kLz4}) {
    TestTable table;
    TableBuilderOptions options;
    options.compression = compression;
    ASSERT_TRUE(table.Build(entries, options).ok());
    for (const TableAccess access : {TableAccess::kMapped, TableAccess::kPread}) {
      for (const bool cached : {false, true}) {
        auto cache = cached ? std::make_shared<BlockCache>(1 << 20) : nullptr;
        auto reader = table.Open(access, cache);
        ASSERT_TRUE(reader.ok());
        Lookup result;
        ASSERT_TRUE((*reader)->Get({}, MakeLookup("0007", 9), &result).ok());
        ASSERT_EQ(result.state, Lookup::State::kFound);
        const bool in_mapping = access == TableAccess::kMapped && compression == CompressionType::kNone;
        EXPECT_EQ(result.owner == nullptr, in_mapping);
        EXPECT_EQ(cached && !in_mapping, cached && cache->bytes() > 0);
        if (!in_mapping) reader->reset();  // the owner alone keeps the value
        EXPECT_EQ(result.value, std::string(200, 'v'));
      }
    }
  }
}

TEST(TableRoundTripTest, CountersTellFilterModelAndCache) {
  TestEntries entries;
  for (uint64_t i = 0; i < 5000; ++i) entries[{Digits(i * 2, 16), PackTrailer(1, ValueType::kValue)}] = "v";
  TestTable table;
  ASSERT_TRUE(table.Build(entries, {}).ok());
  const auto reader = table.Open(TableAccess::kMapped, nullptr);
  ASSERT_TRUE(reader.ok());
  CounterShard counted;
  TableReadFlags flags;
  flags.shard = &counted;
  Lookup result;
  for (uint64_t i = 0; i < 10000; ++i)
    ASSERT_TRUE((*reader)->Get(flags, MakeLookup(Digits(i, 16), 9), &result).ok());
  const uint64_t false_positives = counted.Get(Counter::filter_false_positives);
  EXPECT_EQ(counted.Get(Counter::filter_negatives) + false_positives, 5000u);
  EXPECT_LT(false_positives, 100u);
  EXPECT_EQ(counted.Get(Counter::index_model_hits), 5000 + false_positives);
  EXPECT_EQ(counted.Get(Counter::index_fallbacks), 0u);
  // Another key's tag may come before a key's own.
  EXPECT_GE(counted.Get(Counter::blocks_read), 5000 + false_positives);
  EXPECT_LT(counted.Get(Counter::blocks_read), 5100 + false_positives);
}

// By gets, and by iterators with read calls of their own; what is cached is not read again.
TEST(TableRoundTripTest, BytesTakenByReadCallsAreCounted) {
  TestEntries entries;
  for (uint64_t i = 0; i < 5000; ++i) entries[{Digits(i, 16), PackTrailer(1, ValueType::kValue)}] = "v";
  TestTable table;
  ASSERT_TRUE(table.Build(entries, {}).ok());
  auto statistics = std::make_shared<Statistics>(true);
  auto cache = std::make_shared<BlockCache>(1 << 20, nullptr);
  const auto reader = table.Open(TableAccess::kPread, cache, statistics);
  ASSERT_TRUE(reader.ok());
  const TableProperties& properties = (*reader)->properties();
  const uint64_t at_open = statistics->Get(Counter::table_bytes_read);
  EXPECT_GT(at_open, 0u);
  EXPECT_LE(at_open, properties.file_bytes - properties.data_bytes);
  CounterShard counted;
  TableReadFlags flags;
  flags.shard = &counted;
  Lookup result;
  for (int round = 0; round < 2; ++round) {
    for (uint64_t i = 0; i < 5000; ++i)
      ASSERT_TRUE((*reader)->Get(flags, MakeLookup(Digits(i, 16), 9), &result).ok());
    EXPECT_EQ(counted.Get(Counter::table_bytes_read), properties.data_bytes);
  }
  flags.shard = nullptr;
  flags.statistics = statistics.get();
  flags.sequential_pread = true;
  const auto iterator = (*reader)->NewIterator(flags);
  for (iterator->SeekToFirst(); iterator->Valid(); iterator->Next()) {
  }
  EXPECT_EQ(statistics->Get(Counter::table_bytes_read) - at_open, properties.data_bytes);
  EXPECT_EQ(statistics->Get(Counter::iterator_blocks_read), properties.data_blocks);
}

}  // namespace
}  // namespace seerdb
