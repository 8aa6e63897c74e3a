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

constexpr uint64_t kNumber = 46;

TableBuilderOptions PaddedOptions() {
  TableBuilderOptions options;
  options.ends_with_pages = true;
  options.table_number = kNumber;
  return options;
}

std::vector<MetaBlock> MetasOf(const std::string& bytes) {
  const Slice end = Slice(bytes).substr(bytes.size() - kTableFooterBytes);
  const auto footer = DecodeTableFooter(end, bytes.size());
  EXPECT_TRUE(footer.ok());
  const auto metas = DecodeMetaList(Slice(bytes).substr(footer->meta_list_offset, footer->meta_list_bytes),
                                    footer->meta_list_offset);
  EXPECT_TRUE(metas.ok());
  return *metas;
}

bool IsPadded(const std::string& bytes) {
  for (const MetaBlock& meta : MetasOf(bytes)) {
    if (meta.id == kMetaPaddedBlocks) return true;
  }
  return false;
}

// How many pages each block touches, trailer included.
std::vector<uint64_t> PagesOfBlocks(const std::string& bytes) {
  std::vector<uint64_t> pages;
  for (const MetaBlock& meta : MetasOf(bytes)) {
    if (meta.id != kMetaIndex) continue;
    const auto index = BlockIndex::Decode(Slice(bytes).substr(meta.offset, meta.bytes), meta.offset);
    EXPECT_TRUE(index.ok());
    for (uint32_t block = 0; block < index->blocks(); ++block) {
      const BlockPlace place = index->Place(block);
      const uint64_t last = place.offset + place.bytes + kBlockTrailerBytes - 1;
      pages.push_back(last / kTablePageBytes - place.offset / kTablePageBytes + 1);
    }
  }
  return pages;
}

std::string Key(int i) {
  const std::string digits = std::to_string(i);
  return "key" + std::string(8 - digits.size(), '0') + digits;
}

// `bytes_of(i)`: of value i. Sequences from a range that deltas of all lengths come from.
TestEntries EntriesOf(int count, Random* random, const std::function<uint64_t(int)>& bytes_of) {
  TestEntries entries;
  for (int i = 0; i < count; ++i) {
    const uint64_t sequence = 1 + random->Uniform(uint64_t{1} << (1 + i % 50));
    entries[{Key(i), PackTrailer(sequence, ValueType::kValue)}] = std::string(bytes_of(i), 'v');
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

TEST(PaddedBlocks, OfSmallEntriesLieInOnePageEach) {
  const uint64_t seed = SystemSeed();
  std::printf("seed %llu\n", static_cast<unsigned long long>(seed));
  Random random(seed);
  const std::function<uint64_t(int)> sizes[] = {[](int) { return 100; }, [](int i) { return i % 50; },
                                                [&](int) { return random.Uniform(200); }};
  for (const auto& bytes_of : sizes) {
    const TestEntries entries = EntriesOf(4000, &random, bytes_of);
    for (const uint32_t block_bytes : {4096u, 8192u}) {
      TestTable plain;
      TestTable padded;
      TableBuilderOptions options = PaddedOptions();
      options.block_bytes = block_bytes;
      ASSERT_TRUE(padded.Build(entries, options).ok());
      options.ends_with_pages = false;
      ASSERT_TRUE(plain.Build(entries, options).ok());
      const std::string bytes = padded.Bytes();
      EXPECT_TRUE(IsPadded(bytes));
      EXPECT_FALSE(IsPadded(plain.Bytes()));
      for (const uint64_t pages : PagesOfBlocks(bytes)) ASSERT_LE(pages, block_bytes / kTablePageBytes);
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

// Where entries are large the padding would be too: blocks lie as if nobody asked for it.
TEST(PaddedBlocks, OfLargeEntriesAreNotPadded) {
  Random random(2);
  const TestEntries entries = EntriesOf(500, &random, [](int) { return 1000; });
  TestTable plain;
  TestTable padded;
  TableBuilderOptions options = PaddedOptions();
  ASSERT_TRUE(padded.Build(entries, options).ok());
  options.ends_with_pages = false;
  ASSERT_TRUE(plain.Build(entries, options).ok());
  EXPECT_LE(padded.Bytes().size(), plain.Bytes().size() * 101 / 100);
  ExpectWhole(&padded, entries);
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
    for (const MetaBlock& meta : MetasOf(bytes)) {
      if (meta.id == kMetaIndex) bytes[meta.offset + 20] ^= 1;
    }
    ASSERT_TRUE(table.Write(bytes).ok());
    TestEntries found;
    const auto salvage = SalvageTable(table.fs(), TestTable::kPath, kNumber, {},
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
