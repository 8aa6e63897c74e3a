// One reader, many threads: the first touch of every block is raced for.
#include <gtest/gtest.h>

#include <atomic>
#include <string>
#include <thread>
#include <vector>

#include "base/random.h"
#include "sstable/test_table.h"

namespace seerdb {
namespace {

TEST(TableConcurrencyTest, ThreadsReadOneTableThroughEveryAccess) {
  TestEntries entries;
  std::vector<std::string> keys;
  for (int i = 0; i < 3000; ++i) {
    keys.push_back("key" + std::to_string(100'000 + i));
    entries[{keys.back(), PackTrailer(1, ValueType::kValue)}] = keys.back() + std::string(20, 'v');
  }
  for (const CompressionType compression :
       {CompressionType::kNone, CompressionType::kLz4, CompressionType::kZstd}) {
    TestTable table;
    TableBuilderOptions options;
    options.compression = compression;
    options.block_bytes = 512;
    options.learned_index_min_keys = compression == CompressionType::kZstd ? 2048 : 50;
    ASSERT_TRUE(table.Build(entries, options).ok());
    for (const TableAccess access : {TableAccess::kMapped, TableAccess::kPread}) {
      // Small, so that blocks are evicted while others hold them.
      const auto reader =
          table.Open(access, std::make_shared<BlockCache>(100'000), std::make_shared<Statistics>(true));
      ASSERT_TRUE(reader.ok());
      std::atomic<int> wrong{0};
      std::vector<std::thread> threads;
      for (uint64_t t = 0; t < 4; ++t) {
        threads.emplace_back([&, t] {
          Random random(t + 1);
          TableReadFlags flags;
          flags.sequential_pread = t == 3;
          const auto iterator = (*reader)->NewIterator(flags);
          for (int i = 0; i < 2000; ++i) {
            const std::string& key = keys[random.Uniform(keys.size())];
            Lookup result;
            if (!(*reader)->Get({}, MakeLookup(key, 9), &result).ok() || !result.value.starts_with(key))
              ++wrong;
            if (i % 8 != 0) continue;
            iterator->Seek(key, kFirstTrailer);
            if (!iterator->Valid() || iterator->key() != key || !iterator->value().starts_with(key)) ++wrong;
          }
        });
      }
      for (std::thread& thread : threads) thread.join();
      EXPECT_EQ(wrong.load(), 0);
    }
  }
}

}  // namespace
}  // namespace seerdb
