// The order in which values, what points to them, and what lists that reach the disk (rule 16), and what
// failing devices make of it.
#include "env/fault_file_system.h"
#include "tests/values/value_fixture.h"

namespace seerdb::testing {
namespace {

class ValueOrder : public ValueFixture {
 protected:
  // The database again, on a file system that can fail.
  void UseFaults() {
    db_.reset();
    faults_ = std::make_shared<FaultFileSystem>(fs_);
    options_.file_system = faults_;
    Reopen();
  }
  // What an unclean end leaves, on its own again.
  void End(CrashOptions::Kind kind) {
    const std::shared_ptr<MemoryFileSystem> survivor = fs_->CrashClone({1, kind, true});
    faults_->ClearRules();
    db_.reset();
    fs_ = survivor;
    options_.file_system = fs_;
  }

  std::shared_ptr<FaultFileSystem> faults_;
};

bool Ends(const std::string& path, const char* with) { return path.ends_with(with); }

// The value is in the kernel before the log hears of it, and durable before its record is.
TEST_F(ValueOrder, ValuesReachTheKernelAndTheDiskBeforeTheirPointers) {
  for (const SyncPolicy policy :
       {SyncPolicy::kNone, SyncPolicy::kBarrier, SyncPolicy::kSyncData, SyncPolicy::kSyncAll}) {
    for (const LogMode mode : {LogMode::kBuffered, LogMode::kDirect}) {
      SCOPED_TRACE(std::to_string(static_cast<int>(policy)) + " " + LogModeName(mode));
      options_.wal_sync_policy = policy;
      options_.log_mode = mode;
      // One segment of the log, which is prepared before anybody looks.
      options_.wal_segment_bytes = 1 << 20;
      options_.memtable_capacity = 1 << 20;
      UseFaults();
      ASSERT_OK(db_->Put(WriteOptions::Sync(), "first", "small"));
      bool appended = false;  // not synced since
      bool apart = false;     // since the last record
      uint64_t records = 0;
      faults_->SetHook([&](FileOp op, const std::string& path, uint64_t) {
        const bool sync = op == FileOp::kSync || op == FileOp::kSyncAll;
        if (Ends(path, ".vlog")) {
          if (op == FileOp::kAppend) appended = apart = true;
          if (sync) appended = false;
        } else if (Ends(path, ".log") && (op == FileOp::kAppend || op == FileOp::kAppendSynced)) {
          EXPECT_TRUE(apart) << "a record in front of its value";
          apart = false;
          ++records;
        }
        if (Ends(path, ".log") && (sync || op == FileOp::kAppendSynced)) {
          EXPECT_FALSE(appended) << "a durable record in front of its durable value";
        }
      });
      for (int i = 0; i < 5; ++i) ASSERT_OK(db_->Put(Key(i), Value(i, i == 3 ? 40'000 : 500)));
      ASSERT_OK(db_->Put(WriteOptions::Sync(), "last", Value(9)));
      faults_->SetHook(nullptr);
      EXPECT_GE(records, 6u);
    }
  }
}

// A table that is durable, and listed, points to durable values; also where only replay has read them.
TEST_F(ValueOrder, WhatTablesPointToIsDurable) {
  options_.wal_sync_policy = SyncPolicy::kNone;
  Reopen();
  Contents want;
  const auto put = [&](int i) { ASSERT_OK(db_->Put(Key(i), want[Key(i)] = Value(i))); };
  put(1);
  ASSERT_OK(db_->Flush());
  Crash();
  ExpectAll(want);
  put(2);
  put(3);
  Crash(CrashOptions::kProcessCrash);  // replayed from what no disk has yet
  ExpectAll(want);
  Crash();
  ExpectAll(want);
  ASSERT_OK(db_->BulkLoad({}, std::vector<std::pair<std::string, std::string>>{{Key(4), Value(4)}}).status());
  want[Key(4)] = Value(4);
  Crash();
  ExpectAll(want);
  ASSERT_OK(db_->Put(Key(1), want[Key(1)] = Value(5)));
  ASSERT_OK(db_->Put(Key(2), want[Key(2)] = Value(6)));
  const std::vector<std::string> before = Segments();
  ASSERT_OK(db_->CompactRange());  // moves what is left
  EXPECT_NE(Segments(), before);
  Crash();
  ExpectAll(want);
}

// A write that fails behind its logging may come into force by a crash: its value stays until then. Otherwise
// the log would end with a record that nobody can apply, which absolute consistency refuses.
TEST_F(ValueOrder, AFailedWriteThatIsLoggedKeepsItsValue) {
  options_.recovery_mode = RecoveryMode::kAbsoluteConsistency;
  options_.wal_sync_policy = SyncPolicy::kNone;
  options_.log_mode = LogMode::kBuffered;
  options_.executor = NewCooperativeExecutor();
  options_.background_flush = true;
  UseFaults();
  // A memtable that waits for its flush, as the executor does nothing.
  ASSERT_OK(db_->Put("a", Value(1, 70'000)));
  ASSERT_OK(db_->Put("a", "small"));
  FaultRule rule = FaultRule::ShortWrite(".log", UINT64_MAX, FaultRule::NoSpaceError());
  rule.op = FileOp::kAppend;
  faults_->AddRule(rule);
  const std::string failed = Value(3, 70'000);  // ends its segment
  EXPECT_FALSE(db_->Put("a", failed).ok());
  // To go on, that memtable is flushed, and segments are removed that nobody needs; no further.
  rule = FaultRule::Fail(FileOp::kAny, ".log", FaultRule::NoSpaceError());
  rule.repeat = true;
  faults_->AddRule(rule);
  EXPECT_FALSE(db_->Resume().ok());
  while (options_.executor->RunOne()) {
  }
  EXPECT_EQ(db_->Stats().total_flushes, 1u);
  EXPECT_TRUE(SomeSegmentHolds(failed));
  End(CrashOptions::kProcessCrash);
  Reopen();
  const std::string found = GetText(*db_, "a");
  EXPECT_TRUE(found == "=small" || found == "=" + failed) << Printable(found);
}

// As want of space for the log: writes stop until there is some, nothing is written for those that are
// refused, and no pointer leads into what was torn.
TEST_F(ValueOrder, WantOfSpaceForAValueStopsWritesUntilThereIsSome) {
  options_.memtable_capacity = 1 << 20;
  UseFaults();
  Contents want;
  ASSERT_OK(db_->Put("a", want["a"] = Value(1)));
  for (const uint64_t bytes : {0, 1, 30, 500, 40'000}) {
    FaultRule rule = FaultRule::ShortWrite(".vlog", bytes, FaultRule::NoSpaceError());
    rule.repeat = true;
    faults_->AddRule(rule);
    const Status status = db_->Put("a", Value(2, 50'000));
    EXPECT_TRUE(status.IsNoSpace()) << status.ToString();
    for (int i = 0; i < 5; ++i) EXPECT_FALSE(db_->Put("a", Value(3, 50'000)).ok());
    faults_->ClearRules();
    ASSERT_OK(db_->Resume());
    const std::string key = "b" + std::to_string(bytes);
    ASSERT_OK(db_->Put(WriteOptions::Sync(), key, want[key] = Value(static_cast<int>(bytes))));
    ExpectAll(want);
  }
  ASSERT_OK(db_->Flush());
  ExpectAll(want);
  End(CrashOptions::kDropUnsynced);
  Reopen();
  ExpectAll(want);
}

// Of other errors nobody knows what they have left.
TEST_F(ValueOrder, AFailingDeviceStopsWritesAndLosesNothing) {
  for (const FileOp op : {FileOp::kAppend, FileOp::kSync, FileOp::kOpenWrite, FileOp::kSyncDir}) {
    SCOPED_TRACE(FileOpName(op));
    UseFaults();
    Contents want = ReadAll(*db_);
    ASSERT_OK(
        db_->Put("k" + std::string(FileOpName(op)), want["k" + std::string(FileOpName(op))] = Value(1)));
    // The next value begins a segment.
    ASSERT_OK(db_->Put("big", want["big"] = Value(7, 66'000)));
    faults_->AddRule(FaultRule::Fail(op, op == FileOp::kSyncDir ? "/db" : ".vlog", FaultRule::DeviceError()));
    EXPECT_FALSE(db_->Put(WriteOptions::Sync(), "big", Value(3)).ok());
    faults_->ClearRules();
    EXPECT_TRUE(db_->Put("small", "s").IsReadOnly()) << "writes are stopped";
    EXPECT_EQ(Difference(want, ReadAll(*db_)), "");
    End(CrashOptions::kDropUnsynced);
    Reopen();
    Contents found = ReadAll(*db_);
    // The write that failed may have been logged.
    if (found["big"] == Value(3)) want["big"] = Value(3);
    EXPECT_EQ(Difference(want, found), "");
  }
}

}  // namespace
}  // namespace seerdb::testing
