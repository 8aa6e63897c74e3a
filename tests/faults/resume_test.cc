// What writers, readers, waiters and background work see while there is no space, and when it returns.
#include <atomic>
#include <thread>
#include <vector>

#include "env/manual_clock.h"
#include "tests/faults/fault_run.h"

namespace seerdb::testing {
namespace {

constexpr uint64_t kLookUs = 100'000;  // how soon after stopping the first write tries to go on

Options SmallOptions(SyncPolicy policy = SyncPolicy::kSyncData) {
  Options options = TinyOptions();
  options.wal_sync_policy = policy;
  return options;
}

FaultRule NoSpace(FileOp op, const char* path_part, uint64_t countdown = 1) {
  FaultRule rule = FaultRule::Fail(op, path_part, FaultRule::NoSpaceError(), countdown);
  rule.repeat = true;
  return rule;
}

void RefuseAppends(FaultFileSystem* faults, const char* path_part) {
  faults->AddRule(NoSpace(FileOp::kAppend, path_part));
  faults->AddRule(NoSpace(FileOp::kAppendSynced, path_part));
}

// A write that fails although all its bytes are in the log: the most that a failed write can leave.
Status WriteAndFail(FaultRun* run, const std::vector<FaultRun::Operation>& operations) {
  for (const FileOp op : {FileOp::kAppend, FileOp::kAppendSynced}) {
    FaultRule rule = FaultRule::ShortWrite(".log", UINT64_MAX, FaultRule::NoSpaceError());
    rule.op = op;
    run->faults().AddRule(rule);
  }
  Status status = run->Write(operations);
  run->faults().ClearRules();
  return status;
}

ManualClock& ClockOf(const Options& options) { return static_cast<ManualClock&>(*options.clock); }

TEST(Resume, FailedWriteNeverComesBack) {
  FaultRun run(SmallOptions(), false);
  ASSERT_OK(run.Open());
  ASSERT_OK(run.Put("a", "1"));
  const Status failed = WriteAndFail(&run, {{"a", "2"}, {"b", "2"}});
  EXPECT_TRUE(failed.IsIoError() && failed.IsNoSpace()) << failed.ToString();
  EXPECT_NE(failed.message().find(".log"), Slice::npos) << failed.ToString();
  run.CollectNow(AllCrashes());  // may hold it: not resumed
  ASSERT_OK(run.Resume());
  EXPECT_EQ(run.LiveDifference(), "");
  run.CollectNow(AllCrashes());  // may not
  ASSERT_OK(run.Put("c", "3"));
  run.CollectNow(AllCrashes());
  run.CheckCollected();
  ASSERT_OK(run.Resume());  // nothing to resume
  ASSERT_OK(run.Close());
}

TEST(Resume, SequencesOfFailedGroupsAreNeverReused) {
  for (const bool crash : {false, true}) {
    FaultRun run(SmallOptions(), false);
    ASSERT_OK(run.Open());
    ASSERT_OK(run.Put("a", "1"));
    const uint64_t before = run.db().Stats().last_sequence;
    EXPECT_FALSE(WriteAndFail(&run, {{"x", "1"}, {"y", "1"}, {"z", "1"}}).ok());
    ASSERT_OK(run.Resume());
    if (crash) {
      Options options = SmallOptions();
      options.file_system = run.disk().CrashClone({0, CrashOptions::kDropUnsynced, true});
      const auto db = OpenOrFail(options, kFaultDirectory);
      ASSERT_TRUE(db);
      ASSERT_OK(db->Put("b", "2"));
      EXPECT_EQ(db->Stats().last_sequence, before + 4);
    } else {
      ASSERT_OK(run.Put("b", "2"));
      EXPECT_EQ(run.db().Stats().last_sequence, before + 4);
    }
  }
}

TEST(Resume, TheNextWriteTriesWhenItIsTimeAndThereIsSpace) {
  const Options options = SmallOptions();
  FaultRun run(options, false);
  ASSERT_OK(run.Open());
  ASSERT_OK(run.Put("a", "1"));
  run.disk().SetSpaceInfo({0, 1 << 30});
  RefuseAppends(&run.faults(), ".log");
  EXPECT_TRUE(run.Put("b", "1").IsIoError());
  const uint64_t mutations = run.faults().mutations();
  EXPECT_TRUE(run.Put("b", "2").IsReadOnly()) << "at once: not yet time";
  ClockOf(options).Advance(kLookUs);
  EXPECT_TRUE(run.Put("b", "3").IsReadOnly()) << "time, but no space";
  EXPECT_EQ(run.faults().mutations(), mutations) << "nothing was tried";
  run.faults().ClearRules();
  run.disk().SetSpaceInfo({1 << 20, 1 << 30});
  EXPECT_TRUE(run.Put("b", "4").IsReadOnly()) << "space, but not yet time";
  ClockOf(options).Advance(kLookUs);
  EXPECT_OK(run.Put("b", "5"));
  EXPECT_EQ(run.LiveDifference(), "");
  ASSERT_OK(run.Close());
}

// A quota does not show in what the file system says: attempts are made all the same, ever more rarely.
TEST(Resume, AttemptsBecomeRare) {
  const Options options = SmallOptions();
  FaultRun run(options, false);
  ASSERT_OK(run.Open());
  ASSERT_OK(run.Put("a", "1"));
  RefuseAppends(&run.faults(), "");
  run.faults().AddRule(NoSpace(FileOp::kOpenWrite, ""));
  EXPECT_TRUE(run.Put("b", "1").IsIoError());
  uint64_t tried = 0, tried_early = 0, fired = run.faults().faults_fired();
  for (int i = 0; i < 2000; ++i) {
    ClockOf(options).Advance(kLookUs);
    const Status status = run.Put("b", "2");
    EXPECT_TRUE(status.IsReadOnly() && status.IsNoSpace()) << status.ToString();
    if (run.faults().faults_fired() != fired) {
      ++tried;
      if (i < 1000) ++tried_early;
    }
    fired = run.faults().faults_fired();
  }
  EXPECT_GE(tried - tried_early, 5u) << "attempts ended";
  EXPECT_LE(tried, 40u) << "200 seconds of attempts";
  run.faults().ClearRules();
  ClockOf(options).Advance(100 * kLookUs);
  EXPECT_OK(run.Put("b", "3"));
  EXPECT_EQ(run.LiveDifference(), "");
}

TEST(Resume, SnapshotsAndIteratorsKeepWhatTheySaw) {
  FaultRun run(SmallOptions(), false);
  ASSERT_OK(run.Open());
  for (int i = 0; i < 30; ++i) ASSERT_OK(run.Put("k" + std::to_string(i), std::string(100, 'o')));
  const Contents then = run.acknowledged();
  Snapshot snapshot = run.db().GetSnapshot();
  const auto iterator = run.db().NewIterator();
  iterator->SeekToFirst();
  for (int i = 0; i < 20; ++i) ASSERT_OK(run.Write({{"k" + std::to_string(i), std::nullopt}}));
  EXPECT_FALSE(WriteAndFail(&run, {{"k1", "failed"}}).ok());
  EXPECT_EQ(Difference(then, ReadAll(run.db(), &snapshot)), "");
  ASSERT_OK(run.Resume());
  ASSERT_OK(run.Put("k2", "after"));
  ASSERT_OK(run.CompactRange());
  EXPECT_EQ(Difference(then, ReadAll(run.db(), &snapshot)), "");
  Contents seen;
  for (; iterator->Valid(); iterator->Next()) seen.emplace(iterator->key(), iterator->value());
  EXPECT_OK(iterator->status());
  EXPECT_EQ(Difference(then, seen), "");
  EXPECT_EQ(run.LiveDifference(), "");
}

// Writes without a log are in no log that could be replayed: a resumption makes them durable with the rest.
TEST(Resume, SkippedLogsAndUnsyncedWritesAreDurableAfterwards) {
  FaultRun run(SmallOptions(SyncPolicy::kNone), false);
  ASSERT_OK(run.Open());
  ASSERT_OK(run.Put("logged", "1"));
  ASSERT_OK(run.Put("skipped", "1", WriteOptions::SkipWal()));
  EXPECT_FALSE(WriteAndFail(&run, {{"failed", "1"}}).ok());
  EXPECT_TRUE(run.Put("skipped", "2", WriteOptions::SkipWal()).IsReadOnly());
  ASSERT_OK(run.Resume());
  Options options = SmallOptions(SyncPolicy::kNone);
  options.file_system = run.disk().CrashClone({0, CrashOptions::kDropUnsynced, true});
  const auto db = OpenOrFail(options, kFaultDirectory);
  ASSERT_TRUE(db);
  EXPECT_EQ(Difference(run.acknowledged(), ReadAll(*db)), "");
}

// Under kBarrier the log that failed is still synced in time, for what it held before.
TEST(Resume, BarrierSyncsWhatWasAcknowledgedBefore) {
  FaultRun run(SmallOptions(SyncPolicy::kBarrier), true);
  ASSERT_OK(run.Open());
  ASSERT_OK(run.Put("a", "1"));
  RefuseAppends(&run.faults(), ".log");
  EXPECT_FALSE(run.Put("b", "1").ok());
  run.RunTasks();  // the barrier's sync is among them
  Options options = SmallOptions(SyncPolicy::kBarrier);
  options.file_system = run.disk().CrashClone({0, CrashOptions::kDropUnsynced, true});
  const auto db = OpenOrFail(options, kFaultDirectory);
  ASSERT_TRUE(db);
  EXPECT_EQ(Difference(run.acknowledged(), ReadAll(*db)), "");
  run.faults().ClearRules();
  ASSERT_OK(run.Resume());  // the sync of a failed log is no failure of its own
  ASSERT_OK(run.Put("c", "1"));
  run.RunTasks();
  ASSERT_OK(run.Put("d", "1"));
  EXPECT_EQ(run.LiveDifference(), "");
}

TEST(Resume, SeveralMemTablesWait) {
  Options options = SmallOptions();
  options.max_immutable_memtables = 5;
  FaultRun run(options, true);  // no task runs unless the writer waits for one
  ASSERT_OK(run.Open());
  for (int i = 0; i < 400 && run.db().Stats().immutable_memtables < 4; ++i) {
    ASSERT_OK(run.Put("k" + std::to_string(i % 50), std::string(300, static_cast<char>('a' + i % 26))));
  }
  ASSERT_EQ(run.db().Stats().immutable_memtables, 4u);
  EXPECT_FALSE(WriteAndFail(&run, {{"failed", "x"}}).ok());
  const uint64_t flushes = run.db().Stats().total_flushes;
  ASSERT_OK(run.Resume());
  EXPECT_EQ(run.db().Stats().immutable_memtables, 0u);
  EXPECT_EQ(run.db().Stats().total_flushes, flushes + 5);
  run.CollectNow(AllCrashes());
  run.CheckCollected();
  EXPECT_EQ(run.LiveDifference(), "");
}

TEST(Resume, FailedFlushLeavesNoFileAndIsDoneAgain) {
  for (const FileOp op : {FileOp::kOpenWrite, FileOp::kAllocate, FileOp::kAppend, FileOp::kTruncate,
                          FileOp::kClose, FileOp::kRename}) {
    SCOPED_TRACE(FileOpName(op));
    FaultRun run(SmallOptions(), false);
    ASSERT_OK(run.Open());
    for (int i = 0; i < 5; ++i) ASSERT_OK(run.Put("k" + std::to_string(i), "v"));
    run.faults().AddRule(NoSpace(op, ".sst"));
    const Status flushed = run.Flush();
    EXPECT_TRUE(flushed.IsReadOnly() && flushed.IsNoSpace()) << flushed.ToString();
    EXPECT_TRUE(run.TableFiles().empty());
    EXPECT_TRUE(run.Resume().IsNoSpace());
    EXPECT_TRUE(run.TableFiles().empty());
    EXPECT_EQ(run.LiveDifference(), "");
    run.faults().ClearRules();
    ASSERT_OK(run.Resume());
    EXPECT_EQ(run.TableFiles().size(), 1u) << "the waiting memtable alone";
    ASSERT_OK(run.Put("more", "v"));
    ASSERT_OK(run.Flush());
    EXPECT_EQ(run.LiveDifference(), "");
    EXPECT_EQ(run.TableFiles().size(), run.db().Stats().total_sstables);
  }
}

TEST(Resume, FailedCompactionLeavesNoFileAndIsDoneAgain) {
  FaultRun run(SmallOptions(), false);
  ASSERT_OK(run.Open());
  for (int i = 0; i < 200; ++i) ASSERT_OK(run.Put("k" + std::to_string(i), std::string(200, 'v')));
  ASSERT_OK(run.CompactRange());
  for (int i = 0; i < 200; i += 2) ASSERT_OK(run.Put("k" + std::to_string(i), "new"));
  ASSERT_OK(run.Flush());
  uint64_t failures = 0;
  for (uint64_t nth = 1; nth < 60; ++nth) {
    SCOPED_TRACE(nth);
    const uint64_t fired = run.faults().faults_fired();
    run.faults().AddRule(NoSpace(FileOp::kAppend, ".sst", nth));
    const Status status = run.CompactRange();
    run.faults().ClearRules();
    if (run.faults().faults_fired() == fired) {
      EXPECT_OK(status);
      break;
    }
    ++failures;
    EXPECT_TRUE(status.IsNoSpace()) << status.ToString();
    EXPECT_TRUE(run.Put("refused", "x").IsReadOnly());
    EXPECT_EQ(run.TableFiles().size(), run.db().Stats().total_sstables);
    EXPECT_EQ(run.LiveDifference(), "");
    ASSERT_OK(run.Resume());
  }
  EXPECT_GT(failures, 1u);
  EXPECT_EQ(run.LiveDifference(), "");
  EXPECT_EQ(run.TableFiles().size(), run.db().Stats().total_sstables);
}

TEST(Resume, CloseWithoutSpaceSaysSoAndLosesNothing) {
  for (const bool space_returns : {false, true}) {
    FaultRun run(SmallOptions(), false);
    ASSERT_OK(run.Open());
    for (int i = 0; i < 10; ++i) ASSERT_OK(run.Put("k" + std::to_string(i), "v"));
    EXPECT_FALSE(WriteAndFail(&run, {{"failed", "x"}}).ok());
    if (!space_returns) run.faults().AddRule(NoSpace(FileOp::kOpenWrite, ""));
    const Status closed = run.Close();
    EXPECT_EQ(closed.ok(), space_returns) << closed.ToString();
    EXPECT_EQ(closed.IsNoSpace(), !space_returns) << closed.ToString();
    run.faults().ClearRules();
    run.CollectNow(AllCrashes());
    run.CheckCollected();
  }
}

// Threads, real time: several writers meet a full disk and go on when there is space, without anybody's help.
TEST(Resume, WritersGoOnByThemselves) {
  for (const SyncPolicy policy : {SyncPolicy::kNone, SyncPolicy::kSyncData}) {
    const auto disk = std::make_shared<MemoryFileSystem>();
    const auto faults = std::make_shared<FaultFileSystem>(disk);
    Options options = SmallOptions(policy);
    options.file_system = faults;
    options.background_flush = options.background_compaction = true;
    options.clock = nullptr;
    std::atomic<int> resumed{0};
    options.logger = [&](Slice line) {
      if (line == "event=resume status=OK") resumed.fetch_add(1);
    };
    auto db = OpenOrFail(options, kFaultDirectory);
    ASSERT_TRUE(db);
    constexpr int kWriters = 4, kWrites = 300;
    std::atomic<uint64_t> refused{0};
    std::vector<std::thread> writers;
    for (int w = 0; w < kWriters; ++w) {
      writers.emplace_back([&, w] {
        for (int i = 0; i < kWrites; ++i) {
          const std::string key = "w" + std::to_string(w) + "/" + std::to_string(i);
          Status status = db->Put(key, std::string(100, 'v'));
          while (!status.ok()) {
            EXPECT_TRUE(status.IsNoSpace()) << status.ToString();
            refused.fetch_add(1);
            std::this_thread::sleep_for(std::chrono::milliseconds(1));
            status = db->Put(key, std::string(100, 'v'));
          }
        }
      });
    }
    int full = 0;
    for (const char* part : {".log", ".sst", "MANIFEST", ""}) {
      const uint64_t before = refused.load();
      RefuseAppends(faults.get(), part);
      for (int i = 0; i < 200 && refused.load() == before; ++i) {
        std::this_thread::sleep_for(std::chrono::milliseconds(1));
      }
      if (refused.load() != before) ++full;
      faults->ClearRules();
    }
    for (std::thread& writer : writers) writer.join();
    EXPECT_GT(full, 0);
    EXPECT_GT(resumed.load(), 0);
    Contents want;
    for (int w = 0; w < kWriters; ++w) {
      for (int i = 0; i < kWrites; ++i) {
        want["w" + std::to_string(w) + "/" + std::to_string(i)] = std::string(100, 'v');
      }
    }
    EXPECT_EQ(Difference(want, ReadAll(*db)), "");
    // And nobody writes: the timer resumes.
    RefuseAppends(faults.get(), ".log");
    EXPECT_FALSE(db->Put("failed", "x").ok());
    const int before = resumed.load();
    faults->ClearRules();
    while (resumed.load() == before) std::this_thread::sleep_for(std::chrono::milliseconds(1));
    ASSERT_OK(db->Put("last", "x"));
    want["last"] = "x";
    ASSERT_OK(db->Close());
    db = OpenOrFail(options, kFaultDirectory);
    ASSERT_TRUE(db);
    EXPECT_EQ(Difference(want, ReadAll(*db)), "");
    ASSERT_OK(db->Close());
  }
}

// Those who wait for a flush, for a place or for the disk are told, and do not wait for ever.
TEST(Resume, WaitersAreToldAndCloseEnds) {
  Options options = SmallOptions();
  const auto disk = std::make_shared<MemoryFileSystem>();
  const auto faults = std::make_shared<FaultFileSystem>(disk);
  options.file_system = faults;
  options.background_flush = options.background_compaction = true;
  options.clock = nullptr;
  const auto db = OpenOrFail(options, kFaultDirectory);
  ASSERT_TRUE(db);
  faults->AddRule(NoSpace(FileOp::kOpenWrite, ".sst"));
  std::vector<std::thread> threads;
  for (int t = 0; t < 3; ++t) {
    threads.emplace_back([&, t] {
      Status status;
      for (int i = 0; status.ok(); ++i) status = t == 0 ? db->Flush() : db->Put(std::to_string(i), "value");
      EXPECT_TRUE(status.IsNoSpace()) << status.ToString();
      EXPECT_TRUE(db->CompactRange().IsNoSpace());
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_TRUE(db->Close().IsNoSpace());
}

}  // namespace
}  // namespace seerdb::testing
