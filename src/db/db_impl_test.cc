#include <gtest/gtest.h>

#include <atomic>
#include <string>
#include <thread>

#include "base/vector_state_test_util.h"
#include "env/fault_file_system.h"
#include "env/memory_file_system.h"
#include "seerdb/db.h"

namespace seerdb {
namespace {

constexpr char kDirectory[] = "/db";

Options OnMemory(const std::shared_ptr<FileSystem>& fs) {
  Options options;
  options.file_system = fs;
  options.wal_sync_policy = SyncPolicy::kNone;
  return options;
}

std::unique_ptr<DB> OpenOrNull(const Options& options) {
  auto opened = DB::Open(options, kDirectory);
  EXPECT_TRUE(opened.ok()) << opened.status().ToString();
  return opened.ok() ? *std::move(opened) : nullptr;
}

// Else all that its thread does later, in the engine and outside, would be slow on some processors.
TEST(DbImpl, CallsLeaveTheVectorRegistersOfTheirThreadAsSseWantsThem) {
  const auto db = OpenOrNull(OnMemory(std::make_shared<MemoryFileSystem>()));
  ASSERT_NE(db, nullptr);
  const std::string value(5000, 'v');
  ExpectUpperHalvesClearAfter([&] { EXPECT_TRUE(db->Put("a", value).ok()); });
  ExpectUpperHalvesClearAfter([&] { EXPECT_TRUE(db->Put("b", value).ok()); });
  ExpectUpperHalvesClearAfter([&] { EXPECT_TRUE(db->Get("a").ok()); });
  ASSERT_TRUE(db->Flush().ok());
  ExpectUpperHalvesClearAfter([&] { EXPECT_TRUE(db->Get("a").ok()); });
  ExpectUpperHalvesClearAfter([&] {
    const auto iterator = db->NewIterator();
    for (iterator->SeekToFirst(); iterator->Valid(); iterator->Next()) EXPECT_EQ(iterator->value(), value);
  });
  ExpectUpperHalvesClearAfter([&] { EXPECT_TRUE(db->Close().ok()); });
}

// An iterator pins tables that a compaction made obsolete; after Close the same names belong to whoever opens
// the directory next.
TEST(DbImpl, AnIteratorThatOutlivesItsDatabaseRemovesNoFileOfTheNextOne) {
  const auto fs = std::make_shared<MemoryFileSystem>();
  const Options options = OnMemory(fs);
  auto db = OpenOrNull(options);
  ASSERT_NE(db, nullptr);
  for (int round = 0; round < 2; ++round) {
    ASSERT_TRUE(db->Put("key", std::string(300, 'a')).ok());
    ASSERT_TRUE(db->Flush().ok());
  }
  auto iterator = db->NewIterator();
  iterator->SeekToFirst();
  ASSERT_TRUE(iterator->Valid());
  ASSERT_TRUE(db->CompactRange().ok());
  ASSERT_TRUE(db->Close().ok());
  db.reset();
  ASSERT_TRUE(DestroyDatabase(options, kDirectory).ok());
  auto next = OpenOrNull(options);
  ASSERT_NE(next, nullptr);
  for (int i = 0; i < 8; ++i) {
    ASSERT_TRUE(next->Put("key" + std::to_string(i), "kept").ok());
    ASSERT_TRUE(next->Flush().ok());
  }
  EXPECT_EQ(iterator->value(), std::string(300, 'a'));
  iterator.reset();
  ASSERT_TRUE(next->Close().ok());
  next = OpenOrNull(options);
  ASSERT_NE(next, nullptr);
  for (int i = 0; i < 8; ++i) {
    const auto got = next->Get("key" + std::to_string(i));
    ASSERT_TRUE(got.ok()) << got.status().ToString();
    EXPECT_TRUE(got->has_value());
  }
  EXPECT_TRUE(next->Verify().ok());
}

// The system's clock, which tells when the compaction thread first sleeps.
class CompactionSleeps final : public Clock {
 public:
  uint64_t NowMicros() override { return SystemClock()->NowMicros(); }
  uint64_t WallMicros() override { return SystemClock()->WallMicros(); }
  void SleepMicros(uint64_t micros) override {
    sleeps_.fetch_add(1);
    SystemClock()->SleepMicros(micros);
  }
  uint64_t sleeps() const { return sleeps_.load(); }

