// Blocks that end with pages: where they lie, what that costs, and that all that reads tables knows them.
#include <gtest/gtest.h>

#include <cstdio>
#include <functional>
#include <string>
#include <vector>

#include "base/random.h"
#include "sstable/block_index.h"
#include "sstable/table_format.h"
#include "sstable/table_salvage.h"
#include "sstable/test_table.h"

namespace seerdb {
namespace {

constexpr uint64_t kPaddedNumber = 46;

TableBuilderOptions PaddedOptions() {
  TableBuilderOptions options;
  options.ends_with_pages = true;
  options.table_number = kPaddedNumber;
  return options;
}

bool IsPadded(const std::string& bytes) {
  for (const MetaBlock& meta : MetaBlocksOf(bytes)) {
    if (meta.id == kMetaPaddedBlocks) return true;
  }
  return false;
}

// How many pages each block touches, trailer included.
std::vector<uint64_t> PagesOfBlocks(const std::string& bytes) {
  std::vector<uint64_t> pages;
  const auto index = IndexOf(bytes);
  EXPECT_TRUE(index.ok());
  for (uint32_t block = 0; index.ok() && block < index->blocks(); ++block) {
    const BlockPlace place = index->Place(block);
    const uint64_t last = place.offset + place.bytes + kBlockTrailerBytes - 1;
    pages.push_back(last / kTablePageBytes - place.offset / kTablePageBytes + 1);
  }
  return pages;
}

// The same entries with padding and without.
struct BothWays {
  BothWays(const TestEntries& entries, uint32_t block_bytes) {
    TableBuilderOptions options = PaddedOptions();
    options.block_bytes = block_bytes;
    EXPECT_TRUE(padded.Build(entries, options).ok());
    options.ends_with_pages = false;
    EXPECT_TRUE(plain.Build(entries, options).ok());
  }

