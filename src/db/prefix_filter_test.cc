// Iterators with a prefix over tables of which each knows prefixes of its own length.
#include <gtest/gtest.h>

#include <map>
#include <string>

#include "base/random.h"
#include "env/memory_file_system.h"
#include "seerdb/db.h"
#include "seerdb/write_batch.h"

namespace seerdb {
namespace {

using Contents = std::map<std::string, std::string>;

Contents Below(const Contents& all, const std::string& prefix) {
  Contents found;
  for (auto it = all.lower_bound(prefix); it != all.end() && it->first.starts_with(prefix); ++it) {
    found.insert(*it);
  }
  return found;
}

Contents Scan(DB* db, const std::string& prefix, bool backward) {
  ReadOptions options;
  options.prefix = prefix;
  Contents found;
  const auto it = db->NewIterator(options);
  for (backward ? it->SeekToLast() : it->SeekToFirst(); it->Valid(); backward ? it->Prev() : it->Next()) {
    found.emplace(std::string(it->key()), std::string(it->value()));
  }
  EXPECT_TRUE(it->status().ok()) << it->status().ToString();
  return found;
}

Options SmallTables(const std::shared_ptr<FileSystem>& fs) {
  Options options;
  options.file_system = fs;
  options.memtable_capacity = 64 << 10;
  options.wal_segment_bytes = 64 << 10;
  options.target_file_size = options.base_level_size = 4096;
  options.l0_compaction_trigger = 4;
  options.background_flush = options.background_compaction = false;
  return options;
}

// Runs that overlap, deletions, several tables a run; the length changes at every open, also to none.
TEST(PrefixFilterDb, ShowsWhatIsThereWhateverTheTablesKnow) {
  const auto fs = std::make_shared<MemoryFileSystem>();
  Random random(20261129);
  Contents want;
  uint64_t passed_over = 0;
  for (const uint32_t bytes : {3u, 5u, 0u, 1u, 200u}) {
    Options options = SmallTables(fs);
    options.prefix_filter_bytes = bytes;
    auto opened = DB::Open(options, "/db");
    ASSERT_TRUE(opened.ok()) << opened.status().ToString();
    DB* const db = opened->get();
    for (int round = 0; round < 3; ++round) {
      for (int i = 0; i < 300; ++i) {
        const std::string key = "k" + std::to_string(random.Uniform(400) * 7919 % 100'000);
        if (random.OneIn(4)) {
          ASSERT_TRUE(db->Delete(key).ok());
          want.erase(key);
        } else {
          const std::string value = std::to_string(random.Uniform(1'000'000)) + std::string(40, 'v');
          ASSERT_TRUE(db->Put(key, value).ok());
          want[key] = value;
        }
      }
      ASSERT_TRUE(db->Flush().ok());
      for (int i = 0; i < 200; ++i) {
        const std::string key = "k" + std::to_string(random.Uniform(100'000));
        const std::string prefix = key.substr(0, 1 + random.Uniform(key.size()));
        ASSERT_EQ(Scan(db, prefix, i % 2 == 1), Below(want, prefix)) << prefix;
      }
    }
    passed_over += db->Stats().prefix_filter_negatives;
    ASSERT_TRUE(db->Verify().ok());
    ASSERT_TRUE(db->Close().ok());
  }
  EXPECT_GT(passed_over, 0u);
}

}  // namespace
}  // namespace seerdb