 private:
  std::atomic<uint64_t> sleeps_{0};
};

TEST(DbImpl, ClosesWhileCompactionIsHeldBack) {
  Options options = OnMemory(std::make_shared<MemoryFileSystem>());
  const auto clock = std::make_shared<CompactionSleeps>();
  options.clock = clock;
  options.memtable_capacity = 1 << 20;
  options.l0_compaction_trigger = 2;
  options.max_background_compactions = 3;
  options.compaction_bytes_per_second = 1 << 20;
  auto db = OpenOrNull(options);
  ASSERT_NE(db, nullptr);
  constexpr int kKeys = 4'000;
  const std::string value(1000, 'v');
  // Twice, so that tables overlap and must be merged.
  for (int i = 0; i < 2 * kKeys; ++i) ASSERT_TRUE(db->Put("key" + std::to_string(i % kKeys), value).ok());
  while (clock->sleeps() == 0) std::this_thread::yield();
  ASSERT_TRUE(db->Close().ok());
  db = OpenOrNull(options);
  ASSERT_NE(db, nullptr);
  for (int i = 0; i < kKeys; ++i) {
    const auto got = db->Get("key" + std::to_string(i));
    ASSERT_TRUE(got.ok() && got->has_value()) << i;
  }
}

// In foreground mode the logger runs inside a Put; what it puts elsewhere must not mix with it.
TEST(DbImpl, ALoggerMayPutIntoAnotherDatabaseInsideAPut) {
  const auto other_fs = std::make_shared<MemoryFileSystem>();
  auto other = OpenOrNull(OnMemory(other_fs));
  ASSERT_NE(other, nullptr);
  int lines = 0;
  const auto fs = std::make_shared<MemoryFileSystem>();
  Options options = OnMemory(fs);
  options.background_flush = options.background_compaction = false;
  options.memtable_capacity = 4 << 10;
  options.logger = [&](Slice line) { EXPECT_TRUE(other->Put("line" + std::to_string(lines++), line).ok()); };
  auto db = OpenOrNull(options);
  ASSERT_NE(db, nullptr);
  for (int i = 0; i < 200; ++i) {
    ASSERT_TRUE(db->Put("key" + std::to_string(i), "value" + std::to_string(i)).ok());
  }
  EXPECT_GT(lines, 3);
  for (int i = 0; i < 200; ++i) {
    const auto got = db->Get("key" + std::to_string(i));
    ASSERT_TRUE(got.ok() && got->has_value()) << i;
    EXPECT_EQ((*got)->slice(), "value" + std::to_string(i));
  }
  // What the log of a crash would give back is the same.
  options.file_system = fs->CrashClone({0, CrashOptions::kProcessCrash, true});
  options.logger = nullptr;
  auto again = OpenOrNull(options);
  ASSERT_NE(again, nullptr);
  for (int i = 0; i < 200; ++i) {
    const auto got = again->Get("key" + std::to_string(i));
    ASSERT_TRUE(got.ok() && got->has_value()) << i;
    EXPECT_EQ((*got)->slice(), "value" + std::to_string(i));
  }
}

// A directory that somebody else has made, or that an open made which then ended.
TEST(DbImpl, TheNameOfADirectoryThatWasThereIsMadeDurable) {
  const auto fs = std::make_shared<MemoryFileSystem>();
  ASSERT_TRUE(fs->CreateDirectory("/made").ok());
  ASSERT_TRUE(fs->RenameFile("/made", kDirectory).ok());
  Options options = OnMemory(fs);
  options.wal_sync_policy = SyncPolicy::kSyncData;
  auto db = OpenOrNull(options);
  ASSERT_NE(db, nullptr);
  ASSERT_TRUE(db->Put("key", "value").ok());
  options.file_system = fs->CrashClone({0, CrashOptions::kDropUnsynced, true});
  auto again = OpenOrNull(options);
  ASSERT_NE(again, nullptr);
  const auto got = again->Get("key");
  EXPECT_TRUE(got.ok() && got->has_value());
}

TEST(DbImpl, WhatWasDestroyedDoesNotComeBack) {
  const auto fs = std::make_shared<MemoryFileSystem>();
  Options options = OnMemory(fs);
  auto db = OpenOrNull(options);
  ASSERT_NE(db, nullptr);
  ASSERT_TRUE(db->Put("key", "value").ok());
  ASSERT_TRUE(db->Close().ok());
  // So that the directory stays.
  ASSERT_TRUE(fs->NewWritableFile(std::string(kDirectory) + "/notes.txt", CreateMode::kTruncate).ok());
  ASSERT_TRUE(fs->SyncDirectory(kDirectory).ok());
  ASSERT_TRUE(DestroyDatabase(options, kDirectory).ok());
  const auto names = fs->CrashClone({0, CrashOptions::kDropUnsynced, true})->ListDirectory(kDirectory);
  ASSERT_TRUE(names.ok());
  for (const std::string& name : *names) EXPECT_TRUE(name == "notes.txt" || name == "LOCK") << name;
}

// Bytes of an older log behind the last record would look like a record that is torn.
TEST(DbImpl, WhereTheLogMustBeWholeItsFileIsANewOne) {
  const auto fs = std::make_shared<MemoryFileSystem>();
  Options options = OnMemory(fs);
  options.recovery_mode = RecoveryMode::kAbsoluteConsistency;
  options.wal_sync_policy = SyncPolicy::kSyncData;
  options.log_mode = LogMode::kDirect;
  options.wal_segment_bytes = 256 << 10;
  options.separation_bytes = 0;
  options.background_flush = options.background_compaction = false;
  auto db = OpenOrNull(options);
  ASSERT_NE(db, nullptr);
  for (int round = 0; round < 6; ++round) {
    ASSERT_TRUE(db->Put("big", std::string(200 << 10, static_cast<char>('a' + round))).ok());
    ASSERT_TRUE(db->Flush().ok());
    ASSERT_TRUE(db->Put("small", "1").ok());
    ASSERT_TRUE(db->Put("small", "2").ok());
    options.file_system = fs->CrashClone({0, CrashOptions::kProcessCrash, true});
    const auto again = OpenOrNull(options);
    ASSERT_NE(again, nullptr) << round;
  }
}

// The next one would be an error, or a long way through what is deleted.
TEST(DbImpl, AScanLooksNoFurtherThanItsLimit) {
  auto db = OpenOrNull(OnMemory(std::make_shared<MemoryFileSystem>()));
  ASSERT_NE(db, nullptr);
  for (const char* key : {"a", "z"}) ASSERT_TRUE(db->Put(key, "value").ok());
  for (int i = 0; i < 1000; ++i) ASSERT_TRUE(db->Delete("m" + std::to_string(i)).ok());
  ReadOptions read;
  read.max_skipped = 100;
  for (const bool reverse : {false, true}) {
    int items = 0;
    Scan scan = db->Scan(read).Limit(1);
    if (reverse) scan = std::move(scan).Reverse();
    for (const auto& entry : scan) {
      EXPECT_TRUE(entry.ok()) << entry.status().ToString();
      ++items;
    }
    EXPECT_EQ(items, 1);
  }
}

TEST(DbImpl, FilesOfOthersAreLeftAlone) {
  const auto fs = std::make_shared<MemoryFileSystem>();
  ASSERT_TRUE(fs->CreateDirectory(kDirectory).ok());
  for (const char* name : {"notes.tmp", "backup.sst.tmp", "notes.txt", "MANIFEST.old"}) {
    auto file = fs->NewWritableFile(std::string(kDirectory) + "/" + name, CreateMode::kTruncate);
    ASSERT_TRUE(file.ok());
  }
  for (int open = 0; open < 2; ++open) {
    auto db = OpenOrNull(OnMemory(fs));
    ASSERT_NE(db, nullptr);
    ASSERT_TRUE(db->Put("a", "b").ok());
    ASSERT_TRUE(db->Close().ok());
  }
  ASSERT_TRUE(DestroyDatabase(OnMemory(fs), kDirectory).ok());
  const auto names = fs->ListDirectory(kDirectory);
  ASSERT_TRUE(names.ok());
  EXPECT_EQ(names->size(), 4u);
}

// Tables [a..c] and [m..o] in L0, the second unreadable.
TEST(DbImpl, ADamagedTableDisturbsOnlyWalksThatReachIt) {
  const auto fs = std::make_shared<MemoryFileSystem>();
  const Options options = OnMemory(fs);
  std::string last;
  {
    auto db = OpenOrNull(options);
    ASSERT_NE(db, nullptr);
    for (const char* key : {"a", "b", "c"}) ASSERT_TRUE(db->Put(key, "1").ok());
    ASSERT_TRUE(db->Flush().ok());
    for (const char* key : {"m", "n", "o"}) ASSERT_TRUE(db->Put(key, "2").ok());
    ASSERT_TRUE(db->Flush().ok());
    ASSERT_TRUE(db->Close().ok());
  }
  const auto names = fs->ListDirectory(kDirectory);
  ASSERT_TRUE(names.ok());
  for (const std::string& name : *names) {
    if (name.ends_with(".sst") && name > last) last = name;
  }
  auto file = fs->NewWritableFile(std::string(kDirectory) + "/" + last, CreateMode::kTruncate);
  ASSERT_TRUE(file.ok() && (*file)->Append("not a table").ok());
  auto db = OpenOrNull(options);
  ASSERT_NE(db, nullptr);
  EXPECT_TRUE(db->Get("b").ok());
  EXPECT_TRUE(db->Get("n").status().IsCorruption());
  EXPECT_TRUE(db->Get("x").ok());
  const auto it = db->NewIterator();
  std::string walk;
  for (it->SeekToFirst(); it->Valid(); it->Next()) walk += it->key();
  EXPECT_EQ(walk, "abc");
  EXPECT_TRUE(it->status().IsCorruption());
  it->Seek("b");
  ASSERT_TRUE(it->Valid());
  EXPECT_EQ(it->key(), "b");
  it->SeekForPrev("d");
  ASSERT_TRUE(it->Valid());
  EXPECT_EQ(it->key(), "c");
  it->Prev();
  ASSERT_TRUE(it->Valid());
  EXPECT_EQ(it->key(), "b");
  it->SeekToLast();
  EXPECT_FALSE(it->Valid());
  EXPECT_TRUE(it->status().IsCorruption());
  it->Seek("p");
  EXPECT_FALSE(it->Valid());
  EXPECT_TRUE(it->status().ok());
  ReadOptions bounded;
  bounded.upper_bound = "m";
  const auto below = db->NewIterator(bounded);
  walk.clear();
  for (below->SeekToFirst(); below->Valid(); below->Next()) walk += below->key();
  EXPECT_EQ(walk, "abc");
  EXPECT_TRUE(below->status().ok());
  // Writes and their flushes go on beside it.
  for (int i = 0; i < 60; ++i) {
    ASSERT_TRUE(db->Put("n", std::to_string(i)).ok());
    ASSERT_TRUE(db->Flush().ok());
  }
  EXPECT_EQ((**db->Get("n")).slice(), "59");
  EXPECT_TRUE(db->Close().ok());
}

}  // namespace
}  // namespace seerdb
