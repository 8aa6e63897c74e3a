#include "db/db_iterator.h"

#include <gtest/gtest.h>

#include <string>

#include "env/memory_file_system.h"
#include "seerdb/db.h"

namespace seerdb {
namespace {

// Keys a, b, c with `versions` versions each, the newest of b a tombstone; a snapshot after each round.
TEST(DbIterator, HotKeysWithThousandsOfVersionsReadTheSameBothWaysAtEverySnapshot) {
  Options options;
  options.file_system = std::make_shared<MemoryFileSystem>();
  options.wal_sync_policy = SyncPolicy::kNone;
  auto opened = DB::Open(options, "/db");
  ASSERT_TRUE(opened.ok()) << opened.status().ToString();
  DB& db = **opened;
  constexpr int kVersions = 3000;
  std::vector<Snapshot> snapshots;
  for (int i = 0; i < kVersions; ++i) {
    const std::string value = std::to_string(i);
    ASSERT_TRUE(db.Put("a", "a" + value).ok());
    ASSERT_TRUE(i % 2 == 0 ? db.Put("b", "b" + value).ok() : db.Delete("b").ok());
    ASSERT_TRUE(db.Put("c", "c" + value).ok());
    if (i % 250 < 2) snapshots.push_back(db.GetSnapshot());
    if (i == kVersions / 2) {
      ASSERT_TRUE(db.Flush().ok());
    }
  }
  size_t index = 0;
  for (int i = 0; i < kVersions; ++i) {
    if (i % 250 >= 2) continue;
    const std::string value = std::to_string(i);
    std::string want = "a" + value + " ";
    if (i % 2 == 0) want += "b" + value + " ";
    want += "c" + value + " ";
    std::string forward;
    std::string backward;
    ReadOptions read;
    read.snapshot = &snapshots[index++];
    const auto it = db.NewIterator(read);
    for (it->SeekToFirst(); it->Valid(); it->Next()) forward += std::string(it->value()) + " ";
    for (it->SeekToLast(); it->Valid(); it->Prev()) backward = std::string(it->value()) + " " + backward;
    EXPECT_EQ(forward, want) << i;
    EXPECT_EQ(backward, want) << i;
    it->Seek("b");
    ASSERT_TRUE(it->Valid());
    EXPECT_EQ(it->key(), i % 2 == 0 ? "b" : "c");
    it->Prev();
    ASSERT_TRUE(it->Valid());
    EXPECT_EQ(it->value(), "a" + value);
    it->Next();
    ASSERT_TRUE(it->Valid());
    EXPECT_EQ(it->key(), i % 2 == 0 ? "b" : "c");
    EXPECT_TRUE(it->status().ok());
  }
  ASSERT_TRUE(db.Close().ok());
}

}  // namespace
}  // namespace seerdb