  TestTable plain;
  TestTable padded;
};

std::string PaddedKey(int i) {
  const std::string digits = std::to_string(i);
  return "key" + std::string(8 - digits.size(), '0') + digits;
}

// `bytes_of(i)`: of value i. Sequences from a range that deltas of all lengths come from.
TestEntries EntriesOf(int count, Random* random, const std::function<uint64_t(int)>& bytes_of) {
  TestEntries entries;
  for (int i = 0; i < count; ++i) {
    const uint64_t sequence = 1 + random->Uniform(uint64_t{1} << (1 + i % 50));
    entries[{PaddedKey(i), PackTrailer(sequence, ValueType::kValue)}] = std::string(bytes_of(i), 'v');
  }
  return entries;
}

void ExpectWhole(TestTable* table, const TestEntries& entries) {
  for (const TableAccess access : {TableAccess::kMapped, TableAccess::kPread}) {
    const auto reader = table->Open(access);
    ASSERT_TRUE(reader.ok()) << reader.status().ToString();
    VerifyResult verified;
    ASSERT_TRUE((*reader)->Verify(&verified).ok());
    const auto iterator = (*reader)->NewIterator({});
    iterator->SeekToFirst();
    for (const auto& [key, value] : entries) {
      ASSERT_TRUE(iterator->Valid());
      ASSERT_EQ(iterator->key(), key.first);
      ASSERT_EQ(iterator->value(), value);
      iterator->Next();
      Lookup result;
      ASSERT_TRUE((*reader)->Get({}, MakeLookup(key.first, TrailerSequence(key.second)), &result).ok());
      ASSERT_EQ(result.value, value);
    }
    EXPECT_FALSE(iterator->Valid());
  }
}

TEST(PaddedBlocks, OfSmallEntriesLieInAsFewPagesAsTheyCan) {
  const uint64_t seed = SystemSeed();
  std::printf("seed %llu\n", static_cast<unsigned long long>(seed));
  Random random(seed);
  const std::function<uint64_t(int)> sizes[] = {[](int) { return 100; }, [](int i) { return i % 50; },
                                                [&](int) { return random.Uniform(200); }};
  for (const auto& bytes_of : sizes) {
    const TestEntries entries = EntriesOf(4000, &random, bytes_of);
    for (const uint32_t block_bytes : {4096u, 8192u}) {
      BothWays both(entries, block_bytes);
      TestTable& plain = both.plain;
      TestTable& padded = both.padded;
      const std::string bytes = padded.Bytes();
      EXPECT_TRUE(IsPadded(bytes));
      EXPECT_FALSE(IsPadded(plain.Bytes()));
      const std::vector<uint64_t> blocks = PagesOfBlocks(bytes);
      // A block may turn out larger than it seemed when its last entry changes how the others lie.
      size_t more = 0;
      for (const uint64_t pages : blocks) more += pages > block_bytes / kTablePageBytes ? 1 : 0;
      EXPECT_LE(more * 20, blocks.size());
      EXPECT_LE(bytes.size(), plain.Bytes().size() * 17 / 16 + kTablePageBytes);
      ExpectWhole(&padded, entries);
    }
  }
}

// A large entry here and there puts the blocks behind it out of step, but not for long.
TEST(PaddedBlocks, ComeBackIntoStepBehindALargeEntry) {
  Random random(1);
  const TestEntries entries =
      EntriesOf(4000, &random, [](int i) { return i % 400 == 399 ? 5000 + i : 100 + i % 30; });
  TestTable table;
  ASSERT_TRUE(table.Build(entries, PaddedOptions()).ok());
  const std::vector<uint64_t> pages = PagesOfBlocks(table.Bytes());
  size_t more = 0;
  for (const uint64_t n : pages) more += n > 1 ? 1 : 0;
  EXPECT_GE(more, 10u);
  EXPECT_LE(more, 30u) << "of " << pages.size();
  ExpectWhole(&table, entries);
}

// Where entries are large the padding would be too: but for the first blocks they lie as if nobody asked for
// it.
TEST(PaddedBlocks, OfLargeEntriesAreNotPadded) {
  Random random(2);
  const TestEntries entries = EntriesOf(500, &random, [](int) { return 1100; });
  BothWays both(entries, 4096);
  TestTable& plain = both.plain;
  TestTable& padded = both.padded;
  EXPECT_FALSE(IsPadded(padded.Bytes()));
  EXPECT_LE(padded.properties().data_blocks, plain.properties().data_blocks + 1);
  EXPECT_LE(padded.properties().data_bytes, plain.properties().data_bytes + 100);
  ExpectWhole(&padded, entries);
}

// Wherever in a page a block ends, the next one has a size that is not far from what was asked for.
TEST(PaddedBlocks, BeginAnywhereInAPage) {
  Random random(5);
  for (uint64_t bytes = 4000; bytes < 4000 + 2 * kTablePageBytes; ++bytes) {
    TestEntries entries = EntriesOf(300, &random, [&](int i) { return i == 40 ? bytes : 100; });
    TestTable table;
    ASSERT_TRUE(table.Build(entries, PaddedOptions()).ok());
    const std::vector<uint64_t> pages = PagesOfBlocks(table.Bytes());
    ASSERT_GE(pages.size(), 300 * 120 / kTablePageBytes) << bytes;
    ASSERT_LE(pages.size(), 300 * 120 / kTablePageBytes + 6) << bytes;
    for (const uint64_t n : pages) ASSERT_LE(n, 4u) << bytes;
    if (bytes % 256 == 0) ExpectWhole(&table, entries);
  }
}

// Offsets of two bytes end at 65,535: large blocks are not padded.
TEST(PaddedBlocks, LargeBlocksAreNot) {
  Random random(6);
  const TestEntries entries = EntriesOf(3000, &random, [](int i) { return i % 10 == 0 ? 2500 : 20; });
  for (const uint32_t block_bytes : {32768u, 65536u, 1u << 20}) {
    TestTable table;
    TableBuilderOptions options = PaddedOptions();
    options.block_bytes = block_bytes;
    ASSERT_TRUE(table.Build(entries, options).ok());
    EXPECT_EQ(IsPadded(table.Bytes()), block_bytes == 32768);
    ExpectWhole(&table, entries);
  }
}

// Large entries among small ones, so often that blocks hardly ever meet a page: not many more blocks.
TEST(PaddedBlocks, AreNotManyMoreWhereSizesDiffer) {
  Random random(7);
  const std::function<uint64_t(int)> sizes[] = {
      [](int i) { return i % 10 == 9 ? 1500 : 4; }, [](int i) { return 230 + i % 7; },
      [](int i) { return i % 2 == 0 ? 400 : 10; }, [&](int) { return random.Uniform(500); }};
  for (const auto& bytes_of : sizes) {
    const TestEntries entries = EntriesOf(6000, &random, bytes_of);
    BothWays both(entries, 4096);
    TestTable& plain = both.plain;
    TestTable& padded = both.padded;
    EXPECT_LE(padded.properties().data_blocks, plain.properties().data_blocks * 5 / 4);
    EXPECT_LE(padded.properties().data_bytes, plain.properties().data_bytes * 17 / 16);
    ExpectWhole(&padded, entries);
  }
}

TEST(PaddedBlocks, FollowCompressedOnesOfTheSameTable) {
  const auto fs = std::make_shared<MemoryFileSystem>();
  for (int compressed = 1; compressed < 200; ++compressed) {
    auto file = fs->NewWritableFile("/table.sst", CreateMode::kTruncate);
    ASSERT_TRUE(file.ok());
    TableBuilder builder(PaddedOptions(), file->get());
    for (int i = 0; i < 500; ++i) {
      const bool first = i < compressed;
      ASSERT_TRUE(builder.SetCompression(first ? CompressionType::kLz4 : CompressionType::kNone).ok());
      const std::string value(first ? static_cast<size_t>(i) * 7 : 100, static_cast<char>('a' + i % 20));
      ASSERT_TRUE(builder.Add(PaddedKey(i), PackTrailer(1, ValueType::kValue), value).ok());
    }
    const auto properties = builder.Finish();
    ASSERT_TRUE(properties.ok());
    ASSERT_GE(properties->data_blocks, static_cast<uint64_t>(500 - compressed) * 115 / kTablePageBytes);
    TableOpenOptions options;
    options.table_number = kPaddedNumber;
    const auto reader = TableReader::Open(*fs, "/table.sst", options);
    ASSERT_TRUE(reader.ok()) << reader.status().ToString();
    VerifyResult verified;
    ASSERT_TRUE((*reader)->Verify(&verified).ok());
  }
}

TEST(PaddedBlocks, OfALoadAreKnownToo) {
  TestEntries entries;
  for (int i = 0; i < 500; ++i)
    entries[{PaddedKey(i), PackTrailer(0, ValueType::kValue)}] = std::string(100, 'v');
  TestTable table;
  ASSERT_TRUE(table.BuildLoaded(entries, PaddedOptions(), 9).ok());
  EXPECT_TRUE(IsPadded(table.Bytes()));
  const auto reader = table.Open(TableAccess::kMapped);
  ASSERT_TRUE(reader.ok()) << reader.status().ToString();
  VerifyResult verified;
  EXPECT_TRUE((*reader)->Verify(&verified).ok());
}

TEST(PaddedBlocks, CompressedOnesAreNot) {
  Random random(3);
  const TestEntries entries = EntriesOf(2000, &random, [](int) { return 100; });
  TestTable table;
  TableBuilderOptions options = PaddedOptions();
  options.compression = CompressionType::kLz4;
  ASSERT_TRUE(table.Build(entries, options).ok());
  EXPECT_FALSE(IsPadded(table.Bytes()));
  ExpectWhole(&table, entries);
}

TEST(PaddedBlocks, AreFoundWithoutAnIndex) {
  Random random(4);
  for (const uint32_t learned : {100u, 1u << 30}) {  // most blocks without tags; all with
    const TestEntries entries = EntriesOf(1000, &random, [](int i) { return i < 500 ? 100 : 60 + i % 90; });
    TestTable table;
    TableBuilderOptions options = PaddedOptions();
    options.learned_index_min_keys = learned;
    ASSERT_TRUE(table.Build(entries, options).ok());
    std::string bytes = table.Bytes();
    ASSERT_TRUE(IsPadded(bytes));
    for (const MetaBlock& meta : MetaBlocksOf(bytes)) {
      if (meta.id == kMetaIndex) bytes[meta.offset + 20] ^= 1;
    }
    ASSERT_TRUE(table.Write(bytes).ok());
    TestEntries found;
    const auto salvage = SalvageTable(table.fs(), TestTable::kPath, kPaddedNumber, {},
                                      [&](Slice key, uint64_t trailer, Slice value) -> Status {
                                        found[{std::string(key), trailer}] = value;
                                        return {};
                                      });
    ASSERT_TRUE(salvage.ok()) << salvage.status().ToString();
    EXPECT_EQ(found, entries);
  }
}

}  // namespace
}  // namespace seerdb
