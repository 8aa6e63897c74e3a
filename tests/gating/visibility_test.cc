// When a write becomes visible, and what skip_wal and the sync choices promise.
#include <optional>
#include <vector>

#include "env/fault_file_system.h"
#include "env/manual_clock.h"
#include "env/memory_file_system.h"
#include "seerdb/db.h"
#include "tests/support/test_support.h"

namespace seerdb::testing {
namespace {

// Nobody sees a write before it is logged, and, where the policy says so, synced: a reader that saw it could
// act on what a crash then takes back.
TEST(Visibility, NothingIsSeenBeforeItIsLogged) {
  for (const SyncPolicy policy : {SyncPolicy::kNone, SyncPolicy::kSyncData}) {
    const auto fs = std::make_shared<FaultFileSystem>(std::make_shared<MemoryFileSystem>());
    Options options = TinyOptions();
    options.memtable_capacity = 1 << 20;
    options.wal_segment_bytes = 1 << 20;
    options.wal_sync_policy = policy;
    options.file_system = fs;
    const auto db = OpenOrFail(options, kDbDirectory);
    ASSERT_TRUE(db);
    ASSERT_OK(db->Put("k", "old"));
    int looked = 0;
    std::vector<std::string> seen;
    std::vector<Snapshot> snapshots;
    fs->SetHook([&](FileOp op, const std::string& path, uint64_t) {
      if (path.find(".log") == std::string::npos) return;
      if (op != FileOp::kAppend && op != FileOp::kSync) return;
      ++looked;
      seen.push_back(GetText(*db, "k"));
      seen.push_back(GetText(*db, "other"));
      snapshots.push_back(db->GetSnapshot());
      seen.push_back(GetText(*db, "k", &snapshots.back()));
    });
    WriteBatch batch;
    batch.Put("k", "new");
    batch.Put("other", "new");
    ASSERT_OK(db->Write(batch));
    fs->SetHook(nullptr);
    EXPECT_EQ(looked, policy == SyncPolicy::kNone ? 1 : 2);
    for (size_t i = 0; i < seen.size(); ++i) {
      EXPECT_EQ(seen[i], i % 3 == 1 ? "none" : "=old");
    }
    EXPECT_EQ(GetText(*db, "k"), "=new");
    EXPECT_EQ(GetText(*db, "other"), "=new");
    // A snapshot taken meanwhile does not see the write later either.
    for (const Snapshot& snapshot : snapshots) {
      EXPECT_EQ(GetText(*db, "k", &snapshot), "=old");
      EXPECT_EQ(GetText(*db, "other", &snapshot), "none");
    }
    ASSERT_OK(db->Close());
  }
}

// An unlogged write is lost by a crash, unless a flush came between; logged ones around it are not.
TEST(Visibility, SkipWalIsLostUntilFlush) {
  for (const bool whole_database : {false, true}) {
    for (const bool flush : {false, true}) {
      const auto disk = std::make_shared<MemoryFileSystem>();
      Options options = TinyOptions();
      options.memtable_capacity = 1 << 20;
      options.skip_wal = whole_database;
      options.file_system = disk;
      auto db = OpenOrFail(options, kDbDirectory);
      ASSERT_TRUE(db);
      Contents expected;
      for (int i = 0; i < 20; ++i) {
        const std::string key = "key" + std::to_string(i);
        const bool skip = i % 3 == 1;
        ASSERT_OK(db->Put(skip ? WriteOptions::SkipWal() : WriteOptions(), key, "v"));
        if (flush || !(skip || whole_database)) expected[key] = "v";
      }
      EXPECT_EQ(ReadAll(*db).size(), 20u);
      if (flush) ASSERT_OK(db->Flush());
      options.file_system = disk->CrashClone({1, CrashOptions::kProcessCrash, true});
      db = OpenOrFail(options, kDbDirectory);
      ASSERT_TRUE(db);
      EXPECT_EQ(Difference(expected, ReadAll(*db)), "");
      // A clean close keeps all.
      ASSERT_OK(db->Put(WriteOptions::SkipWal(), "last", "v"));
      expected["last"] = "v";
      ASSERT_OK(db->Close());
      db = OpenOrFail(options, kDbDirectory);
      ASSERT_TRUE(db);
      EXPECT_EQ(Difference(expected, ReadAll(*db)), "");
    }
  }
}

// Which sync calls each policy makes, counted: none, one fdatasync, or one fsync for each write.
TEST(Visibility, PoliciesSyncAsTheySay) {
  struct Case {
    SyncPolicy policy;
    WriteOptions write;
    uint64_t data_syncs, full_syncs;
  };
  const Case cases[] = {
      {SyncPolicy::kNone, WriteOptions(), 0, 0},      {SyncPolicy::kNone, WriteOptions::Sync(), 10, 0},
      {SyncPolicy::kSyncData, WriteOptions(), 10, 0}, {SyncPolicy::kSyncData, WriteOptions::NoSync(), 0, 0},
      {SyncPolicy::kSyncAll, WriteOptions(), 0, 10},  {SyncPolicy::kSyncAll, WriteOptions::NoSync(), 0, 0},
  };
  for (const Case& c : cases) {
    SCOPED_TRACE("policy " + std::to_string(static_cast<int>(c.policy)) + ", write sync " +
                 std::to_string(static_cast<int>(c.write.sync)));
    const auto fs = std::make_shared<FaultFileSystem>(std::make_shared<MemoryFileSystem>());
    Options options = TinyOptions();
    options.memtable_capacity = options.wal_segment_bytes = 1 << 20;
    options.wal_sync_policy = c.policy;
    options.file_system = fs;
    const auto db = OpenOrFail(options, kDbDirectory);
    ASSERT_TRUE(db);
    ASSERT_OK(db->Put(c.write, "first", "v"));
    const uint64_t data_syncs = fs->calls(FileOp::kSync), full_syncs = fs->calls(FileOp::kSyncAll);
    for (int i = 0; i < 10; ++i) ASSERT_OK(db->Put(c.write, "k" + std::to_string(i), "v"));
    EXPECT_EQ(fs->calls(FileOp::kSync) - data_syncs, c.data_syncs);
    EXPECT_EQ(fs->calls(FileOp::kSyncAll) - full_syncs, c.full_syncs);
    ASSERT_OK(db->Close());
  }
}

// kBarrier: nothing is synced when a write returns, and all of it once the timer's task has run, without
// another write.
TEST(Visibility, BarrierSyncsBehindTheWriter) {
  const auto disk = std::make_shared<MemoryFileSystem>();
  const auto watched = std::make_shared<FaultFileSystem>(disk);
  Options options = TinyOptions();
  options.memtable_capacity = 1 << 20;  // several segments, one memtable
  options.wal_sync_policy = SyncPolicy::kBarrier;
  options.barrier_interval_us = 1000;
  options.executor = NewCooperativeExecutor();
  options.file_system = watched;
  const auto db = OpenOrFail(options, kDbDirectory);
  ASSERT_TRUE(db);
  Contents contents;
  for (int round = 0; round < 3; ++round) {
    const uint64_t syncs = watched->calls(FileOp::kSync);
    uint64_t log_syncs_while_writing = 0;
    watched->SetHook([&](FileOp op, const std::string& path, uint64_t) {
      log_syncs_while_writing += op == FileOp::kSync && path.ends_with(".log");
    });
    for (int i = 0; i < 100; ++i) {
      const std::string key = std::to_string(round) + "/" + std::to_string(i);
      ASSERT_OK(db->Put(key, std::string(100, 'v')));
      contents[key] = std::string(100, 'v');
    }
    watched->SetHook(nullptr);
    EXPECT_EQ(log_syncs_while_writing, 0u);
    while (options.executor->RunOne()) {
    }
    EXPECT_GT(watched->calls(FileOp::kSync), syncs);
    Options after = TinyOptions();
    after.file_system = disk->CrashClone({0, CrashOptions::kDropUnsynced, true});
    const auto reopened = OpenOrFail(after, kDbDirectory);
    ASSERT_TRUE(reopened);
    EXPECT_EQ(Difference(contents, ReadAll(*reopened)), "");
  }
  ASSERT_OK(db->Close());
}

// kBarrier, and the timer's task comes late: the next write syncs what is overdue, even if it is logged
// itself nowhere.
TEST(Visibility, AnUnloggedWriteSyncsWhatIsOverdue) {
  const auto disk = std::make_shared<MemoryFileSystem>();
  const auto clock = std::make_shared<ManualClock>();
  Options options = TinyOptions();
  options.wal_sync_policy = SyncPolicy::kBarrier;
  options.barrier_interval_us = 1000;
  options.clock = clock;
  options.executor = NewCooperativeExecutor();  // runs no task here
  options.file_system = disk;
  const auto db = OpenOrFail(options, kDbDirectory);
  ASSERT_TRUE(db);
  ASSERT_OK(db->Put("logged", "v"));
  clock->Advance(1000);
  ASSERT_OK(db->Put(WriteOptions::SkipWal(), "unlogged", "v"));
  Options after = TinyOptions();
  after.file_system = disk->CrashClone({0, CrashOptions::kDropUnsynced, true});
  const auto reopened = OpenOrFail(after, kDbDirectory);
  ASSERT_TRUE(reopened);
  EXPECT_EQ(Difference({{"logged", "v"}}, ReadAll(*reopened)), "");
  ASSERT_OK(db->Close());
}

// Iterators and pinned values of a closed, destroyed database stay readable; everything else says so.
TEST(Visibility, AfterClose) {
  Options options = TinyOptions();
  options.file_system = std::make_shared<MemoryFileSystem>();
  auto db = OpenOrFail(options, kDbDirectory);
  ASSERT_TRUE(db);
  Contents contents;
  for (int i = 0; i < 200; ++i) {
    const std::string key = "key" + std::to_string(i);
    contents[key] = std::string(200, static_cast<char>('a' + i % 26));
    ASSERT_OK(db->Put(key, contents[key]));
  }
  auto got = db->Get("key7");
  ASSERT_TRUE(got.ok() && got->has_value());
  const PinnedValue pinned = **std::move(got);
  const auto it = db->NewIterator();
  ASSERT_OK(db->Put("key7", "overwritten"));
  ASSERT_OK(db->CompactRange());
  Snapshot snapshot = db->GetSnapshot();
  ASSERT_OK(db->Close());
  EXPECT_TRUE(db->Close().IsShutdown());
  EXPECT_TRUE(db->Put("k", "v").IsShutdown());
  EXPECT_TRUE(db->Delete("k").IsShutdown());
  EXPECT_TRUE(db->Flush().IsShutdown());
  EXPECT_TRUE(db->CompactRange().IsShutdown());
  EXPECT_TRUE(db->Get("k").status().IsShutdown());
  EXPECT_TRUE(db->Verify().status().IsShutdown());
  db.reset();
  snapshot.Release();
  EXPECT_EQ(pinned.slice(), contents["key7"]);
  Contents found;
  for (it->SeekToFirst(); it->Valid(); it->Next()) found.emplace(it->key(), it->value());
  EXPECT_OK(it->status());
  EXPECT_EQ(Difference(contents, found), "");
}

}  // namespace
}  // namespace seerdb::testing
