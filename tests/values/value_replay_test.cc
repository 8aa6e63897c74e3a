// A log that is whole where a value is not: what replay makes of it (rule 16), and what repair does.
#include "env/fault_file_system.h"
#include "tests/values/value_fixture.h"

namespace seerdb::testing {
namespace {

class ValueReplay : public ValueFixture {
 protected:
  ValueReplay() {
    options_.wal_sync_policy = SyncPolicy::kNone;
    options_.log_mode = LogMode::kBuffered;
    Reopen();
  }
  // Three writes of which the second has a large value, in the log alone; the process has died.
  void WriteThree() {
    ASSERT_OK(db_->Put("a", "small"));
    WriteBatch batch;
    batch.Put("b1", Value(1));
    batch.Put("b2", "small");
    batch.Put("b3", Value(3));
    ASSERT_OK(db_->Write(batch));
    ASSERT_OK(db_->Put("c", "small"));
    Die();
  }
  void Die() {
    const std::shared_ptr<MemoryFileSystem> survivor =
        fs_->CrashClone({1, CrashOptions::kProcessCrash, true});
    db_.reset();
    fs_ = survivor;
    options_.file_system = fs_;
  }
  // As a power cut leaves a file that was not synced.
  void Cut(const std::string& name, size_t bytes) {
    std::string left = Bytes(name);
    left.resize(std::min(bytes, left.size()));
    Store(name, left);
  }
};

// The batch is whole or not at all, and nothing behind it is there; new writes begin where it ended.
TEST_F(ValueReplay, EndsInFrontOfARecordWhoseValueIsLost) {
  WriteThree();
  const auto whole = fs_;
  ASSERT_EQ(Segments().size(), 1u);
  const std::string name = Segments()[0];
  const size_t bytes = Bytes(name).size();
  for (const size_t cut : {size_t{0}, size_t{63}, size_t{64}, size_t{200}, bytes - 1, bytes}) {
    SCOPED_TRACE(cut);
    fs_ = whole->CrashClone({1, CrashOptions::kProcessCrash, true});
    options_.file_system = fs_;
    Cut(name, cut);
    Reopen();
    Contents want{{"a", "small"}};
    if (cut == bytes)
      want = {{"a", "small"}, {"b1", Value(1)}, {"b2", "small"}, {"b3", Value(3)}, {"c", "small"}};
    EXPECT_EQ(Difference(want, ReadAll(*db_)), "");
    ASSERT_OK(db_->Put("d", want["d"] = Value(4)));
    Crash(CrashOptions::kProcessCrash);
    EXPECT_EQ(Difference(want, ReadAll(*db_)), "") << "nothing behind it comes back";
    ASSERT_OK(db_->CompactRange());
    Crash();
    EXPECT_EQ(Difference(want, ReadAll(*db_)), "");
  }
}

// A sync has failed, and the kernel keeps as clean what it could not write: memory shows the value, the
// device does not have it. Replay must not build on what memory shows.
TEST_F(ValueReplay, EndsWhereTheDeviceDoesNotHaveWhatMemoryShows) {
  WriteThree();
  const std::string name = Segments()[0];
  const auto faults = std::make_shared<FaultFileSystem>(fs_);
  faults->AddRule(
      FaultRule::Observe(FileOp::kForget, name, [&](FileOp, const std::string&) { Damage(Value(3)); }));
  options_.file_system = faults;
  Reopen();
  EXPECT_EQ(Difference({{"a", "small"}}, ReadAll(*db_)), "");
  EXPECT_EQ(faults->faults_fired(), 1u);
  db_.reset();
  options_.file_system = fs_;
}

TEST_F(ValueReplay, EndsWhereABitOrTheWholeSegmentIsLost) {
  WriteThree();
  const auto whole = fs_;
  for (int how = 0; how < 3; ++how) {
    SCOPED_TRACE(how);
    fs_ = whole->CrashClone({1, CrashOptions::kProcessCrash, true});
    options_.file_system = fs_;
    if (how == 0) Damage(Value(3));
    if (how == 1) ASSERT_OK(fs_->DeleteFile("/db/" + Segments()[0]));
    if (how == 2) {
      std::string bytes = Bytes(Segments()[0]);
      bytes[20] ^= 1;  // the database's id
      Store(Segments()[0], bytes);
    }
    Reopen();
    EXPECT_EQ(ReadAll(*db_), (Contents{{"a", "small"}}));
  }
}

TEST_F(ValueReplay, OtherModesRefuseOrGoOn) {
  WriteThree();
  Damage(Value(1));
  const auto damaged = fs_;
  const auto again = [&](RecoveryMode mode) {
    fs_ = damaged->CrashClone({1, CrashOptions::kProcessCrash, true});
    options_.file_system = fs_;
    options_.recovery_mode = mode;
  };
  again(RecoveryMode::kAbsoluteConsistency);
  EXPECT_TRUE(DB::Open(options_, "/db").status().IsCorruption());
  again(RecoveryMode::kPointInTime);
  Reopen();
  EXPECT_EQ(ReadAll(*db_), (Contents{{"a", "small"}}));
  db_.reset();
  again(RecoveryMode::kSalvage);
  Reopen();
  EXPECT_EQ(ReadAll(*db_), (Contents{{"a", "small"}, {"c", "small"}}));
  EXPECT_EQ(db_->Stats().recovery.losses.size(), 1u);
}

// A later record says that the value had been durable: it was not a power cut that took it.
TEST_F(ValueReplay, AValueThatWasDurableIsCorruption) {
  ASSERT_OK(db_->Put(WriteOptions::Sync(), "a", Value(1)));
  ASSERT_OK(db_->Put(WriteOptions::Sync(), "b", "small"));
  ASSERT_OK(db_->Put(WriteOptions::Sync(), "c", "small"));
  Die();
  const std::string name = Damage(Value(1));
  const Status status = DB::Open(options_, "/db").status();
  EXPECT_TRUE(status.IsCorruption()) << status.ToString();
  EXPECT_NE(status.ToString().find(name), std::string::npos) << status.ToString();
}

class ValueRepair : public ValueReplay {
 protected:
  RepairReport Repair() {
    db_.reset();
    const Result<RepairReport> report = DB::Repair(options_, "/db");
    EXPECT_OK(report.status());
    Reopen();
    return report.ok() ? *report : RepairReport();
  }
  static bool Reports(const RepairReport& report, const std::string& key) {
    return std::any_of(report.losses.begin(), report.losses.end(), [&](const RepairLoss& loss) {
      return (!loss.smallest_key || *loss.smallest_key <= key) &&
             (!loss.largest_key || *loss.largest_key >= key);
    });
  }
  void RemoveManifest() {
    for (const std::string& name : Names(FileKind::kManifest)) {
      ASSERT_OK(fs_->DeleteFile("/db/" + name));
    }
    ASSERT_OK(fs_->DeleteFile("/db/CURRENT"));
  }
};

TEST_F(ValueRepair, ReportsValuesThatAreLostAndKeepsTheOthers) {
  for (const bool manifest : {true, false}) {
    for (const bool missing : {false, true}) {
      SCOPED_TRACE(std::to_string(manifest) + std::to_string(missing));
      fs_ = std::make_shared<MemoryFileSystem>();
      options_.file_system = fs_;
      Reopen();
      ASSERT_OK(db_->Put("a", Value(1)));
      ASSERT_OK(db_->Put("b", Value(2)));
      ASSERT_OK(db_->Flush());
      Reopen();
      ASSERT_OK(db_->Put("c", Value(3)));
      ASSERT_OK(db_->Flush());
      db_.reset();
      const std::string name = Damage(Value(2));
      if (missing) ASSERT_OK(fs_->DeleteFile("/db/" + name));
      if (!manifest) RemoveManifest();
      const RepairReport report = Repair();
      EXPECT_TRUE(Reports(report, "b")) << report.ToString();
      EXPECT_FALSE(Reports(report, "c")) << report.ToString();
      EXPECT_EQ(GetText(*db_, "c"), "=" + Value(3));
      if (!missing) {
        EXPECT_EQ(GetText(*db_, "a"), "=" + Value(1));
      }
      ExpectDamaged(db_->Get("b").status());
      ASSERT_OK(db_->Put("b", "new"));
      ASSERT_OK(db_->CompactRange());
      EXPECT_EQ(GetText(*db_, "b"), "=new");
    }
  }
}

TEST_F(ValueRepair, WithoutAManifestEverythingIsThere) {
  Contents want;
  for (int i = 0; i < 30; ++i) ASSERT_OK(db_->Put(Key(i), want[Key(i)] = Value(i, 700)));
  ASSERT_OK(db_->CompactRange());
  for (int i = 0; i < 30; i += 3) ASSERT_OK(db_->Put(Key(i), want[Key(i)] = Value(100 + i, 500)));
  ASSERT_OK(db_->Merge(Key(1), "tail"));
  want[Key(1)] += "+tail";
  ASSERT_OK(db_->Flush());
  ASSERT_OK(db_->Delete(Key(2)));
  want.erase(Key(2));
  ASSERT_OK(db_->Put(Key(4), want[Key(4)] = Value(104)));
  Die();
  RemoveManifest();
  const RepairReport report = Repair();
  EXPECT_EQ(Difference(want, ReadAll(*db_)), "") << report.ToString();
  ASSERT_OK(db_->CompactRange());
  EXPECT_EQ(Difference(want, ReadAll(*db_)), "");
  EXPECT_OK(db_->Verify().status());
}

// A table lies beside the one into which it was compacted: the older one points to where nothing is any more.
TEST_F(ValueRepair, TakesTheEntryWhoseValueIsThere) {
  Contents want;
  for (int i = 0; i < 10; ++i) ASSERT_OK(db_->Put(Key(i), want[Key(i)] = Value(i)));
  ASSERT_OK(db_->Flush());
  Reopen();
  const std::string old_table = Names(FileKind::kTable)[0];
  const std::string old_bytes = Bytes(old_table);
  const std::vector<std::string> old_segments = Segments();
  for (int i = 0; i < 8; ++i) ASSERT_OK(db_->Put(Key(i), want[Key(i)] = Value(100 + i)));
  ASSERT_OK(db_->CompactRange());
  ASSERT_OK(db_->WaitForCompaction());
  ASSERT_NE(Segments().front(), old_segments.front()) << "the first was to be emptied";
  ExpectAll(want);
  Die();
  Store(old_table, old_bytes);
  RemoveManifest();
  const RepairReport report = Repair();
  EXPECT_EQ(Difference(want, ReadAll(*db_)), "") << report.ToString();
}

}  // namespace
}  // namespace seerdb::testing
