// What a table's iterator says of its entries beside their keys and values.
#include "sstable/table_iterator.h"

#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "cache/block_cache.h"
#include "sstable/test_table.h"

namespace seerdb {
namespace {

TestEntries SomeEntries() {
  TestEntries entries;
  for (int i = 100; i < 200; ++i) {
    entries[{"key" + std::to_string(i), PackTrailer(1, ValueType::kValue)}] = std::string(300, 'v');
  }
  return entries;
}

// What is borrowed although it does not stay is read after it was freed.
TEST(TableIteratorTest, OnlyValuesInAMappingLast) {
  const struct {
    TableAccess access;
    CompressionType compression;
    bool cached;
    bool sequential;
    bool lasts;
  } kCases[] = {
      {TableAccess::kMapped, CompressionType::kNone, true, false, true},
      {TableAccess::kMapped, CompressionType::kNone, false, false, true},
      {TableAccess::kMapped, CompressionType::kNone, false, true, false},
      {TableAccess::kMapped, CompressionType::kLz4, true, false, false},
      {TableAccess::kMapped, CompressionType::kLz4, false, false, false},
      {TableAccess::kPread, CompressionType::kNone, true, false, false},
      {TableAccess::kPread, CompressionType::kNone, false, false, false},
      {TableAccess::kPread, CompressionType::kNone, false, true, false},
  };
  for (const auto& c : kCases) {
    TestTable table;
    TableBuilderOptions options;
    options.compression = c.compression;
    ASSERT_TRUE(table.Build(SomeEntries(), options).ok());
    const auto reader =
        table.Open(c.access, c.cached ? std::make_shared<BlockCache>(uint64_t{1} << 20) : nullptr);
    ASSERT_TRUE(reader.ok()) << reader.status().ToString();
    TableReadFlags flags;
    flags.sequential_pread = c.sequential;
    flags.read_ahead_bytes = c.sequential ? 4096 : 0;
    const auto iterator = (*reader)->NewIterator(flags);
    int count = 0;
    for (iterator->SeekToFirst(); iterator->Valid(); iterator->Next(), ++count) {
      EXPECT_EQ(iterator->entry()->value_lasts, c.lasts) << (&c - kCases);
    }
    EXPECT_TRUE(iterator->status().ok()) << iterator->status().ToString();
    for (iterator->SeekToLast(); iterator->Valid(); iterator->Prev(), ++count) {
      EXPECT_EQ(iterator->entry()->value_lasts, c.lasts) << (&c - kCases);
    }
    EXPECT_EQ(count, 200);
  }
}

}  // namespace
}  // namespace seerdb
