// Rule: writes that stopped for want of space resume by themselves, and what failed never comes back after
// that. Each way of failing, a crash at every change of the disk while writes resume, and want of space again
// at each call of the resumption.
#include <cinttypes>
#include <cstdio>

#include "tests/faults/fault_run.h"

namespace seerdb::testing {
namespace {

struct Mode {
  const char* name;
  SyncPolicy policy;
  bool cooperative;
  LogMode log_mode;
};

constexpr Mode kModes[] = {
    {"none, foreground, mapped", SyncPolicy::kNone, false, LogMode::kMapped},
    {"synced, foreground, direct", SyncPolicy::kSyncData, false, LogMode::kDirect},
    {"synced, foreground, buffered", SyncPolicy::kSyncData, false, LogMode::kBuffered},
    {"none, cooperative, buffered", SyncPolicy::kNone, true, LogMode::kBuffered},
    {"synced all, cooperative, auto", SyncPolicy::kSyncAll, true, LogMode::kAuto},
    {"barrier, cooperative, auto", SyncPolicy::kBarrier, true, LogMode::kAuto},
};

struct Want {
  const char* name;
  FileOp op;
  const char* path_part;
  uint64_t bytes;  // of an append that get through
};

constexpr Want kWants[] = {
    {"log append, nothing written", FileOp::kAppend, ".log", 0},
    {"log append, cut in a frame", FileOp::kAppend, ".log", 20},
    {"log append, cut behind a header", FileOp::kAppend, ".log", 70},
    {"log append, all written", FileOp::kAppend, ".log", UINT64_MAX},
    {"manifest append, nothing written", FileOp::kAppend, "MANIFEST", 0},
    {"manifest append, cut", FileOp::kAppend, "MANIFEST", 9},
    {"manifest append, all written", FileOp::kAppend, "MANIFEST", UINT64_MAX},
    {"new table", FileOp::kOpenWrite, ".sst", 0},
    {"table space", FileOp::kAllocate, ".sst", 0},
    {"table append", FileOp::kAppend, ".sst", 50},
    {"table name", FileOp::kRename, ".sst", 0},
    {"new log", FileOp::kOpenWrite, ".log", 0},
    {"log space", FileOp::kAllocate, ".log", 0},
};

Options SmallOptions(const Mode& mode) {
  Options options = TinyOptions();
  options.wal_sync_policy = mode.policy;
  options.log_mode = mode.log_mode;
  options.max_immutable_memtables = 3;
  return options;
}

FaultRule NoSpaceAt(const Want& want, FileOp op, uint64_t countdown) {
  FaultRule rule = FaultRule::ShortWrite(want.path_part, want.bytes, FaultRule::NoSpaceError(), countdown);
  rule.op = op;
  rule.perform = op == FileOp::kAppend || op == FileOp::kAppendSynced;
  rule.repeat = true;  // the preparation of a spare log may meet it first, and is done again
  return rule;
}

// Fills a database and stops its writes for want of space. False if the fault never met a call.
bool StopWrites(FaultRun* run, const Want& want, uint64_t countdown) {
  EXPECT_OK(run->Open());
  if (!run->is_open()) return false;
  for (int i = 0; i < 6; ++i) EXPECT_OK(run->Put("early" + std::to_string(i), std::string(150, 'e')));
  EXPECT_OK(run->Flush());
  EXPECT_OK(run->Write({{"early1", std::nullopt}, {"batch", "one"}}));
  run->faults().AddRule(NoSpaceAt(want, want.op, countdown));
  if (want.op == FileOp::kAppend) run->faults().AddRule(NoSpaceAt(want, FileOp::kAppendSynced, countdown));
  // Batches: the log gets several operations in one frame, the memtable none of them.
  Status status;
  for (int i = 0; i < 120 && status.ok(); ++i) {
    const std::string n = std::to_string(i % 17);
    status = run->Write({{"k" + n, std::string(200, static_cast<char>('a' + i % 26))}, {"gone" + n, "x"}});
    if (i % 5 == 0) run->RunTasks();
  }
  if (run->faults().faults_fired() == 0) return false;
  // Only a spare log may have met it: recycled files then serve all of the writes.
  const bool may_be_spared = std::string_view(want.path_part) == ".log" && want.op != FileOp::kAppend;
  if (status.ok() && may_be_spared) return false;
  EXPECT_FALSE(status.ok()) << "want of space went unnoticed";
  EXPECT_EQ(status.detail(), StatusDetail::kNoSpace) << status.ToString();
  const Status refused = run->Put("refused", "x");
  EXPECT_TRUE(refused.IsReadOnly() && refused.IsNoSpace()) << refused.ToString();
  EXPECT_EQ(run->LiveDifference(), "") << "while writes are stopped";
  run->faults().ClearRules();
  return true;
}

void WriteOn(FaultRun* run) {
  for (int i = 0; i < 3; ++i) ASSERT_OK(run->Put("later" + std::to_string(i), std::string(100, 'l')));
  ASSERT_OK(run->Write({{"batch", std::nullopt}, {"k1", "new"}}));
  EXPECT_EQ(run->LiveDifference(), "");
}

TEST(Resume, CrashAtEachChangeWhileWritesResume) {
  uint64_t crashes = 0, runs = 0;
  for (const Mode& mode : kModes) {
    for (const Want& want : kWants) {
      for (const uint64_t countdown : {2, 1, 5}) {
        if (kSanitized && countdown != 2) continue;
        SCOPED_TRACE(std::string(mode.name) + "; " + want.name + ", match " + std::to_string(countdown));
        FaultRun run(SmallOptions(mode), mode.cooperative);
        if (!StopWrites(&run, want, countdown)) continue;
        ++runs;
        run.CollectNow(AllCrashes());
        run.Collect(AllCrashes());
        ASSERT_OK(run.Resume());
        WriteOn(&run);
        run.StopCollecting();
        run.CollectNow(AllCrashes());
        if (HasFailure()) return;
        crashes += run.CheckCollected();
        if (HasFailure()) return;
        ASSERT_OK(run.Flush());
        EXPECT_EQ(run.TableFiles().size(), run.db().Stats().total_sstables) << "a failed job left its output";
        ASSERT_OK(run.Close());
        run.CollectNow({{0, CrashOptions::kDropUnsynced, true}});
        run.CheckCollected();
        if (HasFailure()) return;
      }
    }
  }
  EXPECT_GT(runs, kSanitized ? 30u : 100u);
  std::printf("[ CRASHES  ] while writes resume: %" PRIu64 " runs, crash points explored: %" PRIu64 "\n",
              runs, crashes);
}

// The resumption itself meets want of space at its n-th call, for each n: another attempt succeeds, unless
// the call was a sync.
TEST(Resume, WantOfSpaceAgainAtEachCall) {
  uint64_t again = 0, for_good = 0, crashes = 0;
  const auto resume_twice = [&](const Mode& mode, const Want& want, uint64_t nth) {
    FileOp met = FileOp::kAny;  // outlives the run, which closes its database at the end
    FaultRun run(SmallOptions(mode), mode.cooperative);
    if (!StopWrites(&run, want, 2)) return false;
    FaultRule rule = FaultRule::Fail(FileOp::kAny, kFaultDirectory, FaultRule::NoSpaceError(), nth);
    rule.callback = [&met](FileOp op, const std::string&) { met = op; };
    const uint64_t fired = run.faults().faults_fired();
    run.faults().AddRule(std::move(rule));
    const Status first = run.Resume();
    if (run.faults().faults_fired() == fired) return false;  // all calls tried
    run.faults().ClearRules();
    const bool sync = met == FileOp::kSync || met == FileOp::kSyncAll || met == FileOp::kSyncDir;
    if (sync && !first.ok()) {
      ++for_good;
      EXPECT_EQ(first.detail(), StatusDetail::kSyncFailed) << first.ToString();
      EXPECT_EQ(run.Resume().detail(), StatusDetail::kSyncFailed);
      EXPECT_TRUE(run.Put("refused", "x").IsReadOnly());
      EXPECT_FALSE(run.Close().ok());
    } else {
      ++again;
      EXPECT_TRUE(first.ok() || first.IsNoSpace()) << first.ToString();
      if (first.ok() && !run.Put("probe", "x").ok())
        EXPECT_OK(run.Resume());  // met in the work that followed
      run.Collect({{0, CrashOptions::kProcessCrash, true}, {0, CrashOptions::kDropUnsynced, true}});
      EXPECT_OK(run.Resume());
      WriteOn(&run);
      run.StopCollecting();
    }
    run.CollectNow(AllCrashes());
    crashes += run.CheckCollected();
    return true;
  };
  for (const Mode& mode : kModes) {
    for (const Want& want : kWants) {
      for (uint64_t nth = 1; nth < 200; nth += kSanitized ? 6 : 1) {
        SCOPED_TRACE(std::string(mode.name) + "; " + want.name + ", then call " + std::to_string(nth));
        if (!resume_twice(mode, want, nth)) break;
        if (HasFailure()) return;
      }
    }
  }
  EXPECT_GT(again, kSanitized ? 20u : 100u);
  EXPECT_GT(for_good, kSanitized ? 10u : 50u);
  std::printf("[ CRASHES  ] want of space again: %" PRIu64 " resumed, %" PRIu64
              " failed syncs, "
              "crash points explored: %" PRIu64 "\n",
              again, for_good, crashes);
}

// A device error while writes resume is there to stay, and loses nothing.
TEST(Resume, DeviceErrorAtEachCallNeedsAReopen) {
  uint64_t for_good = 0;
  for (const Want& want : {kWants[2], kWants[5], kWants[9]}) {
    for (uint64_t nth = 1; nth < 200; ++nth) {
      SCOPED_TRACE(std::string(want.name) + ", then call " + std::to_string(nth));
      FaultRun run(SmallOptions(kModes[1]), false);
      if (!StopWrites(&run, want, 1)) break;
      const uint64_t fired = run.faults().faults_fired();
      run.faults().AddRule(FaultRule::Fail(FileOp::kAny, kFaultDirectory, FaultRule::DeviceError(), nth));
      const Status first = run.Resume();
      if (run.faults().faults_fired() == fired) break;
      run.faults().ClearRules();
      if (!first.ok()) {
        ++for_good;
        EXPECT_NE(first.detail(), StatusDetail::kNoSpace) << first.ToString();
        EXPECT_EQ(run.Resume().ToString(), first.ToString());
        EXPECT_TRUE(run.Put("refused", "x").IsReadOnly());
        EXPECT_EQ(run.LiveDifference(), "");
      }
      run.CollectNow(AllCrashes());
      run.CheckCollected();
      if (HasFailure()) return;
    }
  }
  EXPECT_GT(for_good, 20u);
}

}  // namespace
}  // namespace seerdb::testing
